// ForEachIndex: work(0) ... work(count - 1), on as many threads as there are processors.
//
//   std::vector<Part> parts(dirs.size());
//   ForEachIndex(dirs.size(), [&](std::size_t i) { parts[i] = Read(dirs[i]); });
//
// Returns when all is done; what a call throws is thrown here, after the others have finished. For work of
// milliseconds and more. Thread-safety: `work` is called from many threads at once, with different indices.
#ifndef STEPWISE_RULES_PARALLEL_H_
#define STEPWISE_RULES_PARALLEL_H_

#include <cstddef>
#include <functional>

namespace stepwise::rules {

void ForEachIndex(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PARALLEL_H_
