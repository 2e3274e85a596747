#include "rules/decision_proto.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "stepwise/rules/v1/rule_evaluation.pb.h"

// Every writer takes its struct apart by a structured binding, which names all members: a member added to
// decision.h or evaluator.h does not compile here until it travels.
namespace stepwise::rules {
namespace {

template <typename Message>
using Repeated = google::protobuf::RepeatedPtrField<Message>;

void ToProto(const std::vector<std::string>& texts, Repeated<std::string>* message) {
  message->Reserve(static_cast<int>(texts.size()));
  for (const std::string& text : texts) message->Add()->assign(text);
}

std::vector<std::string> FromProto(const Repeated<std::string>& message) {
  return {message.begin(), message.end()};
}

v1::Outcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFalse: return v1::OUTCOME_FALSE;
    case Outcome::kTrue: return v1::OUTCOME_TRUE;
    case Outcome::kUnknown: return v1::OUTCOME_UNKNOWN;
  }
  return v1::OUTCOME_UNSPECIFIED;
}

std::optional<Outcome> FromProto(v1::Outcome outcome) {
  switch (outcome) {
    case v1::OUTCOME_FALSE: return Outcome::kFalse;
    case v1::OUTCOME_TRUE: return Outcome::kTrue;
    case v1::OUTCOME_UNKNOWN: return Outcome::kUnknown;
    default: return std::nullopt;
  }
}

v1::RuleStatus ToProto(RuleStatus status) {
  switch (status) {
    case RuleStatus::kFired: return v1::RULE_STATUS_FIRED;
    case RuleStatus::kStopped: return v1::RULE_STATUS_STOPPED;
    case RuleStatus::kAbsorbed: return v1::RULE_STATUS_ABSORBED;
    case RuleStatus::kShadow: return v1::RULE_STATUS_SHADOW;
    case RuleStatus::kFailed: return v1::RULE_STATUS_FAILED;
    case RuleStatus::kSuppressed: return v1::RULE_STATUS_SUPPRESSED;
    case RuleStatus::kFolded: return v1::RULE_STATUS_FOLDED;
  }
  return v1::RULE_STATUS_UNSPECIFIED;
}

std::optional<RuleStatus> FromProto(v1::RuleStatus status) {
  switch (status) {
    case v1::RULE_STATUS_FIRED: return RuleStatus::kFired;
    case v1::RULE_STATUS_STOPPED: return RuleStatus::kStopped;
    case v1::RULE_STATUS_ABSORBED: return RuleStatus::kAbsorbed;
    case v1::RULE_STATUS_SHADOW: return RuleStatus::kShadow;
    case v1::RULE_STATUS_FAILED: return RuleStatus::kFailed;
    case v1::RULE_STATUS_SUPPRESSED: return RuleStatus::kSuppressed;
    case v1::RULE_STATUS_FOLDED: return RuleStatus::kFolded;
    default: return std::nullopt;
  }
}

tl::unexpected<Error> UnknownValue(int value, std::string path) {
  return Fail(Code::kSemantic,
              "the evaluator answered " + std::to_string(value) +
                  ", which this version does not know; evaluators are updated after those who call them",
              {}, std::move(path));
}

void ToProto(const Source& source, v1::Source* message) {
  const auto& [reference, path] = source;
  message->set_reference(reference);
  message->set_path(path);
}

void ToProto(const LineOutcome& line, v1::LineOutcome* message) {
  const auto& [id, text, unless, evaluated, outcome, sources, reason] = line;
  message->set_id(id);
  message->set_text(text);
  message->set_unless(unless);
  message->set_evaluated(evaluated);
  message->set_outcome(ToProto(outcome));
  for (const Source& source : sources) ToProto(source, message->add_sources());
  message->set_reason(reason);
}

void ToProto(const RuleOutcome& outcome, v1::RuleOutcome* message) {
  const auto& [pack, rule, subject, status, stopped_by, absorbed_by, error, note, lines] = outcome;
  message->set_pack(pack);
  message->set_rule(rule);
  message->set_subject(subject);
  message->set_status(ToProto(status));
  message->set_stopped_by(stopped_by);
  message->set_absorbed_by(absorbed_by);
  message->set_error(error);
  message->set_note(note);
  for (const LineOutcome& line : lines) ToProto(line, message->add_lines());
}

