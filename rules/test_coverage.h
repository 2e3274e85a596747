// Coverage: what the cases of a pack have seen of its rules.
//
//   Coverage coverage = StartCoverage(base, pack);
//   coverage.Add(decision);
//   coverage.percent()            // of the goals
//
// Goals: every rule fired and not fired; every when/unless line true, false and, where it can be
// (rules/line_unknown.h), unknown. Rules that are off have none. Thread-safety: plain values.
#ifndef STEPWISE_RULES_TEST_COVERAGE_H_
#define STEPWISE_RULES_TEST_COVERAGE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rules/decision.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {

// How often cases saw it so.
struct LineCoverage {
  std::string line;
  bool can_be_unknown = true;
  std::size_t was_true = 0, was_false = 0, was_unknown = 0;

  std::vector<std::string> Missing() const;  // of "true", "false", "unknown"
};

struct RuleCoverage {
  std::string rule;
  std::size_t fired = 0, silent = 0;
  std::vector<LineCoverage> lines;

  std::vector<std::string> Missing() const;  // of "fired", "not fired"; its lines left out
};

struct Coverage {
  std::string pack;  // id
  std::vector<RuleCoverage> rules;

  void Add(const Decision& decision);
  LineCoverage* Find(std::string_view rule, std::string_view line);  // nullptr if there is no such line
  std::size_t goals() const;
  std::size_t reached() const;
  double percent() const;  // 100 when there are no goals
};

Coverage StartCoverage(const KnowledgeBase& base, const Pack& pack);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TEST_COVERAGE_H_
