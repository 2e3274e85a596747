// EvaluationQueue: the Executor of a server. So many evaluations run at once, so many more wait, the rest is
// refused at once.
//
//   EvaluationQueue queue(MakeEvaluationQueueOptions(config));
//   options.executor = &queue;                       // of the Service
//   HttpServer::Listen(server_options, service, &queue, observer);   // gives it threads
//
// Evaluations need processors, so more of them at once than there are cores only makes all of them late. A
// job that finds a free place runs on the thread that brings it (no hop); else it waits, and the thread that
// finishes a job takes the one that has waited longest. The server runs one thread more than there are
// places, so that somebody always reads, refuses, and answers GET /health.
//
// What has waited longer than max_wait_ms is not evaluated: the EHR has most likely given up, and those
// behind it have not. Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_EVALUATION_QUEUE_H_
#define STEPWISE_CDS_HOOKS_EVALUATION_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "cds_hooks/config.h"
#include "cds_hooks/executor.h"

namespace stepwise::cds_hooks {

struct EvaluationQueueOptions {
  std::size_t running = 0;          // evaluations at once; 0: one a core
  std::size_t waiting = 256;        // more than these are refused with 503
  std::int64_t max_wait_ms = 1000;  // then the job expires; 0: never
};

EvaluationQueueOptions MakeEvaluationQueueOptions(const Config& config);

struct EvaluationQueueStats {
  std::size_t running = 0, waiting = 0;                 // now
  std::uint64_t started = 0, refused = 0, expired = 0;  // since the start
};

class EvaluationQueue final : public Executor {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;  // measures; decides no advice
  using HandOver = std::function<void(Job)>;  // has the job run soon on another thread

  explicit EvaluationQueue(EvaluationQueueOptions options, Clock clock = std::chrono::steady_clock::now);

  using Executor::Post;
  using Executor::Run;
  bool Run(Job job, Job expired) override;
  bool Post(Job job, Job expired) override;  // false too while there are no threads to post to

  // Gives it threads to post to; nullptr takes them away, and drops the jobs that wait without running them.
  void SetThreads(HandOver hand_over);

  std::size_t places() const { return options_.running; }
  EvaluationQueueStats stats() const;

 private:
  struct Waiting {
    Job job, expired;
    std::chrono::steady_clock::time_point since;
  };

  bool Enqueue(Job& job, Job& expired);  // with mutex_ held
  void TakeTurns();                      // runs jobs that wait until there is none, or no place

  EvaluationQueueOptions options_;  // not changed after construction
  const Clock clock_;
  mutable std::mutex mutex_;
  HandOver hand_over_;           // guarded by mutex_, as are the others
  std::deque<Waiting> waiting_;  // longest first
  EvaluationQueueStats stats_;   // but `waiting`
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EVALUATION_QUEUE_H_
