// The spool: what was appended comes out once and in order, whatever happened to the process, the disk or the
// file.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "cds_hooks/store/spool.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

std::unique_ptr<Spool> Open(const std::filesystem::path& dir, std::uint64_t segment_bytes = 8 << 20,
                            std::uint64_t max_bytes = 256 << 20) {
  SpoolOptions options{.dir = dir.string()};
  options.segment_bytes = segment_bytes;
  options.max_bytes = max_bytes;
  auto spool = Spool::Open(std::move(options));
  EXPECT_TRUE(spool) << spool.error().ToString();
  return spool ? std::move(*spool) : nullptr;
}

std::vector<std::string> TakeAll(Spool& spool, std::size_t most = 3) {
  std::vector<std::string> out;
  for (auto frames = spool.Peek(most); !frames.empty(); frames = spool.Peek(most)) {
    for (const Frame& frame : frames) out.push_back(frame.payload);
    spool.Take(frames);
  }
  return out;
}

std::vector<std::filesystem::path> Files(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() == ".spool") out.push_back(entry.path());
  }
  return out;
}

TEST(Spool, WhatGoesInComesOutInOrderAndLeavesNothing) {
  const TempDir dir;
  std::vector<std::string> in;
  {
    const auto spool = Open(dir.path() / "spool", /*segment_bytes=*/100);
    for (int i = 0; i < 50; ++i) {
      in.push_back(std::string(static_cast<std::size_t>(i), 'x') + std::to_string(i));
      ASSERT_TRUE(spool->Append(i % 2 == 0 ? FrameType::kDecision : FrameType::kFeedback, in.back(), i == 7));
    }
    EXPECT_EQ(spool->status().frames, 50u);
    EXPECT_GT(Files(dir.path() / "spool").size(), 5u);
    EXPECT_EQ(TakeAll(*spool), in);
    EXPECT_EQ(spool->status().frames, 0u);
    EXPECT_EQ(spool->status().damaged_bytes, 0u);
  }
  EXPECT_TRUE(Files(dir.path() / "spool").empty());
}

