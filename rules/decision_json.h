// A Decision as JSON: the decision record, and `stepwise evaluate --explain=json`.
//
//   {"id":"...","now":"...","hook":"order-sign","inputDigest":"sha256:...","packs":[...],
//    "rules":[{"pack":"...","rule":"LAD-06","status":"stopped","verdict":"stopped by dx","stoppedBy":"dx",
//              "lines":[{"id":"dx","kind":"when","text":"...","value":"unknown","reason":"...",
//                        "sources":[{"reference":"Condition/c1","path":"Condition.code"}]}]}],
//    "cards":[{"uuid":"...","rule":"LAD-06","indicator":"critical","summary":"..."}]}
//
// A line that was not evaluated has the value null. What is empty is left out. Thread-safety: pure.
#ifndef STEPWISE_RULES_DECISION_JSON_H_
#define STEPWISE_RULES_DECISION_JSON_H_

#include <string>

#include "rules/decision.h"

namespace stepwise::rules {

// `indent`: spaces a level; negative for one line.
std::string DecisionJson(const Decision& decision, int indent = -1);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_DECISION_JSON_H_
