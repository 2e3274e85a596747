// Whole packs, text to Decision: what is unknown, who speaks, what a card says.
#include "rules/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "rules/explain.h"
#include "rules/local_evaluator.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kPatient =
    R"("patient":{"resourceType":"Patient","id":"p1","birthDate":"1960-01-01"})";
constexpr std::string_view kNoMeds = R"("meds":{"resourceType":"Bundle","type":"searchset"})";
constexpr std::string_view kScores =
    R"("pain":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","id":"s1","subject":{"reference":"Patient/p1"},"valueQuantity":{"value":7}}}]})";

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts)
    out += (out.empty() || part.empty() ? "" : ",") + std::string(part);
  return out;
}

std::string SimpleRule(std::string_view condition, std::string_view more = "unknown: { default: silent }\n") {
  return "rule: r\ntitle: A rule\nhooks: [patient-view]\nwhen:\n  - { id: a, text: the line, if: \"" +
         std::string(condition) + "\" }\n" + std::string(more) + "card: { summary: s, indicator: info }\n";
}

TEST(Engine, AbsentIsNeverEmpty) {
  struct Row {
    const char* meds;  // what the prefetch says, "" for nothing
    Outcome outcome;
  };
  const Row rows[] = {
      {"", Outcome::kUnknown},
      {R"("meds":null)", Outcome::kTrue},
      {R"("meds":{"resourceType":"Bundle","type":"searchset"})", Outcome::kTrue},
      {R"("meds":{"resourceType":"OperationOutcome"})", Outcome::kUnknown},
      {R"("meds":{"resourceType":"Bundle","link":[{"relation":"next"}],"entry":[{"resource":{"resourceType":"MedicationRequest"}}]})",
       Outcome::kUnknown},
      {R"("meds":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest"}}]})",
       Outcome::kFalse},
  };
  PackFixture pack({{"rules/r.yaml", SimpleRule("%meds.entry.empty()")}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  for (const Row& row : rows) {
    const Decision decision = EvaluateJson(*base, RequestJson("patient-view", "", row.meds));
    ASSERT_EQ(decision.rules.size(), 1u);
    EXPECT_EQ(decision.rules[0].lines[0].outcome, row.outcome) << row.meds;
    EXPECT_EQ(decision.cards.size(), row.outcome == Outcome::kTrue ? 1u : 0u) << row.meds;
    EXPECT_EQ(decision.rules[0].lines[0].reason.empty(), row.outcome != Outcome::kUnknown) << row.meds;
  }
}

TEST(Engine, UnknownReachesEveryLineThatRestsOnIt) {
  // Twice through a let, once through a fact; a line that does not touch the datum is not affected.
  const std::string rule =
      "rule: r\ntitle: A rule\nhooks: [patient-view]\nlet: { some: \"%scores.where($this > 3)\" }\nwhen:\n"
      "  - { id: a, text: a, if: \"%some.empty()\" }\n  - { id: b, text: b, if: \"%some.count() = 0\" }\n"
      "  - { id: c, text: c, if: \"%patient.exists()\" }\n"
      "unknown: { default: fire }\n"
      "card: { summary: \"s{{#unknown.a}} not known{{/unknown.a}}{{#unknown.c}} never{{/unknown.c}}\", "
      "indicator: info }\n";
  PackFixture pack({{"rules/r.yaml", rule}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const Decision decision = EvaluateJson(*base, RequestJson("patient-view", "", kPatient));
  ASSERT_EQ(decision.rules.size(), 1u);
  const auto& lines = decision.rules[0].lines;
  EXPECT_EQ(lines[0].outcome, Outcome::kUnknown);
  EXPECT_EQ(lines[1].outcome, Outcome::kUnknown);
  EXPECT_EQ(lines[1].reason, "prefetch `pain` was not supplied");
  EXPECT_EQ(lines[2].outcome, Outcome::kTrue);
  ASSERT_EQ(decision.cards.size(), 1u);
  EXPECT_EQ(decision.cards[0].summary, "s not known");
}

TEST(Engine, StopsAtTheFirstDecidingLineUnlessAskedToExplain) {
  const std::string rule =
      "rule: r\ntitle: A rule\nhooks: [patient-view]\nwhen:\n  - { id: a, text: a, if: \"false\" }\n  - { "
      "id: b, text: b, if: \"true\" }\n"
      "unless:\n  - { id: c, text: c, if: \"true\" }\nunknown: { default: silent }\ncard: { summary: s, "
      "indicator: info }\n";
  PackFixture pack({{"rules/r.yaml", rule}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const std::string request = RequestJson("patient-view", "", "");
  const Decision brief = EvaluateJson(*base, request),
                 full = EvaluateJson(*base, request, {.all_lines = true});
  EXPECT_EQ(brief.rules[0].stopped_by, "a");
  EXPECT_FALSE(brief.rules[0].lines[1].evaluated);
  EXPECT_EQ(full.rules[0].stopped_by, "a");
  EXPECT_TRUE(full.rules[0].lines[2].evaluated);
  EXPECT_TRUE(EvaluateJson(*base, RequestJson("order-sign", "", "")).rules.empty());
}

TEST(Engine, ForEachGivesOneOutcomeAnOrderAndCardsSayWhy) {
  const std::string rule = R"yaml(rule: r
title: A rule
hooks: [order-sign]
for-each: { order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)" }
let: { drug: "%order.medication.ofType(CodeableConcept).text" }
when:
  - { id: named, text: "the drug has a name", if: "%drug.exists()" }
unless:
  - { id: other, text: "it is another drug", if: "%drug != 'a*b'" }
unknown: { default: silent }
card:
  summary: "{{%drug}} for {{%p.days}}"
  indicator: warning
  source: { label: "Pack {{pack.version}}", url: "http://example.org/{{rule.id}}" }
  detail: "{{explain.when}}: {{%drug}}, {{percent(%p.share)}} ({{evidence.guide}})"
  suggestions:
    - label: "Change {{%drug}}"
      actions:
        - type: update
          description: d
          resource: { $value: "%order", status: "on-hold", note: [ { text: "{{%drug}}" } ], encounter: { $optional: "%order.encounter" } }
        - { type: delete, description: d, resource-id: "MedicationRequest/{{%order.id}}" }
  override-reasons: [ { code: x, display: X } ]
  links: [ { label: "More", url: "http://example.org/?q={{%drug}}" } ]
)yaml";
  PackFixture pack({{"rules/r.yaml", rule}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const Decision decision =
      EvaluateJson(*base, RequestJson("order-sign", R"("draftOrders":{"resourceType":"Bundle","entry":[
      {"resource":{"resourceType":"MedicationRequest","id":"o1","status":"draft","medicationCodeableConcept":{"text":"a*b"}}},
      {"resource":{"resourceType":"MedicationRequest","id":"o2","medicationCodeableConcept":{"text":"c"}}},
      {"resource":{"resourceType":"ServiceRequest","id":"o3"}}]})",
                                      ""));
  ASSERT_EQ(decision.rules.size(), 2u) << Explain(decision);
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kFired) << Explain(decision);
  EXPECT_EQ(decision.rules[1].stopped_by, "other") << Explain(decision);
  ASSERT_EQ(decision.cards.size(), 1u);
  const Card& card = decision.cards[0];
  EXPECT_EQ(card.subject, "MedicationRequest/o1");
  EXPECT_EQ(card.summary, "a*b for 7 days");
  EXPECT_EQ(card.detail,
            "the drug has a name: a\\*b, 10% ([The \\[guide\\]](http://example.org/guide))\n\n"
            "*Allergies were not checked: the pack has no drug tables.*");
  EXPECT_EQ(card.source_label, "Pack 1.2.3");
  EXPECT_EQ(card.links[0].url, "http://example.org/?q=a%2Ab");
  ASSERT_EQ(card.suggestions.size(), 1u);
  EXPECT_EQ(
      card.suggestions[0].actions[0].resource,
      R"({"resourceType":"MedicationRequest","id":"o1","medicationCodeableConcept":{"text":"a*b"},"status":"on-hold","note":[{"text":"a*b"}]})");
  EXPECT_EQ(card.suggestions[0].actions[1].resource_id, "MedicationRequest/o1");
  EXPECT_EQ(card.override_reasons[0].system, "http://example.org/test");
  EXPECT_FALSE(decision.rules[0].lines[0].sources.empty());
}

TEST(Engine, ACardWithAGapIsNotShown) {
  std::string rule = SimpleRule("true");
  rule.replace(rule.find("summary: s"), 10, "summary: \"{{%patient.gender}}\"");
  PackFixture pack({{"rules/r.yaml", rule}});
  const Decision decision = EvaluateJson(*pack.Load(), RequestJson("patient-view", "", kPatient));
  EXPECT_TRUE(decision.cards.empty());
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kFailed);
  EXPECT_EQ(decision.rules[0].error, "the card is not shown: {{%patient.gender}} has no value");
}

TEST(Engine, AFailingRuleFailsAlone) {
  std::string good = SimpleRule("true");
  good.replace(good.find("rule: r"), 7, "rule: s");
  PackFixture pack(
      {{"rules/r.yaml", SimpleRule("%patient.name.given.single() = 'x'")}, {"rules/s.yaml", good}});
  const Decision decision = EvaluateJson(
      *pack.Load(),
      RequestJson("patient-view", "",
                  R"("patient":{"resourceType":"Patient","id":"p1","name":[{"given":["a","b"]}]})"));
  ASSERT_EQ(decision.rules.size(), 2u);
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kFailed) << Explain(decision);
  EXPECT_EQ(decision.rules[1].status, RuleStatus::kFired);
}

