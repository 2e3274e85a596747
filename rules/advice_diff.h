// AdviceDiff: who would get different advice: the test cases of two versions of a pack, each run by both.
//
//   AdviceDiff diff = CompareAdvice(old_base, old_pack, new_base, new_pack);
//   diff.changes[0].rule, .name     the case: "SCH-08", "scheduled morphine without a rescue dose"
//   diff.changes[0].before, .after  its cards: "SCH-08 MedicationRequest/o1 warning: No rescue dose ..."
//
// A case that both versions have, word for word, runs once; one that was changed runs as it was and as it is.
// What a case expects plays no part: that is `pack test`. Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_ADVICE_DIFF_H_
#define STEPWISE_RULES_ADVICE_DIFF_H_

#include <string>
#include <vector>

#include "rules/pack_items.h"

namespace stepwise::rules {

struct AdviceChange {
  Bump bump = Bump::kNone;  // major: another indicator or other actions; minor: fires or not; patch: texts
  std::string rule, name, file;
  std::vector<std::string> before, after;  // the cards of the pack, one line each
};

struct AdviceDiff {
  std::size_t cases = 0;
  std::vector<AdviceChange> changes;
  std::vector<std::string> not_run;  // "rule: name: why", such as a site parameter that one version has not
};

AdviceDiff CompareAdvice(const KnowledgeBase& old_base, const Pack& old_pack, const KnowledgeBase& new_base,
                         const Pack& new_pack);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ADVICE_DIFF_H_
