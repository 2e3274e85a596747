// Amount: how much of each ingredient one dosage instruction gives, once its timing is known.
//
// From doseAndRate (one entry: the ordered one, else the first), the strengths of the product, the patient's
// weight, maxDosePerAdministration and maxDosePerPeriod. Fills kind, parts and issues of a Dosage whose node,
// route and timing are set. Source: dosage.md rules 3 to 6.
#ifndef STEPWISE_RULES_MEDICATION_AMOUNT_H_
#define STEPWISE_RULES_MEDICATION_AMOUNT_H_

#include "rules/medication/dosage.h"

namespace stepwise::medication {

void ReadAmounts(const Drug& drug, const DoseContext& context, Dosage* dosage);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_AMOUNT_H_
