// Explanation: dose arithmetic in words and numbers, for people who check it.
//
// For each request: which drug by which coding, then for each instruction how often, how much, what that is a
// day, the equivalent with the factor that was used, and every issue in words; last the totals of the
// regimen. Numbers are shown as exact decimals where they are finite and short. Thread-safety: as
// ReadRequest.
#ifndef STEPWISE_RULES_MEDICATION_EXPLANATION_H_
#define STEPWISE_RULES_MEDICATION_EXPLANATION_H_

#include <span>
#include <string>

#include "rules/medication/regimen.h"

namespace stepwise::medication {

// `requests`: MedicationRequests. Those that do not count are explained and say why.
std::string Explain(std::span<const Node> requests, const DoseContext& context, const OmeqTable& table);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_EXPLANATION_H_