TEST(Engine, OneCauseGivesOneCard) {
  const auto rule = [](std::string id, std::string cause, std::string indicator, int priority) {
    return "rule: " + id + "\ntitle: T " + id + "\nhooks: [patient-view]\n" +
           (cause.empty() ? "" : "cause: " + cause + "\n") + "priority: " + std::to_string(priority) +
           "\nwhen:\n  - { id: a, text: a, if: \"true\" }\ncard: { summary: " + id +
           ", indicator: " + indicator + " }\n";
  };
  PackFixture pack({{"rules/a.yaml", rule("A", "pain", "info", 90)},
                    {"rules/b.yaml", rule("B", "pain", "warning", 1)},
                    {"rules/c.yaml", rule("C", "pain", "warning", 5)},
                    {"rules/d.yaml", rule("D", "", "critical", 0)},
                    {"rules/e.yaml", rule("E", "", "info", 0) + "mode: shadow\n"}});
  const Decision decision = EvaluateJson(*pack.Load(), RequestJson("patient-view", "", ""));
  ASSERT_EQ(decision.cards.size(), 2u) << Explain(decision);
  EXPECT_EQ(decision.cards[0].summary, "D");
  EXPECT_EQ(decision.cards[1].summary, "C");
  EXPECT_EQ(decision.cards[1].absorbed, (std::vector<std::string>{"B", "A"}));
  EXPECT_NE(decision.cards[1].detail.find("B, A"), std::string::npos);
  const auto status = [&](std::string_view id) {
    return std::ranges::find(decision.rules, id, &RuleOutcome::rule)->status;
  };
  EXPECT_EQ(status("A"), RuleStatus::kAbsorbed);
  EXPECT_EQ(status("E"), RuleStatus::kShadow);
}

