// A CDS Hooks response as a clinician would read it, for terminals.
//
//   Result<std::vector<rules::Card>> cards = ReadCards(json);
//   CardText(*cards, {.width = 80})
//
//   WARNING  Persistent cancer pain: morphine IR is PRN only.
//            Give a strong opioid on a regular schedule.
//            Suggestion: Add a scheduled order
//              create: Scheduled morphine IR, keep the PRN order
//            Override: Still titrating | Patient preference
//            Why: LAD-06 Scheduled dosing, cancer-pain 1.2.0  https://...
//
// Errors: kSyntax (not JSON), kInvalidArgument (JSON that is no CDS Hooks response; `path` says where).
// Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_CARD_TEXT_H_
#define STEPWISE_CDS_HOOKS_CARD_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"
#include "rules/decision.h"

namespace stepwise::cds_hooks {

struct CardTextOptions {
  std::size_t width = 80;  // columns; below 40 counts as 40
  bool colour = false;     // ANSI colours of the indicator
};

// Cards of a response, ours or another service's. Members that are absent are empty; `resource` of an action
// is not read.
Result<std::vector<rules::Card>> ReadCards(std::string_view json);

std::string CardText(const std::vector<rules::Card>& cards, const CardTextOptions& options);

// "" when the rule ids (source.topic.code) of the cards, as a set, are exactly `expected`; else what differs,
// one line each: "missing LAD-06", "unexpected LAD-07", "a card without source.topic.code: ...".
std::string CompareCards(const std::vector<rules::Card>& cards, const std::vector<std::string>& expected);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CARD_TEXT_H_
