// Equipped: a service with what its configuration asks for, as stepwise-server makes it, but for the sockets:
// trust in clients, the client of FHIR servers, the store.
//
//   Config config = LocalConfig();
//   config.fhir.servers = {server.Url("/r4")};
//   Equipped equipped(config, "rules/packs");
//   equipped.service.Call("order-sign", request)
//
// A store is kept only where the configuration names one.
#ifndef STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_EQUIPPED_H_
#define STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_EQUIPPED_H_

#include <memory>
#include <string>

#include "cds_hooks/components.h"
#include "cds_hooks/log.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {

inline constexpr const char* kEveryHookPacks = "tests/cds_hooks/requirements/pack";

// The defaults, with other servers on this machine and time enough for slow machines.
inline Config LocalConfig() {
  Config config;
  config.request_deadline_ms = config.evaluation_timeout_ms = 60'000;
  config.fhir.allowed_networks = {"127.0.0.0/8"};
  config.fhir.deadline_ms = config.fhir.connect_timeout_ms = 20'000;
  config.store.url = "none";
  return config;
}

class Equipped {
  Log log_{"off"};
  std::unique_ptr<Components> components_;

 public:
  explicit Equipped(const Config& config, const std::string& packs = kEveryHookPacks)
      : components_(Make(config, log_)), service(packs, Options(config, *components_)) {}
  ~Equipped() { components_->StopCalls(); }

  TestService service;

 private:
  static std::unique_ptr<Components> Make(const Config& config, Log& log) {
    const Service::Clock clock = [] { return *DateTime::ParseDateTime("2026-12-10T09:00:00Z"); };
    Result<std::unique_ptr<Components>> made = Components::Make(config, clock, log);
    if (!made) ADD_FAILURE() << made.error().ToString();
    if (!made) std::abort();  // nothing here can be tested
    return *std::move(made);
  }
  static ServiceOptions Options(const Config& config, const Components& components) {
    ServiceOptions options = MakeServiceOptions(config);
    options.metrics = std::make_shared<Metrics>();
    components.AddTo(options);
    return options;
  }
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_EQUIPPED_H_
