// Decision -> the JSON of a CDS Hooks response.
//
//   CardsJson(decision) ->
//   {"cards":[{"uuid":"...","summary":"...","indicator":"warning","source":{...},...}]}
//
// Members appear in the order the specification lists them. Nothing empty is written but `"cards":[]`.
// Each card carries one extension, "org.stepwise-cds": the pack that spoke, its version and digest, the
// decision it belongs to, and the rules of the same cause that it stands for. Advice is never dropped: a card
// that lacks what CDS Hooks requires gets the rule's title as summary, "info" as indicator, the pack id as
// source label. Source: CDS Hooks 2.0.1, "CDS Service Response" and "Extensions". Thread-safety: pure
// functions.
#ifndef STEPWISE_CDS_HOOKS_CARD_H_
#define STEPWISE_CDS_HOOKS_CARD_H_

#include <string>
#include <string_view>

#include "rules/decision.h"

namespace stepwise::cds_hooks {

std::string CardsJson(const rules::Decision& decision);

// At most 139 code points ("<140-character"): longer text is cut after a whole word and ends in an ellipsis.
std::string LimitSummary(std::string_view summary);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_CARD_H_
