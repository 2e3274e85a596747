// `stepwise pack check`: what it finds, where, and in which forms it says so.
#include "rules/pack_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "rules/pack_check_command.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

CheckReport Check(const std::string& dir, const std::string& against = {}) {
  const std::string dirs[] = {dir};
  return CheckFolders(dirs, {.against = against});
}

std::string Text(const CheckReport& report, const std::string& dir) {
  std::string out;
  for (const Finding& finding : report.findings) {
    std::string line = finding.error.ToString();
    if (line.starts_with(dir + "/")) line.erase(0, dir.size() + 1);
    out += (finding.warning ? "warning " : "error ") + line + "\n";
  }
  return out;
}

// tests/rules/mistakes.txt says each place and how the message begins: every mistake once, and nothing else.
TEST(PackCheck, FindsEveryMistakeOnceAtItsPlace) {
  const std::string dir = (SourceDir() / "tests/rules/mistakes").string();
  const CheckReport report = Check(dir, (SourceDir() / "tests/rules/mistakes-before").string());
  ExpectGolden("tests/rules/mistakes.txt", Text(report, dir));
  EXPECT_GE(report.findings.size(), 30u);
  EXPECT_EQ(report.base, nullptr);
}

TEST(PackCheck, FindsNothingInThePacksThatShip) {
  const std::string dir = (SourceDir() / "rules/packs").string();
  EXPECT_EQ(Text(Check(dir), dir), "");
}

constexpr std::string_view kRule = R"yaml(rule: r
title: A rule
evidence: [guide]
hooks: [patient-view]
when:
  - { id: a, text: "a holds", if: "%patient.exists()" }
unknown: { default: silent }
card: { summary: "S {{%patient.name.text}}", indicator: info }
)yaml";

std::string With(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(PackCheck, ReadsLinesWithoutData) {
  const std::pair<const char*, const char*> rows[] = {
      {"%patient.exists()", ""},
      {"%p.days > 30 days",
       "error rules/r.yaml:6:44: line `a` is always false (1 to 30 day > 30 day), so the rule "
       "never fires"},
      {"%p.days >= 30 days", ""},
      {"%p.fixed = 5", "warning rules/r.yaml:6:45: line `a` is always true (5 = 5), so it decides nothing"},
      {"%p.share * 2 > 0.5", "error rules/r.yaml:6:49: line `a` is always false (0.10 to 0.40 > 0.5)"},
      {"%patient.active and %p.days < 1 day",
       "error rules/r.yaml:6:64: line `a` is always false (1 to 30 day < 1 day), so the rule never fires"},
      {"%patient.exists() or %p.days < 1 day",
       "warning rules/r.yaml:6:65: this comparison is always false: 1 to 30 day < 1 day"},
      {"%scores.where($this > 3 and %p.days < 1 day).exists()", "warning rules/r.yaml:6:72: this comparison"},
      {"{}", "error rules/r.yaml:6:35: line `a` is always unknown, so the rule never fires"},
      {"%scores.count() >= 0",
       "warning rules/r.yaml:6:52: line `a` is always true (at least 0 >= 0) where its "
       "data are known, so it only asks whether they are"},
      {"iif(%patient.active, 1, 2) > 3", ""},
      {"%patient.exists() and %p.fixed > 4",
       "warning rules/r.yaml:6:67: this comparison is always true: 5 > 4"},
  };
  for (const auto& [expression, message] : rows) {
    PackFixture pack({{"rules/r.yaml", With(std::string(kRule), "%patient.exists()", expression)}});
    const std::string text = Text(Check(pack.dir()), pack.dir());
    if (*message == '\0') {
      EXPECT_EQ(text, "") << expression;
    } else {
      EXPECT_TRUE(text.starts_with(message)) << expression << "\n" << text;
      EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
    }
  }
}

TEST(PackCheck, ReadsLinesInTheLightOfThoseAbove) {
  const std::string rule = With(std::string(kRule), "unknown: {", R"yaml(  - { id: b, text: "b", if: "@" }
unless:
  - { id: c, text: "c", if: "#" }
unknown: { )yaml");
  const std::tuple<const char*, const char*, const char*> rows[] = {
      {"%scores.count() > 6", "%scores.count() > 8", ""},
      {"%scores.count() > 6", "%scores.count() < 7", ""},
      {"%scores.count() > 6", "%scores.count() < 6",
       "warning rules/r.yaml:9:29: line `c` is always false when the lines above let it be reached"},
      {"%scores.count() > 6", "%scores.count() > 4",
       "error rules/r.yaml:9:29: line `c` is always true when the lines above let it be reached, so the rule "
       "never"},
      {"%patient.active", "%patient.active",
       "error rules/r.yaml:9:29: line `c` is always true when the lines above"},
      {"%patient.active and %scores.exists()", "%scores.exists().not()",
       "warning rules/r.yaml:9:29: line `c` is always false when"},
      {"%patient.exists()", "%patient.active",
       "warning rules/r.yaml:7:29: line `b` is always true when the lines above let it be reached, so it "
       "decides"},
  };
  for (const auto& [b, c, message] : rows) {
    PackFixture pack({{"rules/r.yaml", With(With(rule, "@", b), "#", c)}});
    const std::string text = Text(Check(pack.dir()), pack.dir());
    EXPECT_TRUE(text.starts_with(message)) << b << ", " << c << "\n" << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), *message == '\0' ? 0 : 1) << text;
  }
}

