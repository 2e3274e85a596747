#include "rules/medication/drug.h"

#include <algorithm>

#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr std::string_view kRxNormOid = "urn:oid:2.16.840.1.113883.6.88";

bool IsRxNorm(std::string_view system) { return system == kRxNormSystem || system == kRxNormOid; }

// What one coding means to the tables.
struct Meaning {
  DrugSource source = DrugSource::kNone;
  const Product* product = nullptr;
  const Ingredient* ingredient = nullptr;
  const AtcEntry* atc = nullptr;
  std::string_view system, code;

  bool Names(const Ingredient* other) const {
    if (product != nullptr)
      return std::ranges::find(product->parts, other, &ProductPart::ingredient) != product->parts.end();
    if (atc != nullptr) return std::ranges::find(atc->ingredients, other) != atc->ingredients.end();
    return ingredient == other;
  }
  // No ingredient that `other` does not name as well.
  bool Within(const Meaning& other) const {
    if (product != nullptr) {
      return std::ranges::all_of(product->parts,
                                 [&](const ProductPart& part) { return other.Names(part.ingredient); });
    }
    if (atc != nullptr) {
      // "and other non-opioid analgesics" is no ingredient that could differ.
      return std::ranges::all_of(
          atc->ingredients, [&](const Ingredient* part) { return part->rxcui.empty() || other.Names(part); });
    }
    return other.Names(ingredient);
  }
};

Meaning MeaningOf(std::string_view system, std::string_view code, const DrugKnowledge& knowledge) {
  Meaning out;
  out.system = system;
  out.code = code;
  if (IsRxNorm(system)) {
    if ((out.product = knowledge.FindProduct(code)) != nullptr) {
      out.source = DrugSource::kProduct;
    } else if ((out.ingredient = knowledge.FindIngredient(code)) != nullptr) {
      out.source = DrugSource::kIngredient;
    }
  } else if (system == kAtcSystem) {
    if ((out.atc = knowledge.FindAtc(code)) != nullptr) out.source = DrugSource::kAtc;
  }
  return out;
}

// The best known coding of a CodeableConcept; sets *coded when any coding is of a known system.
Meaning BestMeaning(Node concept_node, const DrugKnowledge& knowledge, bool* coded, bool* conflict) {
  Meaning best;
  if (!concept_node) return best;
  const auto each = [&](auto&& visit) {
    for (const Node coding : concept_node.children()) {
      if (coding.name() != names::kCoding || coding.kind() != NodeKind::kObject) continue;
      const std::string_view system = TextOf(coding, names::kSystem);
      if (IsRxNorm(system) || system == kAtcSystem) *coded = true;
      const Meaning meaning = MeaningOf(system, TextOf(coding, names::kCode), knowledge);
      if (meaning.source != DrugSource::kNone) visit(meaning);
    }
  };
  int known = 0;
  each([&](const Meaning& meaning) {
    ++known;
    if (best.source == DrugSource::kNone || meaning.source < best.source) best = meaning;
  });
  if (known > 1) each([&](const Meaning& meaning) { *conflict = *conflict || !meaning.Within(best); });
  return best;
}

DrugPart PartOf(const Ingredient* ingredient) {
  DrugPart part;
  part.ingredient = ingredient;
  if (ingredient != nullptr) {
    part.drug_class = ingredient->drug_class;
    part.analgesic = ingredient->analgesic;
  }
  return part;
}

void Apply(const Meaning& meaning, Drug* drug) {
  drug->source = meaning.source;
  drug->system = meaning.system;
  drug->code = meaning.code;
  switch (meaning.source) {
    case DrugSource::kProduct: {
      const Product& product = *meaning.product;
      drug->product = &product;
      drug->name = product.name;
      drug->release = product.release;
      drug->route = product.route;
      drug->wear_h = product.wear_h;
      for (const ProductPart& part : product.parts) {
        drug->parts.push_back({part.ingredient, part.strength, part.drug_class, part.analgesic});
      }
      drug->ingredient_count = std::max(product.ingredient_count, static_cast<int>(product.parts.size()));
      drug->combination = drug->ingredient_count > 1;
      break;
    }
    case DrugSource::kIngredient:
      drug->name = meaning.ingredient->name;
      drug->parts.push_back(PartOf(meaning.ingredient));
      break;
    case DrugSource::kAtc:
      drug->name = meaning.atc->name;
      for (const Ingredient* ingredient : meaning.atc->ingredients) drug->parts.push_back(PartOf(ingredient));
      drug->ingredient_count = static_cast<int>(drug->parts.size());
      drug->combination = meaning.atc->combination || drug->parts.size() > 1;
      break;
    case DrugSource::kNone:
    case DrugSource::kMedicationIngredient: break;
  }
}

