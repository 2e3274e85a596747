// Which required prefetch the request does not answer, and why.
//
//   for (const Error& error : MissingPrefetch(request, templates)) ...   // empty: everything required is
//   there error.ToString() -> "prefetch.meds: prefetch `meds` was not supplied, and rules cannot do without
//   it; send
//                        the answer to MedicationRequest?patient={{context.patientId}}, or null if there is
//                        none"
//
// A datum is read as the rules read it (rules/facts.h): null and a Bundle without entries answer "there is
// nothing"; an absent key, an OperationOutcome and a Bundle with a next page answer nothing.
// Source: CDS Hooks 2.0.1, "Prefetch Template" (null, OperationOutcome, paging, 412).
// Thread-safety: a pure function.
#ifndef STEPWISE_CDS_HOOKS_PREFETCH_H_
#define STEPWISE_CDS_HOOKS_PREFETCH_H_

#include <span>
#include <vector>

#include "cds_hooks/request.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

// One kFailedPrecondition error per required template that is absent, failed or partial; path
// "prefetch.<key>". In the order of the templates.
std::vector<Error> MissingPrefetch(const Request& request,
                                   std::span<const rules::PrefetchTemplate> templates);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PREFETCH_H_
