// Differences between two versions: what they are called, what they need, who gets other advice.
#include "rules/pack_diff.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "rules/pack_diff_command.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHead = R"yaml(pack: 1
id: org.example.test
canonical: http://example.org/test
version: 1.2.3
title: Test pack
status: active
fhir: [4.0.1]
parameters:
  from: { type: integer, default: 4, min: 1, max: 10 }
valuesets: { pain: valuesets/pain.yaml }
prefetch:
  patient: "Patient/{{context.patientId}}"
  pain: { query: "Observation?patient={{context.patientId}}", required: false }
)yaml";

constexpr std::string_view kCodes = R"yaml(name: pain
url: http://example.org/pain
version: 1.0.0
title: Pain
system: http://example.org/codes
codes: { a: "Pain score", b: "Other score" }
)yaml";

constexpr std::string_view kRule = R"yaml(rule: high
id: X-01
title: High score
hooks: [patient-view]
let: { scores: "%pain.entry.resource.ofType(Observation).where(code.memberOf('pain')).value.ofType(Quantity).value" }
when:
  - { id: high, text: "a high score", if: "%scores.where($this >= %p.from).exists()" }
unknown: { default: silent }
card:
  summary: "Score {{%scores}}"
  indicator: warning
  override-reasons: [ { code: known, display: Known } ]
)yaml";

constexpr std::string_view kTests = R"yaml(tests-for: X-01
now: "2026-12-10T09:00:00Z"
base: { hook: patient-view, patient: { resourceType: Patient, id: p1 } }
cases:
  - name: seven
    pain: [ { resourceType: Observation, code: { coding: [ { system: "http://example.org/codes", code: a } ] }, valueQuantity: { value: 7 } } ]
    expect: { fires: true }
  - name: four of the other kind
    pain: [ { resourceType: Observation, code: { coding: [ { system: "http://example.org/codes", code: b } ] }, valueQuantity: { value: 4 } } ]
    expect: { fires: true }
)yaml";

struct Files {
  std::string head{kHead}, codes{kCodes}, rule{kRule}, tests{kTests};

  // Replaces what must be there.
  static void Replace(std::string* text, std::string_view from, std::string_view to) {
    const std::size_t at = text->find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text->replace(at, from.size(), to);
  }
  std::string Write(const TempDir& dir, std::string_view name) const {
    const auto root = dir.path() / name;
    WriteFile(root / "pack.yaml", head);
    WriteFile(root / "valuesets/pain.yaml", codes);
    WriteFile(root / "rules/r.yaml", rule);
    WriteFile(root / "tests/r.yaml", tests);
    return root.string();
  }
};

struct Row {
  const char* version;
  std::string Files::*file;
  const char* from;
  const char* to;
  int exit;  // of the command
  std::vector<const char*> says = {};
};

