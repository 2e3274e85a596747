#include "conformance/requirements.h"

#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <sstream>

#include "tests/testing.h"

namespace stepwise::conformance {
namespace {

using testing::ElementsAre, testing::IsEmpty;

std::vector<Requirement> Table() {
  auto all = ReadRequirements((SourceDir() / "conformance/cds-hooks-requirements.csv").string());
  if (!all) ADD_FAILURE() << all.error().ToString();
  return all ? *std::move(all) : std::vector<Requirement>();
}

// "Suite.Name" of every test in a binary beside this one.
std::set<std::string> TestsIn(const std::string& binary) {
  // A list must neither be cut by a filter nor write over the report of a run.
  const std::string command =
      "env -u GTEST_OUTPUT -u GTEST_FILTER '" + (BinDir() / binary).string() + "' --gtest_list_tests";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), got);
  std::set<std::string> tests;
  std::istringstream lines(text);
  std::string suite;
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find_last_not_of(' ', line.find('#') - 1) + 1);
    if (line.ends_with('.') && !line.starts_with(' ')) {
      suite = line;
    } else if (line.starts_with("  ")) {
      tests.insert(suite + line.substr(2));
    }
  }
  return tests;
}

TEST(Requirements, EachHasATestThatCarriesItsId) {
  std::set<std::string> tests = TestsIn("cds_hooks_tests");
  ASSERT_GT(tests.size(), 100u) << "is cds_hooks_tests built?";
  tests.merge(TestsIn("conformance_tests"));
  EXPECT_TRUE(tests.contains("Requirements.EachHasATestThatCarriesItsId"));
  EXPECT_THAT(UncoveredRequirements(Table(), tests), IsEmpty());
}

TEST(Requirements, TheListIsComplete) {
  const auto data = SharedDataDir();
  SKIP_WITHOUT(data);
  const std::filesystem::path list = *data / "../reference/cds-hooks-requirements.md";
  SKIP_WITHOUT(list);
  std::set<std::string> ids, missing;
  for (const Requirement& one : Table()) ids.insert(one.id);
  const std::string text = ReadFile(list);
  const std::regex id("(?:^|\n)(?:\\| )?([A-Z]{2,3}-[0-9]{2})\\b");
  std::size_t listed = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), id), end; at != end; ++at, ++listed) {
    if (!ids.contains((*at)[1])) missing.insert((*at)[1]);
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_GT(listed, 120u);
}

TEST(Requirements, FewAreWithoutATest) {
  std::vector<std::string> without;
  for (const Requirement& one : Table()) {
    if (one.tests.empty()) without.push_back(one.id);
  }
  EXPECT_THAT(without, ElementsAre("CFG-01"));
}

Result<std::vector<Requirement>> Read(const std::string& rows) {
  const TempDir dir;
  const std::string file = (dir.path() / "table.csv").string();
  WriteFile(file, "id,level,versions,requirement,binds,test\n" + rows);
  return ReadRequirements(file);
}

TEST(Requirements, WhatDoesNotFit) {
  const auto table = Read(
      "GEN-01,MUST,1.0+,a,service,Requirement.GEN_01_A Other.B\n"
      "GEN-02,MAY,-,b,client,Requirement.GEN_02_B\n"
      "HK-03,MAY,-,c,not-us: why,-: because\n"
      "GEN-04,MAY,-,d,client,Other.B\n");
  ASSERT_TRUE(table.has_value()) << table.error().ToString();
  EXPECT_EQ(RequirementsText(*table),
            "GEN-01  MUST         service  Requirement.GEN_01_A Other.B\n"
            "GEN-02  MAY          client   Requirement.GEN_02_B\n"
            "HK-03   MAY          not-us   none: because\n"
            "GEN-04  MAY          client   Other.B\n");
  EXPECT_THAT(UncoveredRequirements(std::span(*table).first(3),
                                    {"Requirement.GEN_01_A", "Requirement.GEN_02_B", "Other.B"}),
              IsEmpty());
  EXPECT_THAT(UncoveredRequirements(*table, {"Requirement.GEN_02_B", "Requirement.GEN_09_X", "Requirement.X",
                                             "Other.B", "Other.C"}),
              ElementsAre("GEN-01: there is no test Requirement.GEN_01_A",
                          "GEN-04: no test carries the id in its name",
                          "Requirement.GEN_09_X: the table has no requirement GEN-09",
                          "Requirement.X: the table has no requirement for it"));
}

TEST(Requirements, TablesThatAreWrong) {
  const struct {
    const char *rows, *error;
  } rows[] = {
      {"GEN-1,MUST,-,a,service,R.A\n", "GEN-1: an id is two or three letters"},
      {"gen-01,MUST,-,a,service,R.A\n", "gen-01: an id is two or three letters"},
      {"GEN-01,MUST,-,a,service,R.A\nGEN-01,MUST,-,a,service,R.A\n", "GEN-01: the id is there twice"},
      {"GEN-01,MUST,-,a,service,\n", "GEN-01: no test and no reason"},
      {"GEN-01,MUST,-,a,service,-: \n", "GEN-01: no test and no reason"},
  };
  for (const auto& row : rows) {
    const auto table = Read(row.rows);
    ASSERT_FALSE(table.has_value()) << row.rows;
    EXPECT_EQ(table.error().code, Code::kSemantic);
    EXPECT_TRUE(table.error().message.starts_with(row.error)) << table.error().ToString();
  }
  EXPECT_EQ(Read("GEN-01,MUST\n").error().span.line, 2u);
  EXPECT_EQ(ReadRequirements("no/such/file.csv").error().code, Code::kNotFound);
}

}  // namespace
}  // namespace stepwise::conformance
