// Explain: a Decision as its author reads it: which rule fired, and line by line because of what.
//
//   FIRED    prn-only  MedicationRequest/o1  pack org.example.pain 1.2.0 sha256:1f2e3d4c5b6a
//     + strong     the order is for a strong opioid    MedicationRequest/o1 MedicationRequest.medication
//     - scheduled  a scheduled opioid is active
//     = fired
//   STOPPED  by dx  ...
//     ? dx         the patient has cancer pain         not known: prefetch `conditions` was not supplied
//     = stopped by dx
//
// + true, - false, ? not known. Lines after the deciding one are shown when they were evaluated.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_EXPLAIN_H_
#define STEPWISE_RULES_EXPLAIN_H_

#include <string>

#include "rules/decision.h"

namespace stepwise::rules {

// "fired", "stopped by dx", "fired, LAD-06 speaks for it", ...
std::string Verdict(const RuleOutcome& rule);
std::string Explain(const Decision& decision);
std::string Explain(const RuleOutcome& rule, const Decision& decision);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_EXPLAIN_H_
