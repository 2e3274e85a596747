// What happens after rules have fired: their cards are rendered, rules of one cause share a card, and the
// cards get their order and ids.
//
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_CARD_MAKER_H_
#define STEPWISE_RULES_CARD_MAKER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "rules/decision.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {

// A card and the firing that gave it.
struct Firing {
  const CompiledRule* rule;
  std::size_t outcome;  // index into Decision::rules
  Card card;
  bool silent = false;  // overridden lately: it speaks for its cause, and gives no card
};

// Of a summary, in code points. CDS Hooks 2.0: "<140 characters".
inline constexpr std::size_t kMaxSummary = 139;

// `whole_summary`, when given, receives the summary before it is cut.
// Error kFailedPrecondition: a hole in a text or a $value has no value, so the card must not be shown.
Result<Card> MakeCard(const CompiledRule& rule, const std::string& subject, const TemplateData& data,
                      std::string* whole_summary = nullptr);

// Joins firings of one cause: the rule with the graver indicator, then of the pack with more precedence, then
// with the higher priority, then with the lower id speaks; its cards name the others, whose outcomes become
// kAbsorbed. What is left goes into decision->cards in the same order, then by pack and subject. Ids are made
// from decision->id.
// A firing that is silent keeps the others of its cause quiet as its card did. With `max_cards`, cards past
// it are only named in a last info card, and their outcomes become kFolded: never more than so many cards.
void PlaceCards(std::vector<Firing> firings, std::size_t max_cards, Decision* decision);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_CARD_MAKER_H_
