// Requirements: what CDS Hooks asks of a service, whose duty it is, and the tests that show it.
//
//   Result<std::vector<Requirement>> all = ReadRequirements("conformance/cds-hooks-requirements.csv");
//   all->front().id == "GEN-01", all->front().tests == {"Requirement.GEN_01_EveryAnswerIsJson"}
//   RequirementsText(*all)      // one line each, for terminals
//
// Whether the tests exist is for who has their names (UncoveredRequirements). Errors: kNotFound (no such
// file), kSyntax (no table), kSemantic (an id twice or of no known form, a row without a test and without a
// reason). Thread-safety: pure but for reading the file.
#ifndef STEPWISE_CONFORMANCE_REQUIREMENTS_H_
#define STEPWISE_CONFORMANCE_REQUIREMENTS_H_

#include <set>
#include <span>
#include <string>
#include <vector>

#include "fhir/result.h"

namespace stepwise::conformance {

struct Requirement {
  std::string id;  // "PRE-11"
  std::string level, versions, text, binds;
  std::vector<std::string> tests;  // "Suite.Name"
  std::string no_test;             // why no test is possible; "" otherwise
};

Result<std::vector<Requirement>> ReadRequirements(const std::string& file);

// Columns: id, level, binds, tests or the reason for none.
std::string RequirementsText(std::span<const Requirement> requirements);

// The id that a test's name begins with: "PRE-11" of "Requirement.PRE_11_MissingIs412"; "" where it has none.
std::string RequirementOfTest(const std::string& test);

// What does not fit, one line each: a test of the table that does not exist, an id that no test carries in
// its name, a test whose id is not in the table.
std::vector<std::string> UncoveredRequirements(std::span<const Requirement> requirements,
                                               const std::set<std::string>& tests);

}  // namespace stepwise::conformance

#endif  // STEPWISE_CONFORMANCE_REQUIREMENTS_H_
