#include "cds_hooks/store/shared_overrides.h"

#include <algorithm>

namespace stepwise::cds_hooks {
namespace {

// Read once more each time: clocks of nodes differ, and a transaction takes its time.
constexpr std::int64_t kOverlapMs = 600'000;
constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

Status SharedOverrides::Refresh(Store& store, const DateTime& now) {
  STEPWISE_ASSIGN_OR_RETURN(
      const std::vector<StoredOverride> found,
      store.OverridesSince(read_until_ms_, static_cast<std::int64_t>(limits_.max_overrides)));
  const std::int64_t now_ms = now.ToUnixMillis();
  const std::int64_t oldest = now_ms - limits_.max_age_days * kDayMs;
  for (const StoredOverride& one : found) {
    if (one.at_ms < oldest) continue;
    const Result<std::string> key = pseudonyms_.Reveal(one.card, one.suppression);
    if (key) memory_.Restore(one.patient, *key, DateTime::FromUnixMillis(one.at_ms));
  }
  read_until_ms_ = std::max<std::int64_t>(0, now_ms - kOverlapMs);
  return {};
}

}  // namespace stepwise::cds_hooks
