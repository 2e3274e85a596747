// `stepwise pack test` and `stepwise pack mutate` as their users meet them: what is printed, written and
// returned.
#include "rules/pack_test_command.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "rules/junit.h"
#include "rules/pack_mutate_command.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kHead = R"yaml(tests-for: X-01
now: "2026-12-10T09:00:00Z"
base:
  hook: patient-view
  patient: { resourceType: Patient, id: p1 }
  pain: [ { resourceType: Observation, id: s1, valueQuantity: { value: 7 } } ]
cases:
  - name: fires <& "says why">
    expect: { fires: true }
  - name: treated
    meds: [ { resourceType: MedicationRequest, id: m } ]
    expect: { fires: false, stopped-by: treated }
)yaml";

constexpr std::string_view kMore = R"yaml(  - name: low
    pain: [ { resourceType: Observation, id: s1, valueQuantity: { value: 3 } } ]
    expect: { fires: false }
  - name: nothing is known
    absent: [meds, pain]
    expect: { fires: false, unknown: [high, treated] }
)yaml";

// The pack with these cases; TestPacks() on it gives `code` and `text`.
struct TestRun {
  explicit TestRun(const std::string& cases, const std::function<void(TestPacksOptions&)>& change = {})
      : pack({{"rules/r.yaml", std::string(kScoreRule)}, {"tests/r.yaml", cases}}) {
    TestPacksOptions options;
    options.dirs = {pack.dir()};
    if (change) change(options);
    std::ostringstream out;
    code = TestPacks(options, out);
    text = out.str();
    for (std::size_t at; (at = text.find(pack.dir() + "/")) != std::string::npos;)
      text.erase(at, pack.dir().size() + 1);
  }
  PackFixture pack;
  int code;
  std::string text;
};

TEST(PackTestCommand, SaysWhatNoCaseHasSeen) {
  const TestRun run{std::string(kHead)};
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.text,
            "passed org.example.test 1.2.3: 2 of 2 cases\n"
            "  coverage 62.5 %: 5 of 8 (each rule fired and not, each line true, false, unknown)\n"
            "    X-01 high: never false, unknown\n"
            "    X-01 treated: never unknown\n");
}

TEST(PackTestCommand, CountsWithCoverageAndIsSilentWithout) {
  const TestRun all(std::string(kHead) + std::string(kMore), [](auto& o) { o.coverage = true; });
  EXPECT_EQ(all.text,
            "passed org.example.test 1.2.3: 4 of 4 cases\n"
            "  coverage 100.0 %: 8 of 8 (each rule fired and not, each line true, false, unknown)\n"
            "    X-01: 1 fired, 3 not fired\n"
            "      high: 2 true, 1 false, 1 unknown\n"
            "      treated: 1 true, 2 false, 1 unknown\n");
  const TestRun none(std::string(kHead), [](auto& o) { o.no_coverage = true; });
  EXPECT_EQ(none.text, "passed org.example.test 1.2.3: 2 of 2 cases\n");
}

TEST(PackTestCommand, FailsUnderTheLeastCoverage) {
  EXPECT_EQ(TestRun(std::string(kHead), [](auto& o) { o.fail_under = 62.5; }).code, 0);
  const TestRun run(std::string(kHead), [](auto& o) { o.fail_under = 63; });
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.text.find("coverage of org.example.test is 62.5 %, less than 63.0 %"), std::string::npos);
}

TEST(PackTestCommand, AFailureIsADiffAndAnExplanation) {
  const TestRun run(std::string(kHead) + R"yaml(  - name: wrong
    expect: { fires: false, indicator: info, true: [high] }
)yaml");
  EXPECT_EQ(run.code, 1);
  const std::string begin = run.text.substr(0, run.text.find("passed") == 0 ? 0 : run.text.find("failed "));
  EXPECT_EQ(begin.substr(0, begin.find("  pack org")),
            "FAILED X-01: wrong  (tests/r.yaml:13)\n"
            "  - fires: false\n"
            "  + fires: true\n"
            "  - indicator: info\n"
            "  + indicator: warning\n"
            "FIRED    X-01");
  EXPECT_NE(begin.find("  + high     a high score     Observation/s1 Observation.value"), std::string::npos)
      << begin;
  EXPECT_TRUE(begin.ends_with("  = fired\n")) << begin;
}

TEST(PackTestCommand, ExplainsPassedCasesWhenAsked) {
  const TestRun run(std::string(kHead), [](auto& o) { o.explain = true; });
  EXPECT_NE(run.text.find("passed X-01: treated  (tests/r.yaml:10)\nSTOPPED  X-01  by treated"),
            std::string::npos)
      << run.text;
  EXPECT_NE(run.text.find("  = stopped by treated\n"), std::string::npos);
}

TEST(PackTestCommand, NeverUnknownIsBelievedUntilACaseShowsOtherwise) {
  const auto with = [](std::string_view line, std::string_view more) {
    std::string text(kHead);
    text.insert(text.find("base:"), "never-unknown: { " + std::string(line) + ": \"because\" }\n");
    return text + std::string(more);
  };
  EXPECT_NE(TestRun(with("treated", "")).text.find("5 of 7"), std::string::npos);
  EXPECT_NE(TestRun(with("treated", kMore)).text.find("a case has seen line `treated` unknown"),
            std::string::npos);
  EXPECT_NE(TestRun(with("treatd", "")).text.find("rule X-01 has no line `treatd`"), std::string::npos);
}

