#include "cds_hooks/discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stepwise::cds_hooks {
namespace {

// CDS Hooks 2.0.1, "Prefetch tokens": identifiers of the user, by the type of resource that userId names.
constexpr std::string_view kUserTokens[] = {"userPractitionerId", "userPractitionerRoleId", "userPatientId",
                                            "userRelatedPersonId"};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsToken(std::string_view token, const HookSpec& hook) {
  if (std::find(std::begin(kUserTokens), std::end(kUserTokens), token) != std::end(kUserTokens)) return true;
  constexpr std::string_view kContext = "context.";
  if (!token.starts_with(kContext)) return false;
  token.remove_prefix(kContext.size());
  return std::any_of(hook.fields.begin(), hook.fields.end(),
                     [&](const ContextField& field) { return field.prefetch_token && field.name == token; });
}

tl::unexpected<Error> Unusable(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed,
                               std::string why) {
  return Fail(Code::kSemantic, "pack " + pack.ref.id + ", prefetch " + needed.key + ", \"" + needed.query +
                                   "\": " + std::move(why));
}

Status CheckTokens(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed, const HookSpec& hook) {
  std::string_view rest = needed.query;
  for (std::size_t open = rest.find("{{"); open != std::string_view::npos; open = rest.find("{{")) {
    const std::size_t close = rest.find("}}", open);
    if (close == std::string_view::npos) return Unusable(pack, needed, "\"{{\" without \"}}\"");
    const std::string_view token = Trim(rest.substr(open + 2, close - open - 2));
    if (!IsToken(token, hook)) {
      std::string known;
      for (const ContextField& field : hook.fields) {
        if (field.prefetch_token) known += "context." + std::string(field.name) + ", ";
      }
      return Unusable(pack, needed,
                      "the hook " + std::string(hook.hook) + " has no token {{" + std::string(token) +
                          "}}; use " + known + "or the id of the user (userPractitionerId, ...)");
    }
    rest.remove_prefix(close + 2);
  }
  return {};
}

Status AddTemplate(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed, CatalogEntry& entry) {
  if (needed.key.empty() || needed.query.empty())
    return Unusable(pack, needed, "a key and a query are required");
  STEPWISE_RETURN_IF_ERROR(CheckTokens(pack, needed, *entry.hook));
  const auto same =
      std::find_if(entry.prefetch.begin(), entry.prefetch.end(),
                   [&](const rules::PrefetchTemplate& other) { return other.key == needed.key; });
  if (same == entry.prefetch.end()) {
    entry.prefetch.push_back(needed);
    return {};
  }
  if (same->query != needed.query) {
    return Unusable(pack, needed, "another pack gives this key a different query, \"" + same->query + "\"");
  }
  same->required = same->required || needed.required;
  return {};
}

bool Has(const std::vector<std::string>& hooks, std::string_view hook) {
  return std::find(hooks.begin(), hooks.end(), hook) != hooks.end();
}

std::string UsageRequirements(const CatalogEntry& entry) {
  std::string required;
  for (const rules::PrefetchTemplate& needed : entry.prefetch) {
    if (needed.required) required += (required.empty() ? "" : ", ") + needed.key;
  }
  std::string text = "FHIR R4.";
  if (!required.empty()) {
    text += " Required prefetch: " + required +
            "; null or a Bundle without entries says that there is nothing, leaving a key out does not.";
  }
  return text;
}

std::string DiscoveryJson(const std::vector<CatalogEntry>& services) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const CatalogEntry& entry : services) {
    nlohmann::ordered_json service = {{"hook", entry.hook->hook},
                                      {"title", entry.hook->title},
                                      {"description", entry.hook->description},
                                      {"id", entry.hook->service_id}};
    for (const rules::PrefetchTemplate& needed : entry.prefetch)
      service["prefetch"][needed.key] = needed.query;
    service["usageRequirements"] = UsageRequirements(entry);
    list.push_back(std::move(service));
  }
  const nlohmann::ordered_json discovery = {{"services", std::move(list)}};
  return discovery.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

const CatalogEntry* Catalog::Find(std::string_view service_id) const {
  for (const CatalogEntry& entry : services) {
    if (entry.hook->service_id == service_id) return &entry;
  }
  return nullptr;
}

const CatalogEntry* Catalog::FindByHook(std::string_view hook) const {
  for (const CatalogEntry& entry : services) {
    if (entry.hook->hook == hook) return &entry;
  }
  return nullptr;
}

Result<Catalog> BuildCatalog(std::span<const rules::PackInfo> packs) {
  Catalog catalog;
  for (const HookSpec& hook : Hooks()) {
    CatalogEntry entry{&hook, {}};
    bool served = false;
    for (const rules::PackInfo& pack : packs) {
      if (!Has(pack.hooks, hook.hook)) continue;
      served = true;
      for (const rules::PrefetchTemplate& needed : pack.prefetch) {
        if (Has(needed.hooks, hook.hook)) STEPWISE_RETURN_IF_ERROR(AddTemplate(pack, needed, entry));
      }
    }
    if (served) catalog.services.push_back(std::move(entry));
  }
  for (const rules::PackInfo& pack : packs) catalog.packs.push_back(pack.ref);
  catalog.discovery = DiscoveryJson(catalog.services);
  return catalog;
}

}  // namespace stepwise::cds_hooks
