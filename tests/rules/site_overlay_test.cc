#include "rules/site_overlay.h"

#include <gtest/gtest.h>

#include "rules/pack_reader.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kRules = R"yaml(rule: r
title: A rule
hooks: [patient-view]
when:
  - { id: a, text: a, if: "%p.days > 10 days" }
card: { summary: s, indicator: info }
)yaml";

constexpr std::string_view kSite = R"yaml(site: north
for: "org.example.test@^1.2"
parameters: { days: 11 }
rules: { r: { mode: shadow } }
approved-by: "P&T 2026-11-19"
)yaml";

TEST(SiteOverlay, ChangesParametersModesAndTheDigest) {
  PackFixture pack({{"rules/r.yaml", std::string(kRules)}, {"sites/north.yaml", std::string(kSite)}});
  Errors errors;
  const auto plain = ReadPack(pack.dir(), &errors), north = ReadPack(pack.dir(), &errors, "north"),
             south = ReadPack(pack.dir(), &errors, "south");
  ASSERT_TRUE(plain && north && south) << errors.front().ToString();
  EXPECT_EQ(south->digest, plain->digest);
  EXPECT_NE(north->digest, plain->digest);
  EXPECT_EQ(north->rules[0].mode, RuleMode::kShadow);

  LoadReport report;
  const std::string dirs[] = {pack.dir()};
  const auto base = KnowledgeBase::LoadFolders(dirs, &report, "north");
  ASSERT_NE(base, nullptr);
  const Decision decision = EvaluateJson(*base, RequestJson("patient-view", "", ""));
  ASSERT_EQ(decision.rules.size(), 1u);
  EXPECT_EQ(decision.rules[0].status, RuleStatus::kShadow);  // 11 days > 10 days, and not shown
  EXPECT_TRUE(decision.cards.empty());
  EXPECT_EQ(decision.packs[0].digest, north->digest);
}

TEST(SiteOverlay, StaysInsideWhatThePackAllows) {
  struct Row {
    const char *from, *to, *message;
  };
  const Row rows[] = {
      {"days: 11", "days: 31", "sites/north.yaml:3:21: parameter `days`: `31` is above the maximum 30"},
      {"days: 11", "fixed: 6", "sites/north.yaml:3:15: parameter `fixed` may not be changed by a site"},
      {"days: 11", "day: 6", "sites/north.yaml:3:15: no parameter `day` in the pack; did you mean `days`?"},
      {"^1.2", "^2.0", "sites/north.yaml:2:6: for ^2.0, but the pack is version 1.2.3"},
      {"org.example.test@", "other@", "sites/north.yaml:2:6: for `other`, but this is pack org.example.test"},
      {"mode: shadow", "mode: off", "sites/north.yaml:4:13: a rule that a site turns off says `why`"},
      {"{ r:", "{ q:", "sites/north.yaml:4:10: no rule `q` in the pack"},
      {"approved-by", "approved", "sites/north.yaml:1:1: a site's file needs the key `approved-by`"},
  };
  for (const Row& row : rows) {
    std::string site(kSite);
    site.replace(site.find(row.from), std::string(row.from).size(), row.to);
    PackFixture pack({{"rules/r.yaml", std::string(kRules)}, {"sites/north.yaml", site}});
    EXPECT_EQ(pack.TryLoad(), nullptr) << row.to;
    EXPECT_NE(("\n" + pack.Errors()).find("\n" + std::string(row.message)), std::string::npos)
        << row.message << "\n"
        << pack.Errors();
  }
}

}  // namespace
}  // namespace stepwise::rules
