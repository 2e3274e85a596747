#include "conformance/fhirpath_suite.h"

#include <filesystem>
#include <fstream>

#include "tests/testing.h"

namespace stepwise::conformance {
namespace {

constexpr std::int64_t kNowMillis = 1'795'000'000'000;

// The official suite as published: everything passes but what the skip list names, and nothing it names
// passes.
TEST(FhirpathSuite, R4PassesButForWhatTheSkipListExplains) {
  const auto data = SharedData("fhirpath-r4");
  SKIP_WITHOUT(data);
  const auto suite = FhirpathSuite::Load((*data / "tests-fhir-r4.xml").string());
  ASSERT_TRUE(suite) << suite.error().ToString();
  ASSERT_EQ(suite->tests().size(), 935u);
  SuiteOptions options;
  options.inputs = (*data / "inputs").string();
  options.now = DateTime::FromUnixMillis(kNowMillis);
  auto skip = ReadSkipList((SourceDir() / "conformance/fhirpath-r4.skip").string());
  ASSERT_TRUE(skip) << skip.error().ToString();
  options.skip = *skip;
  const SuiteReport report = suite->Run(options);
  EXPECT_TRUE(report.good()) << ReportText(report, false);
  EXPECT_EQ(report.Count(Verdict::kSkipped), static_cast<int>(skip->size()));
  EXPECT_GE(report.Count(Verdict::kPass), 928);
  // The semantic tests are found before anything runs.
  for (const TestResult& result : report.results) {
    if (result.test->invalid != "semantic") continue;
    EXPECT_NE(result.got.find("before running"), std::string::npos) << result.test->expression;
  }
}

class SmallSuite : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(::testing::TempDir()) / "small_suite";
    std::filesystem::create_directories(dir_);
    Write("suite.xml", R"(<tests><group name="g">
      <test name="good" inputfile="p.xml"><expression>Patient.name.given</expression><output type="string">A</output><output type="string">B</output></test>
      <test name="unordered" inputfile="p.xml" ordered="false"><expression>Patient.name.given</expression><output type="string">B</output><output type="string">A</output></test>
      <test name="wrong" inputfile="p.xml"><expression>Patient.name.given.count()</expression><output type="integer">3</output></test>
      <test name="bad" inputfile="p.xml"><expression invalid="semantic">Patient.nam</expression></test>
      <test name="twice"><expression>1</expression><output type="integer">1</output></test>
      <test name="twice"><expression>2</expression><output type="integer">3</output></test>
      </group></tests>)");
    Write("p.json", R"({"resourceType":"Patient","name":[{"given":["A","B"]}]})");
  }
  void Write(const std::string& name, std::string_view text) { std::ofstream(dir_ / name) << text; }
  SuiteReport Run(std::map<std::string, std::string> skip) {
    const auto suite = FhirpathSuite::Load((dir_ / "suite.xml").string());
    EXPECT_TRUE(suite);
    // The report points into the suite: keep it.
    suite_ = *suite;
    SuiteOptions options;
    options.inputs = dir_.string();
    options.skip = std::move(skip);
    options.now = DateTime::FromUnixMillis(kNowMillis);
    return suite_.Run(options);
  }
  std::filesystem::path dir_;
  FhirpathSuite suite_;
};

TEST_F(SmallSuite, CountsWhatPassesAndWhatFails) {
  const SuiteReport report = Run({});
  EXPECT_EQ(report.Count(Verdict::kPass), 4);
  EXPECT_EQ(report.Count(Verdict::kFail), 2);
  EXPECT_FALSE(report.good());
  const std::string text = ReportText(report, false);
  EXPECT_NE(text.find("g: 4 of 6, 2 FAILED"), std::string::npos) << text;
  EXPECT_NE(text.find("4 passed, 2 failed, 0 skipped"), std::string::npos) << text;
}

TEST_F(SmallSuite, ASkippedTestThatPassesIsAFailure) {
  const SuiteReport report = Run({{"g/wrong", "reason"}, {"g/twice#2", "reason"}, {"g/good", "reason"}});
  EXPECT_EQ(report.Count(Verdict::kSkipped), 2);
  EXPECT_EQ(report.Count(Verdict::kUnexpectedPass), 1);
  EXPECT_FALSE(report.good());
}

TEST_F(SmallSuite, WritesJunit) {
  const std::string junit = ReportJunit(Run({{"g/wrong", "a <reason>"}}), "small");
  EXPECT_NE(junit.find("tests=\"6\" failures=\"1\" skipped=\"1\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("a &lt;reason&gt;"), std::string::npos);
}

TEST_F(SmallSuite, ASkipEntryNeedsAReason) {
  Write("skip", "# comment\ng/wrong: because\ng/good\n");
  const auto skip = ReadSkipList((dir_ / "skip").string());
  ASSERT_FALSE(skip);
  EXPECT_EQ(skip.error().span.line, 3u);
}

TEST_F(SmallSuite, AnUnreadableSuiteSaysSo) {
  Write("broken.xml", "<tests><group>");
  EXPECT_FALSE(FhirpathSuite::Load((dir_ / "broken.xml").string()));
  EXPECT_FALSE(FhirpathSuite::Load((dir_ / "absent.xml").string()));
  Write("empty.xml", "<tests/>");
  EXPECT_FALSE(FhirpathSuite::Load((dir_ / "empty.xml").string()));
}

}  // namespace
}  // namespace stepwise::conformance
