// Executor: where the work of a request runs, and how much of it may wait.
//
//   if (!executor.Run([call] { Evaluate(*call); })) return Refuse503();
//
// Run() is for threads that may be held up by the job; Post() for those that may not, such as the one that
// waits for other servers. Without an executor a service works on the thread that calls it (InlineExecutor).
// Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_EXECUTOR_H_
#define STEPWISE_CDS_HOOKS_EXECUTOR_H_

#include <functional>

namespace stepwise::cds_hooks {

class Executor {
 public:
  using Job = std::function<void()>;  // does not throw

  virtual ~Executor() = default;
  // Runs the job before it returns when there is room, else later on another thread. false: too many wait
  // already, and the job was not taken.
  virtual bool Run(Job job) = 0;
  // The same, but never on the calling thread.
  virtual bool Post(Job job) = 0;
};

// Everything at once, on the calling thread.
class InlineExecutor final : public Executor {
 public:
  bool Run(Job job) override {
    job();
    return true;
  }
  bool Post(Job job) override { return Run(std::move(job)); }
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EXECUTOR_H_
