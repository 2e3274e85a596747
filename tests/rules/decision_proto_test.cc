#include "rules/decision_proto.h"

#include <gtest/gtest.h>

#include "stepwise/rules/v1/rule_evaluation.pb.h"

namespace stepwise::rules {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A value in every member, no two alike, and every value of the enums.
Decision FullDecision() {
  Decision decision;
  decision.id = "d1";
  decision.now = *DateTime::ParseDateTime("2026-12-10T09:00:00.50+05:30");
  decision.hook = "order-sign";
  decision.input_digest = "sha256:in";
  decision.packs = {{"p1", "1.2.3", "sha256:p1", "http://example.org/p1", "Pack", "active"},
                    {"p2", "2.0.0", "x", "y", "z", "w"}};
  Card card;
  card.uuid = "card-uuid";
  card.summary = "Zusammenfassung \u2264 139";
  card.detail = "**detail**\n";
  card.indicator = "warning";
  card.source_label = "label";
  card.source_url = "http://example.org/source";
  card.source_icon = "http://example.org/icon.png";
  card.topic = {"topic-system", "topic-code", "topic-display"};
  card.suggestions = {{"suggest",
                       "s-uuid",
                       true,
                       {{"create", "what", R"({"value":1.50})", "Type/id"}, {"delete", "", "", "X/1"}}}};
  card.selection_behavior = "at-most-one";
  card.override_reasons = {{"o-system", "o-code", "o-display"}};
  card.links = {{"link", "http://example.org/link", "smart", "context"}};
  card.pack = "pack";
  card.version = "9.9.9";
  card.digest = "sha256:card";
  card.subject = "MedicationRequest/o1";
  card.absorbed = {"r8", "r9"};
  card.suppression_key = "pack/rule/00";
  decision.cards = {card, Card{}};
  const std::pair<RuleStatus, Outcome> kinds[] = {
      {RuleStatus::kFired, Outcome::kTrue},       {RuleStatus::kStopped, Outcome::kFalse},
      {RuleStatus::kAbsorbed, Outcome::kUnknown}, {RuleStatus::kShadow, Outcome::kTrue},
      {RuleStatus::kFailed, Outcome::kTrue},      {RuleStatus::kSuppressed, Outcome::kTrue},
      {RuleStatus::kFolded, Outcome::kTrue}};
  for (const auto& [status, outcome] : kinds) {
    RuleOutcome rule{"pack", "rule", "subject", status, "stopped", "absorbed", "error", "note", {}};
    rule.lines = {{"line",
                   "text",
                   true,
                   true,
                   outcome,
                   {{"Observation/s1", "Observation.value"}, {"a", "b"}},
                   "reason"}};
    decision.rules.push_back(rule);
  }
  return decision;
}

v1::Decision Proto(const Decision& decision) {
  v1::Decision message;
  ToProto(decision, &message);
  return message;
}

// Paths of fields of the message, or of the first message of a repeated field, that have no value.
void FindUnset(const Message& message, const std::string& place, std::vector<std::string>* unset) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const std::string path = place + "." + field->name();
    const bool set =
        field->is_repeated() ? reflection.FieldSize(message, field) > 0 : reflection.HasField(message, field);
    if (!set) {
      unset->push_back(path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      FindUnset(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, 0)
                                     : reflection.GetMessage(message, field),
                path, unset);
    }
  }
}

TEST(DecisionProto, ADecisionComesBackWhole) {
  const v1::Decision sent = Proto(FullDecision());
  std::vector<std::string> unset;
  FindUnset(sent, "Decision", &unset);
  EXPECT_EQ(unset, std::vector<std::string>{});  // so that what follows is about every field
  const Result<Decision> back = FromProto(sent);
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(Proto(*back).DebugString(), sent.DebugString());
  // Each of these once outside protobuf, in case both directions agree on a mistake.
  EXPECT_EQ(back->cards[0].summary, "Zusammenfassung \u2264 139");
  EXPECT_EQ(back->cards[0].topic.display, "topic-display");
  EXPECT_EQ(back->cards[0].suggestions[0].actions[0].resource, R"({"value":1.50})");
  EXPECT_EQ(back->cards[0].suggestions[0].actions[1].resource_id, "X/1");
  EXPECT_EQ(back->cards[0].links[0].app_context, "context");
  EXPECT_EQ(back->rules[2].status, RuleStatus::kAbsorbed);
  EXPECT_EQ(back->rules[2].lines[0].outcome, Outcome::kUnknown);
  EXPECT_EQ(back->rules[1].lines[0].outcome, Outcome::kFalse);
  EXPECT_EQ(back->packs[0].canonical, "http://example.org/p1");
}