TEST(PackTestCommand, WritesJunit) {
  TempDir dir;
  const std::string path = (dir.path() / "out.xml").string();
  const TestRun run(std::string(kHead) + "  - name: wrong\n    expect: { fires: false }\n", [&](auto& o) {
    o.junit = path;
    o.fail_under = 90;
  });
  const std::string xml = ReadFile(path);
  for (const char* part :
       {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n",
        "<testsuite name=\"org.example.test\" tests=\"3\" failures=\"1\" errors=\"0\">",
        "<testcase classname=\"org.example.test.X-01\" name=\"fires &lt;&amp; &quot;says why&quot;&gt;\"",
        "<failure message=\"- fires: false&#10;+ fires: true\">", "name=\"coverage\"", "</testsuites>\n"}) {
    EXPECT_NE(xml.find(part), std::string::npos) << part << "\n" << xml;
  }
  EXPECT_EQ(XmlEscape("a\x01\tb"), "a\xEF\xBF\xBD&#9;b");
  EXPECT_EQ(TestRun(std::string(kHead), [](auto& o) { o.junit = "/nowhere/at/all.xml"; }).code, 1);
}

TEST(PackTestCommand, JunitSaysWhyPacksDoNotLoad) {
  PackFixture pack({{"rules/r.yaml", std::string("rule: r\ntitel: x\n")}});
  TempDir dir;
  TestPacksOptions options;
  options.dirs = {pack.dir()};
  options.junit = (dir.path() / "out.xml").string();
  std::ostringstream out;
  EXPECT_EQ(TestPacks(options, out), 1);
  EXPECT_NE(ReadFile(options.junit).find("unknown key `titel`"), std::string::npos);
}

TEST(PackTestCommand, WatchRunsAgainAfterAChange) {
  PackFixture pack({{"rules/r.yaml", std::string(kScoreRule)}, {"tests/r.yaml", std::string(kHead)}});
  TestPacksOptions options;
  options.dirs = {pack.dir()};
  std::ostringstream out;
  int waits = 0;
  // Two looks without a change, a new case, a file that does not count, a broken rule, and the end.
  const auto wait = [&] {
    ++waits;
    const auto path = [&](const char* name) { return std::filesystem::path(pack.dir()) / name; };
    if (waits == 3) WriteFile(path("tests/r.yaml"), std::string(kHead) + std::string(kMore));
    if (waits == 4) WriteFile(path("tests/r.yaml~"), "backup");
    if (waits == 5) WriteFile(path("rules/r.yaml"), "rule: r\n");
    return waits < 7;
  };
  EXPECT_EQ(WatchPacks(options, wait, out), 1);  // what the last run gave
  const std::string text = out.str();
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("passed") || line.starts_with("changed") ||
        line.find("needs the key `title`") != line.npos)
      lines.push_back(line.substr(0, line.find(':')));
  }
  ASSERT_EQ(lines.size(), 5u) << text;
  EXPECT_EQ(lines[0], "passed org.example.test 1.2.3");
  EXPECT_EQ(lines[1], "changed");
  EXPECT_EQ(lines[2], "passed org.example.test 1.2.3");
  EXPECT_EQ(lines[3], "changed");
}

TEST(PackMutateCommand, NamesWhatNoTestNotices) {
  PackFixture pack(
      {{"rules/r.yaml", std::string(kScoreRule)}, {"tests/r.yaml", std::string(kHead) + std::string(kMore)}});
  const auto mutate = [&](double fail_under) {
    const std::string dirs[] = {pack.dir()};
    std::ostringstream out;
    const int code = MutatePacks(dirs, fail_under, false, out);
    std::string text = out.str();
    for (std::size_t at; (at = text.find(pack.dir() + "/")) != std::string::npos;)
      text.erase(at, pack.dir().size() + 1);
    return std::pair(code, text);
  };
  // `> 3` with scores 7 and 3: `>=` and `<` are both noticed.
  EXPECT_EQ(mutate(100), (std::pair<int, std::string>(0,
                                                      "  org.example.test: 2 of 2 mutants caught\n"
                                                      "100.0 % of the mutants are caught\n")));
  // Without the case of score 3 nobody notices `>=`.
  WriteFile(std::filesystem::path(pack.dir()) / "tests/r.yaml", kHead);
  const std::string survivor =
      "rules/r.yaml:6:64: warning: no test notices `>` -> `>=` in X-01 line high\n"
      "  - { id: high, text: \"a high score\", if: \"%scores.where($this > 3).exists()\" }\n"
      "                                                               ^\n";
  EXPECT_EQ(mutate(95),
            (std::pair<int, std::string>(1, survivor + "  org.example.test: 1 of 2 mutants caught\n"
                                                       "50.0 % of the mutants are caught\n")));
  // Unless it is said to mean the same.
  const std::filesystem::path list = std::filesystem::path(pack.dir()) / "mutants.yaml";
  WriteFile(list, "equivalent:\n  - { in: X-01 line high, was: \"> 3\", becomes: \">= 3\", why: because }\n");
  EXPECT_EQ(mutate(95),
            (std::pair<int, std::string>(0,
                                         "  org.example.test: 1 of 1 mutant caught, and 1 mean the same\n"
                                         "100.0 % of the mutants are caught\n")));
  // What stands there must be a mutant, and one that is not caught.
  WriteFile(list,
            "equivalent:\n  - { in: X-01 line high, was: \"> 3\", becomes: \"< 3\", why: because }\n"
            "  - { in: X-01 line high, was: \"= 3\", becomes: \"!= 3\", why: because }\n");
  const auto [code, text] = mutate(0);
  EXPECT_EQ(code, 1);
  EXPECT_NE(text.find("mutants.yaml:2:5: error: this mutant is caught"), std::string::npos) << text;
  EXPECT_NE(text.find("mutants.yaml:3:5: error: no mutant of `X-01 line high` turns `= 3` into `!= 3`"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace stepwise::rules
