#include "cds_hooks/evaluation_queue.h"

#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using std::chrono::milliseconds;

// A queue with one place, whose clock stands still, and whose threads are the test's.
class EvaluationQueueTest : public testing::Test {
 protected:
  EvaluationQueue::Clock Clock() {
    return [this] { return now_; };
  }
  // Runs `meanwhile` while the only place is taken.
  void WhileBusy(EvaluationQueue& queue, const std::function<void()>& meanwhile) {
    EXPECT_TRUE(queue.Run([&] { meanwhile(); }));
  }
  Executor::Job Note(std::string what) {
    return [this, what = std::move(what)] { done_ += what; };
  }

  std::chrono::steady_clock::time_point now_{};
  std::string done_;
};

TEST_F(EvaluationQueueTest, RunsAtOnceAndThenInTurn) {
  EvaluationQueue queue({.running = 1}, Clock());
  EXPECT_TRUE(queue.Run(Note("a")));
  EXPECT_EQ(done_, "a");
  WhileBusy(queue, [&] {
    EXPECT_TRUE(queue.Run(Note("b")));
    EXPECT_TRUE(queue.Run(Note("c")));
    EXPECT_EQ(done_, "a");
    EXPECT_EQ(queue.stats().running, 1u);
    EXPECT_EQ(queue.stats().waiting, 2u);
  });
  EXPECT_EQ(done_, "abc");
  EXPECT_EQ(queue.stats().running, 0u);
  EXPECT_EQ(queue.stats().waiting, 0u);
  EXPECT_EQ(queue.stats().started, 4u);
}

TEST_F(EvaluationQueueTest, RefusesPastTheLimit) {
  EvaluationQueue queue({.running = 1, .waiting = 1}, Clock());
  WhileBusy(queue, [&] {
    EXPECT_TRUE(queue.Run(Note("a")));
    EXPECT_FALSE(queue.Run(Note("b")));
    EXPECT_FALSE(queue.Run(Note("c"), Note("C")));
  });
  EXPECT_EQ(done_, "a");
  EXPECT_EQ(queue.stats().refused, 2u);
}

TEST_F(EvaluationQueueTest, ExpiresWhatHasWaitedTooLong) {
  EvaluationQueue queue({.running = 1, .max_wait_ms = 100}, Clock());
  WhileBusy(queue, [&] {
    EXPECT_TRUE(queue.Run(Note("a"), Note("A")));
    EXPECT_TRUE(queue.Run(Note("b")));  // has no other way
    now_ += milliseconds(1);
    EXPECT_TRUE(queue.Run(Note("c"), Note("C")));
    now_ += milliseconds(100);
  });
  EXPECT_EQ(done_, "Abc");
  EXPECT_EQ(queue.stats().expired, 1u);
  EXPECT_EQ(queue.stats().started, 3u);
}

TEST_F(EvaluationQueueTest, NeverExpiresWithoutALimit) {
  EvaluationQueue queue({.running = 1, .max_wait_ms = 0}, Clock());
  WhileBusy(queue, [&] {
    EXPECT_TRUE(queue.Run(Note("a"), Note("A")));
    now_ += std::chrono::hours(24);
  });
  EXPECT_EQ(done_, "a");
}

TEST_F(EvaluationQueueTest, PostsToItsThreads) {
  EvaluationQueue queue({.running = 1, .waiting = 1}, Clock());
  EXPECT_FALSE(queue.Post(Note("a"))) << "nobody would run it";
  std::vector<Executor::Job> handed_over;
  queue.SetThreads([&](Executor::Job job) { handed_over.push_back(std::move(job)); });
  EXPECT_TRUE(queue.Post(Note("b")));
  EXPECT_FALSE(queue.Post(Note("c")));
  EXPECT_EQ(done_, "");
  for (const auto& job : handed_over) job();
  EXPECT_EQ(done_, "b");
  EXPECT_TRUE(queue.Post(Note("d")));
  queue.SetThreads(nullptr);
  for (const auto& job : handed_over) job();
  EXPECT_EQ(done_, "b") << "what waits goes with the threads";
}

TEST_F(EvaluationQueueTest, ConcurrentJobsKeepToTheirPlaces) {
  EvaluationQueue queue({.running = 2, .waiting = 10'000, .max_wait_ms = 0});
  std::mutex mutex;
  std::condition_variable condition;
  std::vector<Executor::Job> handed_over;
  queue.SetThreads([&](Executor::Job job) {
    const std::lock_guard lock(mutex);
    handed_over.push_back(std::move(job));
    condition.notify_one();
  });
  std::atomic<int> running = 0, most = 0, done = 0;
  const auto job = [&] {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    ++done;
    --running;
  };
  constexpr int kJobs = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kJobs; ++j) EXPECT_TRUE(queue.Run(job));
    });
    threads.emplace_back([&] {
      for (int j = 0; j < kJobs; ++j) EXPECT_TRUE(queue.Post(job));
    });
    threads.emplace_back([&] {
      for (int j = 0; j < kJobs; ++j) {
        Executor::Job kick;
        {
          std::unique_lock lock(mutex);
          condition.wait(lock, [&] { return !handed_over.empty(); });
          kick = std::move(handed_over.back());
          handed_over.pop_back();
        }
        kick();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 4 * kJobs);
  EXPECT_LE(most, 2);
  EXPECT_EQ(queue.stats().running, 0u);
}

}  // namespace
}  // namespace stepwise::cds_hooks