TEST(Spool, WhatWasNotTakenIsThereAfterARestartAndComesFirst) {
  const TempDir dir;
  {
    const auto spool = Open(dir.path());
    for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(spool->Append(FrameType::kDecision, text));
    const auto frames = spool->Peek(1);
    ASSERT_EQ(frames.size(), 1u);
    spool->Take(frames);
    const struct stat about = [&] {
      struct stat out {};
      ::stat(Files(dir.path())[0].c_str(), &out);
      return out;
    }();
    EXPECT_EQ(about.st_mode & 0777, 0600u);
  }
  const auto spool = Open(dir.path());
  ASSERT_TRUE(spool->Append(FrameType::kDecision, "d"));
  // "a" was taken in another process's memory: it comes once more.
  EXPECT_EQ(TakeAll(*spool), (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST(Spool, ATailTornAtAnyByteLosesOnlyTheLastFrame) {
  const std::string whole =
      MakeFrame(FrameType::kDecision, "first") + MakeFrame(FrameType::kFeedback, "second");
  const std::size_t first = MakeFrame(FrameType::kDecision, "first").size();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const TempDir dir;
    WriteFile(dir.path() / "0000000000000001.spool", whole.substr(0, size));
    const auto spool = Open(dir.path());
    ASSERT_TRUE(spool->Append(FrameType::kDecision, "third"));
    std::vector<std::string> expected;
    if (size >= first) expected.push_back("first");
    if (size == whole.size()) expected.push_back("second");
    expected.push_back("third");
    EXPECT_EQ(TakeAll(*spool), expected) << size;
    EXPECT_EQ(spool->status().frames, 0u);
    const std::size_t kept = size == whole.size() ? size : size >= first ? first : 0;
    EXPECT_EQ(spool->status().damaged_bytes, size - kept) << size;
  }
}

TEST(Spool, ADamagedByteLosesItsOwnFrameOnly) {
  const std::string a = MakeFrame(FrameType::kDecision, "first"),
                    b = MakeFrame(FrameType::kDecision, "second"),
                    c = MakeFrame(FrameType::kFeedback, "third");
  for (std::size_t at = 0; at < b.size(); ++at) {
    std::string damaged = b;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    const std::vector<Frame> frames = ReadFrames(a + damaged + c);
    ASSERT_EQ(frames.size(), 2u) << at;
    EXPECT_EQ(frames[0].payload, "first");
    EXPECT_EQ(frames[1].payload, "third");
    EXPECT_EQ(frames[1].skipped, b.size());
  }
}

TEST(Spool, AFullSpoolSaysNoAndGoesOnOnceThereIsRoom) {
  const TempDir dir;
  const auto spool = Open(dir.path(), /*segment_bytes=*/200, /*max_bytes=*/1000);
  std::size_t kept = 0;
  while (spool->Append(FrameType::kDecision, std::string(50, 'x'))) ++kept;
  EXPECT_GT(kept, 10u);
  EXPECT_LE(spool->status().bytes, 1000u);
  EXPECT_FALSE(spool->Append(FrameType::kDecision, std::string(50, 'x')));
  EXPECT_EQ(spool->status().refused, 2u);
  EXPECT_EQ(TakeAll(*spool).size(), kept);
  EXPECT_TRUE(spool->Append(FrameType::kDecision, std::string(50, 'x')));
}

// In a process of its own: the limit is the process's.
TEST(Spool, ADiskThatTakesHalfAFrameLosesNoOther) {
  const TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    auto opened = Spool::Open({.dir = dir.path().string()});
    if (!opened) ::_exit(2);
    Spool& spool = **opened;
    bool good = spool.Append(FrameType::kDecision, std::string(500, 'a'));
    const rlimit limit{800, 800};  // bytes of a file
    ::setrlimit(RLIMIT_FSIZE, &limit);
    good = good && !spool.Append(FrameType::kDecision, std::string(500, 'b'));
    good = good && spool.Append(FrameType::kDecision, std::string(100, 'c'));
    ::kill(::getpid(), good ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(TakeAll(*Open(dir.path())),
            (std::vector<std::string>{std::string(500, 'a'), std::string(100, 'c')}));
}

TEST(Spool, OneProcessAtATime) {
  const TempDir dir;
  const auto spool = Open(dir.path());
  const auto second = Spool::Open({.dir = dir.path().string()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_NE(second.error().message.find("another process"), std::string::npos);
}

// A child appends and says so after each frame, until it is killed; nothing it said is missing, nothing is
// there twice.
TEST(Spool, NothingAcknowledgedIsLostOnKill9) {
  for (int round = 0; round < 8; ++round) {
    const TempDir dir;
    int acknowledged[2];
    ASSERT_EQ(::pipe(acknowledged), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto spool = Spool::Open({.dir = dir.path().string(), .segment_bytes = 3000});
      for (std::uint32_t i = 0; spool; ++i) {
        const std::string payload = std::to_string(i) + std::string(i % 900, 'p');
        if (!(*spool)->Append(FrameType::kDecision, payload)) break;
        if (::write(acknowledged[1], &i, sizeof i) != sizeof i) break;
      }
      ::_exit(0);
    }
    ::close(acknowledged[1]);
    std::uint32_t said = 0, last = 0;
    const auto until = static_cast<std::uint32_t>(1 + 37 * round);
    while (::read(acknowledged[0], &last, sizeof last) == sizeof last) {
      ++said;
      if (said == until) ::kill(child, SIGKILL);
    }
    ::close(acknowledged[0]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_GE(said, until);
    const std::vector<std::string> kept = TakeAll(*Open(dir.path()), 100);
    // It may have been killed between appending and saying so.
    ASSERT_GE(kept.size(), said);
    ASSERT_LE(kept.size(), said + 1);
    for (std::size_t i = 0; i < kept.size(); ++i)
      EXPECT_EQ(kept[i], std::to_string(i) + std::string(i % 900, 'p'));
  }
}

TEST(Spool, ConcurrentAppendsWhileItIsDrained) {
  const TempDir dir;
  const auto spool = Open(dir.path(), /*segment_bytes=*/2000);
  constexpr int kThreads = 4, kEach = 300;
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        EXPECT_TRUE(spool->Append(FrameType::kDecision, std::to_string(t) + " " + std::to_string(i)));
      --running;
    });
  }
  std::vector<std::string> got;
  while (running > 0 || spool->status().frames > 0) {
    const std::vector<std::string> some = TakeAll(*spool, 7);
    got.insert(got.end(), some.begin(), some.end());
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got.size(), std::size_t{kThreads} * kEach);
  int next[kThreads] = {};
  for (const std::string& text : got) {  // each thread's own are in order
    const int t = text[0] - '0';
    EXPECT_EQ(text.substr(2), std::to_string(next[t]++));
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
