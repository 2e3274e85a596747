// WorkerPool: a fixed number of threads and a bounded queue in front of them.
//
//   WorkerPool pool(4, 128);
//   if (!pool.Submit([call] { call->Finish(...); })) ...  // full or stopping: the task was not taken
//
// Every task that was taken runs, also those that still wait when Stop() is called. Tasks do not throw.
// Thread-safety: Submit and Stop may be called from any thread, but not from a task (Stop would wait for
// itself).
#ifndef STEPWISE_RULES_WORKER_POOL_H_
#define STEPWISE_RULES_WORKER_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stepwise::rules {

class WorkerPool {
 public:
  // `queue_size`: tasks that may wait, besides those that run. Both at least 1.
  WorkerPool(std::size_t threads, std::size_t queue_size);
  ~WorkerPool();  // Stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] bool Submit(std::function<void()> task);
  // Takes no more tasks, and returns when all that were taken have run.
  void Stop();

 private:
  void Work();

  const std::size_t queue_size_;
  std::mutex mutex_;
  std::condition_variable wake_;             // a task came, or stopping_
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  std::size_t idle_ = 0;                     // threads that wait for a task; guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::mutex join_mutex_;                    // held while threads_ are joined
  std::vector<std::thread> threads_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_WORKER_POOL_H_
