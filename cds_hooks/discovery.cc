#include "cds_hooks/discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cds_hooks/prefetch_template.h"

namespace stepwise::cds_hooks {
namespace {

// Of CDS Hooks. `version` and `hookVersion` come from the ballot of 3.0: clients of 2.0 pass over both.
constexpr std::string_view kSpecification = "2.0.1";

tl::unexpected<Error> Unusable(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed,
                               std::string why) {
  return Fail(Code::kSemantic, "pack " + pack.ref.id + ", prefetch " + needed.key + ", \"" + needed.query +
                                   "\": " + std::move(why));
}

Status CheckTemplate(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed,
                     const HookSpec& hook) {
  const Result<ParsedTemplate> parsed = ParseTemplate(needed.query);
  if (!parsed) return Unusable(pack, needed, parsed.error().message);
  if (const Status tokens = CheckTokens(*parsed, hook); !tokens)
    return Unusable(pack, needed, tokens.error().message);
  return {};
}

Status AddTemplate(const rules::PackInfo& pack, const rules::PrefetchTemplate& needed, CatalogEntry& entry) {
  if (needed.key.empty() || needed.query.empty())
    return Unusable(pack, needed, "a key and a query are required");
  STEPWISE_RETURN_IF_ERROR(CheckTemplate(pack, needed, *entry.hook));
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
                                      {"id", entry.hook->service_id},
                                      {"version", kSpecification},
                                      {"hookVersion", entry.hook->version}};
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
