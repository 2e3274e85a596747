// What an author reads when a pack is wrong: every message with its place.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kRule = R"yaml(rule: r
title: A rule
hooks: [patient-view]
when:
  - { id: a, text: "a holds", if: "%patient.exists()" }
unknown: { default: silent }
card: { summary: s, indicator: info }
)yaml";

std::string With(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

struct Row {
  const char *from, *to, *message;
};

TEST(PackReader, PointsAtWhatIsWrongInARule) {
  const Row rows[] = {
      {"rule: r", "rul: r", "rules/r.yaml:1:1: unknown key `rul` in a rule; did you mean `rule`?"},
      {"title:", "titel:", "rules/r.yaml:2:1: unknown key `titel` in a rule; did you mean `title`?"},
      {"hooks: [patient-view]", "", "rules/r.yaml:1:1: a rule needs `hooks`"},
      {"text: \"a holds\", ", "", "rules/r.yaml:5:5: a when line needs the key `text`"},
      {"summary: s,", "sumary: s,",
       "rules/r.yaml:7:9: unknown key `sumary` in a card; did you mean `summary`?"},
      {"indicator: info", "indicator: hard-stop",
       "rules/r.yaml:7:32: `hard-stop` is no value of `indicator`; known: critical, warning, info"},
      {"default: silent", "b: silent", "rules/r.yaml:6:12: no line `b` in this rule; did you mean `a`?"},
      {"default: silent", "a: maybe",
       "rules/r.yaml:6:15: `maybe` is no value of `unknown`; known: silent, fire"},
      {"%patient.exists()", "%patent.exists()", "rules/r.yaml:5:"},
      {"%patient.exists()", "%patient.nam.exists()", "rules/r.yaml:5:45: "},
      {"%patient.exists()", "%meds.entry.resource.code.memberOf('none')", "rules/r.yaml:5:"},
      {"%patient.exists()", "lookup('none', '1') = 'x'", "rules/r.yaml:5:43: no table `none` in this pack"},
      {"summary: s", "summary: \"x {{%patient.id\"",
       "rules/r.yaml:7:21: `{{` is never closed; close it with `}}`"},
      {"summary: s", "summary: \"x {{ }}\"", "rules/r.yaml:7:21: an empty hole"},
      {"summary: s", "summary: \"{{rule.di}}\"",
       "rules/r.yaml:7:21: nothing is called `rule.di`; did you mean `rule.id`?"},
      {"summary: s", "summary: \"{{evidence.guid}}\"",
       "rules/r.yaml:7:21: nothing is called `evidence.guid`; did you mean `evidence.guide`?"},
      {"summary: s", "summary: \"{{#unknown.b}}x{{/unknown.b}}\"",
       "rules/r.yaml:7:21: no line `b` in this rule"},
      {"summary: s", "summary: \"{{#unknown.a}}x\"",
       "rules/r.yaml:7:19: the section {{#unknown.a}} is never closed"},
      {"title: A rule", "title: A rule\nevidence: [gide]",
       "rules/r.yaml:3:12: no evidence `gide` in pack.yaml; did you mean `guide`?"},
      {"title: A rule", "title: A rule\nlet: { x: \"%y\", y: \"%x\" }",
       "rules/r.yaml:3:8: let `x` needs itself: %x -> %y -> %x"},
      {"title: A rule", "title: A rule\nlet: { meds: \"1\" }",
       "rules/r.yaml:3:8: %meds already means something else in this pack"},
      {"title: A rule", "title: A rule\nmode: off", "rules/r.yaml:1:1: a rule that is off says in `why`"},
      {"title: A rule", "title: A rule\nfor-each: { a: \"1\", b: \"2\" }",
       "rules/r.yaml:3:11: `for-each` names one thing"},
  };
  for (const Row& row : rows) {
    PackFixture pack({{"rules/r.yaml", With(std::string(kRule), row.from, row.to)}});
    EXPECT_EQ(pack.TryLoad(), nullptr) << row.to;
    EXPECT_NE(("\n" + pack.Errors()).find("\n" + std::string(row.message)), std::string::npos)
        << row.message << "\n"
        << pack.Errors();
  }
}

TEST(PackReader, PointsAtWhatIsWrongInThePack) {
  const Row rows[] = {
      {"pack: 1", "pack: 2", "pack.yaml:1:7: `2` is no value of `pack`; did you mean `1`?"},
      {"version: 1.2.3", "version: 1.2", "pack.yaml:4:10: `1.2` is no version"},
      {"status: active", "status: activ",
       "pack.yaml:6:9: `activ` is no value of `status`; did you mean `active`?"},
      {"fhir: [4.0.1]", "fhir: [9]", "pack.yaml:7:8: `9` is no FHIR version we know"},
      {"default: 7,", "default: 70,", "pack.yaml:11:45: parameter `days`: `70` is above the maximum 30"},
      {"default: 7,", "default: x,", "pack.yaml:11:45: `x` is no integer"},
      {"override: none", "override: no", "pack.yaml:13:49: `no` is no value of `override`; known: none"},
      {"\"Patient/{{context.patientId}}\"", "\"Patent/1\"",
       "pack.yaml:15:3: `Patent/1` asks for a type that FHIR does not know"},
      {"facts:", "facts:\n  scores: \"1\"", "pack.yaml:20:3: key `scores` is given twice"},
      {"  scores: \"%pain", "  scores: \"%scores",
       "pack.yaml:19:3: fact `scores` needs itself: %scores -> %scores"},
      {"facts:", "requires: { other: ^1.0 }\nfacts:",
       "pack.yaml:18:13: needs pack `other`, which is not here"},
      {"facts:", "requires: { other: latest }\nfacts:", "pack.yaml:18:20: `latest` is no version range"},
      {"facts:", "tables: { t: { file: tables/t.csv } }\nfacts:",
       "pack.yaml:18:22: no file `tables/t.csv` in the pack"},
      {"facts:", "effective: { from: 2026-13-01 }\nfacts:",
       "pack.yaml:18:20: `from` is a day like 2026-12-01, not `2026-13-01`"},
      {"facts:", "experimental: no\nfacts:", "pack.yaml:18:15: `experimental` is true or false, not `no`"},
  };
  for (const Row& row : rows) {
    PackFixture pack({}, With(std::string(kTestPack), row.from, row.to));
    EXPECT_EQ(pack.TryLoad(), nullptr) << row.to;
    EXPECT_NE(("\n" + pack.Errors()).find("\n" + std::string(row.message)), std::string::npos)
        << row.message << "\n"
        << pack.Errors();
  }
}

TEST(PackReader, FindsEveryErrorAtOnce) {
  PackFixture pack({{"rules/a.yaml", "rule: a\n"},
                    {"rules/b.yaml", "titel: b\n"},
                    {"valuesets/x.yaml", "name: x\n"},
                    {"rules/c.txt", ""}});
  EXPECT_EQ(pack.TryLoad(), nullptr);
  for (const char* part :
       {"rules/a.yaml:1:1: a rule needs the key `title`", "rules/b.yaml:1:1: unknown key `titel`",
        "valuesets/x.yaml: not named in pack.yaml", "rules/c.txt: rules/ holds one .yaml file a rule"}) {
    EXPECT_NE(pack.Errors().find(part), std::string::npos) << part << "\n" << pack.Errors();
  }
}

TEST(PackReader, RefusesLinksThatLeadOut) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}});
  TempDir outside;
  WriteFile(outside.path() / "secret.yaml", kRule);
  std::filesystem::create_symlink(outside.path() / "secret.yaml",
                                  std::filesystem::path(pack.dir()) / "rules/s.yaml");
  EXPECT_EQ(pack.TryLoad(), nullptr);
  EXPECT_NE(pack.Errors().find("rules/s.yaml: a link that leads out of the pack"), std::string::npos)
      << pack.Errors();
}

TEST(PackReader, DigestIsWhatThePackSays) {
  PackFixture one({{"rules/r.yaml", std::string(kRule)}}),
      two({{"rules/r.yaml", std::string(kRule)}, {"tests/t.yaml", "x: 1"}}),
      three({{"rules/r.yaml", std::string(kRule) + "# more\n"}});
  const std::string digest = one.Load()->packs()[0].digest;
  EXPECT_EQ(digest.size(), 7u + 64u);
  EXPECT_EQ(two.Load()->packs()[0].digest, digest);
  EXPECT_NE(three.Load()->packs()[0].digest, digest);
}

TEST(PackReader, WarnsAboutLinesThatCanBeUnknown) {
  PackFixture pack({{"rules/r.yaml", With(std::string(kRule), "unknown: { default: silent }\n", "")}});
  ASSERT_NE(pack.Load(), nullptr);
  ASSERT_EQ(pack.report.warnings.size(), 1u);
  EXPECT_NE(pack.report.warnings[0].message.find("line `a` can be unknown"), std::string::npos);
}

}  // namespace
}  // namespace stepwise::rules