// Medication.ingredient.strength: a Ratio (R4 strength, R5 strengthRatio) or a Quantity (R5).
Strength ReadStrength(Node ingredient, const DrugKnowledge& knowledge, IssueSet* issues) {
  Strength out;
  Node ratio = ingredient.Child(names::kStrength);
  if (!ratio) ratio = ingredient.Child(names::kStrengthRatio);
  const Node top_node = ratio ? ratio.Child(names::kNumerator) : ingredient.Child(names::kStrengthQuantity);
  const DoseQuantity top = ReadQuantity(top_node, knowledge, issues);
  if (!top.value || top.kind != UnitKind::kMass || top.per_kg || (top.per_day && top.per_ml)) return out;
  const Node bottom_node = ratio ? ratio.Child(names::kDenominator) : Node();
  DoseQuantity bottom{.value = Rational(1)};
  if (bottom_node) bottom = ReadQuantity(bottom_node, knowledge, issues);
  if (!bottom.value || !bottom.value->IsPositive()) return out;
  const Rational value = *top.value / *bottom.value;
  constexpr std::int64_t kHoursPerDay = 24;
  if (bottom.kind == UnitKind::kPiece) {
    if (top.per_day)
      out = {StrengthKind::kPerHour, value / Rational(kHoursPerDay)};
    else
      out = {top.per_ml ? StrengthKind::kPerMl : StrengthKind::kPerPiece, value};
  } else if (bottom.kind == UnitKind::kVolume && !top.per_day && !top.per_ml) {
    out = {StrengthKind::kPerMl, value};
  } else if (bottom.kind == UnitKind::kTime && !top.per_day && !top.per_ml) {
    out = {StrengthKind::kPerHour, value / Rational(kHoursPerDay)};
  }
  return out;
}

// What Medication.ingredient says, over what the codes of the Medication said.
void ApplyIngredients(Node medication, const DrugKnowledge& knowledge, References* references, Drug* drug) {
  std::vector<DrugPart> parts;
  for (const Node child : medication.children()) {
    if (child.name() != names::kIngredient || child.kind() != NodeKind::kObject) continue;
    if (const Node active = child.Child(names::kIsActive);
        active && active.kind() == NodeKind::kBoolean && !active.boolean())
      continue;
    Node item = child.Child(names::kItemCodeableConcept);
    Node reference = child.Child(names::kItemReference);
    if (const Node both = child.Child(names::kItem)) {  // R5: a CodeableReference
      item = both.Child(names::kConcept);
      reference = both.Child(names::kReference);
    }
    if (!item && reference && references != nullptr) {
      const Node target = references->Resolve(TextOf(reference, names::kReference), medication);
      if (target) item = target.Child(names::kCode);
    }
    bool conflict = false;
    const Meaning meaning = BestMeaning(item, knowledge, &drug->coded, &conflict);
    const Ingredient* ingredient = meaning.ingredient;
    if (meaning.atc != nullptr && meaning.atc->ingredients.size() == 1)
      ingredient = meaning.atc->ingredients.front();
    if (meaning.product != nullptr && meaning.product->parts.size() == 1)
      ingredient = meaning.product->parts.front().ingredient;
    DrugPart part = PartOf(ingredient);
    part.strength = ReadStrength(child, knowledge, &drug->issues);
    parts.push_back(part);
  }
  if (parts.empty()) return;
  const auto has = [](const std::vector<DrugPart>& list, const Ingredient* ingredient) {
    return std::ranges::find(list, ingredient, &DrugPart::ingredient) != list.end();
  };
  // One ingredient without a known code is the one that the codes of the Medication leave over.
  const DrugPart* left_over = nullptr;
  std::size_t missing = 0;
  for (const DrugPart& part : drug->parts) {
    if (has(parts, part.ingredient)) continue;
    left_over = &part;
    ++missing;
  }
  if (std::ranges::count(parts, nullptr, &DrugPart::ingredient) == 1 && missing == 1) {
    DrugPart& unknown = *std::ranges::find(parts, nullptr, &DrugPart::ingredient);
    const Strength strength = unknown.strength;
    unknown = *left_over;
    if (strength.kind != StrengthKind::kUnknown) unknown.strength = strength;
  } else if (missing > 0 && !has(parts, nullptr)) {
    drug->issues.Add(Issue::kCodingConflict);
  }
  for (DrugPart& part : parts) {
    const auto own = std::ranges::find(drug->parts, part.ingredient, &DrugPart::ingredient);
    if (own == drug->parts.end() || part.ingredient == nullptr) continue;
    part.drug_class = own->drug_class;
    part.analgesic = own->analgesic;
    if (part.strength.kind == StrengthKind::kUnknown) part.strength = own->strength;
  }
  if (!drug->known() &&
      std::ranges::any_of(parts, [](const DrugPart& part) { return part.ingredient != nullptr; })) {
    drug->source = DrugSource::kMedicationIngredient;
  }
  drug->parts = std::move(parts);
  drug->ingredient_count = static_cast<int>(drug->parts.size());
  drug->combination = drug->parts.size() > 1;
}

