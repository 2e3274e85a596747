// FhirpathSuite: runs an official HL7 FHIRPath test suite as published (tests-fhir-r4.xml,
// tests-fhir-r5.xml).
//
//   STEPWISE_ASSIGN_OR_RETURN(FhirpathSuite suite, FhirpathSuite::Load("tests-fhir-r4.xml"));
//   SuiteReport report = suite.Run({.inputs = "inputs", .version = FhirVersion::kR4});
//
// Inputs that the suite names *.xml are read from the file of the same name with .json. A test of
// `invalid="semantic"`, "syntax" or "execution" passes when the engine reports an error: finding an execution
// error before running is a pass too, and the report says at which stage each was found.
// A skip list names tests that are not run for a reason; a listed test that passes is a failure, so that the
// list cannot rot.
#ifndef STEPWISE_CONFORMANCE_FHIRPATH_SUITE_H_
#define STEPWISE_CONFORMANCE_FHIRPATH_SUITE_H_

#include <map>
#include <string>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/model.h"
#include "fhir/result.h"

namespace stepwise::conformance {

struct SuiteTest {
  std::string group, name, input, expression;
  std::string invalid;     // "", "syntax", "semantic", "execution", "true"
  std::string mode;        // as written: strict, tx, cda, ...
  bool predicate = false;  // the result counts as "is there something true"
  bool ordered = true;
  std::vector<std::pair<std::string, std::string>> outputs;  // {type or "", text}
  int line = 0;                                              // in the suite file; 0 if not known
};

enum class Verdict { kPass, kFail, kSkipped, kUnexpectedPass };

struct TestResult {
  const SuiteTest* test = nullptr;
  Verdict verdict = Verdict::kFail;
  std::string expected, got, reason;  // reason: from the skip list
  double seconds = 0;
};

struct SuiteOptions {
  std::string inputs;  // folder of the input files
  FhirVersion version = FhirVersion::kR4;
  std::map<std::string, std::string> skip = {};  // "group/name" -> reason
  DateTime now;
  double (*seconds)() = nullptr;  // clock for the report; unset: no times
};

struct SuiteReport {
  std::vector<TestResult> results;
  int Count(Verdict verdict) const;
  bool good() const { return Count(Verdict::kFail) == 0 && Count(Verdict::kUnexpectedPass) == 0; }
};

class FhirpathSuite {
 public:
  static Result<FhirpathSuite> Load(const std::string& file);
  SuiteReport Run(const SuiteOptions& options) const;
  const std::vector<SuiteTest>& tests() const { return tests_; }

 private:
  std::vector<SuiteTest> tests_;
};

// "group/name: reason" a line, '#' comments. Errors: kSyntax with file:line for an entry without a reason.
Result<std::map<std::string, std::string>> ReadSkipList(const std::string& file);

std::string ReportText(const SuiteReport& report, bool verbose);
std::string ReportJunit(const SuiteReport& report, const std::string& suite_name);

}  // namespace stepwise::conformance

#endif  // STEPWISE_CONFORMANCE_FHIRPATH_SUITE_H_