TEST(Engine, TheSameRequestGivesTheSameDecision) {
  PackFixture pack({{"rules/r.yaml", SimpleRule("%scores > 3")}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const std::string request = RequestJson("patient-view", "", Join({kPatient, kNoMeds, kScores}));
  const Decision one = EvaluateJson(*base, request), two = EvaluateJson(*base, request);
  EXPECT_EQ(one.id, two.id);
  ASSERT_EQ(one.cards.size(), 1u) << Explain(one);
  EXPECT_EQ(one.cards[0].uuid, two.cards[0].uuid);
  EXPECT_EQ(Explain(one), Explain(two));
  EXPECT_NE(Explain(one).find("Observation/s1 Observation.value"), std::string::npos) << Explain(one);
  EXPECT_NE(EvaluateJson(*base, request + " ").id, one.id);
}

TEST(Engine, SiteParametersStayInsideTheBounds) {
  PackFixture pack({{"rules/r.yaml", SimpleRule("%p.days > 10 days")}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const std::string request = RequestJson("patient-view", "", "");
  EXPECT_TRUE(EvaluateJson(*base, request).cards.empty());
  const auto site = MakeSiteParameters(*base, {{"days", "11"}});
  ASSERT_TRUE(site) << site.error().ToString();
  EXPECT_EQ(EvaluateJson(*base, request, {.site = &*site}).cards.size(), 1u);
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"days", "31"}, {"fixed", "6"}, {"dys", "8"}}) {
    EXPECT_FALSE(MakeSiteParameters(*base, {{name, value}})) << name;
  }
}

TEST(Engine, APackOutOfForceIsEvaluatedAndNotShown) {
  const std::string head = std::string(kTestPack) + "effective: { from: 2027-01-01 }\n";
  PackFixture pack({{"rules/r.yaml", SimpleRule("true")}}, head);
  const Decision decision = EvaluateJson(*pack.Load(), RequestJson("patient-view", "", ""));
  EXPECT_TRUE(decision.cards.empty());
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kShadow);
}

