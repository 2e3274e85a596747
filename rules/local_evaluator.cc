#include "rules/local_evaluator.h"

#include <mutex>
#include <vector>

#include "rules/engine.h"

namespace stepwise::rules {
namespace {

std::int64_t SteadyNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class LocalEvaluator final : public Evaluator {
 public:
  explicit LocalEvaluator(std::shared_ptr<const KnowledgeBase> base) : base_(std::move(base)) {}

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& asked) override {
    std::unique_ptr<Engine> engine = Take();
    EngineOptions options;
    options.timeout = asked.timeout;
    options.overridden = asked.overridden;
    options.max_cards = asked.max_cards;
    Result<Decision> decision = engine->Evaluate(*base_, request, now, options);
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(engine));
    return decision;
  }

  Result<std::vector<PackInfo>> ListPacks() override {
    return std::vector<PackInfo>(base_->infos().begin(), base_->infos().end());
  }

 private:
  std::unique_ptr<Engine> Take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Engine>(fhirpath::EvaluationLimits{}, &SteadyNanoseconds);
    std::unique_ptr<Engine> engine = std::move(idle_.back());
    idle_.pop_back();
    return engine;
  }

  const std::shared_ptr<const KnowledgeBase> base_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Engine>> idle_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Evaluator> MakeLocalEvaluator(std::shared_ptr<const KnowledgeBase> base) {
  return std::make_unique<LocalEvaluator>(std::move(base));
}

Result<std::unique_ptr<Evaluator>> LoadLocalEvaluator(std::span<const std::string> pack_dirs,
                                                      const std::string& site) {
  LoadReport report;
  auto base = KnowledgeBase::LoadFolders(pack_dirs, &report, site);
  if (base != nullptr) return MakeLocalEvaluator(std::move(base));
  Error all = report.errors.front();
  for (std::size_t i = 1; i < report.errors.size(); ++i) all.message += "\n" + report.errors[i].ToString();
  return tl::unexpected(std::move(all));
}

}  // namespace stepwise::rules
