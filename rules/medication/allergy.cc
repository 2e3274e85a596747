#include "rules/medication/allergy.h"

#include <algorithm>
#include <span>

#include "rules/medication/drug.h"
#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr std::string_view kOver[] = {"inactive", "resolved"};
constexpr std::string_view kWrong[] = {"refuted", "entered-in-error"};
constexpr std::string_view kNoDrug[] = {"food", "environment"};

bool In(std::span<const std::string_view> codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

bool HasCode(Node concept_node, std::span<const std::string_view> codes) {
  if (!concept_node) return false;
  for (const Node coding : concept_node.children()) {
    if (coding.name() == names::kCoding && In(codes, TextOf(coding, names::kCode))) return true;
  }
  return false;
}

// Every category that is given is one of food or environment, and there is one.
bool NoDrug(Node allergy) {
  bool any = false;
  for (const Node child : allergy.children()) {
    if (child.name() != names::kCategory || child.kind() != NodeKind::kString) continue;
    if (!In(kNoDrug, child.string())) return false;
    any = true;
  }
  return any;
}

void AddConcept(Node concept_node, const DrugKnowledge& knowledge, Allergy* out) {
  if (!concept_node || concept_node.kind() != NodeKind::kObject) return;
  out->concepts.push_back(concept_node);
  for (const Ingredient* ingredient : IngredientsOf(concept_node, knowledge)) {
    if (ingredient != nullptr && std::ranges::find(out->ingredients, ingredient) == out->ingredients.end())
      out->ingredients.push_back(ingredient);
  }
}

bool ShareCoding(Node a, Node b) {
  for (const Node coding : a.children()) {
    if (coding.name() != names::kCoding || coding.kind() != NodeKind::kObject) continue;
    const std::string_view system = TextOf(coding, names::kSystem), code = TextOf(coding, names::kCode);
    if (system.empty() || code.empty()) continue;
    for (const Node other : b.children()) {
      if (other.name() == names::kCoding && other.kind() == NodeKind::kObject &&
          TextOf(other, names::kSystem) == system && TextOf(other, names::kCode) == code)
        return true;
    }
  }
  return false;
}

Node OrderedConcept(Node request) {
  if (const Node node = request.Child(names::kMedicationCodeableConcept)) return node;
  const Node both = request.Child(names::kMedication);  // R5
  return both && both.kind() == NodeKind::kObject ? both.Child(names::kConcept) : Node();
}

}  // namespace

AllergyList ReadAllergies(Node bundle, const DrugKnowledge& knowledge) {
  AllergyList out;
  if (!bundle || bundle.kind() != NodeKind::kObject) return out;
  for (const Node entry : bundle.children()) {
    if (entry.name() != names::kEntry || entry.kind() != NodeKind::kObject) continue;
    const Node resource = entry.Child(names::kResource);
    if (!resource || resource.kind() != NodeKind::kObject ||
        resource.resource_type() != types::kAllergyIntolerance)
      continue;
    if (HasCode(resource.Child(names::kClinicalStatus), kOver) ||
        HasCode(resource.Child(names::kVerificationStatus), kWrong) || NoDrug(resource))
      continue;
    Allergy allergy;
    allergy.resource = resource;
    AddConcept(resource.Child(names::kCode), knowledge, &allergy);
    for (const Node reaction : resource.children()) {
      if (reaction.name() == names::kReaction && reaction.kind() == NodeKind::kObject)
        AddConcept(reaction.Child(names::kSubstance), knowledge, &allergy);
    }
    out.push_back(std::move(allergy));
  }
  return out;
}

const Allergy* FindConflict(Node medication_request, const AllergyList& allergies,
                            const DrugKnowledge& knowledge) {
  const Drug drug = IdentifyDrug(medication_request, knowledge, nullptr);
  const Node ordered = OrderedConcept(medication_request);
  for (const Allergy& allergy : allergies) {
    for (const DrugPart& part : drug.parts) {
      if (part.ingredient != nullptr &&
          std::ranges::find(allergy.ingredients, part.ingredient) != allergy.ingredients.end())
        return &allergy;
    }
    for (const Node concept_node : allergy.concepts) {
      if (ordered && ShareCoding(ordered, concept_node)) return &allergy;
    }
  }
  return nullptr;
}

}  // namespace stepwise::medication