TEST(Engine, PutsErrorsInLetsWhereTheLetStands) {
  std::string rule = SimpleRule("%one = 'x'");
  rule.replace(rule.find("when:"), 0, "let: { one: \"%patient.name.given.single()\" }\n");
  PackFixture pack({{"rules/r.yaml", rule}});
  const Decision decision = EvaluateJson(
      *pack.Load(),
      RequestJson("patient-view", "",
                  R"("patient":{"resourceType":"Patient","id":"p1","name":[{"given":["a","b"]}]})"));
  EXPECT_EQ(decision.rules[0].error.rfind("line a: " + pack.dir() + "/rules/r.yaml:4:", 0), 0u)
      << decision.rules[0].error;
}

TEST(Engine, LooksUpCellsOfTables) {
  struct Row {
    const char *expression, *summary;  // summary "": the hole has no value, so there is no card
  };
  const Row rows[] = {
      {"lookup('drugs', '7052')", "morphine"},
      {"lookup('drugs', '7052', 'step')", "3"},
      {"lookup('drugs', ('1' | '7052' | '10689'), 'name')", "morphine, tramadol"},
      {"lookup('drugs', '1')", ""},
      {"lookup('drugs', {})", ""},
      {"lookup('drugs', '10689', 'note')", ""},
  };
  const std::string head =
      std::string(kTestPack) + "tables: { drugs: { file: tables/drugs.csv, key: code } }\n";
  for (const Row& row : rows) {
    std::string rule = SimpleRule("true");
    rule.replace(rule.find("summary: s"), 10, "summary: \"{{" + std::string(row.expression) + "}}\"");
    PackFixture pack(
        {{"rules/r.yaml", rule},
         {"tables/drugs.csv",
          "# source: test\n# date: 2026-11\ncode,name,step,note\n7052,morphine,3,x\n10689,tramadol,2,\n"}},
        head);
    const Decision decision = EvaluateJson(*pack.Load(), RequestJson("patient-view", "", ""));
    EXPECT_EQ(decision.cards.empty() ? "" : decision.cards[0].summary, row.summary) << row.expression;
  }
}

TEST(Engine, ConcurrentEvaluationsAgree) {
  PackFixture pack({{"rules/r.yaml", SimpleRule("%scores > 3")}});
  const std::string dirs[] = {pack.dir()};
  const auto evaluator = LoadLocalEvaluator(dirs);
  ASSERT_TRUE(evaluator) << evaluator.error().ToString();
  const auto document = Document::Parse(RequestJson("patient-view", "", Join({kPatient, kNoMeds, kScores})));
  const DateTime now = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");
  std::vector<std::string> ids(64);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < ids.size(); i += 4) {
        const auto decision = (*evaluator)->Evaluate(*document, now, std::chrono::milliseconds(0));
        ids[i] = decision && decision->cards.size() == 1 ? decision->cards[0].uuid : "failed";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_NE(ids[0], "failed");
}

TEST(Engine, ListsWhatEachHookReads) {
  PackFixture pack({{"rules/r.yaml", SimpleRule("%scores > 3")}});
  const std::string dirs[] = {pack.dir()};
  auto evaluator = LoadLocalEvaluator(dirs);
  ASSERT_TRUE(evaluator) << evaluator.error().ToString();
  const auto packs = (*evaluator)->ListPacks();
  ASSERT_EQ(packs->size(), 1u);
  const PackInfo& info = packs->front();
  EXPECT_EQ(info.hooks, std::vector<std::string>{"patient-view"});
  ASSERT_EQ(info.prefetch.size(), 1u);  // through the fact `scores`; nobody reads patient and meds
  EXPECT_EQ(info.prefetch[0].key, "pain");
  EXPECT_FALSE(info.prefetch[0].required);
}

}  // namespace
}  // namespace stepwise::rules
