// LoadLocalEvaluator: packs from disk, evaluated in this process.
//
//   auto evaluator = LoadLocalEvaluator(std::vector<std::string>{"rules/packs"});
//
// A folder may be one pack (it has a pack.yaml) or hold packs. All or nothing: any error in any pack refuses
// all of them; the message lists every error, one a line, as file:line:column: what. Thread-safety: the
// evaluator may be used from many threads; each evaluation borrows an engine from a pool.
#ifndef STEPWISE_RULES_LOCAL_EVALUATOR_H_
#define STEPWISE_RULES_LOCAL_EVALUATOR_H_

#include <memory>
#include <span>
#include <string>

#include "rules/evaluator.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {

// `site`: applies each pack's sites/<site>.yaml, where it has one.
Result<std::unique_ptr<Evaluator>> LoadLocalEvaluator(std::span<const std::string> pack_dirs,
                                                      const std::string& site = {});
// `base` was loaded elsewhere, and may be shared.
std::unique_ptr<Evaluator> MakeLocalEvaluator(std::shared_ptr<const KnowledgeBase> base);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_LOCAL_EVALUATOR_H_