void ApplyForm(Node medication, const DrugKnowledge& knowledge, Drug* drug) {
  if (drug->product != nullptr) return;
  Node form = medication.Child(names::kForm);
  if (!form) form = medication.Child(names::kDoseForm);
  if (!form) return;
  for (const Node coding : form.children()) {
    if (coding.name() != names::kCoding || !IsRxNorm(TextOf(coding, names::kSystem))) continue;
    if (const DoseForm* found = knowledge.FindDoseForm(TextOf(coding, names::kCode))) {
      drug->release = found->release;
      drug->route = found->route;
      return;
    }
  }
}

}  // namespace

std::vector<const Ingredient*> IngredientsOf(Node concept_node, const DrugKnowledge& knowledge) {
  bool coded = false, conflict = false;
  Drug drug;
  Apply(BestMeaning(concept_node, knowledge, &coded, &conflict), &drug);
  std::vector<const Ingredient*> out;
  for (const DrugPart& part : drug.parts) out.push_back(part.ingredient);
  return out;
}

Drug IdentifyDrug(Node request, const DrugKnowledge& knowledge, References* references) {
  Drug drug;
  Node concept_node = request.Child(names::kMedicationCodeableConcept);
  Node reference = request.Child(names::kMedicationReference);
  if (const Node both = request.Child(names::kMedication); both && both.kind() == NodeKind::kObject) {  // R5
    if (!concept_node) concept_node = both.Child(names::kConcept);
    if (!reference) reference = both.Child(names::kReference);
  }
  if (reference && references != nullptr) {
    const Node found = references->Resolve(TextOf(reference, names::kReference), request);
    if (found && found.resource_type() == types::kMedication) drug.medication = found;
  }
  bool conflict = false;
  Meaning meaning = BestMeaning(concept_node, knowledge, &drug.coded, &conflict);
  if (drug.medication) {
    const Meaning own = BestMeaning(drug.medication.Child(names::kCode), knowledge, &drug.coded, &conflict);
    if (meaning.source == DrugSource::kNone) meaning = own;
  }
  Apply(meaning, &drug);
  if (conflict) drug.issues.Add(Issue::kCodingConflict);
  if (drug.medication) {
    ApplyIngredients(drug.medication, knowledge, references, &drug);
    ApplyForm(drug.medication, knowledge, &drug);
  }
  if (drug.parts.empty()) drug.parts.emplace_back();
  if (drug.parts.size() > 1) {
    const auto rank = [](const DrugPart& part) {
      return part.ingredient != nullptr && part.ingredient->opioid ? 0
             : part.analgesic                                      ? 1
             : part.ingredient != nullptr                          ? 2
                                                                   : 3;
    };
    std::ranges::stable_sort(drug.parts, {}, rank);
  }
  if (!drug.known()) drug.issues.Add(Issue::kDrugUnknown);
  return drug;
}

}  // namespace stepwise::medication
