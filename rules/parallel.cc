#include "rules/parallel.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <system_error>
#include <thread>
#include <vector>

namespace stepwise::rules {

void ForEachIndex(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < count;) work(i);
  };
  const std::size_t threads = std::min<std::size_t>(count, std::thread::hardware_concurrency());
  std::vector<std::future<void>> others;
  try {
    for (std::size_t i = 1; i < threads; ++i) others.push_back(std::async(std::launch::async, run));
  } catch (const std::system_error&) {  // no more threads to be had: fewer do it all
  }
  std::exception_ptr thrown;
  const auto guarded = [&](const auto& step) {
    try {
      step();
    } catch (...) {
      thrown = std::current_exception();
    }
  };
  guarded(run);
  for (std::future<void>& other : others) guarded([&] { other.get(); });
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace stepwise::rules
