// Log: JSON lines on stderr, written by a thread of its own.
//
//   Log log("info");
//   log.Request(record);
//   {"time":"2026-12-10T09:00:00.123Z","level":"info","event":"request","method":"POST",
//    "route":"/cds-services/{id}","status":200,"duration_us":412,"service":"stepwise-order-sign",...}
//
// Never bodies, ids of patients, targets, query strings or tokens: what may be said is what AccessRecord
// holds. A flood of the same failure (event and status) is cut to its first lines and then one a second; how
// many were left out is a line of its own:
// {...,"event":"suppressed","of":"request","status":400,"lines":712}. When lines come faster than stderr
// takes them, the oldest are dropped; requests never wait for the log. Thread-safety: all methods.
#ifndef STEPWISE_CDS_HOOKS_LOG_H_
#define STEPWISE_CDS_HOOKS_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cds_hooks/http_server.h"

namespace stepwise::cds_hooks {

// The line's members after time and level: {"event":"request",...} without the braces. For tests.
std::string RequestLine(const AccessRecord& record);
std::string SuppressedLine(std::string_view event, int status, std::uint64_t lines);

class Log {
 public:
  explicit Log(const std::string& level);  // as Config::log_level
  ~Log();                                  // writes what is left

  // Level by status: 5xx error, 4xx warn, else info. Failures are limited.
  void Request(const AccessRecord& record);

  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  void Info(std::string_view event, Fields fields = {});
  void Error(std::string_view event, Fields fields = {});  // limited

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_LOG_H_