TEST(PackCheck, MeasuresTheSummariesOfTheDeclaredCases) {
  const std::string head =
      "tests-for: r\nnow: \"2026-12-10T09:00:00Z\"\nbase: { hook: patient-view }\ncases:\n";
  const auto named = [&](std::size_t length) {
    return head + "  - name: long name\n    patient: { resourceType: Patient, id: p1, name: [ { text: \"" +
           std::string(length, 'x') + "\" } ] }\n    expect: { fires: true }\n";
  };
  PackFixture fits({{"rules/r.yaml", std::string(kRule)}, {"tests/r.yaml", named(137)}}),
      cut({{"rules/r.yaml", std::string(kRule)}, {"tests/r.yaml", named(138)}});
  EXPECT_EQ(Text(Check(fits.dir()), fits.dir()), "");
  EXPECT_EQ(
      Text(Check(cut.dir()), cut.dir()),
      "error rules/r.yaml:8:18: the summary has 140 characters in the case `long name`; at most 139 are "
      "shown: shorten the text around the data\n");
}

TEST(PackCheck, ChecksEveryFhirVersionThatThePackNames) {
  const std::string rule = With(std::string(kRule), "%patient.exists()", "%patient.animal.exists()");
  PackFixture one({{"rules/r.yaml", rule}}, With(std::string(kTestPack), "[4.0.1]", "[5.0.0]")),
      both({{"rules/r.yaml", rule}}, With(std::string(kTestPack), "[4.0.1]", "[4.0.1, 5.0.0]"));
  EXPECT_EQ(Check(one.dir()).errors(), Check(both.dir()).errors());
  const std::string r4 = With(std::string(kRule), "%patient.exists()",
                              "%meds.entry.resource.ofType(MedicationRequest)."
                              "reasonCode.exists()");
  PackFixture moved({{"rules/r.yaml", r4}}, With(std::string(kTestPack), "[4.0.1]", "[4.0.1, 5.0.0]"));
  const std::string text = Text(Check(moved.dir()), moved.dir());
  EXPECT_NE(text.find("reasonCode"), std::string::npos) << text;
  EXPECT_NE(text.find("(in FHIR 5.0.0)"), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
}

TEST(PackCheck, OverrideCodesMayGoWithAMajorVersion) {
  const std::string reasons = "card: { override-reasons: [ { code: a, display: A } ], ";
  const std::string with = With(std::string(kRule), "card: { ", reasons);
  PackFixture before({{"rules/r.yaml", with}}), gone({{"rules/r.yaml", std::string(kRule)}}),
      major({{"rules/r.yaml", std::string(kRule)}}, With(std::string(kTestPack), "1.2.3", "2.0.0")),
      changed({{"rules/r.yaml", With(with, "display: A", "display: B")}},
              With(std::string(kTestPack), "1.2.3", "2.0.0"));
  EXPECT_NE(
      Text(Check(gone.dir(), before.dir()), gone.dir()).find("error rules/r.yaml:8:7: override reason `a`"),
      std::string::npos);
  EXPECT_EQ(Text(Check(major.dir(), before.dir()), major.dir()), "");
  EXPECT_NE(
      Text(Check(changed.dir(), before.dir()), changed.dir()).find("says `B`, but said `A` in version 1.2.3"),
      std::string::npos);
}

TEST(PackCheck, SpeaksJsonAndSarif) {
  PackFixture pack({{"rules/r.yaml", With(std::string(kRule), "title:", "titel:")}});
  const std::string dirs[] = {pack.dir()};
  std::ostringstream json_out, sarif_out;
  EXPECT_EQ(CheckPacks(dirs, false, json_out, ReportFormat::kJson), 1);
  EXPECT_EQ(CheckPacks(dirs, false, sarif_out, ReportFormat::kSarif), 1);
  const auto json = nlohmann::json::parse(json_out.str());
  ASSERT_EQ(json["findings"].size(), 1u);
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["findings"][0]["line"], 2);
  EXPECT_EQ(json["findings"][0]["check"], "semantic");
  const auto sarif = nlohmann::json::parse(sarif_out.str());
  EXPECT_EQ(sarif["version"], "2.1.0");
  ASSERT_EQ(sarif["runs"].size(), 1u);
  const auto& run = sarif["runs"][0];
  const auto& result = run["results"][0];
  EXPECT_EQ(result["level"], "error");
  EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
  const auto& place = result["locations"][0]["physicalLocation"];
  EXPECT_TRUE(place["artifactLocation"]["uri"].get<std::string>().ends_with("rules/r.yaml"));
  EXPECT_EQ(place["region"], nlohmann::json::parse(R"({"startLine":2,"startColumn":1,"endColumn":6})"));
}

}  // namespace
}  // namespace stepwise::rules
