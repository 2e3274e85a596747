// LocalEvaluator: packs that were loaded, evaluated in this process; which of them speak goes by the time of
// the request (rules/activation.h).
//
//   auto evaluator = LoadLocalEvaluator(std::vector<std::string>{"rules/packs"});
//
// A folder may be one pack (it has a pack.yaml) or hold packs. All or nothing: any error in any pack refuses
// all of them; the message lists every error, one a line, as file:line:column: what. Thread-safety: the
// evaluator may be used from many threads; each evaluation borrows an engine from a pool.
#ifndef STEPWISE_RULES_LOCAL_EVALUATOR_H_
#define STEPWISE_RULES_LOCAL_EVALUATOR_H_

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "rules/evaluator.h"
#include "rules/stretch_evaluator.h"

namespace stepwise::rules {

class LocalEvaluator final : public Evaluator {
 public:
  // `listed_at`: the time that ListPacks() speaks of, for those who have no other.
  LocalEvaluator(std::shared_ptr<const LocalParts> parts, const DateTime& listed_at);

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override {
    return At(now)->Evaluate(request, now, options);
  }
  Result<std::vector<PackInfo>> ListPacks() override { return At(listed_at_)->ListPacks(); }
  std::shared_ptr<Evaluator> Snapshot(const DateTime& now) override { return At(now); }
  void Shadow(const Document& request, const Decision& shown, const EvaluateOptions& options) override {
    At(shown.now)->Shadow(request, shown, options);
  }

  std::shared_ptr<StretchEvaluator> At(const DateTime& now);

 private:
  const std::shared_ptr<const LocalParts> parts_;
  const DateTime listed_at_;
  std::mutex mutex_;
  std::map<Schedule::Stretch, std::shared_ptr<StretchEvaluator>> stretches_;  // guarded by mutex_
};

// Engines whose evaluations are limited in time.
std::shared_ptr<EnginePool> MakeEnginePool();

// Every error, one a line, as the first.
Error Join(const Errors& errors);

// Every pack is on. `site`: applies each pack's sites/<site>.yaml, where it has one.
Result<std::unique_ptr<Evaluator>> LoadLocalEvaluator(std::span<const std::string> pack_dirs,
                                                      const std::string& site = {});
// `base` was loaded elsewhere, and may be shared.
std::unique_ptr<Evaluator> MakeLocalEvaluator(std::shared_ptr<const KnowledgeBase> base);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_LOCAL_EVALUATOR_H_
