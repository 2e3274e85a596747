// Load on a server of 127.0.0.1: keep-alive connections that send one good request again and again and look
// at every answer, and connections that do harm. Bounded in time and in number; one thread.
//
//   LoadFigures figures = RunLoad({.port = 8080, .body = request});
#ifndef STEPWISE_TESTS_BENCH_SOAK_LOAD_H_
#define STEPWISE_TESTS_BENCH_SOAK_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stepwise::soak {

struct LoadOptions {
  std::uint16_t port = 0;
  std::string target = "/cds-services/stepwise-order-sign";
  std::string body;
  std::size_t connections = 50;
  std::size_t hostile_every = 0;          // every so manieth connection does harm; 0: none
  std::chrono::milliseconds time{1000};   // then nobody sends any more
  std::chrono::milliseconds think{0};     // between an answer and the next request
  std::chrono::milliseconds sample{250};  // between two calls of `sampler`
  std::function<void()> sampler = [] {};
};

struct LoadFigures {
  std::uint64_t good = 0;     // answers of 200 with the body that was expected
  std::uint64_t busy = 0;     // 503 with Retry-After, after which the request is sent again
  std::uint64_t hostile = 0;  // harmful exchanges that ended
  std::uint64_t wrong = 0;    // anything else: a status, a body, a connection that was lost
  std::string first_wrong;
  std::vector<std::uint32_t> latencies_us;  // of good answers, sorted
  double seconds = 0;

  std::uint32_t Percentile(double share) const;
};

// All good answers must be the first one's, but for what has the form of a UUID.
LoadFigures RunLoad(const LoadOptions& options);

}  // namespace stepwise::soak

#endif  // STEPWISE_TESTS_BENCH_SOAK_LOAD_H_
