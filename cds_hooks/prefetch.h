// What the request leaves open of the prefetch that its hook's rules read, and how it is put in.
//
//   std::vector<PrefetchGap> gaps = PrefetchGaps(request, templates);      // empty: everything is answered
//   for (const Error& error : MissingPrefetch(gaps)) ...                   // what rules cannot do without
//   error.ToString() -> "prefetch.meds: prefetch `meds` was not supplied, and rules cannot do without it;
//   send
//                        the answer to MedicationRequest?patient={{context.patientId}}, or null if there is
//                        none"
//
// A datum is read as the rules read it (rules/facts.h): null and a Bundle without entries answer "there is
// nothing"; an absent key, an OperationOutcome and a Bundle with a next page answer nothing.
// Source: CDS Hooks 2.0.1, "Prefetch Template" (null, OperationOutcome, paging, 412).
// Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_PREFETCH_H_
#define STEPWISE_CDS_HOOKS_PREFETCH_H_

#include <span>
#include <string>
#include <vector>

#include "cds_hooks/request.h"
#include "rules/evaluator.h"
#include "rules/facts.h"

namespace stepwise::cds_hooks {

struct PrefetchGap {
  const rules::PrefetchTemplate* needed = nullptr;     // lives as long as the catalog
  rules::FactState state = rules::FactState::kAbsent;  // absent, failed or partial
  std::string why;
};

// In the order of the templates, required ones and others.
std::vector<PrefetchGap> PrefetchGaps(const Request& request,
                                      std::span<const rules::PrefetchTemplate> templates);

// One kFailedPrecondition error per gap in what is required; path "prefetch.<key>".
std::vector<Error> MissingPrefetch(std::span<const PrefetchGap> gaps);

// What was fetched for a gap.
struct FetchedPrefetch {
  std::string key;
  std::string json;  // a FHIR resource; null: there is nothing; "": it could not be had
  std::string why;   // of what could not be had, or not wholly
};

// The request's text with these values in its prefetch, in the place of what stands there under their keys.
// Keys that no template has are left out: nobody reads them.
std::string WithPrefetch(const Document& document, std::span<const rules::PrefetchTemplate> templates,
                         std::span<const FetchedPrefetch> fetched);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PREFETCH_H_
