// What the request says about each datum that rules need: given, known to be empty, or not known, and why.
//
//   for (const Error& error : MissingPrefetch(request, templates)) ...   // empty: everything required is there
//   error.ToString() -> "prefetch.meds: required and absent: the request must carry the answer to
//                        MedicationRequest?patient={{context.patientId}}, or null when there is none"
//
// "Known to be empty" and "not known" are never mixed up: only null and a Bundle without resources mean that
// the client looked and found nothing.
// Source: CDS Hooks 2.0.1, "Prefetch Template" (null, OperationOutcome, paging, 412).
// Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_PREFETCH_H_
#define STEPWISE_CDS_HOOKS_PREFETCH_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/request.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

enum class PrefetchState : std::uint8_t {
  kAbsent,   // no such key, and nothing else said: not known
  kEmpty,    // null, or a Bundle without resources: the client looked and there is nothing
  kFailed,   // an OperationOutcome, bare or in a Bundle, or no FHIR resource at all: not known
  kPartial,  // a Bundle with a next page, though the query set no _count: the rest is not known
  kPresent,
};

struct PrefetchValue {
  PrefetchState state = PrefetchState::kAbsent;
  std::string_view why;  // of kFailed: in plain words; static text
};

PrefetchValue ReadPrefetch(const Request& request, const rules::PrefetchTemplate& needed);

// One kFailedPrecondition error per required template that is absent, failed or partial; path
// "prefetch.<key>". In the order of the templates.
std::vector<Error> MissingPrefetch(const Request& request, std::span<const rules::PrefetchTemplate> templates);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PREFETCH_H_
