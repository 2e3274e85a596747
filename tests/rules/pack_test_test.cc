// The pack test runner: what passes, what fails and how it says so; and the packs of this repository.
#include "rules/pack_test.h"

#include <gtest/gtest.h>

#include <sstream>

#include "rules/functions_command.h"
#include "rules/pack_check_command.h"
#include "rules/pack_test_command.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kRule = R"yaml(rule: scores
id: X-01
title: High score
hooks: [patient-view]
when:
  - { id: high, text: "a high score", if: "%scores.where($this > 3).exists()" }
unless:
  - { id: treated, text: "already treated", if: "%meds.entry.exists()" }
unknown: { high: silent, treated: fire }
card: { summary: "Score {{%scores}}", indicator: warning }
)yaml";

constexpr std::string_view kTests = R"yaml(tests-for: X-01
now: "2026-12-10T09:00:00Z"
base:
  hook: patient-view
  patient: { resourceType: Patient, id: p1 }
  pain: [ &score { resourceType: Observation, valueQuantity: { value: 7 } } ]
cases:
  - name: fires
    expect: { fires: true, true: [high], false: [treated], indicator: warning, suggestions: 0, summary-contains: "Score 7" }
  - name: treated
    meds: [ { resourceType: MedicationRequest, id: m } ]
    expect: { fires: false, stopped-by: treated }
  - name: nothing known about drugs
    absent: [meds]
    expect: { fires: true, unknown: [treated] }
  - name: no score
    pain: null
    expect: { fires: [], stopped-by: high }
  - name: failed query
    pain: { resourceType: OperationOutcome }
    expect: { fires: [], stopped-by: high, unknown: [high] }
)yaml";

TEST(PackTest, PassesAndCovers) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}, {"tests/r.yaml", std::string(kTests)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const PackTestReport report = RunPackTests(*base, base->packs()[0], "");
  for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
  ASSERT_EQ(report.cases.size(), 5u);
  for (const TestCaseResult& result : report.cases) {
    for (const std::string& failure : result.failures)
      ADD_FAILURE() << result.name << ": " << failure << "\n" << result.explanation;
  }
  ASSERT_EQ(report.coverage.size(), 2u);
  for (const LineCoverage& line : report.coverage) {
    EXPECT_TRUE(line.seen_true && line.seen_false && line.seen_unknown) << line.line;
  }
  EXPECT_TRUE(report.untested.empty());
  EXPECT_EQ(RunPackTests(*base, base->packs()[0], "X-01: treated").cases.size(), 1u);
}

TEST(PackTest, SaysWhatWasExpected) {
  const std::pair<const char*, const char*> rows[] = {
      {"expect: { fires: false }", "expected no card, but the rule fired"},
      {"expect: { fires: [o1] }", "expected fires [o1], got [X-01]"},
      {"expect: { stopped-by: high }", "expected stopped-by high, got [fired]"},
      {"expect: { false: [high] }", "line high: expected false, it is true"},
      {"expect: { true: [hihg] }", "line hihg: expected true, there is no such line"},
      {"expect: { indicator: info }", "expected indicator info, got warning"},
      {"expect: { suggestions: 2 }", "expected 2 suggestions, got 0"},
      {"expect: { summary-contains: nine }", "expected the summary to contain `nine`, it is `Score 7`"},
      {"expct: { fires: true }", "a case says what it expects in `expect`"},
      {"expect: { fire: true }", "unknown key `fire` in `expect`; did you mean `fires`?"},
      {"pian: []\n    expect: { fires: true }", "no pack has a prefetch key `pian`; did you mean `pain`?"},
      {"site: { dayz: 3 }\n    expect: { fires: true }",
       "no pack has a parameter `dayz`; did you mean `days`?"},
      {"patient: { resourceType: Patient, id: p2 }\n    pain: [ { resourceType: Observation, subject: { "
       "reference: Patient/p1 } } ]\n    expect: { fires: true }",
       "belongs to another patient"},
  };
  const std::string head(kTests.substr(0, kTests.find("  - name: fires")));
  for (const auto& [text, message] : rows) {
    PackFixture pack(
        {{"rules/r.yaml", std::string(kRule)}, {"tests/r.yaml", head + "  - name: n\n    " + text + "\n"}});
    const auto base = pack.Load();
    ASSERT_NE(base, nullptr);
    const PackTestReport report = RunPackTests(*base, base->packs()[0], "");
    ASSERT_EQ(report.cases.size(), 1u) << text;
    ASSERT_EQ(report.failed(), 1u) << text;
    std::string all;
    for (const std::string& failure : report.cases[0].failures) all += failure + "\n";
    EXPECT_NE(all.find(message), std::string::npos) << text << "\n" << all;
  }
}

TEST(PackCommand, PrintsPlacesCaretsAndCounts) {
  PackFixture pack({{"rules/r.yaml", std::string("rule: r\ntitel: x\n")}});
  const std::string dirs[] = {pack.dir()};
  std::ostringstream out;
  EXPECT_EQ(CheckPacks(dirs, false, out), 1);
  EXPECT_NE(out.str().find(
                "rules/r.yaml:2:1: error: unknown key `titel` in a rule; did you mean `title`?\ntitel: x\n^"),
            std::string::npos)
      << out.str();
  EXPECT_NE(out.str().find("errors"), std::string::npos) << out.str();
}

TEST(PackCommand, ListsFunctions) {
  std::ostringstream out;
  EXPECT_EQ(ListFunctions(out), 0);
  for (const char* part : {"lookup(table: string, key: items, column: string?) -> String*", "memberOf("}) {
    EXPECT_NE(out.str().find(part), std::string::npos) << part;
  }
}

// The gate for the packs that ship: they compile, their cases pass, and every line is seen true and false.
TEST(Packs, PassTheirTestsAndCoverEveryLine) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
  ASSERT_NE(base, nullptr);
  for (const Pack& pack : base->packs()) {
    const PackTestReport result = RunPackTests(*base, pack, "");
    for (const Error& error : result.errors) ADD_FAILURE() << error.ToString();
    for (const TestCaseResult& one : result.cases) {
      for (const std::string& failure : one.failures)
        ADD_FAILURE() << one.file << ":" << one.span.line << " " << one.name << ": " << failure;
    }
    for (const LineCoverage& line : result.coverage) {
      EXPECT_TRUE(line.seen_true && line.seen_false) << pack.id << " " << line.rule << " " << line.line;
    }
    for (const std::string& rule : result.untested)
      ADD_FAILURE() << pack.id << " " << rule << " has no test case";
  }
}

}  // namespace
}  // namespace stepwise::rules
