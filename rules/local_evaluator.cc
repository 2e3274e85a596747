#include "rules/local_evaluator.h"

namespace stepwise::rules {
namespace {

constexpr std::size_t kMaxStretches = 8;  // requests of other days come from tests and replays

std::int64_t SteadyNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

LocalEvaluator::LocalEvaluator(std::shared_ptr<const LocalParts> parts, const DateTime& listed_at)
    : parts_(std::move(parts)), listed_at_(listed_at) {}

std::shared_ptr<StretchEvaluator> LocalEvaluator::At(const DateTime& now) {
  const Schedule::Stretch stretch = parts_->schedule.StretchOf(now);
  const std::scoped_lock lock(mutex_);
  if (const auto found = stretches_.find(stretch); found != stretches_.end()) return found->second;
  if (stretches_.size() >= kMaxStretches) stretches_.clear();
  auto made = std::make_shared<StretchEvaluator>(parts_, parts_->schedule.At(now));
  return stretches_.emplace(stretch, std::move(made)).first->second;
}

std::shared_ptr<EnginePool> MakeEnginePool() { return std::make_shared<EnginePool>(&SteadyNanoseconds); }

Error Join(const Errors& errors) {
  Error all = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) all.message += "\n" + errors[i].ToString();
  return all;
}

std::unique_ptr<Evaluator> MakeLocalEvaluator(std::shared_ptr<const KnowledgeBase> base) {
  Errors none;  // without an activation file nothing can be wrong
  Schedule schedule(nullptr, "", base->packs(), &none);
  auto parts = std::make_shared<const LocalParts>(
      LocalParts{std::move(base), std::move(schedule), MakeEnginePool(), std::make_shared<ShadowCounts>()});
  return std::make_unique<LocalEvaluator>(std::move(parts), DateTime());
}

Result<std::unique_ptr<Evaluator>> LoadLocalEvaluator(std::span<const std::string> pack_dirs,
                                                      const std::string& site) {
  LoadReport report;
  auto base = KnowledgeBase::LoadFolders(pack_dirs, &report, site);
  if (base != nullptr) return MakeLocalEvaluator(std::move(base));
  return tl::unexpected(Join(report.errors));
}

}  // namespace stepwise::rules
