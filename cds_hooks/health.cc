#include "cds_hooks/health.h"

#include <nlohmann/json.hpp>

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxErrors = 10;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// "status" and, where that is not "ready", the "reasons".
Json Verdict(const HealthInputs& inputs) {
  Json reasons = Json::array();
  if (inputs.draining) reasons.push_back("the server is stopping");
  if (!inputs.packs) reasons.push_back(inputs.packs.error().message);
  if (inputs.packs && inputs.packs->empty()) reasons.push_back("no pack is on");
  const bool ready = reasons.empty();
  const bool degraded = inputs.store_configured && !inputs.store_up;
  if (degraded) reasons.push_back("the store takes no records");
  Json verdict = {{"status", !ready ? "unready" : degraded ? "degraded" : "ready"}};
  if (!reasons.empty()) verdict["reasons"] = std::move(reasons);
  return verdict;
}

int HttpStatusOf(const Json& verdict) { return verdict["status"] == "unready" ? 503 : 200; }

Json Pack(const rules::PackRef& ref) {
  return {{"id", ref.id}, {"version", ref.version}, {"digest", ref.digest}};
}

Json RegistryJson(const rules::RegistryStatus& status) {
  Json registry = {{"generation", status.generation},
                   {"loaded", status.loaded_at.ToString()},
                   {"digest", status.digest},
                   {"reload", status.errors.empty() ? "ok" : "failed"}};
  if (status.failed_at) registry["failed"] = status.failed_at->ToString();
  for (const Error& error : status.errors) {
    if (registry["errors"].size() < kMaxErrors) registry["errors"].push_back(error.ToString());
  }
  return registry;
}

}  // namespace

Health ReadyHealth(const HealthInputs& inputs) {
  const Json verdict = Verdict(inputs);
  return {HttpStatusOf(verdict), Dump(verdict)};
}

Health HealthText(const HealthInputs& inputs) {
  Json health = Verdict(inputs);
  const int status = HttpStatusOf(health);
  health["packs"] = Json::array();
  if (inputs.registry != nullptr) {
    for (const rules::PackState& pack : inputs.registry->packs) {
      health["packs"].push_back(Pack(pack.ref));
      health["packs"].back()["mode"] = pack.mode;
    }
    health["registry"] = RegistryJson(*inputs.registry);
  } else if (inputs.packs) {
    for (const rules::PackInfo& pack : *inputs.packs) health["packs"].push_back(Pack(pack.ref));
  }
  if (inputs.store_configured) health["store"] = inputs.store_up ? "ok" : "down";
  return {status, Dump(health)};
}

}  // namespace stepwise::cds_hooks
