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
  PackFixture pack({{"rules/r.yaml", std::string(kScoreRule)}, {"tests/r.yaml", std::string(kTests)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const PackTestReport report = RunPackTests(*base, base->packs()[0]);
  for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
  ASSERT_EQ(report.cases.size(), 5u);
  for (const TestCaseResult& result : report.cases) {
    for (const TestFailure& failure : result.failures)
      ADD_FAILURE() << result.name << ": " << failure.ToString() << "\n" << result.explanation;
  }
  EXPECT_EQ(report.coverage.goals(), 8u);  // the rule fired and not; two lines true, false, unknown
  EXPECT_EQ(report.coverage.reached(), 8u);
  EXPECT_TRUE(report.untested.empty());
  EXPECT_EQ(RunPackTests(*base, base->packs()[0], {.filter = "X-01: treated"}).cases.size(), 1u);
}

TEST(PackTest, SaysWhatWasExpected) {
  const std::pair<const char*, const char*> rows[] = {
      {"expect: { fires: false }", "- fires: false\n+ fires: true"},
      {"expect: { fires: [o1] }", "- fires: [o1]\n+ fires: [X-01]"},
      {"expect: { stopped-by: high }", "- stopped-by: high\n+ stopped-by: nothing: it fired"},
      {"expect: { false: [high] }", "- line high: false\n+ line high: true"},
      {"expect: { true: [hihg] }", "- line hihg: true\n+ line hihg: there is no such line"},
      {"expect: { indicator: info }", "- indicator: info\n+ indicator: warning"},
      {"expect: { suggestions: 2 }", "- suggestions: 2\n+ suggestions: 0"},
      {"expect: { summary-contains: nine }", "- summary-contains: `nine`\n+ summary-contains: `Score 7`"},
      {"expect: { cards: 2 }", "- cards: 2\n+ cards: 1"},
      {"expect: { suggestions: [Add] }", "- suggestions: [Add]\n+ suggestions: []"},
      {"expect: { detail-lacks: nine, summary-contains: [Score, nine] }",
       "- summary-contains: `nine`\n+ summary-contains: `Score 7`"},
      {"expect: { status: shadow }", "- status: shadow\n+ status: fired"},
      {"overridden: [ { at: \"2026-12-10T08:00:00Z\" } ]\n    expect: { fires: true }",
       "nothing to override at 2026-12-10T08:00:00Z"},
      {"overridden: [ {} ]\n    expect: { fires: true }", "an override says when it was, in `at`"},
      {"overridden: [ { at: noon } ]\n    expect: { fires: true }", "`noon` is no moment"},
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
    PackFixture pack({{"rules/r.yaml", std::string(kScoreRule)},
                      {"tests/r.yaml", head + "  - name: n\n    " + text + "\n"}});
    const auto base = pack.Load();
    ASSERT_NE(base, nullptr);
    const PackTestReport report = RunPackTests(*base, base->packs()[0]);
    ASSERT_EQ(report.cases.size(), 1u) << text;
    ASSERT_EQ(report.failed(), 1u) << text;
    std::string all;
    for (const TestFailure& failure : report.cases[0].failures) all += failure.ToString() + "\n";
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

// The gate for the packs that ship: they compile, their cases pass, and nothing about their rules is unseen.
TEST(Packs, PassTheirTestsAndCoverEveryLine) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
  ASSERT_NE(base, nullptr);
  for (const Pack& pack : base->packs()) {
    const PackTestReport result = RunPackTests(*base, pack);
    for (const Error& error : result.errors) ADD_FAILURE() << error.ToString();
    for (const TestCaseResult& one : result.cases) {
      for (const TestFailure& failure : one.failures)
        ADD_FAILURE() << one.file << ":" << one.span.line << " " << one.name << ": " << failure.ToString();
    }
    for (const RuleCoverage& rule : result.coverage.rules) {
      for (const std::string& what : rule.Missing()) ADD_FAILURE() << rule.rule << ": never " << what;
      for (const LineCoverage& line : rule.lines) {
        for (const std::string& what : line.Missing())
          ADD_FAILURE() << rule.rule << " " << line.line << ": never " << what;
      }
    }
    for (const std::string& rule : result.untested)
      ADD_FAILURE() << pack.id << " " << rule << " has no test case";
  }
}

}  // namespace
}  // namespace stepwise::rules
