// Executor: where the work of a request runs, and how much of it may wait.
//
//   if (!executor.Run([call] { Evaluate(*call); }, [call] { Refuse503(*call); })) Refuse503(*call);
//
// Run() is for threads that may be held up by the job; Post() for those that may not, such as the one that
// waits for other servers. Without an executor a service works on the thread that calls it (InlineExecutor).
// Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_EXECUTOR_H_
#define STEPWISE_CDS_HOOKS_EXECUTOR_H_

#include <functional>
#include <utility>

namespace stepwise::cds_hooks {

class Executor {
 public:
  using Job = std::function<void()>;  // does not throw

  virtual ~Executor() = default;
  // Runs the job before it returns when there is room, else later on another thread. A job that has waited
  // too long when its turn comes is dropped and `expired` runs in its place; without `expired` it never
  // expires. false: too many wait already, and neither will run.
  virtual bool Run(Job job, Job expired) = 0;
  // The same, but never on the calling thread.
  virtual bool Post(Job job, Job expired) = 0;

  bool Run(Job job) { return Run(std::move(job), Job()); }
  bool Post(Job job) { return Post(std::move(job), Job()); }
};

// Everything at once, on the calling thread.
class InlineExecutor final : public Executor {
 public:
  using Executor::Post;
  using Executor::Run;

  bool Run(Job job, Job) override {
    job();
    return true;
  }
  bool Post(Job job, Job) override { return Run(std::move(job)); }
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EXECUTOR_H_
