// Error -> HTTP status and FHIR OperationOutcome.
//
//   HttpStatus(Code::kFailedPrecondition) == 412
//   OperationOutcome(error) -> {"resourceType":"OperationOutcome","issue":[{"severity":"error",
//       "code":"required","diagnostics":"...","expression":["prefetch.meds"]}]}
//
// The one table from Code to the outside world of HTTP is in operation_outcome.cc. kInternal says nothing but
// that the fault is ours: what happened is in the log.
// Source: CDS Hooks 3.0.0-ballot "HTTP Status Codes" (OperationOutcome SHOULD); FHIR R4 issue-type.
// Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_OPERATION_OUTCOME_H_
#define STEPWISE_CDS_HOOKS_OPERATION_OUTCOME_H_

#include <span>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::cds_hooks {

int HttpStatus(Code code);

// One issue per error; `errors` is not empty.
std::string OperationOutcome(std::span<const Error> errors);
std::string OperationOutcome(const Error& error);

// For what HTTP itself gets wrong (405, 415, 431, ...); `issue_code` is a FHIR issue-type.
std::string OperationOutcome(std::string_view issue_code, std::string_view diagnostics);

// For what went well and has nothing else to say: one issue of severity information.
std::string InformationOutcome(std::string_view diagnostics);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_OPERATION_OUTCOME_H_
