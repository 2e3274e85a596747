#include "cds_hooks/trust/replay_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace stepwise::trust {
namespace {

TEST(ReplayGuard, ATokenIsNewOnceUntilItExpires) {
  ReplayGuard guard(100);
  struct Row {
    std::string_view iss, jti;
    std::int64_t expires_ms, now_ms;
    Admission admission;
  };
  const Row rows[] = {
      {"i", "a", 1000, 0, Admission::kNew},
      {"i", "a", 1000, 0, Admission::kReplayed},
      {"i", "a", 5000, 999, Admission::kReplayed},  // with a later exp it is the same jti
      {"i", "b", 1000, 999, Admission::kNew},
      {"h", "a", 1000, 999, Admission::kNew},   // of another issuer
      {"ia", "", 1000, 999, Admission::kNew},   // the same letters, cut elsewhere
      {"i", "a", 9000, 1000, Admission::kNew},  // the first has expired, and with it the memory of it
      {"i", "a", 9000, 1001, Admission::kReplayed},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(guard.Admit(row.iss, row.jti, row.expires_ms, row.now_ms), row.admission)
        << row.iss << " " << row.jti << " " << row.now_ms;
  }
}

TEST(ReplayGuard, AFullMemoryForgetsNothingThatHasNotExpired) {
  ReplayGuard guard(40);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(guard.Admit("i", std::to_string(i), 1000 + i, 0), Admission::kNew);
  }
  EXPECT_EQ(guard.Admit("i", "one more", 1000, 0), Admission::kFull);
  EXPECT_EQ(guard.Admit("i", "one more", 1000, 999), Admission::kFull);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(guard.Admit("i", std::to_string(i), 1000 + i, 999), Admission::kReplayed);
  }
  // When one has expired, whichever shard it is in, there is place for one.
  EXPECT_EQ(guard.Admit("i", "one more", 2000, 1000), Admission::kNew);
  EXPECT_EQ(guard.Admit("i", "another", 2000, 1000), Admission::kFull);
  EXPECT_EQ(guard.size(), 40u);
  EXPECT_EQ(guard.Admit("i", "another", 9000, 5000), Admission::kNew);
  EXPECT_EQ(guard.Admit("i", "a third", 9000, 9000), Admission::kNew);
}

TEST(ReplayGuard, ConcurrentCallsAdmitEachTokenOnce) {
  constexpr int kThreads = 4, kTokens = 500;
  ReplayGuard guard(kTokens - 100);
  std::atomic<int> admitted{0}, replayed{0}, full{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTokens; ++i) {
        switch (guard.Admit("i", std::to_string(i), 1000, 0)) {
          case Admission::kNew: ++admitted; break;
          case Admission::kReplayed: ++replayed; break;
          case Admission::kFull: ++full; break;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, kTokens - 100);
  EXPECT_EQ(replayed, (kTokens - 100) * (kThreads - 1));
  EXPECT_EQ(full, 100 * kThreads);
  EXPECT_EQ(guard.size(), static_cast<std::size_t>(kTokens - 100));
}

}  // namespace
}  // namespace stepwise::trust
