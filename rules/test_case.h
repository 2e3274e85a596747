// TestCase: one case of a pack's tests/*.yaml, read and ready to run against any build of the pack.
//
//   TestSuite suite = ReadTestSuite(*base, pack, "");
//   for (const TestCase& one : suite.cases) ...    // one.request is a parsed CDS Hooks request
//
//   tests-for: prn-only-strong-opioid       id or name of the rule
//   now: "2026-12-10T09:00:00Z"             the frozen clock; a case may have its own
//   never-unknown: { strong: "why" }        lines that no data can make unknown, for coverage; seldom needed
//   base: { hook: order-sign, patient: {...}, conditions: [...], orders: [...] }
//   cases:
//     - name: fires for PRN-only morphine
//       meds: null                           known to be empty; `absent: [meds]` leaves the key out
//       site: { severe_from: 8 }             parameters of the site
//       overridden: [ { at: "2026-12-10T08:00:00Z" } ]
//       expect: { fires: [o1] }              see rules/test_expectation.h
//
// `orders` becomes context.draftOrders; `selections` and `context` go to the context; every other key is a
// prefetch key: a list becomes a searchset Bundle, a map is sent as it is, null as null. Keys of `base` that
// no case names are sent; a prefetch key that nobody names is sent as an empty answer.
// `overridden`: the cards that the rule gave then were overridden then. An entry may change data, as a case
// does; it starts from the case.
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_TEST_CASE_H_
#define STEPWISE_RULES_TEST_CASE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fhir/document.h"
#include "rules/knowledge_base.h"
#include "rules/test_expectation.h"

namespace stepwise::rules {

// An earlier request, whose cards a clinician overrode.
struct EarlierRequest {
  std::optional<Document> request;
  DateTime at;
};

struct TestCase {
  std::string file, rule, name;  // rule: its id
  SourceSpan span;
  Expectation expected;
  std::optional<Document> request;  // absent when there are faults
  DateTime now;
  std::map<std::string, std::string> site;
  std::vector<EarlierRequest> overridden;
  std::vector<TestFailure> faults;  // of the case itself: it fails without being run
};

// A line of which the author says that no data can make it unknown, though the analysis cannot see it.
struct NeverUnknown {
  std::string rule;
  SourceText line;
};

struct TestSuite {
  Errors errors;  // test files that cannot be read
  std::vector<NeverUnknown> never_unknown;
  std::vector<TestCase> cases;
};

// `filter`: only cases whose "rule: name" contains it; "" for all.
TestSuite ReadTestSuite(const KnowledgeBase& base, const Pack& pack, const std::string& filter);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TEST_CASE_H_
