// The functions that rules may call besides those of FHIRPath, as rows for fhirpath::Compile.
//
//   lookup('omeq', %code, 'factor')     text in column `factor` of the row whose key is %code; {} without
//   such a row
//
// and dose arithmetic on MedicationRequests (rules/medication/functions.h).
//
// One table: the listing for people (`stepwise functions`) and the tests read the same rows.
// Thread-safety: constant after the first call.
#ifndef STEPWISE_RULES_FUNCTIONS_H_
#define STEPWISE_RULES_FUNCTIONS_H_

#include <span>
#include <string_view>

#include "fhir/fhirpath/builtin.h"
#include "rules/pack_terminology.h"

namespace stepwise::rules {

std::span<const fhirpath::Builtin> RuleFunctions();

// What can be known to be wrong in calls with literal arguments: lookup() of a table or column that does not
// exist, memberOf() of a value set that does not exist. Spans are relative to `expression`. An expression
// that does not parse gives nothing: Compile says that better.
Errors CheckCalls(std::string_view expression, const PackTerminology& terminology);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FUNCTIONS_H_
