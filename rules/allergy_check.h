// CheckAllergies: suggestions that would order what the patient is allergic to are dropped; the card stays.
//
//   CheckAllergies(rule, facts.Read("allergies", query), &card);
//
// A suggestion is dropped when one of its actions creates or updates a MedicationRequest for a drug with a
// recorded allergy or intolerance (rules/medication/allergy.h), and the card says which. Where allergies were
// not supplied, or some cannot be compared, the suggestions stay and the card says that too: not checked is
// not the same as no allergy. Rules that suggest no drug are left alone.
// Thread-safety: pure.
#ifndef STEPWISE_RULES_ALLERGY_CHECK_H_
#define STEPWISE_RULES_ALLERGY_CHECK_H_

#include "rules/decision.h"
#include "rules/facts.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {

// `allergies`: the answer to the pack's AllergyIntolerance query; absent where it has none.
void CheckAllergies(const CompiledRule& rule, const Fact& allergies, Card* card);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ALLERGY_CHECK_H_
