// Serving: the packs in force at one moment, and the catalog of services they make. A request is answered by
// one of these from beginning to end, whatever is loaded meanwhile.
//
//   ServingSource source(evaluator);
//   Result<std::shared_ptr<const Serving>> serving = source.At(now);
//   (*serving)->catalog.Find("stepwise-order-sign");
//
// Errors: ListPacks()'s, BuildCatalog()'s. Thread-safety: all methods from many threads.
#ifndef STEPWISE_CDS_HOOKS_SERVING_H_
#define STEPWISE_CDS_HOOKS_SERVING_H_

#include <memory>
#include <mutex>

#include "cds_hooks/discovery.h"
#include "fhir/date_time.h"
#include "fhir/result.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

struct Serving {
  rules::Evaluator* evaluator = nullptr;       // the snapshot, or the one that never changes
  std::shared_ptr<rules::Evaluator> snapshot;  // nullptr: of an evaluator that never changes
  Catalog catalog;
};
using ServingPtr = std::shared_ptr<const Serving>;

class ServingSource {
 public:
  // `evaluator` outlives this.
  explicit ServingSource(rules::Evaluator& evaluator) : evaluator_(evaluator) {}

  // The same object while nothing changes.
  Result<ServingPtr> At(const DateTime& now);
  // Reads the packs again; on an error the ones served until now stay.
  Result<ServingPtr> Refresh(const DateTime& now) { return Make(evaluator_.Snapshot(now)); }

 private:
  Result<ServingPtr> Make(std::shared_ptr<rules::Evaluator> snapshot);

  rules::Evaluator& evaluator_;
  std::mutex mutex_;
  ServingPtr serving_;  // guarded by mutex_; null until the evaluator has answered once
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_SERVING_H_
