// `stepwise fhirpath --terminology`, one expression and JSON lines.
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "rules/fhirpath_command.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

using ::testing::HasSubstr;

class FhirpathTerminology : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(::testing::TempDir()) /
           ("fhirpath_terminology_" +
            std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(dir_);
    Write("systems.json",
          R"({"resourceType":"CodeSystem","url":"urn:s","content":"complete","caseSensitive":true,
        "concept":[{"code":"pain","concept":[{"code":"bone-pain"}]},{"code":"rash"}]})");
    Write("set.json",
          R"({"resourceType":"ValueSet","url":"urn:v","name":"pain","compose":{"include":[{"system":"urn:s",
        "filter":[{"property":"concept","op":"is-a","value":"pain"}]},{"valueSet":["urn:missing"]}]}})");
    Write("input.json",
          R"({"resourceType":"Condition","code":{"coding":[{"system":"urn:s","code":"bone-pain"}]}})");
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
    return Path(name);
  }
  std::string Path(const std::string& name) const { return (dir_ / name).string(); }

  // Exit code; what was printed is in out_ and err_.
  int Run(std::vector<std::string> arguments) {
    CLI::App app;
    int exit_code = 0;
    AddFhirpathCommand(app, exit_code);
    arguments.insert(arguments.begin(), "fhirpath");
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    app.parse(arguments);
    std::cout.flush();
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return exit_code;
  }

  std::filesystem::path dir_;
  std::string out_, err_;
};

TEST_F(FhirpathTerminology, AnswersOneExpression) {
  const std::string systems = Path("systems.json"), set = Path("set.json"), input = Path("input.json");
  EXPECT_EQ(Run({"--terminology", systems, "--terminology", set, "code.memberOf('pain')", input}), 0);
  EXPECT_THAT(out_, HasSubstr("true"));
  EXPECT_EQ(err_, "warning: " + set +
                      ": ValueSet.compose.include[1].valueSet[0]: value set 'urn:missing' is not at hand\n");
  EXPECT_EQ(Run({"'rash'.memberOf('pain')", "--terminology", systems, "--terminology", set}), 0);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("not known: value set 'pain': value set 'urn:missing' is not at hand\n"));
  EXPECT_EQ(Run({"code.memberOf('pian')", input, "--terminology", set}), 1);
  EXPECT_THAT(err_, HasSubstr("there is no value set 'pian'"));
}

TEST_F(FhirpathTerminology, RefusesOtherFiles) {
  const std::string input = Path("input.json");
  EXPECT_EQ(Run({"1", "--terminology", input}), 1);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(
      err_,
      HasSubstr("expected a CodeSystem, a ValueSet or a Bundle of them, not the resource type 'Condition'"));
  EXPECT_THAT(err_, HasSubstr(input));
  EXPECT_EQ(Run({"1", "--terminology", Path("nowhere.json")}), 1);
  EXPECT_THAT(err_, HasSubstr("cannot be read"));
  EXPECT_EQ(Run({"1", "--terminology", Write("broken.json", "{\n ]")}), 1);
  EXPECT_THAT(err_, HasSubstr("broken.json:2:"));
}

TEST_F(FhirpathTerminology, AnswersJsonLines) {
  const std::string coding = R"({"resourceType":"Condition","code":{"coding":[{"system":"urn:s","code":")";
  const std::string requests =
      Write("requests.jsonl",
            R"j({"id":1,"expression":"code.memberOf('urn:v')","file":")j" + Path("input.json") + "\"}\n" +
                R"j({"id":2,"expression":"code.subsumes(%other.code)","resource":)j" + coding +
                R"(pain"}]}},"variables":{"other":)" + coding + R"(bone-pain"}]}}}})" + "\n");
  EXPECT_EQ(
      Run({"--jsonl", requests, "--terminology", Path("systems.json"), "--terminology", Path("set.json")}),
      0);
  EXPECT_EQ(out_,
            "{\"id\":1,\"result\":[{\"type\":\"System.Boolean\",\"value\":true}]}\n"
            "{\"id\":2,\"result\":[{\"type\":\"System.Boolean\",\"value\":true}]}\n");
}

}  // namespace
}  // namespace stepwise::rules
