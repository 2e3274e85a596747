// EnginePool: engines that are lent to one evaluation at a time; they keep their memory from one to the next.
//
//   const EnginePool::Loan engine = pool.Take();
//   engine->Evaluate(...);                          // given back at the end of the scope
//
// Thread-safety: Take() from any thread; a loan belongs to one. The pool outlives its loans.
#ifndef STEPWISE_RULES_ENGINE_POOL_H_
#define STEPWISE_RULES_ENGINE_POOL_H_

#include <memory>
#include <mutex>
#include <vector>

#include "rules/engine.h"

namespace stepwise::rules {

class EnginePool {
 public:
  // `clock`: of the engines.
  explicit EnginePool(std::int64_t (*clock)()) : clock_(clock) {}

  struct GiveBack {
    EnginePool* pool;
    void operator()(Engine* engine) const {
      const std::scoped_lock lock(pool->mutex_);
      pool->idle_.emplace_back(engine);
    }
  };
  using Loan = std::unique_ptr<Engine, GiveBack>;

  Loan Take() {
    std::unique_ptr<Engine> engine;
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        engine = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (engine == nullptr) engine = std::make_unique<Engine>(fhirpath::EvaluationLimits{}, clock_);
    return Loan(engine.release(), GiveBack{this});
  }

 private:
  std::int64_t (*const clock_)();
  std::mutex mutex_;
  std::vector<std::unique_ptr<Engine>> idle_;  // guarded by mutex_
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ENGINE_POOL_H_
