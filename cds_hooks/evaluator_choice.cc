#include "cds_hooks/evaluator_choice.h"

#include "rules/local_evaluator.h"
#include "rules/remote_evaluator.h"

namespace stepwise::cds_hooks {

Result<std::unique_ptr<rules::Evaluator>> ChooseEvaluator(const Config& config) {
  if (!config.evaluators.empty()) {
    return rules::ConnectRemoteEvaluator(config.evaluators,
                                         std::chrono::milliseconds(config.evaluation_timeout_ms));
  }
  std::vector<std::string> packs = config.packs;
  if (packs.empty()) {
    std::string folder = DefaultPacksDir();
    if (folder.empty()) return Fail(Code::kNotFound, "no rule packs: name their folder with --packs");
    packs.push_back(std::move(folder));
  }
  return rules::LoadLocalEvaluator(packs);
}

}  // namespace stepwise::cds_hooks