TEST(DecisionProto, OptionsTravel) {
  EvaluateOptions options(std::chrono::seconds(1));
  options.overridden = {{"p/r/1", *DateTime::ParseDateTime("2026-12-10T09:00:00+01:00")}};
  options.max_cards = 7;
  options.exact_packs = {"sha256:00", "sha256:11"};
  v1::EvaluateRequest message;
  ToProto(options, &message);
  const Result<EvaluateOptions> back = FromProto(message);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->overridden.size(), 1u);
  EXPECT_EQ(back->overridden[0].key, "p/r/1");
  EXPECT_EQ(back->overridden[0].at.ToString(), "2026-12-10T09:00:00+01:00");
  EXPECT_EQ(back->max_cards, 7u);
  EXPECT_EQ(back->exact_packs, options.exact_packs);
  message.mutable_overridden(0)->set_at("yesterday");
  EXPECT_EQ(FromProto(message).error().path, "overridden[0].at");
}

TEST(DecisionProto, TimesKeepPrecisionAndOffset) {
  for (const char* text :
       {"2026-12-10T09:00:00Z", "2026-12-10T09:00:00+00:00", "2026-12-10T09:00:00.000-03:30",
        "2026-12-10T09:00+14:00", "2026-12-10T09:00:00", "2026-12-10", "2026"}) {
    Decision decision;
    decision.now = *DateTime::ParseDateTime(text);
    const Result<Decision> back = FromProto(Proto(decision));
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(back->now.ToString(), text);
    EXPECT_EQ(back->now.precision, decision.now.precision) << text;
    EXPECT_EQ(back->now.has_offset, decision.now.has_offset) << text;
  }
}

TEST(DecisionProto, APackInfoComesBackWhole) {
  const PackInfo info{{"p1", "1.2.3", "sha256:p1", "http://example.org/p1", "Pack", "active"},
                      {"order-sign", "patient-view"},
                      {{"meds", "MedicationRequest?patient={{context.patientId}}", true, {"order-sign"}},
                       {"pain", "q", false, {}}}};
  v1::PackInfo sent, again;
  ToProto(info, &sent);
  std::vector<std::string> unset;
  FindUnset(sent, "PackInfo", &unset);
  EXPECT_EQ(unset, std::vector<std::string>{});
  const PackInfo back = FromProto(sent);
  ToProto(back, &again);
  EXPECT_EQ(again.DebugString(), sent.DebugString());
  EXPECT_EQ(back.prefetch[0].query, "MedicationRequest?patient={{context.patientId}}");
  EXPECT_TRUE(back.prefetch[0].required);
  EXPECT_FALSE(back.prefetch[1].required);
}

TEST(DecisionProto, RefusesWhatItDoesNotKnow) {
  struct Row {
    void (*change)(v1::Decision&);
    const char* path;
  };
  const Row rows[] = {
      {[](v1::Decision& d) { d.mutable_rules(3)->set_status(static_cast<v1::RuleStatus>(17)); },
       "rules[3].status"},
      {[](v1::Decision& d) { d.mutable_rules(0)->set_status(v1::RULE_STATUS_UNSPECIFIED); },
       "rules[0].status"},
      {[](v1::Decision& d) {
         d.mutable_rules(1)->mutable_lines(0)->set_outcome(static_cast<v1::Outcome>(-1));
       },
       "rules[1].lines[0].outcome"},
      {[](v1::Decision& d) { d.mutable_rules(1)->mutable_lines(0)->clear_outcome(); },
       "rules[1].lines[0].outcome"},
      {[](v1::Decision& d) { d.set_now("yesterday"); }, "now"},
      {[](v1::Decision& d) { d.clear_now(); }, "now"},
  };
  for (const Row& row : rows) {
    v1::Decision message = Proto(FullDecision());
    row.change(message);
    // Over the wire, as a newer peer would send it.
    v1::Decision received;
    ASSERT_TRUE(received.ParseFromString(message.SerializeAsString()));
    const Result<Decision> decision = FromProto(received);
    ASSERT_FALSE(decision) << row.path;
    EXPECT_EQ(decision.error().code, Code::kSemantic);
    EXPECT_EQ(decision.error().path, row.path);
  }
}

}  // namespace
}  // namespace stepwise::rules
