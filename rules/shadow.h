// What a version in shadow would have said, against what was shown: counted by rule and line.
//
//   counts.Add(CompareShadow(shown, shadow, in_shadow));
//
// Thread-safety: CompareShadow is pure; ShadowCounts may be used from any thread.
#ifndef STEPWISE_RULES_SHADOW_H_
#define STEPWISE_RULES_SHADOW_H_

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "rules/decision.h"

namespace stepwise::rules {

// One rule, or one rule and one item of its for-each.
struct ShadowDifference {
  std::string pack, version, rule;  // version: that in shadow
  std::string kind;                 // same (both fired) | more | fewer | failed, as seen from the shadow
  std::string line;                 // that stopped the one which did not fire; "" when it has no such rule
  auto operator<=>(const ShadowDifference&) const = default;
};

// `shadow`: decision of the version `in_shadow` alone, for the same request.
std::vector<ShadowDifference> CompareShadow(const Decision& shown, const Decision& shadow,
                                            const PackRef& in_shadow);

class ShadowCounts {
 public:
  void Add(const std::vector<ShadowDifference>& differences);
  std::map<ShadowDifference, std::uint64_t> Read() const;

 private:
  mutable std::mutex mutex_;
  std::map<ShadowDifference, std::uint64_t> counts_;  // guarded by mutex_
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SHADOW_H_
