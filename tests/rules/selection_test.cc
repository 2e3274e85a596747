// Several versions of packs in one knowledge base: which is compiled against which, and who answers.
#include "rules/selection.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/rules/registry_fixture.h"

namespace stepwise::rules {
namespace {

std::string Answer(const KnowledgeBase& base, const Selection* selection = nullptr) {
  const Decision decision = EvaluateJson(base, RequestJson("patient-view", "", ""), {.selection = selection});
  std::string out;
  for (const Card& card : decision.cards) out += card.summary + ";";
  return out;
}

TEST(Selection, TheHighestVersionThatIsNotRetiredAnswers) {
  const RegistryFixture registry({{.id = "a", .version = "1.0.0"},
                                  {.id = "a", .version = "1.10.0"},
                                  {.id = "a", .version = "1.9.0"},
                                  {.id = "a", .version = "2.0.0", .status = "retired"},
                                  {.id = "b", .version = "1.0.0"}});
  const auto base = registry.Load();
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(base->packs().size(), 5u);
  EXPECT_EQ(Answer(*base), "a 1.10.0;b 1.0.0;");
  const Selection old = SelectionWith(*base, base->packs()[0]);
  EXPECT_EQ(Answer(*base, &old), "a 1.0.0;b 1.0.0;");
}

TEST(Selection, AnyVersionCanAnswerAndTheDecisionNamesIt) {
  const RegistryFixture registry({{.id = "a", .version = "1.0.0"}, {.id = "a", .version = "1.1.0"}});
  const auto base = registry.Load();
  ASSERT_NE(base, nullptr);
  const Selection old(*base, {0}), hidden(*base, {1}, /*shown=*/false), both(*base, {1, 0, 1});
  EXPECT_EQ(Answer(*base, &old), "a 1.0.0;");
  EXPECT_EQ(Answer(*base, &both), "a 1.0.0;a 1.1.0;");
  EXPECT_EQ(Answer(*base, &hidden), "");
  const Decision decision = EvaluateJson(*base, RequestJson("patient-view", "", ""), {.selection = &hidden});
  ASSERT_EQ(decision.rules.size(), 1u);
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kShadow);
  ASSERT_EQ(decision.packs.size(), 1u);
  EXPECT_EQ(decision.packs[0].digest, base->packs()[1].digest);
  EXPECT_NE(decision.id, EvaluateJson(*base, RequestJson("patient-view", "", ""), {.selection = &old}).id);
}

TEST(Selection, AVersionUsesTheHighestThatFitsWhatItRequires) {
  struct Row {
    const char *requires_packs, *answer;
  };
  const Row rows[] = {
      {"{ k: ^1.0 }", "a 1.0.0 by k 1.2.0;"},
      {"{ k: 1.0.0 }", "a 1.0.0 by k 1.0.0;"},
      {"{ k: ^2.0 }", "a 1.0.0 by k 2.0.0;"},
      {"{ k: ^1.0, m: 1.0.0 }", "a 1.0.0 by k 1.0.0;"},  // m needs k 1.0.0, and two versions of k cannot be
      {"{ m: 1.0.0, k: ^1.0 }", "a 1.0.0 by k 1.0.0;"},
  };
  for (const Row& row : rows) {
    const RegistryFixture registry(
        {{.id = "k", .version = "1.0.0", .fact = true},
         {.id = "k", .version = "1.2.0", .fact = true},
         {.id = "k", .version = "2.0.0", .fact = true},
         {.id = "m", .version = "1.0.0", .requires_packs = "{ k: 1.0.0 }", .rules = 0},
         {.id = "a", .version = "1.0.0", .requires_packs = row.requires_packs}});
    const auto base = registry.Load();
    ASSERT_NE(base, nullptr) << row.requires_packs;
    EXPECT_EQ(Answer(*base), row.answer) << row.requires_packs;
  }
}

TEST(Selection, SaysWhyVersionsCannotBeLoadedTogether) {
  struct Row {
    std::vector<PackSpec> packs;
    const char* message;
  };
  const Row rows[] = {
      {{{.id = "a", .version = "1.0.0"}, {.id = "a", .version = "1.0.0", .folder = "again", .title = "B"}},
       "again/pack.yaml:1:1: pack `org.example.a` 1.0.0 is also in "},
      {{{.id = "k", .version = "1.0.0"}, {.id = "a", .version = "1.0.0", .requires_packs = "{ k: ^2.0 }"}},
       "a/1.0.0/pack.yaml:7:13: needs k ^2.0, but "},
      {{{.id = "a", .version = "1.0.0", .requires_packs = "{ k: ^2.0 }"}},
       "a/1.0.0/pack.yaml:7:13: needs pack `k`, which is not here; name its folder too"},
      {{{.id = "k", .version = "1.0.0"},
        {.id = "k", .version = "1.1.0"},
        {.id = "m", .version = "1.0.0", .requires_packs = "{ k: 1.0.0 }"},
        {.id = "a", .version = "1.0.0", .requires_packs = "{ k: 1.1.0, m: ^1.0 }"}},
       "a/1.0.0/pack.yaml:1:1: the packs that `org.example.a` 1.0.0 needs are themselves made for different"},
      {{{.id = "a", .version = "1.0.0", .query = "Condition?patient={{context.patientId}}"},
        {.id = "b", .version = "1.0.0", .query = "Observation?patient={{context.patientId}}"}},
       "b/1.0.0/pack.yaml:8:13: prefetch key `data` is another query in pack org.example.a 1.0.0: "},
  };
  for (const Row& row : rows) {
    const RegistryFixture registry(row.packs);
    EXPECT_EQ(registry.Load(/*quiet=*/true), nullptr) << row.message;
    EXPECT_NE(registry.errors().find(row.message), std::string::npos) << row.message << "\n"
                                                                      << registry.errors();
  }
}

TEST(Selection, TheSameVersionTwiceIsTakenOnce) {
  const RegistryFixture registry(
      {{.id = "a", .version = "1.0.0"}, {.id = "a", .version = "1.0.0", .folder = "again"}});
  const auto base = registry.Load();
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(Answer(*base), "a 1.0.0;");
}

}  // namespace
}  // namespace stepwise::rules
