// Allergies: which drugs a patient has a recorded allergy or intolerance to, by ingredient.
//
//   AllergyList list = ReadAllergies(bundle, knowledge);
//   const Allergy* conflict = FindConflict(medication_request, list, knowledge);
//
// Read are AllergyIntolerance.code and reaction.substance, their codings only (RxNorm product, RxNorm
// ingredient, ATC); an allergy to a product counts for each of its ingredients. A drug that no table knows
// conflicts when it has a coding in common. Left out: inactive, resolved, refuted, entered in error, and
// those only to food or the environment. No cross-reactivity is derived. Source: FHIR R4 and R5
// "AllergyIntolerance". Thread-safety: pure; nodes live as long as the Document.
#ifndef STEPWISE_RULES_MEDICATION_ALLERGY_H_
#define STEPWISE_RULES_MEDICATION_ALLERGY_H_

#include <vector>

#include "fhir/document.h"
#include "rules/medication/drug_knowledge.h"

namespace stepwise::medication {

struct Allergy {
  Node resource;                               // the AllergyIntolerance
  std::vector<Node> concepts;                  // CodeableConcepts of its substances
  std::vector<const Ingredient*> ingredients;  // that they name; empty: no table knows the substance
};

using AllergyList = std::vector<Allergy>;

// `bundle`: a Bundle of AllergyIntolerances (others in it are skipped), or a null Node.
AllergyList ReadAllergies(Node bundle, const DrugKnowledge& knowledge);

// The first allergy to what a MedicationRequest orders; nullptr if there is none among those that can be
// compared.
const Allergy* FindConflict(Node medication_request, const AllergyList& allergies,
                            const DrugKnowledge& knowledge);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_ALLERGY_H_
