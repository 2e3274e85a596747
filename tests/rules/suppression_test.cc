// What keeps cards few: suppression after an override, the most cards of a response, and which of two rules
// of one cause speaks.
#include "rules/suppression.h"

#include <gtest/gtest.h>

#include "rules/explain.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

std::string RuleText(const std::string& id, const std::string& indicator, const std::string& more = "") {
  return "rule: " + id + "\ntitle: T " + id + "\nhooks: [patient-view]\n" + more +
         "when:\n  - { id: a, text: a, if: \"true\" }\nunknown: { default: silent }\ncard: { summary: \"s " +
         id + "\", indicator: " + indicator + " }\n";
}

const std::string kSuppress =
    "suppress-repeat: { per: [patient, \"%context.drug\"], for: 12 h, after: override }\n";

Decision Evaluate(const KnowledgeBase& base, std::vector<OverriddenCard> overridden = {},
                  const std::string& drug = "7052", std::size_t max_cards = 0) {
  EngineOptions options;
  options.overridden = overridden;
  options.max_cards = max_cards;
  const std::string context = drug.empty() ? "" : "\"drug\":\"" + drug + "\"";
  return EvaluateJson(base, RequestJson("patient-view", context, ""), options);  // at 2026-12-10T09:00:00Z
}

OverriddenCard At(const Card& card, std::string_view time) {
  return {card.suppression_key, *DateTime::ParseDateTime(time)};
}