TEST(PackDiff, NamesTheChangeAndChecksTheVersion) {
  const Row rows[] = {
      {"1.2.3",
       &Files::rule,
       "x",
       "x",
       0,
       {"changes (0)", "advice: 0 of 2 cases", "needs none, claims none: honest"}},
      {"1.2.4",
       &Files::rule,
       "title: High score",
       "title: A high score",
       0,
       {"patch  rule X-01: title\n      - High score\n      + A high score",
        "needs patch, claims patch: honest"}},
      {"1.2.3",
       &Files::rule,
       "title: High score",
       "title: A high score",
       1,
       {"the same version has two digests: a released version never changes, so raise it to 1.2.4"}},
      {"1.2.4",
       &Files::rule,
       ">= %p.from",
       "> %p.from",
       1,
       {"minor  rule X-01, line high: condition", "advice: 1 of 2 cases",
        "minor  X-01: four of the other kind\n      - X-01 warning: Score 4\n",
        "needs minor, claims patch: the version must be at least 1.3.0"}},
      {"1.3.0", &Files::rule, ">= %p.from", "> %p.from", 0, {"needs minor, claims minor: honest"}},
      {"1.3.0",
       &Files::rule,
       "indicator: warning",
       "indicator: critical",
       1,
       {"major  rule X-01, card: indicator", "advice: 2 of 2",
        "- X-01 warning: Score 7\n      + X-01 critical: Score 7", "must be at least 2.0.0"}},
      {"1.2.4",
       &Files::rule,
       "code: known",
       "code: known-pain",
       1,
       {"major  rule X-01, card, override reason known\n",
        "major  rule X-01, card, override reason known-pain"}},
      {"1.2.4",
       &Files::rule,
       "display: Known",
       "display: It is known",
       1,
       {"major  rule X-01, card, override reason known: display"}},
      {"1.2.4",
       &Files::rule,
       "summary: \"Score",
       "summary: \"Pain score",
       0,
       {"patch  X-01: seven\n      - X-01 warning: Score 7\n      + X-01 warning: Pain score 7"}},
      {"1.2.4",
       &Files::codes,
       ", b: \"Other score\"",
       "",
       1,
       {"minor  value set pain, code http://example.org/codes|b\n      - listed", "minor  X-01: four of"}},
      {"1.2.4",
       &Files::head,
       "default: 4",
       "default: 8",
       1,
       {"minor  parameter from\n      - 4\n      + 8", "advice: 2 of 2 cases"}},
      {"1.2.4", &Files::head, "max: 10", "max: 9", 1, {"major  parameter from: max"}},
      {"1.3.0", &Files::head, "max: 10", "max: 11", 0, {"minor  parameter from: max"}},
      {"1.3.0",
       &Files::head,
       "Observation?patient",
       "Observation?category=x&patient",
       1,
       {"major  prefetch pain"}},
      {"1.2.4",
       &Files::rule,
       "hooks:",
       "# a remark\nhooks:",
       0,
       {"changes (0)", "needs patch, claims patch: honest"}},
      {"1.2.2", &Files::rule, "title: High", "title: Higher", 1, {"the version goes back"}},
      {"2.0.0", &Files::rule, "when:", "mode: off\nwhy: withdrawn\nwhen:", 0, {"major  rule X-01: mode"}},
  };
  for (const Row& row : rows) {
    TempDir dir;
    Files before{}, after{};
    if (std::string_view(row.from) != row.to) Files::Replace(&(after.*row.file), row.from, row.to);
    if (std::string_view(row.version) != "1.2.3")
      Files::Replace(&after.head, "version: 1.2.3", std::string("version: ") + row.version);
    std::ostringstream out;
    EXPECT_EQ(DiffPackCommand(before.Write(dir, "a"), after.Write(dir, "b"), {}, false, out), row.exit)
        << row.to << "\n"
        << out.str();
    for (const char* part : row.says) EXPECT_THAT(out.str(), HasSubstr(part)) << row.to;
  }
}

TEST(PackDiff, RunsTheCasesOfBothSides) {
  TempDir dir;
  Files before, after;
  Files::Replace(&after.tests, "  - name: four of the other kind", "  - name: a new one");
  Files::Replace(&after.tests, "value: 4", "value: 5");
  Files::Replace(&after.rule, ">= %p.from", "> %p.from");
  Files::Replace(&after.head, "1.2.3", "1.3.0");
  std::ostringstream out;
  EXPECT_EQ(DiffPackCommand(before.Write(dir, "a"), after.Write(dir, "b"), {.json = true}, false, out), 0);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["advice"]["cases"], 3);
  ASSERT_EQ(json["advice"]["changes"].size(), 1u);
  EXPECT_EQ(json["advice"]["changes"][0]["case"], "four of the other kind");
  EXPECT_EQ(json["advice"]["changes"][0]["after"].size(), 0u);
  EXPECT_EQ(json["honest"], true);
  EXPECT_EQ(json["needed"], "minor");
}

TEST(PackDiff, SaysWhichCasesOneSideCannotRun) {
  TempDir dir;
  Files before, after;
  Files::Replace(&before.tests, "  - name: seven", "  - name: seven\n    site: { from: 8 }");
  Files::Replace(&after.head, "max: 10", "max: 6");
  Files::Replace(&after.head, "1.2.3", "2.0.0");
  std::ostringstream out;
  EXPECT_EQ(DiffPackCommand(before.Write(dir, "a"), after.Write(dir, "b"), {}, false, out), 0);
  EXPECT_THAT(out.str(), HasSubstr("not run  X-01: seven: the newer version: "));
}

TEST(PackDiff, NextVersions) {
  const std::tuple<Version, Bump, const char*> rows[] = {
      {{1, 2, 3}, Bump::kPatch, "1.2.4"}, {{1, 2, 3}, Bump::kMinor, "1.3.0"},
      {{1, 2, 3}, Bump::kMajor, "2.0.0"}, {{0, 2, 3}, Bump::kPatch, "0.2.4"},
      {{0, 2, 3}, Bump::kMinor, "0.2.4"}, {{0, 2, 3}, Bump::kMajor, "0.3.0"},
      {{1, 2, 3}, Bump::kNone, "1.2.3"}};
  for (const auto& [version, bump, next] : rows) EXPECT_EQ(NextVersion(version, bump).ToString(), next);
}

}  // namespace
}  // namespace stepwise::rules
