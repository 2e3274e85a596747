// Reading FHIR quantities for dose arithmetic: exact value, unit by code, kind of unit.
//
//   DoseQuantity q = ReadQuantity(node.Child(names::kDoseQuantity), knowledge, &issues);
//   q.kind == UnitKind::kMass, q.value == 10 (mg), q.per_kg == false
//
// The unit is the `code`; where there is none the text of `unit` is taken if it is a unit of the tables (with
// the remark UNIT_NOT_UCUM), since a bare "mg" must not count as 10 tablets. Compound units: "mg/kg", "ug/h",
// "mg/kg/h", "mL/h". A code that is no unit of measure ({tbl}, TAB, 1, none at all) counts pieces; one that
// measures something else (mmol, m2) is kOther. Source: dosage.md rules 3 and 4 (mass, volume, by weight,
// pieces). Thread-safety: pure functions.
#ifndef STEPWISE_RULES_MEDICATION_QUANTITY_READER_H_
#define STEPWISE_RULES_MEDICATION_QUANTITY_READER_H_

#include <optional>

#include "fhir/document.h"
#include "rules/medication/drug_knowledge.h"
#include "rules/medication/issue.h"

namespace stepwise::medication {

struct DoseQuantity {
  std::optional<Rational> value;  // in mg, mL, days, kg or pieces; nullopt: no value
  UnitKind kind = UnitKind::kPiece;
  bool per_kg = false;   // kMass, kVolume: for each kg of body weight
  bool per_day = false;  // a rate: value is per day
  bool per_ml = false;   // a concentration: value is per mL
};

// A null node gives a quantity without value.
DoseQuantity ReadQuantity(Node quantity, const DrugKnowledge& knowledge, IssueSet* issues);

// The exact number that a JSON number says; nullopt for what is no number or negative, and for what does not
// fit (OVERFLOW).
std::optional<Rational> ReadNumber(Node number, IssueSet* issues);

// `child`'s text, "" when absent.
std::string_view TextOf(Node node, NameId child);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_QUANTITY_READER_H_
