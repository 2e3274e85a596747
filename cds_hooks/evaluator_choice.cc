#include "cds_hooks/evaluator_choice.h"

#include <span>

#include "cds_hooks/discovery.h"
#include "rules/remote_evaluator.h"

namespace stepwise::cds_hooks {

Result<ChosenEvaluator> ChooseEvaluator(const Config& config, rules::Registry::Clock clock) {
  if (!config.evaluators.empty()) {
    return ChosenEvaluator{rules::ConnectRemoteEvaluator(
        config.evaluators, std::chrono::milliseconds(config.evaluation_timeout_ms), config.site)};
  }
  rules::RegistryOptions options{config.packs, config.activation, config.site};
  if (options.dirs.empty()) {
    std::string folder = DefaultPacksDir();
    if (folder.empty()) return Fail(Code::kNotFound, "no rule packs: name their folder with --packs");
    options.dirs.push_back(std::move(folder));
  }
  // A pack whose prefetch cannot be offered must not get as far as discovery.
  options.check = [](const rules::PackInfo& info) -> Status {
    const Result<Catalog> catalog = BuildCatalog(std::span(&info, 1));
    return catalog ? Status() : tl::unexpected(catalog.error());
  };
  STEPWISE_ASSIGN_OR_RETURN(std::unique_ptr<rules::Registry> registry,
                            rules::Registry::Open(std::move(options), std::move(clock)));
  rules::Registry* const same = registry.get();
  return ChosenEvaluator{std::move(registry), same};
}

}  // namespace stepwise::cds_hooks
