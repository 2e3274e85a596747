// Pack tests: a pack's tests/*.yaml (rules/test_case.h), run through the same engine as the requests of a CDS
// client, with what the rules of the pack were seen to do (rules/test_coverage.h).
//
//   PackTestReport report = RunPackTests(*base, pack, {.filter = "LAD-06"});
//   report.failed(); report.coverage.percent();
//
// Neither the clock nor the network is asked: the time of a case is written in it, and so are its answers.
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_PACK_TEST_H_
#define STEPWISE_RULES_PACK_TEST_H_

#include <string>
#include <vector>

#include "rules/engine.h"
#include "rules/knowledge_base.h"
#include "rules/test_case.h"
#include "rules/test_coverage.h"

namespace stepwise::rules {

struct PackTestOptions {
  std::string filter;        // only cases whose "rule: name" contains it
  bool explain_all = false;  // explain passed cases too
};

struct TestCaseResult {
  std::string file, rule, name;
  SourceSpan span;
  std::vector<TestFailure> failures;  // empty: passed
  std::string explanation;            // of the rule, when it failed or everything is explained
};

struct PackTestReport {
  Errors errors;  // test files that cannot be read
  std::vector<TestCaseResult> cases;
  Coverage coverage;
  std::vector<std::string> untested;  // ids of rules without any test case

  std::size_t failed() const;
};

PackTestReport RunPackTests(const KnowledgeBase& base, const Pack& pack, const PackTestOptions& options = {});

// One case. `decision`, when given, receives what the engine said.
std::vector<TestFailure> RunTestCase(Engine& engine, const KnowledgeBase& base, const Pack& pack,
                                     const TestCase& one, Decision* decision = nullptr);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_TEST_H_
