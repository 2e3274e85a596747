// Counts heap allocations of the benchmark program (operator new is replaced in allocations.cc).
#ifndef STEPWISE_TESTS_BENCH_ALLOCATIONS_H_
#define STEPWISE_TESTS_BENCH_ALLOCATIONS_H_

#include <cstdint>

namespace stepwise {

// Calls of operator new so far, in all threads.
std::int64_t Allocations();

}  // namespace stepwise

#endif  // STEPWISE_TESTS_BENCH_ALLOCATIONS_H_
