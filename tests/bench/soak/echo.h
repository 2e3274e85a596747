// The yardstick: a Beast server that sends back the body it gets, and does nothing else. The same read and
// body buffers are reserved as in HttpSession; no limits, no timeouts, no checks.
#ifndef STEPWISE_TESTS_BENCH_SOAK_ECHO_H_
#define STEPWISE_TESTS_BENCH_SOAK_ECHO_H_

namespace stepwise::soak {

// Prints "listening on http://127.0.0.1:PORT" and serves on so many threads until SIGTERM.
void ServeEcho(int threads);

}  // namespace stepwise::soak

#endif  // STEPWISE_TESTS_BENCH_SOAK_ECHO_H_
