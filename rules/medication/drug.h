// Drug: which drug a MedicationRequest is about: its ingredients, their strengths, release and route.
//
//   Drug drug = IdentifyDrug(request, knowledge, references);
//   drug.parts[0].ingredient->name    // "oxycodone"; nullptr where no code is known
//
// Read are codings only, never text. Places, R4 and R5: medicationCodeableConcept, medication.concept, a
// Medication that medicationReference or medication.reference leads to (contained, or in the documents of
// `references`). Of several codings the most specific known one counts: RxNorm product, RxNorm ingredient,
// ATC; codings that name other ingredients raise CODING_CONFLICT. Medication.ingredient decides over the
// product table, both which ingredients there are and how strong they are, as far as its codes are known. A
// combination product is each of its ingredients. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_MEDICATION_DRUG_H_
#define STEPWISE_RULES_MEDICATION_DRUG_H_

#include <string_view>
#include <vector>

#include "fhir/document.h"
#include "fhir/fhirpath/state.h"
#include "rules/medication/drug_knowledge.h"
#include "rules/medication/issue.h"

namespace stepwise::medication {

// Finds what references lead to: contained resources, and those of the documents added to it.
using References = fhirpath::ReferenceIndex;

struct DrugPart {
  const Ingredient* ingredient = nullptr;  // nullptr: an ingredient that no table knows
  Strength strength;
  std::string_view drug_class;  // "" when unknown
  bool analgesic = false;
};

enum class DrugSource : std::uint8_t { kNone, kProduct, kIngredient, kAtc, kMedicationIngredient };

struct Drug {
  std::vector<DrugPart> parts;     // at least one, opioids first, then other analgesics
  int ingredient_count = 1;        // parts that no table knows included
  bool combination = false;        // more than one ingredient
  std::string_view release;        // "immediate", "modified", "transdermal", ...; "" when unknown
  Route route = Route::kUnknown;   // of the product
  std::optional<Rational> wear_h;  // hours that one piece is made to last
  Node medication;                 // the Medication, or a null Node
  const Product* product = nullptr;
  // How it was found, for explanations.
  DrugSource source = DrugSource::kNone;
  std::string_view system, code, name;  // the coding that decided; name as the table has it
  bool coded = false;                   // some coding is RxNorm or ATC, known to the tables or not
  IssueSet issues;

  bool known() const { return source != DrugSource::kNone; }
  bool opioid() const { return parts.front().ingredient != nullptr && parts.front().ingredient->opioid; }
};

// What the codings of a CodeableConcept name; of several known ones the most specific decides. Entries are
// nullptr for ingredients that no table knows.
std::vector<const Ingredient*> IngredientsOf(Node concept_node, const DrugKnowledge& knowledge);

Drug IdentifyDrug(Node request, const DrugKnowledge& knowledge, References* references);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_DRUG_H_
