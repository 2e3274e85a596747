// Dose arithmetic as FHIRPath functions, for rules.
//
//   %order.dailyDoseMgHigh() > 400 'mg/d'
//   %regimen.maximumOmeq() >= 50 'mg/d'                   // of all active and drafted requests together
//   %regimen.maximumDailyMg('161', %weight) > 4000 'mg/d'
//
// One table, which `stepwise functions` prints: name, parameters, result with its unit, meaning. The input
// are MedicationRequests; anything else in it is passed over. Most functions answer for each request; those
// that say "regimen" take the whole input as what the patient takes (rules/medication/regimen.h). What is not
// known is empty, never 0, and the reasons are noted for the explanation of the line. Optional parameters:
// `table`, id of a table of oral morphine equivalents (default: the first of the pack); `weight`, body weight
// as a Quantity, for doses by weight; `ingredient`, RxNorm code or name as in ingredients.csv. The knowledge
// comes from the pack of the expression, or one that it requires (rules/pack_terminology.h). Thread-safety:
// constant table.
#ifndef STEPWISE_RULES_MEDICATION_FUNCTIONS_H_
#define STEPWISE_RULES_MEDICATION_FUNCTIONS_H_

#include <span>

#include "fhir/fhirpath/builtin.h"

namespace stepwise::medication {

// Sorted by name.
std::span<const fhirpath::Builtin> MedicationFunctions();

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_FUNCTIONS_H_
