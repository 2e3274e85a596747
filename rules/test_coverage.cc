#include "rules/test_coverage.h"

#include <algorithm>

#include "rules/line_unknown.h"

namespace stepwise::rules {

std::vector<std::string> LineCoverage::Missing() const {
  std::vector<std::string> out;
  if (was_true == 0) out.emplace_back("true");
  if (was_false == 0) out.emplace_back("false");
  if (can_be_unknown && was_unknown == 0) out.emplace_back("unknown");
  return out;
}

std::vector<std::string> RuleCoverage::Missing() const {
  std::vector<std::string> out;
  if (fired == 0) out.emplace_back("fired");
  if (silent == 0) out.emplace_back("not fired");
  return out;
}

void Coverage::Add(const Decision& decision) {
  for (const RuleOutcome& outcome : decision.rules) {
    if (outcome.pack != pack) continue;
    const auto rule = std::ranges::find(rules, outcome.rule, &RuleCoverage::rule);
    if (rule == rules.end()) continue;
    ++(HasFired(outcome.status) ? rule->fired : rule->silent);
    for (const LineOutcome& line : outcome.lines) {
      if (!line.evaluated) continue;
      LineCoverage* seen = Find(outcome.rule, line.id);
      if (seen == nullptr) continue;
      switch (line.outcome) {
        case Outcome::kTrue: ++seen->was_true; break;
        case Outcome::kFalse: ++seen->was_false; break;
        case Outcome::kUnknown: ++seen->was_unknown; break;
      }
    }
  }
}

LineCoverage* Coverage::Find(std::string_view rule, std::string_view line) {
  const auto found = std::ranges::find(rules, rule, &RuleCoverage::rule);
  if (found == rules.end()) return nullptr;
  const auto seen = std::ranges::find(found->lines, line, &LineCoverage::line);
  return seen == found->lines.end() ? nullptr : &*seen;
}

std::size_t Coverage::goals() const {
  std::size_t out = 0;
  for (const RuleCoverage& rule : rules) {
    out += 2;
    for (const LineCoverage& line : rule.lines) out += line.can_be_unknown ? 3 : 2;
  }
  return out;
}

std::size_t Coverage::reached() const {
  std::size_t missing = 0;
  for (const RuleCoverage& rule : rules) {
    missing += rule.Missing().size();
    for (const LineCoverage& line : rule.lines) missing += line.Missing().size();
  }
  return goals() - missing;
}

double Coverage::percent() const {
  return goals() == 0 ? 100 : 100.0 * static_cast<double>(reached()) / static_cast<double>(goals());
}

Coverage StartCoverage(const KnowledgeBase& base, const Pack& pack) {
  Coverage out;
  out.pack = pack.id;
  for (const auto& rule : base.rules()) {
    if (rule->pack->id != pack.id) continue;
    RuleCoverage& covered = out.rules.emplace_back();
    covered.rule = rule->rule->id;
    for (std::size_t i = 0; i < rule->lines.size(); ++i)
      covered.lines.push_back({rule->rule->lines[i].id, CanBeUnknown(base, rule->lines[i])});
  }
  std::ranges::sort(out.rules, {}, &RuleCoverage::rule);
  return out;
}

}  // namespace stepwise::rules
