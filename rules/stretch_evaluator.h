// StretchEvaluator: the packs of one knowledge base as they are scheduled over one stretch of time.
//
//   auto parts = std::make_shared<LocalParts>(...);
//   StretchEvaluator evaluator(parts, parts->schedule.At(now));
//
// Nothing in it changes but a cache: who speaks is worked out once for each set of canaries that take a
// patient, and then looked up. A request may pin versions for itself, in its body:
//
//   "extension": { "org.stepwise.pin": { "org.example.cancer-pain": "1.2.0" } }     or "sha256:..."
//
// Errors of Evaluate(): also kInvalidArgument for a pin that cannot be (path: that of the pin); kNotFound for
// one of EvaluateOptions::exact_packs that is not loaded.
// Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_RULES_STRETCH_EVALUATOR_H_
#define STEPWISE_RULES_STRETCH_EVALUATOR_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rules/activation.h"
#include "rules/engine_pool.h"
#include "rules/evaluator.h"
#include "rules/selection.h"
#include "rules/shadow.h"

namespace stepwise::rules {

// What evaluators of one snapshot share; engines and counts also outlive it.
struct LocalParts {
  std::shared_ptr<const KnowledgeBase> base;
  Schedule schedule;  // of base->packs()
  std::shared_ptr<EnginePool> engines;
  std::shared_ptr<ShadowCounts> shadow;
};

class StretchEvaluator final : public Evaluator {
 public:
  StretchEvaluator(std::shared_ptr<const LocalParts> parts, Moment moment);

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override;
  // All that can speak now, for one patient or another, or in shadow; what only a shadow reads is not
  // required.
  Result<std::vector<PackInfo>> ListPacks() override { return infos_; }
  std::string digest() override { return digest_; }
  void Shadow(const Document& request, const Decision& shown, const EvaluateOptions& options) override;
  const Moment& moment() const { return moment_; }

 private:
  Result<std::shared_ptr<const Selection>> Select(const Document& request, const EvaluateOptions& options);
  Result<std::shared_ptr<const Selection>> SelectExactly(const std::vector<std::string>& digests) const;
  std::shared_ptr<const Selection> Select(const Moment& moment, std::string_view taken) const;
  Result<Decision> Run(const Selection& selection, const Document& request, const DateTime& now,
                       const EvaluateOptions& options) const;

  const std::shared_ptr<const LocalParts> parts_;
  const Moment moment_;
  std::vector<PackInfo> infos_;
  std::string digest_;
  std::vector<Selection> shadows_;  // one a version
  std::mutex mutex_;
  // By the canaries that take the patient, "0110"; guarded by mutex_.
  std::map<std::string, std::shared_ptr<const Selection>, std::less<>> selections_;
};

// All packs of the moment: on, canaries, in shadow; ascending, each once.
std::vector<std::size_t> PacksOf(const Moment& moment);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_STRETCH_EVALUATOR_H_