Result<RuleOutcome> FromProto(const v1::RuleOutcome& message, const std::string& place) {
  RuleOutcome outcome;
  outcome.pack = message.pack();
  outcome.rule = message.rule();
  outcome.subject = message.subject();
  const std::optional<RuleStatus> status = FromProto(message.status());
  if (!status) return UnknownValue(message.status(), place + ".status");
  outcome.status = *status;
  outcome.stopped_by = message.stopped_by();
  outcome.absorbed_by = message.absorbed_by();
  outcome.note = message.note();
  outcome.error = message.error();
  outcome.lines.reserve(static_cast<std::size_t>(message.lines_size()));
  for (const v1::LineOutcome& from : message.lines()) {
    LineOutcome line;
    line.id = from.id();
    line.text = from.text();
    line.unless = from.unless();
    line.evaluated = from.evaluated();
    const std::optional<Outcome> answer = FromProto(from.outcome());
    if (!answer) {
      return UnknownValue(from.outcome(),
                          place + ".lines[" + std::to_string(outcome.lines.size()) + "].outcome");
    }
    line.outcome = *answer;
    for (const v1::Source& source : from.sources()) {
      line.sources.push_back({source.reference(), source.path()});
    }
    line.reason = from.reason();
    outcome.lines.push_back(std::move(line));
  }
  return outcome;
}

void ToProto(const Coding& coding, v1::Coding* message) {
  const auto& [system, code, display] = coding;
  message->set_system(system);
  message->set_code(code);
  message->set_display(display);
}

Coding FromProto(const v1::Coding& message) { return {message.system(), message.code(), message.display()}; }

void ToProto(const Action& action, v1::Action* message) {
  const auto& [type, description, resource, resource_id] = action;
  message->set_type(type);
  message->set_description(description);
  message->set_resource(resource);
  message->set_resource_id(resource_id);
}

void ToProto(const Suggestion& suggestion, v1::Suggestion* message) {
  const auto& [label, uuid, recommended, actions] = suggestion;
  message->set_label(label);
  message->set_uuid(uuid);
  message->set_recommended(recommended);
  for (const Action& action : actions) ToProto(action, message->add_actions());
}

Suggestion FromProto(const v1::Suggestion& message) {
  Suggestion suggestion{message.label(), message.uuid(), message.recommended(), {}};
  for (const v1::Action& action : message.actions()) {
    suggestion.actions.push_back(
        {action.type(), action.description(), action.resource(), action.resource_id()});
  }
  return suggestion;
}

void ToProto(const Link& link, v1::Link* message) {
  const auto& [label, url, type, app_context] = link;
  message->set_label(label);
  message->set_url(url);
  message->set_type(type);
  message->set_app_context(app_context);
}

void ToProto(const Card& card, v1::Card* message) {
  const auto& [uuid, summary, detail, indicator, source_label, source_url, source_icon, topic, suggestions,
               selection_behavior, override_reasons, links, pack, version, digest, subject, absorbed,
               suppression_key] = card;
  message->set_uuid(uuid);
  message->set_summary(summary);
  message->set_detail(detail);
  message->set_indicator(indicator);
  message->set_source_label(source_label);
  message->set_source_url(source_url);
  message->set_source_icon(source_icon);
  ToProto(topic, message->mutable_topic());
  for (const Suggestion& suggestion : suggestions) ToProto(suggestion, message->add_suggestions());
  message->set_selection_behavior(selection_behavior);
  for (const Coding& reason : override_reasons) ToProto(reason, message->add_override_reasons());
  for (const Link& link : links) ToProto(link, message->add_links());
  message->set_pack(pack);
  message->set_version(version);
  message->set_digest(digest);
  message->set_subject(subject);
  ToProto(absorbed, message->mutable_absorbed());
  message->set_suppression_key(suppression_key);
}

Card FromProto(const v1::Card& message) {
  Card card;
  card.uuid = message.uuid();
  card.summary = message.summary();
  card.detail = message.detail();
  card.indicator = message.indicator();
  card.source_label = message.source_label();
  card.source_url = message.source_url();
  card.source_icon = message.source_icon();
  card.topic = FromProto(message.topic());
  for (const v1::Suggestion& from : message.suggestions()) card.suggestions.push_back(FromProto(from));
  card.selection_behavior = message.selection_behavior();
  for (const v1::Coding& from : message.override_reasons()) card.override_reasons.push_back(FromProto(from));
  for (const v1::Link& link : message.links()) {
    card.links.push_back({link.label(), link.url(), link.type(), link.app_context()});
  }
  card.pack = message.pack();
  card.version = message.version();
  card.digest = message.digest();
  card.subject = message.subject();
  card.absorbed = FromProto(message.absorbed());
  card.suppression_key = message.suppression_key();
  return card;
}

