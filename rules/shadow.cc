#include "rules/shadow.h"

#include <string_view>
#include <utility>

namespace stepwise::rules {
namespace {

using Key = std::pair<std::string_view, std::string_view>;  // rule, subject

std::map<Key, const RuleOutcome*> OutcomesOf(const Decision& decision, std::string_view pack) {
  std::map<Key, const RuleOutcome*> out;
  for (const RuleOutcome& outcome : decision.rules) {
    if (outcome.pack == pack) out.emplace(Key(outcome.rule, outcome.subject), &outcome);
  }
  return out;
}

// A rule that its pack or site keeps in shadow counts as one that fires: the versions are compared.
bool Fires(const RuleOutcome* outcome) {
  return outcome != nullptr && outcome->status != RuleStatus::kStopped &&
         outcome->status != RuleStatus::kFailed;
}

}  // namespace

std::vector<ShadowDifference> CompareShadow(const Decision& shown, const Decision& shadow,
                                            const PackRef& in_shadow) {
  const auto there = OutcomesOf(shown, in_shadow.id), here = OutcomesOf(shadow, in_shadow.id);
  std::map<Key, std::pair<const RuleOutcome*, const RuleOutcome*>> both;
  for (const auto& [key, outcome] : there) both[key].first = outcome;
  for (const auto& [key, outcome] : here) both[key].second = outcome;
  std::vector<ShadowDifference> out;
  for (const auto& [key, pair] : both) {
    const auto [old, tried] = pair;
    const auto add = [&, rule = std::string(key.first)](const char* kind, const RuleOutcome* stopped) {
      out.push_back(
          {in_shadow.id, in_shadow.version, rule, kind, stopped == nullptr ? "" : stopped->stopped_by});
    };
    if (tried != nullptr && tried->status == RuleStatus::kFailed) {
      add("failed", nullptr);
    } else if (Fires(tried)) {
      Fires(old) ? add("same", nullptr) : add("more", old);
    } else if (Fires(old)) {
      add("fewer", tried);
    }
  }
  return out;
}

void ShadowCounts::Add(const std::vector<ShadowDifference>& differences) {
  const std::scoped_lock lock(mutex_);
  for (const ShadowDifference& one : differences) ++counts_[one];
}

std::map<ShadowDifference, std::uint64_t> ShadowCounts::Read() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

}  // namespace stepwise::rules
