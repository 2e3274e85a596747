#include "cds_hooks/log_limit.h"

#include <algorithm>

namespace stepwise::cds_hooks {

LogLimit::Verdict LogLimit::Ask(std::string_view event, int status, Time now) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] =
      buckets_.try_emplace(std::pair(std::string(event), status), Bucket{options_.burst, now});
  Bucket& bucket = place->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  if (seconds > 0) {
    bucket.tokens = std::min(options_.burst, bucket.tokens + seconds * options_.per_second);
    bucket.filled = now;
  }
  if (bucket.tokens < 1) {
    ++bucket.suppressed;
    return {false, 0};
  }
  bucket.tokens -= 1;
  return {true, std::exchange(bucket.suppressed, 0)};
}

std::vector<LogLimit::Rest> LogLimit::TakeRest() {
  const std::lock_guard lock(mutex_);
  std::vector<Rest> rest;
  for (auto& [key, bucket] : buckets_) {
    if (bucket.suppressed > 0) rest.push_back({key.first, key.second, std::exchange(bucket.suppressed, 0)});
  }
  return rest;
}

}  // namespace stepwise::cds_hooks
