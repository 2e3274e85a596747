// PackDiff: what differs between two versions of a pack, in words and in advice, and whether the version
// number says so.
//
//   PackDiff diff = DiffPacks(*old_base, old_pack, *new_base, new_pack);
//   diff.needed == Bump::kMinor, diff.claimed == Bump::kPatch, diff.fault == "..."
//
// Versions below 1.0.0 count one place lower, as ^0.2 does: 0.2.0 to 0.3.0 may break, 0.2.0 to 0.2.1 may add.
// Thread-safety: pure but for reading the packs' test files.
#ifndef STEPWISE_RULES_PACK_DIFF_H_
#define STEPWISE_RULES_PACK_DIFF_H_

#include <optional>
#include <string>
#include <vector>

#include "rules/advice_diff.h"

namespace stepwise::rules {

struct PackChange {
  Bump bump = Bump::kNone;
  std::string name;                          // as in PackItems
  std::optional<std::string> before, after;  // absent: it came, it went
};

struct PackDiff {
  std::vector<PackChange> changes;  // by name; parts of what came or went as a whole are left out
  AdviceDiff advice;
  Bump needed = Bump::kNone;
  Bump claimed = Bump::kNone;
  std::string fault;  // why the version number is not honest; "" when it is
};

PackDiff DiffPacks(const KnowledgeBase& old_base, const Pack& old_pack, const KnowledgeBase& new_base,
                   const Pack& new_pack);

// The lowest version after `version` that says `bump`.
Version NextVersion(const Version& version, Bump bump);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_DIFF_H_
