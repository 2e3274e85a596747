#include "tests/bench/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// A counter that all threads share would slow down those who allocate at once.
struct alignas(64) Counter {
  std::atomic<std::int64_t> value{0};
};
constexpr std::size_t kCounters = 16;
Counter g_allocations[kCounters];
std::atomic<std::size_t> g_threads{0};

}  // namespace

void* operator new(std::size_t size) {
  thread_local const std::size_t own = g_threads.fetch_add(1, std::memory_order_relaxed) % kCounters;
  g_allocations[own].value.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace stepwise {
std::int64_t Allocations() {
  std::int64_t sum = 0;
  for (const Counter& counter : g_allocations) sum += counter.value.load(std::memory_order_relaxed);
  return sum;
}
}  // namespace stepwise
