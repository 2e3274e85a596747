#include "cds_hooks/evaluation_queue.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace stepwise::cds_hooks {

EvaluationQueueOptions MakeEvaluationQueueOptions(const Config& config) {
  EvaluationQueueOptions options;
  options.running = static_cast<std::size_t>(config.worker_threads);
  options.waiting = static_cast<std::size_t>(config.max_queued_evaluations);
  options.max_wait_ms = config.max_queue_wait_ms;
  return options;
}

EvaluationQueue::EvaluationQueue(EvaluationQueueOptions options, Clock clock)
    : options_(options), clock_(std::move(clock)) {
  if (options_.running == 0) options_.running = std::max(1u, std::thread::hardware_concurrency());
}

bool EvaluationQueue::Run(Job job, Job expired) {
  {
    const std::lock_guard lock(mutex_);
    if (stats_.running == options_.running) return Enqueue(job, expired);
    ++stats_.running;
    ++stats_.started;
  }
  job();
  job = nullptr;  // what it holds must not live as long as the jobs of others
  {
    const std::lock_guard lock(mutex_);
    --stats_.running;
  }
  TakeTurns();
  return true;
}

bool EvaluationQueue::Post(Job job, Job expired) {
  HandOver hand_over;
  {
    const std::lock_guard lock(mutex_);
    if (hand_over_ == nullptr || !Enqueue(job, expired)) return false;
    hand_over = hand_over_;
  }
  hand_over([this] { TakeTurns(); });
  return true;
}

bool EvaluationQueue::Enqueue(Job& job, Job& expired) {
  if (waiting_.size() >= options_.waiting) {
    ++stats_.refused;
    return false;
  }
  waiting_.push_back({std::move(job), std::move(expired), clock_()});
  return true;
}

void EvaluationQueue::TakeTurns() {
  for (;;) {
    Waiting next;
    bool late = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() || stats_.running == options_.running) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      late = options_.max_wait_ms > 0 && next.expired != nullptr &&
             clock_() - next.since > std::chrono::milliseconds(options_.max_wait_ms);
      ++(late ? stats_.expired : stats_.started);
      ++stats_.running;
    }
    (late ? next.expired : next.job)();
    next = {};
    const std::lock_guard lock(mutex_);
    --stats_.running;
  }
}

void EvaluationQueue::SetThreads(HandOver hand_over) {
  std::deque<Waiting> dropped;  // destroyed without the lock: what they hold may call back
  const std::lock_guard lock(mutex_);
  if (hand_over == nullptr) dropped.swap(waiting_);
  hand_over_ = std::move(hand_over);
}

EvaluationQueueStats EvaluationQueue::stats() const {
  const std::lock_guard lock(mutex_);
  EvaluationQueueStats stats = stats_;
  stats.waiting = waiting_.size();
  return stats;
}

}  // namespace stepwise::cds_hooks
