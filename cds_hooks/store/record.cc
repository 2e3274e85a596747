#include "cds_hooks/store/record.h"

#include <algorithm>
#include <set>

#include "cds_hooks/store/open_text.h"
#include "rules/decision_proto.h"
#include "rules/digest.h"
#include "stepwise/rules/v1/rule_evaluation.pb.h"

namespace stepwise::cds_hooks {
namespace {

void AddPacks(const rules::Decision& decision, DecisionRecord* record) {
  std::set<std::string_view> spoke;  // every rule that was asked has an outcome
  for (const rules::RuleOutcome& rule : decision.rules) spoke.insert(rule.pack);
  for (const rules::PackRef& ref : decision.packs) {
    store::v1::Pack& pack = *record->add_packs();
    pack.set_id(ref.id);
    pack.set_version(ref.version);
    pack.set_digest(ref.digest);
    pack.set_spoke(spoke.contains(ref.id));
  }
}

void AddRules(const rules::Decision& decision, DecisionRecord* record) {
  for (const rules::RuleOutcome& from : decision.rules) {
    store::v1::Rule& rule = *record->add_rules();
    rule.set_pack(from.pack);
    rule.set_rule(from.rule);
    rule.set_subject(OpenSubject(from.subject));
    rule.set_status(std::string(rules::RuleStatusName(from.status)));
    rule.set_stopped_by(from.stopped_by);
    rule.set_absorbed_by(from.absorbed_by);
    for (const rules::LineOutcome& said : from.lines) {
      if (!said.evaluated) continue;
      store::v1::Line& line = *rule.add_lines();
      line.set_id(said.id);
      line.set_outcome(std::string(rules::OutcomeName(said.outcome)));
      line.set_reason(OpenReason(said.reason));
      for (const rules::Source& source : said.sources) {
        std::string element = OpenSource(source);
        if (!element.empty()) line.add_sources(std::move(element));
      }
    }
  }
}

void AddCards(const rules::Decision& decision, const Pseudonyms& pseudonyms, DecisionRecord* record) {
  for (const rules::Card& from : decision.cards) {
    store::v1::Card& card = *record->add_cards();
    card.set_uuid(from.uuid);
    card.set_pack(from.pack);
    card.set_version(from.version);
    card.set_digest(from.digest);
    card.set_rule(from.topic.code);
    card.set_title(from.topic.display);
    card.set_indicator(from.indicator);
    card.set_subject(OpenSubject(from.subject));
    for (const rules::Suggestion& suggestion : from.suggestions) card.add_suggestions(suggestion.uuid);
    if (!from.suppression_key.empty()) card.set_suppression(pseudonyms.Hide(from.uuid, from.suppression_key));
  }
}

}  // namespace

std::string AnswerOf(std::string_view decision_id) { return "answer " + std::string(decision_id); }
std::string InputOf(std::string_view decision_id) { return "input " + std::string(decision_id); }
std::string CommentOf(std::string_view feedback_key) { return "comment " + std::string(feedback_key); }

bool RecordMaker::Refuses(const Document& input) const {
  if (!options_.keep_input || !sealer_.seals()) return false;
  const Node root = input.root();
  const Node authorization =
      root && root.kind() == NodeKind::kObject ? root.Child("fhirAuthorization") : Node();
  if (!authorization) return false;
  if (authorization.kind() != NodeKind::kObject) return true;
  const Node token = authorization.Child("access_token");
  if (!token) return false;
  if (token.kind() != NodeKind::kString) return true;
  const std::string_view text = token.string();
  return text.find_first_not_of(text.substr(0, 1)) != std::string_view::npos;
}

DecisionRecord RecordMaker::Make(const DecidedCall& call) const {
  const rules::Decision& decision = call.decision;
  DecisionRecord record;
  record.set_id(decision.id);
  record.set_service(std::string(call.service));
  record.set_hook(decision.hook);
  record.set_site(options_.site);
  record.set_now(decision.now.ToString());
  record.set_at_ms(decision.now.ToUnixMillis());
  record.set_patient(pseudonyms_.Of(call.patient_id));
  record.set_fetch_us(call.fetch_us);
  record.set_evaluation_us(call.evaluation_us);
  record.set_total_us(call.total_us);
  record.set_input_digest(decision.input_digest);
  record.set_response_digest(rules::DigestOf(call.response));
  AddPacks(decision, &record);
  AddRules(decision, &record);
  AddCards(decision, pseudonyms_, &record);
  if (!sealer_.seals()) return record;

  store::v1::Answer answer;
  answer.set_response(std::string(call.response));
  rules::ToProto(decision, answer.mutable_decision());
  answer.mutable_decision()->clear_cards();  // they are the response
  record.set_sealed(sealer_.Seal(AnswerOf(decision.id), answer.SerializeAsString()));
  if (options_.keep_input && !Refuses(call.input)) {
    store::v1::Input input;
    input.set_request(std::string(call.input.bytes()));
    rules::ToProto(call.how, input.mutable_how());
    record.set_sealed_input(sealer_.Seal(InputOf(decision.id), input.SerializeAsString()));
  }
  return record;
}

FeedbackRecord RecordMaker::Make(std::string_view service, const Feedback& feedback,
                                 const DateTime& received) const {
  FeedbackRecord record;
  rules::Sha256 key;
  const std::int64_t at_ms = feedback.at.ToUnixMillis();
  key.AddField(feedback.card);
  key.AddField(feedback.overridden ? "overridden" : "accepted");
  key.AddField(std::to_string(at_ms));
  key.AddField(feedback.reason.system);
  key.AddField(feedback.reason.code);
  for (const std::string& suggestion : feedback.suggestions) key.AddField(suggestion);
  record.set_key(key.Hex());
  record.set_card(feedback.card);
  record.set_service(std::string(service));
  record.set_overridden(feedback.overridden);
  record.set_at_ms(at_ms);
  record.set_received_ms(received.ToUnixMillis());
  const rules::Coding& reason = feedback.reason;
  const bool coded = reason.code.empty() || IsCode(reason.code);
  const bool systematic = reason.system.empty() || IsSystem(reason.system);
  record.set_reason_code(coded ? reason.code : std::string(kSealed));
  record.set_reason_system(systematic ? reason.system : std::string(kSealed));
  for (const std::string& suggestion : feedback.suggestions) record.add_suggestions(suggestion);
  record.set_has_comment(!feedback.comment.empty());
  const bool more = !feedback.comment.empty() || !reason.display.empty() || !coded || !systematic;
  if (!more || !sealer_.seals()) return record;
  store::v1::Comment comment;
  comment.set_user_comment(feedback.comment);
  comment.set_reason_display(reason.display);
  if (!coded) comment.set_reason_code(reason.code);
  if (!systematic) comment.set_reason_system(reason.system);
  record.set_sealed(sealer_.Seal(CommentOf(record.key()), comment.SerializeAsString()));
  return record;
}

}  // namespace stepwise::cds_hooks
