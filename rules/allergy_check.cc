#include "rules/allergy_check.h"

#include <algorithm>

#include "rules/medication/allergy.h"
#include "rules/medication/quantity_reader.h"

namespace stepwise::rules {
namespace {

using medication::Allergy, medication::AllergyList;

void Say(const std::string& text, Card* card) {
  while (card->detail.ends_with('\n')) card->detail.pop_back();
  card->detail += (card->detail.empty() ? "*" : "\n\n*") + text + "*";
}

// What people call the substance: its text, a coding's display, or else the resource's reference.
std::string NameOf(const Allergy& allergy) {
  for (const Node concept_node : allergy.concepts) {
    std::string_view name = medication::TextOf(concept_node, names::kText);
    for (const Node coding : concept_node.children()) {
      if (name.empty() && coding.name() == names::kCoding && coding.kind() == NodeKind::kObject)
        name = medication::TextOf(coding, names::kDisplay);
    }
    if (!name.empty()) return Escape(name, TextForm::kMarkdown);
  }
  if (!allergy.ingredients.empty()) return Escape(allergy.ingredients.front()->name, TextForm::kMarkdown);
  return Escape(ReferenceOf(allergy.resource), TextForm::kMarkdown);
}

const Allergy* ConflictOf(const Suggestion& suggestion, const AllergyList& allergies,
                          const medication::DrugKnowledge& knowledge) {
  for (const Action& action : suggestion.actions) {
    if (action.resource.empty()) continue;
    const auto document = Document::Parse(action.resource);
    if (!document || document->root().resource_type() != types::kMedicationRequest) continue;
    if (const Allergy* conflict = FindConflict(document->root(), allergies, knowledge)) return conflict;
  }
  return nullptr;
}

void DropConflicts(const CompiledRule& rule, const AllergyList& allergies, Card* card) {
  std::vector<Suggestion> kept;
  for (Suggestion& suggestion : card->suggestions) {
    const Allergy* conflict = ConflictOf(suggestion, allergies, *rule.drugs);
    if (conflict == nullptr) {
      kept.push_back(std::move(suggestion));
      continue;
    }
    Say("Left out, because an allergy or intolerance to " + NameOf(*conflict) +
            " is recorded: " + Escape(suggestion.label, TextForm::kMarkdown) + ".",
        card);
  }
  card->suggestions = std::move(kept);
  if (card->suggestions.empty()) card->selection_behavior.clear();
}

}  // namespace

void CheckAllergies(const CompiledRule& rule, const Fact& allergies, Card* card) {
  if (!rule.suggests_drug || card->suggestions.empty()) return;
  if (rule.drugs == nullptr) return Say("Allergies were not checked: the pack has no drug tables.", card);
  const bool usable = allergies.known() || allergies.state == FactState::kPartial;
  const AllergyList list = usable ? medication::ReadAllergies(allergies.node, *rule.drugs) : AllergyList();
  if (!list.empty()) DropConflicts(rule, list, card);
  if (card->suggestions.empty()) return;
  if (!allergies.known())
    Say("Allergies were not " + std::string(usable ? "all " : "") + "checked: " + allergies.why + ".", card);
  std::string not_compared;
  for (const Allergy& allergy : list) {
    if (allergy.ingredients.empty()) not_compared += (not_compared.empty() ? "" : ", ") + NameOf(allergy);
  }
  if (!not_compared.empty())
    Say("Allergies that could not be compared with the suggestions: " + not_compared + ".", card);
}

}  // namespace stepwise::rules
