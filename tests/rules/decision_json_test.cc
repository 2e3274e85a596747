// The decision record: every line of every rule with its value and what decided it, for programs.
#include "rules/decision_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rules/explain.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

using nlohmann::json;

constexpr std::string_view kRule = R"yaml(rule: scores
id: X-01
title: High score
hooks: [patient-view]
when:
  - { id: high, text: "a high score", if: "%scores.where($this > 3).exists()" }
  - { id: low, text: "a low score", if: "%scores.where($this < 9).exists()" }
unless:
  - { id: treated, text: "already treated", if: "%meds.entry.exists()" }
unknown: { high: silent, low: silent, treated: fire }
card: { summary: "Score {{%scores}}", indicator: warning }
)yaml";

constexpr std::string_view kNoOrders = R"yaml(rule: orders
id: X-02
title: Orders
hooks: [patient-view]
for-each: { order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)" }
when:
  - { id: any, text: "any", if: "%order.exists()" }
card: { summary: "an order", indicator: info }
)yaml";

TEST(DecisionJson, SaysWhatDecidedEachLineOfFiredAndSilentRules) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}, {"rules/s.yaml", std::string(kNoOrders)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const auto evaluate = [&](int score) {
    return EvaluateJson(
        *base, RequestJson("patient-view", "",
                           R"("pain":{"resourceType":"Bundle","type":"searchset","entry":[{"resource":)"
                           R"({"resourceType":"Observation","id":"s1","valueQuantity":{"value":)" +
                               std::to_string(score) + "}}}]}"));
  };
  const Decision decision = evaluate(7);
  const json fired = json::parse(DecisionJson(decision, 2));
  EXPECT_EQ(fired["now"], "2026-12-10T09:00:00Z");
  EXPECT_EQ(fired["packs"][0]["id"], "org.example.test");
  const json& rule = fired["rules"][0];
  EXPECT_EQ(rule["rule"], "X-01");
  EXPECT_EQ(rule["verdict"], "fired");
  EXPECT_EQ(rule["lines"][0], json::parse(R"({"id":"high","kind":"when","text":"a high score","value":"true",
      "sources":[{"reference":"Observation/s1","path":"Observation.valueQuantity.value"}]})"))
      << rule.dump(1);
  EXPECT_EQ(rule["lines"][2]["kind"], "unless");
  EXPECT_EQ(rule["lines"][2]["value"], "unknown");
  EXPECT_EQ(rule["lines"][2]["reason"], "prefetch `meds` was not supplied");
  EXPECT_EQ(fired["cards"][0]["rule"], "X-01");

  const json silent = json::parse(DecisionJson(evaluate(2)));
  EXPECT_EQ(silent["rules"][0]["verdict"], "stopped by high");
  EXPECT_EQ(silent["rules"][0]["lines"][0]["value"], "false");
  EXPECT_TRUE(silent["rules"][0]["lines"][1]["value"].is_null());  // not evaluated any more
  EXPECT_EQ(silent["cards"], json::array());

  // A for-each without items is told too, and the text says the same.
  EXPECT_EQ(fired["rules"][1]["verdict"], "stopped by for-each: there is no item");
  EXPECT_NE(Explain(decision).find("  = fired\n"), std::string::npos);
  EXPECT_NE(Explain(decision).find("  = stopped by for-each: there is no item\n"), std::string::npos)
      << Explain(decision);
}

}  // namespace
}  // namespace stepwise::rules
