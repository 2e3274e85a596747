// Pack tests: tests/*.yaml of a pack, run through the same path as a request of a CDS client.
//
//   tests-for: prn-only-strong-opioid       id or name of the rule
//   now: "2026-12-10T09:00:00Z"
//   base: { hook: order-sign, patient: {...}, conditions: [...], orders: [...] }
//   cases:
//     - name: fires for PRN-only morphine
//       meds: null                           known to be empty; `absent: [meds]` leaves the key out
//       expect: { fires: [o1], stopped-by: dx, true: [a], false: [b], unknown: [c], indicator: warning,
//                 suggestions: 1, overrideReasons: 3, summary-contains: text, detail-contains: text }
//
// `orders` becomes context.draftOrders; `selections` and `context` go to the context; every other key is a
// prefetch key: a list becomes a searchset Bundle, a map is sent as it is, null as null. Keys of `base` that
// no case names are sent; a prefetch key that nobody names is sent as an empty answer. `site` sets
// parameters. `fires` lists ids of for-each items, or is true or false for rules without for-each.
//
// The report says for each line of each rule whether it was seen true, false and unknown.
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_PACK_TEST_H_
#define STEPWISE_RULES_PACK_TEST_H_

#include <memory>
#include <string>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

struct TestCaseResult {
  std::string file, rule, name;
  SourceSpan span;
  std::vector<std::string> failures;  // empty: passed
  std::string explanation;            // of the rule, when it failed
};

struct LineCoverage {
  std::string rule, line;
  bool seen_true = false, seen_false = false, seen_unknown = false;
};

struct PackTestReport {
  Errors errors;  // test files that cannot be read
  std::vector<TestCaseResult> cases;
  std::vector<LineCoverage> coverage;  // every when/unless line of every rule that is not off
  std::vector<std::string> untested;   // ids of rules without any test case

  std::size_t failed() const;
};

// `filter`: only cases whose "rule: name" contains it; "" for all.
PackTestReport RunPackTests(const KnowledgeBase& base, const Pack& pack, const std::string& filter);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_TEST_H_
