// What of a decision may stand in a record unsealed: everything here takes text that may hold patient data
// and gives back text that does not.
//
//   OpenSubject("MedicationRequest/m1") == "MedicationRequest"
//   OpenReason("MedicationRequest/m1: the dose is not said") == "MedicationRequest: the dose is not said"
//
// What is not known to be harmless becomes "" or kSealed. Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_STORE_OPEN_TEXT_H_
#define STEPWISE_CDS_HOOKS_STORE_OPEN_TEXT_H_

#include <string>
#include <string_view>

#include "rules/decision.h"

namespace stepwise::cds_hooks {

inline constexpr std::string_view kSealed = "(sealed)";

// The type of the resource that a reference names; "" for anything else.
std::string OpenSubject(std::string_view reference);
// "Observation.value"; without a path that looks like one, the type.
std::string OpenSource(const rules::Source& source);
// Why a line was unknown (rules/decision.h), with kSealed in the place of parts that may quote data.
std::string OpenReason(std::string_view reason);

// Codes and their systems come from clients and may hold anything. Does this look like a code, like a URI?
bool IsCode(std::string_view text);
bool IsSystem(std::string_view text);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_OPEN_TEXT_H_
