#include "cds_hooks/serving.h"

#include <utility>
#include <vector>

namespace stepwise::cds_hooks {

Result<ServingPtr> ServingSource::Make(std::shared_ptr<rules::Evaluator> snapshot) {
  auto serving = std::make_shared<Serving>();
  serving->evaluator = snapshot == nullptr ? &evaluator_ : snapshot.get();
  serving->snapshot = std::move(snapshot);
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<rules::PackInfo> packs, serving->evaluator->ListPacks());
  STEPWISE_ASSIGN_OR_RETURN(serving->catalog, BuildCatalog(packs));
  const std::lock_guard lock(mutex_);
  serving_ = serving;
  return serving;
}

Result<ServingPtr> ServingSource::At(const DateTime& now) {
  std::shared_ptr<rules::Evaluator> snapshot = evaluator_.Snapshot(now);
  {
    const std::lock_guard lock(mutex_);
    if (serving_ != nullptr && serving_->snapshot == snapshot) return serving_;
  }
  return Make(std::move(snapshot));
}

}  // namespace stepwise::cds_hooks
