// Which evaluator a program uses: the one in this process, or remote ones over gRPC.
//
//   Result<std::unique_ptr<rules::Evaluator>> evaluator = ChooseEvaluator(config);
//
// Errors: those of rules::LoadLocalEvaluator() (a pack that does not compile); kNotFound without any packs.
// Thread-safety: a pure function of the configuration and the disk.
#ifndef STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_
#define STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_

#include <memory>

#include "cds_hooks/config.h"
#include "fhir/result.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

Result<std::unique_ptr<rules::Evaluator>> ChooseEvaluator(const Config& config);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EVALUATOR_CHOICE_H_
