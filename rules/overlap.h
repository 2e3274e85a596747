// Rules that speak about the same order at the same moment, so that a prescriber gets two cards for one
// thing.
//
// Two rules overlap when they share a hook, go through the same `for-each`, ask that its item be a member of
// value sets that have a code in common, and nothing keeps their cards apart: they have the same topic (the
// card's `topic`, else the `cause`, else none) and no common `cause`, which would join them into one card.
// Rules without a memberOf() on the item are not compared: what they are about is not known here.
// Thread-safety: pure function.
#ifndef STEPWISE_RULES_OVERLAP_H_
#define STEPWISE_RULES_OVERLAP_H_

#include "rules/knowledge_base.h"

namespace stepwise::rules {

void CheckOverlaps(const KnowledgeBase& base, Errors* warnings);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_OVERLAP_H_
