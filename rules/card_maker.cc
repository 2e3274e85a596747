#include "rules/card_maker.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

Result<Action> MakeAction(const CompiledAction& action, const ActionSource& source,
                          const TemplateData& data) {
  Action out;
  out.type = source.type;
  STEPWISE_ASSIGN_OR_RETURN(out.description, action.description.Render(data));
  if (action.resource) {
    STEPWISE_ASSIGN_OR_RETURN(out.resource, action.resource->Render(data));
  }
  STEPWISE_ASSIGN_OR_RETURN(out.resource_id, action.resource_id.Render(data));
  return out;
}

// Graver, then the pack's precedence, then higher priority, then lower id.
bool SpeaksBefore(const Firing& a, const Firing& b) {
  const Rule &x = *a.rule->rule, &y = *b.rule->rule;
  const Pack &p = *a.rule->pack, &q = *b.rule->pack;
  return std::tie(x.card->indicator, q.precedence, y.priority, x.id, p.id, a.card.subject) <
         std::tie(y.card->indicator, p.precedence, x.priority, y.id, q.id, b.card.subject);
}

}  // namespace

Result<Card> MakeCard(const CompiledRule& rule, const std::string& subject, const TemplateData& data,
                      std::string* whole_summary) {
  const CardSource& source = *rule.rule->card;
  const CompiledCard& compiled = rule.card;
  Card card;
  STEPWISE_ASSIGN_OR_RETURN(std::string summary, compiled.summary.Render(data));
  card.summary = CutAtWord(summary, kMaxSummary);
  if (whole_summary != nullptr) *whole_summary = std::move(summary);
  STEPWISE_ASSIGN_OR_RETURN(card.detail, compiled.detail.Render(data));
  card.indicator = IndicatorName(source.indicator);
  STEPWISE_ASSIGN_OR_RETURN(card.source_label, compiled.source_label.Render(data));
  if (card.source_label.empty()) card.source_label = rule.pack->title;
  STEPWISE_ASSIGN_OR_RETURN(card.source_url, compiled.source_url.Render(data));
  card.source_icon = source.source_icon;
  card.topic = {rule.pack->canonical, source.topic.empty() ? rule.rule->id : source.topic, rule.rule->title};
  for (std::size_t i = 0; i < compiled.suggestions.size(); ++i) {
    const SuggestionSource& from = source.suggestions[i];
    Suggestion suggestion;
    STEPWISE_ASSIGN_OR_RETURN(suggestion.label, compiled.suggestions[i].label.Render(data));
    suggestion.recommended = from.recommended;
    for (std::size_t j = 0; j < from.actions.size(); ++j) {
      STEPWISE_ASSIGN_OR_RETURN(Action action,
                                MakeAction(compiled.suggestions[i].actions[j], from.actions[j], data));
      suggestion.actions.push_back(std::move(action));
    }
    card.suggestions.push_back(std::move(suggestion));
  }
  if (!card.suggestions.empty()) card.selection_behavior = source.selection;
  for (const OverrideReason& reason : source.override_reasons) {
    card.override_reasons.push_back(
        {reason.system.empty() ? rule.pack->canonical : reason.system, reason.code, reason.display});
  }
  for (std::size_t i = 0; i < compiled.links.size(); ++i) {
    Link link;
    STEPWISE_ASSIGN_OR_RETURN(link.label, compiled.links[i].label.Render(data));
    STEPWISE_ASSIGN_OR_RETURN(link.url, compiled.links[i].url.Render(data));
    link.type = source.links[i].type;
    STEPWISE_ASSIGN_OR_RETURN(link.app_context, compiled.links[i].app_context.Render(data));
    card.links.push_back(std::move(link));
  }
  card.pack = rule.pack->id;
  card.version = rule.pack->version.ToString();
  card.digest = rule.pack->digest;
  card.subject = subject;
  return card;
}

namespace {

// The card that names what a response has no room for.
Card FoldedCard(const std::vector<Firing>& folded, std::size_t max_cards, Decision* decision) {
  Card card;
  std::string names, list;
  for (const Firing& firing : folded) {
    RuleOutcome& outcome = decision->rules[firing.outcome];
    outcome.status = RuleStatus::kFolded;
    outcome.note = "past the " + std::to_string(max_cards) + " cards of a response";
    names += (names.empty() ? "" : ", ") + outcome.rule;
    list += "\n- **" + Escape(outcome.rule, TextForm::kMarkdown) + "** (" + firing.card.indicator +
            "): " + Escape(firing.card.summary, TextForm::kMarkdown);
    card.absorbed.push_back(outcome.rule);
  }
  card.summary = CutAtWord(std::to_string(folded.size()) + " more: " + names, kMaxSummary);
  card.detail = "A response has at most " + std::to_string(max_cards) + " cards. The rest in short:\n" + list;
  card.indicator = IndicatorName(Indicator::kInfo);
  card.source_label = "Stepwise";
  card.topic = {"", "more-advice", "More advice than cards"};
  card.uuid = UuidOf({decision->id, "card", "more-advice"});
  return card;
}

}  // namespace

void PlaceCards(std::vector<Firing> firings, std::size_t max_cards, Decision* decision) {
  std::ranges::sort(firings, SpeaksBefore);
  std::map<std::string, const CompiledRule*> speakers;  // by cause; the first firing of a cause is the winner
  std::map<const CompiledRule*, std::vector<std::string>> absorbed;
  std::vector<Firing> kept;
  for (Firing& firing : firings) {
    const std::string& cause = firing.rule->rule->cause;
    if (!cause.empty()) {
      const CompiledRule* speaker = speakers.emplace(cause, firing.rule).first->second;
      if (speaker != firing.rule) {
        RuleOutcome& outcome = decision->rules[firing.outcome];
        outcome.status = RuleStatus::kAbsorbed;
        outcome.absorbed_by = speaker->rule->id;
        std::vector<std::string>& ids = absorbed[speaker];
        if (std::ranges::find(ids, outcome.rule) == ids.end()) ids.push_back(outcome.rule);
        continue;
      }
    }
    if (!firing.silent) kept.push_back(std::move(firing));
  }
  std::vector<Firing> folded;
  if (max_cards > 0 && kept.size() > max_cards) {
    const auto first = kept.begin() + static_cast<std::ptrdiff_t>(max_cards - 1);
    folded.assign(std::make_move_iterator(first), std::make_move_iterator(kept.end()));
    kept.erase(first, kept.end());
  }
  for (Firing& firing : kept) {
    Card& card = firing.card;
    if (const auto ids = absorbed.find(firing.rule); ids != absorbed.end()) {
      card.absorbed = ids->second;
      std::string names;
      for (const std::string& id : ids->second)
        names += (names.empty() ? "" : ", ") + Escape(id, TextForm::kMarkdown);
      card.detail += (card.detail.empty() ? "" : "\n\n") + ("*Same cause, also noted by " + names + ".*");
    }
    card.uuid = UuidOf({decision->id, "card", card.pack, firing.rule->rule->id, card.subject});
    for (std::size_t i = 0; i < card.suggestions.size(); ++i) {
      card.suggestions[i].uuid = UuidOf({card.uuid, "suggestion", std::to_string(i)});
    }
    decision->cards.push_back(std::move(card));
  }
  if (!folded.empty()) decision->cards.push_back(FoldedCard(folded, max_cards, decision));
}

}  // namespace stepwise::rules
