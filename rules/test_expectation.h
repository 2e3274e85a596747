// What a test case expects of one rule, and how a decision differs from it.
//
//   expect: { fires: [o1], stopped-by: dx, absorbed-by: LAD-06, status: shadow, true: [a], false: [b],
//             unknown: [c], cards: 1, indicator: warning, suggestions: 1, override-reasons: 3,
//             summary-contains: text, detail-contains: [text, text], detail-lacks: text }
//
// `fires` lists ids of for-each items, or is true or false. `suggestions` is a number or a list of texts that
// labels contain, one a suggestion, in order. Thread-safety: pure.
#ifndef STEPWISE_RULES_TEST_EXPECTATION_H_
#define STEPWISE_RULES_TEST_EXPECTATION_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/decision.h"
#include "rules/pack.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

struct Expectation {
  std::optional<bool> fires_at_all;            // `fires: true | false`
  std::optional<std::set<std::string>> fires;  // `fires: [o1]`
  std::optional<std::string> stopped_by, absorbed_by, indicator, status;
  std::optional<std::int64_t> cards, suggestions, override_reasons;
  std::optional<std::vector<SourceText>> suggestion_labels;
  std::vector<SourceText> lines_true, lines_false, lines_unknown;
  std::vector<SourceText> summary, detail, detail_lacks;
};

Expectation ReadExpectation(const YamlNode& node, Errors* errors);

// A failure: one line as it was expected and one as it is, or a message alone.
struct TestFailure {
  std::string message, expected, got;

  std::string ToString() const;  // "- fires: [o1]\n+ fires: []", or the message
};

// `pack`: id of the pack that `rule` is in.
std::vector<TestFailure> Compare(const Decision& decision, const Rule& rule, const std::string& pack,
                                 const Expectation& expected);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TEST_EXPECTATION_H_
