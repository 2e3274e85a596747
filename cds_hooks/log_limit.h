// LogLimit: lets the first lines of a flood of equal events through and counts the others.
//
//   const LogLimit::Verdict verdict = limit.Ask("request", 400, steady_now);
//   if (verdict.suppressed > 0) write("suppressed", verdict.suppressed);   // since the last line
//   if (verdict.write) write(line);
//
// One bucket for an event and status: `burst` lines at once, then `per_second`. Events are literals of ours
// and statuses those of HTTP, so there are few buckets. The clock is a parameter. Thread-safety: all methods.
#ifndef STEPWISE_CDS_HOOKS_LOG_LIMIT_H_
#define STEPWISE_CDS_HOOKS_LOG_LIMIT_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepwise::cds_hooks {

struct LogLimitOptions {
  double burst = 20;
  double per_second = 1;
};

class LogLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Verdict {
    bool write = true;
    std::uint64_t suppressed = 0;  // lines of this bucket that nobody was told about yet
  };
  struct Rest {
    std::string event;
    int status;
    std::uint64_t suppressed;
  };

  explicit LogLimit(LogLimitOptions options = {}) : options_(options) {}

  Verdict Ask(std::string_view event, int status, Time now);
  // What was suppressed and not told, which counts as told from now on.
  std::vector<Rest> TakeRest();

 private:
  struct Bucket {
    double tokens;
    Time filled;
    std::uint64_t suppressed = 0;
  };

  const LogLimitOptions options_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_LOG_LIMIT_H_