void ToProto(const PackRef& ref, v1::PackRef* message) {
  const auto& [id, version, digest, canonical, title, status] = ref;
  message->set_id(id);
  message->set_version(version);
  message->set_digest(digest);
  message->set_canonical(canonical);
  message->set_title(title);
  message->set_status(status);
}

PackRef FromProto(const v1::PackRef& message) {
  return {message.id(),        message.version(), message.digest(),
          message.canonical(), message.title(),   message.status()};
}

void ToProto(const PrefetchTemplate& prefetch, v1::PrefetchTemplate* message) {
  const auto& [key, query, required, hooks] = prefetch;
  message->set_key(key);
  message->set_query(query);
  message->set_required(required);
  ToProto(hooks, message->mutable_hooks());
}

}  // namespace

void ToProto(const Decision& decision, v1::Decision* message) {
  const auto& [id, now, hook, input_digest, packs, cards, rules] = decision;
  message->set_id(id);
  message->set_now(now.ToString());
  message->set_hook(hook);
  message->set_input_digest(input_digest);
  for (const PackRef& ref : packs) ToProto(ref, message->add_packs());
  for (const Card& card : cards) ToProto(card, message->add_cards());
  for (const RuleOutcome& outcome : rules) ToProto(outcome, message->add_rules());
}

Result<Decision> FromProto(const v1::Decision& message) {
  Decision decision;
  decision.id = message.id();
  const std::optional<DateTime> now = DateTime::ParseDateTime(message.now());
  if (!now) return Fail(Code::kSemantic, "`" + message.now() + "` is no time", {}, "now");
  decision.now = *now;
  decision.hook = message.hook();
  decision.input_digest = message.input_digest();
  for (const v1::PackRef& ref : message.packs()) decision.packs.push_back(FromProto(ref));
  for (const v1::Card& card : message.cards()) decision.cards.push_back(FromProto(card));
  decision.rules.reserve(static_cast<std::size_t>(message.rules_size()));
  for (const v1::RuleOutcome& outcome : message.rules()) {
    const std::string place = "rules[" + std::to_string(decision.rules.size()) + "]";
    STEPWISE_ASSIGN_OR_RETURN(RuleOutcome read, FromProto(outcome, place));
    decision.rules.push_back(std::move(read));
  }
  return decision;
}

void ToProto(const EvaluateOptions& options, v1::EvaluateRequest* message) {
  ToProto(options.exact_packs, message->mutable_exact_packs());
  for (const OverriddenCard& one : options.overridden) {
    v1::OverriddenCard* card = message->add_overridden();
    card->set_key(one.key);
    card->set_at(one.at.ToString());
  }
  message->set_max_cards(static_cast<std::uint32_t>(
      std::min<std::size_t>(options.max_cards, std::numeric_limits<std::uint32_t>::max())));
}

Result<EvaluateOptions> FromProto(const v1::EvaluateRequest& message) {
  EvaluateOptions options;
  for (const v1::OverriddenCard& card : message.overridden()) {
    const std::optional<DateTime> at = DateTime::ParseDateTime(card.at());
    if (!at) {
      return Fail(Code::kInvalidArgument, "expected a time, found `" + card.at() + "`", {},
                  "overridden[" + std::to_string(options.overridden.size()) + "].at");
    }
    options.overridden.push_back({card.key(), *at});
  }
  options.max_cards = message.max_cards();
  options.exact_packs = FromProto(message.exact_packs());
  return options;
}

void ToProto(const PackInfo& info, v1::PackInfo* message) {
  const auto& [ref, hooks, prefetch] = info;
  ToProto(ref, message->mutable_ref());
  ToProto(hooks, message->mutable_hooks());
  for (const PrefetchTemplate& query : prefetch) ToProto(query, message->add_prefetch());
}

PackInfo FromProto(const v1::PackInfo& message) {
  PackInfo info{FromProto(message.ref()), FromProto(message.hooks()), {}};
  for (const v1::PrefetchTemplate& query : message.prefetch()) {
    info.prefetch.push_back({query.key(), query.query(), query.required(), FromProto(query.hooks())});
  }
  return info;
}

}  // namespace stepwise::rules
