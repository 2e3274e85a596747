// Which evaluator a program uses: the one in this process, or remote ones over gRPC.
//
//   Result<ChosenEvaluator> chosen = ChooseEvaluator(config, clock);
//
// Errors: those of rules::Registry::Open() (a pack that does not compile); kNotFound without any packs.
// Thread-safety: a pure function of the configuration and the disk.
#ifndef STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_
#define STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_

#include <memory>

#include "cds_hooks/config.h"
#include "fhir/result.h"
#include "rules/evaluator.h"
#include "rules/registry.h"

namespace stepwise::cds_hooks {

struct ChosenEvaluator {
  std::unique_ptr<rules::Evaluator> evaluator;
  rules::Registry* registry = nullptr;  // the same, when packs are evaluated in this process
};

// `clock`: when packs are loaded, and which of them are on while nobody asks.
Result<ChosenEvaluator> ChooseEvaluator(const Config& config, rules::Registry::Clock clock);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_
