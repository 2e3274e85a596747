// CSV, tables and value sets.
#include <gtest/gtest.h>

#include "rules/table.h"
#include "rules/value_set.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kHead = "# source: somebody\n# date: 2026-11\n";

std::string First(const Errors& errors) { return errors.empty() ? "" : errors.front().ToString(); }

TEST(Csv, ReadsQuotingAndLineEnds) {
  Errors errors;
  const CsvFile file = ParseCsv("# note\r\na,b\r\n\"x, \"\"y\"\"\",\r\n\"two\nlines\",z\n", "t.csv", &errors);
  EXPECT_EQ(First(errors), "");
  EXPECT_EQ(file.comments, std::vector<std::string>{"note"});
  EXPECT_EQ(file.cells, (std::vector<std::string>{"x, \"y\"", "", "two\nlines", "z"}));
  EXPECT_EQ(file.lines, (std::vector<std::uint32_t>{3, 4}));
}

TEST(Csv, SaysWhereAndWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"a,b\n1\n", "t.csv:2:1: 1 fields, the header has 2"},
      {"a,b\n1,\"x\n", "t.csv:2:3: the quote opened here is never closed"},
      {"a,b\n\"x\"y,2\n", "t.csv:2:4: text after a closing quote"},
      {"a,b\nx\"y,2\n", "t.csv:2:2: a quote inside an unquoted field"},
      {"a,a\n", "t.csv:1:1: column `a` is named twice"},
      {"# only\n", "t.csv:2:1: no header line"},
  };
  for (const auto& [text, message] : rows) {
    Errors errors;
    ParseCsv(text, "t.csv", &errors);
    EXPECT_TRUE(First(errors).starts_with(message)) << First(errors);
  }
}

TEST(Table, FindsRowsByKey) {
  Errors errors;
  const Table table = Table::Read(std::string(kHead) + "code,drug\n7052,morphine\n7804,oxycodone\n", "t.csv",
                                  "code", {}, &errors);
  ASSERT_EQ(First(errors), "");
  ASSERT_TRUE(table.Find("7804"));
  EXPECT_EQ(table.Cell(*table.Find("7804"), *table.Column("drug")), "oxycodone");
  EXPECT_FALSE(table.Find("1"));
  EXPECT_FALSE(table.Column("dose"));
}

TEST(Table, NeedsASourceADateAndUniqueKeys) {
  const std::pair<std::string, std::string> rows[] = {
      {"# date: 2026-11\na,b\n", "t.csv:1:1: a knowledge table says where it comes from"},
      {"# source: x\na,b\n", "t.csv:1:1: a knowledge table says how old it is"},
      {std::string(kHead) + "a,b\n1,x\n1,y\n",
       "t.csv:5:1: key `1` is given twice; the first one is in line 4"},
      {std::string(kHead) + "c,b\n1,x\n", "pack.yaml:3:5: table t.csv has no column `a`"},
      {"# Sources, collected 2026-11-20: WHO\na,b\n", ""},
  };
  for (const auto& [text, message] : rows) {
    Errors errors;
    Table::Read(text, "t.csv", "a", {.file = "pack.yaml", .line = 3, .column = 5}, &errors);
    EXPECT_TRUE(First(errors).starts_with(message)) << First(errors);
    EXPECT_EQ(errors.empty(), message.empty()) << text;
  }
}

std::unique_ptr<CodeSet> BuildSet(const std::string& yaml, Errors* errors, const Table* table = nullptr) {
  const auto node =
      ParseYaml("name: s\nurl: http://s\nversion: 1.0.0\ntitle: t\n" + yaml, {.file = "s.yaml"});
  EXPECT_TRUE(node) << node.error().ToString();
  const ValueSetSource source = ReadValueSet(*node, errors);
  return CodeSet::Build(
      source, [&](std::string_view name) { return name == "codes" ? table : nullptr; }, errors);
}

TEST(ValueSet, HasThreeAnswers) {
  Errors errors;
  const auto set = BuildSet("system: rx\ncodes: { \"1\": one, \"2\": }\n", &errors);
  ASSERT_EQ(First(errors), "");
  EXPECT_EQ(set->Contains("rx", "1"), Membership::kIn);
  EXPECT_EQ(set->Contains("rx", "2"), Membership::kIn);
  EXPECT_EQ(set->Contains("rx", "3"), Membership::kOut);
  EXPECT_EQ(set->Contains("other", "1"), Membership::kUnknown);
  EXPECT_EQ(set->Contains("", "1"), Membership::kIn);
  EXPECT_EQ(set->Contains("", "3"), Membership::kUnknown);
}

TEST(ValueSet, CategoriesHoldTheirDescendants) {
  Errors errors;
  const auto set = BuildSet(
      "include:\n- { system: icd, codes: { C25: p, G89.3: n }, descendants: true }\n- { system: loinc, "
      "codes: { \"1\": } }\ncovers: [icd]\n",
      &errors);
  ASSERT_EQ(First(errors), "");
  const std::pair<const char*, Membership> rows[] = {{"C25", Membership::kIn},    {"C25.9", Membership::kIn},
                                                     {"C259", Membership::kIn},   {"C2", Membership::kOut},
                                                     {"C26.1", Membership::kOut}, {"G89.3", Membership::kIn},
                                                     {"G893", Membership::kIn},   {"G89", Membership::kOut},
                                                     {"G89.31", Membership::kIn}, {"", Membership::kOut}};
  for (const auto& [code, expected] : rows) EXPECT_EQ(set->Contains("icd", code), expected) << code;
  EXPECT_EQ(set->Contains("loinc", "1"), Membership::kIn);
  EXPECT_EQ(set->Contains("loinc", "2"), Membership::kUnknown);  // not covered
}

TEST(ValueSet, DrawsCodesFromTables) {
  Errors errors;
  const Table table =
      Table::Read(std::string(kHead) + "code,class,step\nA,strong,3\nB,weak,2\nC,strong,2\n,strong,3\n",
                  "t.csv", "", {}, &errors);
  const auto set = BuildSet(
      "include:\n- { system: atc, table: codes, column: code, where: { class: [strong], step: \"3\" } }\n",
      &errors, &table);
  ASSERT_EQ(First(errors), "");
  EXPECT_EQ(set->size(), 1u);
  EXPECT_EQ(set->Contains("atc", "A"), Membership::kIn);
  EXPECT_EQ(set->Contains("atc", "C"), Membership::kOut);
}

TEST(ValueSet, SaysWhereAndWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"codes: { \"1\": }\n", "s.yaml:1:1: `system` and `codes` come together"},
      {"status: draft\n", "s.yaml:1:1: a value set has `system` with `codes`, or a list of `include`"},
      {"include: [ { system: x, cods: { \"1\": } } ]\n",
       "s.yaml:5:25: unknown key `cods` in an include; did you mean `codes`?"},
      {"include: [ { system: x } ]\n", "s.yaml:5:12: an include has `codes`"},
      {"include: [ { system: x, table: nope, column: c } ]\n", "s.yaml:5:32: no table `nope`"},
      {"sistem: x\ninclude: [ { system: x, codes: { \"1\": } } ]\n",
       "s.yaml:5:1: unknown key `sistem` in a value set; did you mean `system`?"},
  };
  for (const auto& [text, message] : rows) {
    Errors errors;
    BuildSet(text, &errors);
    EXPECT_TRUE(First(errors).starts_with(message)) << First(errors);
  }
}

}  // namespace
}  // namespace stepwise::rules
