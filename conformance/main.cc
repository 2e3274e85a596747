// stepwise-conformance: runs other people's suites and checks.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "conformance/fhirpath_suite.h"
#include "conformance/requirements.h"
#include "rules/man_page.h"

namespace {

using stepwise::conformance::FhirpathSuite;
using stepwise::conformance::ReadSkipList;
using stepwise::conformance::ReportJunit;
using stepwise::conformance::ReportText;
using stepwise::conformance::SuiteOptions;

struct FhirpathArguments {
  std::string suite, inputs, fhir = "r4", junit, skip;
  bool verbose = false;
};

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int Complain(const stepwise::Error& error) {
  std::fprintf(stderr, "%s\n", error.ToString().c_str());
  return 2;
}

int RunFhirpath(const FhirpathArguments& arguments) {
  const auto version = stepwise::ParseFhirVersion(arguments.fhir);
  if (!version)
    return Complain({stepwise::Code::kInvalidArgument, "--fhir wants r4 or r5, not " + arguments.fhir});
  const auto suite = FhirpathSuite::Load(arguments.suite);
  if (!suite) return Complain(suite.error());
  SuiteOptions options;
  options.inputs = arguments.inputs;
  options.version = *version;
  options.seconds = Seconds;
  options.now = stepwise::DateTime::FromUnixMillis(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                       std::chrono::system_clock::now().time_since_epoch())
                                                       .count());
  if (!arguments.skip.empty()) {
    auto skip = ReadSkipList(arguments.skip);
    if (!skip) return Complain(skip.error());
    options.skip = std::move(*skip);
  }
  const auto report = suite->Run(options);
  std::fputs(ReportText(report, arguments.verbose).c_str(), stdout);
  if (!arguments.junit.empty()) {
    std::ofstream out(arguments.junit);
    out << ReportJunit(report, arguments.suite);
    if (!out) return Complain({stepwise::Code::kInvalidArgument, "cannot write " + arguments.junit});
  }
  return report.good() ? 0 : 1;
}

int ShowRequirements(const std::string& table) {
  const auto requirements = stepwise::conformance::ReadRequirements(table);
  if (!requirements) return Complain(requirements.error());
  std::fputs(stepwise::conformance::RequirementsText(*requirements).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs published conformance suites against this engine.", "stepwise-conformance");
  app.require_subcommand(1);
  FhirpathArguments fhirpath;
  CLI::App* command =
      app.add_subcommand("fhirpath", "run an official FHIRPath suite; exit 0 only if nothing failed");
  command
      ->add_option("--suite", fhirpath.suite, "the suite as published: tests-fhir-r4.xml, tests-fhir-r5.xml")
      ->required();
  command->add_option("--inputs", fhirpath.inputs, "folder of the input resources as JSON")->required();
  command->add_option("--fhir", fhirpath.fhir, "r4 or r5")->capture_default_str();
  command->add_option("--junit", fhirpath.junit, "write a JUnit report here");
  command->add_option("--skip", fhirpath.skip,
                      "skip list: 'group/name: reason' a line; a listed test that passes is a failure");
  command->add_flag("--verbose", fhirpath.verbose, "show skipped tests with expected and got");
  std::string table = "conformance/cds-hooks-requirements.csv";
  CLI::App* requirements = app.add_subcommand(
      "requirements", "list what CDS Hooks asks of a service, whose duty it is, and the test that shows it");
  requirements->add_option("--table", table, "the table")->capture_default_str();
  stepwise::rules::AddManOption(
      app, {.exit_status = "0: nothing failed. 1: something did. 2: it could not be run.",
            .see_also = "stepwise(1), stepwise-server(8)"});
  CLI11_PARSE(app, argc, argv);
  return requirements->parsed() ? ShowRequirements(table) : RunFhirpath(fhirpath);
}