TEST(Suppression, HoldsForSoLongAndForTheSameThing) {
  PackFixture pack({{"rules/a.yaml", RuleText("A", "info", kSuppress)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const Decision first = Evaluate(*base);
  ASSERT_EQ(first.cards.size(), 1u) << Explain(first);
  const Card card = first.cards[0];
  EXPECT_EQ(card.suppression_key.rfind("org.example.test/A/", 0), 0u) << card.suppression_key;
  EXPECT_EQ(card.suppression_key.find("7052"), std::string::npos);  // nothing of the patient in the clear

  const Decision quiet = Evaluate(*base, {At(card, "2026-12-09T21:00:01Z")});
  EXPECT_TRUE(quiet.cards.empty());
  ASSERT_EQ(quiet.rules.size(), 1u);
  EXPECT_EQ(quiet.rules[0].status, RuleStatus::kSuppressed);
  EXPECT_EQ(quiet.rules[0].note, "overridden at 2026-12-09T21:00:01Z, silent until 2026-12-10T09:00:01.000Z");
  EXPECT_NE(Explain(quiet).find("  = suppressed: overridden at"), std::string::npos) << Explain(quiet);

  EXPECT_EQ(Evaluate(*base, {At(card, "2026-12-09T21:00:00Z")}).cards.size(), 1u);  // 12 h are over
  EXPECT_EQ(Evaluate(*base, {At(card, "2026-12-10T08:00:00Z")}, "7804").cards.size(), 1u);
  // Of several overrides the last one counts, whatever their order.
  EXPECT_TRUE(
      Evaluate(*base, {At(card, "2026-12-10T08:00:00Z"), At(card, "2026-12-01T08:00:00Z")}).cards.empty());
}

TEST(Suppression, WithoutAValueThereIsNoKey) {
  PackFixture pack(
      {{"rules/a.yaml", RuleText("A", "info", kSuppress)}, {"rules/b.yaml", RuleText("B", "info")}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  for (const Card& card : Evaluate(*base, {}, "").cards) EXPECT_EQ(card.suppression_key, "");
  EXPECT_EQ(Evaluate(*base, {{"", *DateTime::ParseDateTime("2026-12-10T08:00:00Z")}}, "").cards.size(), 2u);
}

TEST(Suppression, KeepsItsCauseQuietButNotWhatIsGraver) {
  PackFixture pack({{"rules/a.yaml", RuleText("A", "warning", "cause: c\n" + kSuppress)},
                    {"rules/b.yaml", RuleText("B", "info", "cause: c\n")},
                    {"rules/c.yaml", RuleText("C", "critical", "cause: d\n")},
                    {"rules/d.yaml", RuleText("D", "info", "cause: d\n" + kSuppress)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const Decision first = Evaluate(*base);
  ASSERT_EQ(first.cards.size(), 2u);
  EXPECT_EQ(first.cards[0].summary, "s C");
  ASSERT_EQ(first.cards[1].summary, "s A");
  const Decision quiet = Evaluate(*base, {At(first.cards[1], "2026-12-10T08:00:00Z")});
  ASSERT_EQ(quiet.cards.size(), 1u) << Explain(quiet);
  EXPECT_EQ(quiet.cards[0].summary, "s C");
}

TEST(Suppression, RefusesWhatItCannotKeep) {
  const std::pair<const char*, const char*> rows[] = {
      {"{ per: [patient], for: 12 h, after: override }", ""},
      {"{ per: [\"%context.drug\"], for: 12 h }", "`per` is a list with `patient`"},
      {"{ for: 12 h }", "needs the key `per`"},
      {"{ per: [patient] }", "needs the key `for`"},
      {"{ per: [patient], for: a while }", "`a while` is no time to keep quiet"},
      {"{ per: [patient], for: 0 h }", "`0 h` is no time"},
      {"{ per: [patient], for: 53 wk }", "`53 wk` is no time"},
      {"{ per: [patient], for: 12 h, after: shown }", "`shown` is no value of `after`; known: override"},
      {"{ per: [patient, \"%nobody\"], for: 12 h }", "nobody"},
      {"{ per: [patient], for: 12 h, fro: 1 }", "unknown key `fro`"},
  };
  for (const auto& [text, message] : rows) {
    PackFixture pack(
        {{"rules/a.yaml", RuleText("A", "info", "suppress-repeat: " + std::string(text) + "\n")}});
    const auto base = pack.TryLoad();
    EXPECT_EQ(base != nullptr, std::string_view(message).empty()) << text << "\n" << pack.Errors();
    EXPECT_NE(pack.Errors().find(message), std::string::npos) << text << "\n" << pack.Errors();
  }
}

TEST(MaxCards, TheLastCardNamesTheRest) {
  std::map<std::string, std::string> files;
  for (const char* id : {"A", "B", "C", "D"})
    files["rules/" + std::string(id) + ".yaml"] = RuleText(id, "info");
  files["rules/E.yaml"] = RuleText("E", "critical");
  PackFixture pack(files);
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(Evaluate(*base, {}, "", 0).cards.size(), 5u);
  EXPECT_EQ(Evaluate(*base, {}, "", 5).cards.size(), 5u);
  const Decision decision = Evaluate(*base, {}, "", 3);
  ASSERT_EQ(decision.cards.size(), 3u);
  EXPECT_EQ(decision.cards[0].summary, "s E");
  EXPECT_EQ(decision.cards[1].summary, "s A");
  const Card& last = decision.cards[2];
  EXPECT_EQ(last.summary, "3 more: B, C, D");
  EXPECT_EQ(last.indicator, "info");
  EXPECT_EQ(last.absorbed, (std::vector<std::string>{"B", "C", "D"}));
  EXPECT_NE(last.detail.find("- **D** (info): s D"), std::string::npos) << last.detail;
  EXPECT_NE(last.uuid, decision.cards[1].uuid);
  std::size_t folded = 0;
  for (const RuleOutcome& outcome : decision.rules) folded += outcome.status == RuleStatus::kFolded;
  EXPECT_EQ(folded, 3u);
}

TEST(Cause, ThePackWithMorePrecedenceSpeaks) {
  const auto head = [](const std::string& id, int precedence) {
    return "pack: 1\nid: " + id +
           "\ntitle: t\nversion: 1.0.0\nstatus: active\nprecedence: " + std::to_string(precedence) + "\n";
  };
  // Of equally grave cards the pack decides, then the rule's priority; a graver card comes first anyway.
  PackFixture low({{"rules/a.yaml", RuleText("A", "info", "cause: c\npriority: 99\n")},
                   {"rules/x.yaml", RuleText("X", "warning")}},
                  head("low", 1));
  PackFixture high({{"rules/b.yaml", RuleText("B", "info", "cause: c\npriority: 1\n")}}, head("high", 2));
  const std::string dirs[] = {low.dir(), high.dir()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  ASSERT_NE(base, nullptr);
  const Decision decision = Evaluate(*base);
  ASSERT_EQ(decision.cards.size(), 2u);
  EXPECT_EQ(decision.cards[0].summary, "s X");
  EXPECT_EQ(decision.cards[1].summary, "s B");
  EXPECT_EQ(decision.cards[1].absorbed, std::vector<std::string>{"A"});
}

}  // namespace
}  // namespace stepwise::rules
