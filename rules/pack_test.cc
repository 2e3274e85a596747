#include "rules/pack_test.h"

#include <algorithm>
#include <set>

#include "rules/explain.h"
#include "rules/selection.h"

namespace stepwise::rules {

std::vector<TestFailure> RunTestCase(Engine& engine, const KnowledgeBase& base, const Pack& pack,
                                     const TestCase& one, Decision* decision) {
  if (!one.faults.empty()) return one.faults;
  const auto fail = [](const Error& error) { return std::vector<TestFailure>{{error.ToString(), "", ""}}; };
  const auto parameters = MakeSiteParameters(base, one.site);
  if (!parameters) return fail({parameters.error().code, parameters.error().message, one.span, ""});
  const Selection selection = SelectionWith(base, pack);  // this version of the pack
  EngineOptions options;
  options.selection = &selection;
  options.site = &*parameters;
  options.all_lines = true;  // lines after the deciding one count as covered, and may be expected
  std::vector<OverriddenCard> overridden;
  for (const EarlierRequest& earlier : one.overridden) {
    const auto before = engine.Evaluate(base, *earlier.request, earlier.at, options);
    if (!before) return fail(before.error());
    const std::size_t known = overridden.size();
    for (const Card& card : before->cards) {
      if (card.pack == pack.id && card.suppression_key.starts_with(pack.id + "/" + one.rule + "/"))
        overridden.push_back({card.suppression_key, earlier.at});
    }
    if (overridden.size() == known) {
      return {{"nothing to override at " + earlier.at.ToString() +
                   ": the rule gave no card then, or has no `suppress-repeat`",
               "", ""}};
    }
  }
  options.overridden = overridden;
  auto answer = engine.Evaluate(base, *one.request, one.now, options);
  if (!answer) return fail(answer.error());
  const auto rule = std::ranges::find(pack.rules, one.rule, &Rule::id);
  auto failures = Compare(*answer, *rule, pack.id, one.expected);
  if (decision != nullptr) *decision = std::move(*answer);
  return failures;
}

namespace {

// What the author says is believed until a case shows otherwise.
void CheckNeverUnknown(const TestSuite& suite, PackTestReport* report) {
  for (const auto& [rule, id] : suite.never_unknown) {
    LineCoverage* line = report->coverage.Find(rule, id.text);
    if (line == nullptr) {
      AddError(&report->errors, id.span, "rule " + rule + " has no line `" + id.text + "`");
    } else if (line->was_unknown > 0) {
      AddError(&report->errors, id.span, "a case has seen line `" + id.text + "` unknown; remove this");
    } else {
      line->can_be_unknown = false;
    }
  }
}

}  // namespace

PackTestReport RunPackTests(const KnowledgeBase& base, const Pack& pack, const PackTestOptions& options) {
  PackTestReport report;
  report.coverage = StartCoverage(base, pack);
  TestSuite suite = ReadTestSuite(base, pack, options.filter);
  report.errors = std::move(suite.errors);
  Engine engine;
  std::set<std::string> tested;
  for (const TestCase& one : suite.cases) {
    TestCaseResult result{one.file, one.rule, one.name, one.span, {}, {}};
    Decision decision;
    result.failures = RunTestCase(engine, base, pack, one, &decision);
    report.coverage.Add(decision);
    tested.insert(one.rule);
    if (!result.failures.empty() || options.explain_all) {
      for (const RuleOutcome& outcome : decision.rules) {
        if (outcome.rule == one.rule && outcome.pack == pack.id)
          result.explanation += Explain(outcome, decision);
      }
    }
    report.cases.push_back(std::move(result));
  }
  CheckNeverUnknown(suite, &report);
  for (const RuleCoverage& rule : report.coverage.rules) {
    if (!tested.contains(rule.rule)) report.untested.push_back(rule.rule);
  }
  return report;
}

std::size_t PackTestReport::failed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const TestCaseResult& result) { return !result.failures.empty(); }));
}

}  // namespace stepwise::rules
