// A run of pack tests asks neither the clock nor the network. The C library's doors to both are replaced in
// this program by ones that count while they are watched and then do what they always do.
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <functional>

#include "rules/pack_test.h"
#include "tests/testing.h"

namespace {

thread_local int* watched = nullptr;  // counts the calls of this thread while it is set

void Count() {
  if (watched != nullptr) ++*watched;
}

}  // namespace

extern "C" {
int clock_gettime(clockid_t clock, timespec* out) noexcept {
  Count();
  return static_cast<int>(syscall(SYS_clock_gettime, clock, out));
}
int gettimeofday(timeval* out, void* zone) noexcept {
  Count();
  return static_cast<int>(syscall(SYS_gettimeofday, out, zone));
}
time_t time(time_t* out) noexcept {
  timespec now{};
  Count();
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
int socket(int domain, int type, int protocol) noexcept {
  Count();
  return static_cast<int>(syscall(SYS_socket, domain, type, protocol));
}
}

namespace stepwise::rules {
namespace {

int CallsDuring(const std::function<void()>& work) {
  int calls = 0;
  watched = &calls;
  work();
  watched = nullptr;
  return calls;
}

TEST(PackTestPurity, NeitherClockNorNetwork) {
  // The watch sees what it should.
  EXPECT_GT(CallsDuring([] { (void)std::chrono::system_clock::now(); }), 0);
  EXPECT_GT(CallsDuring([] { (void)std::chrono::steady_clock::now(); }), 0);
  EXPECT_GT(CallsDuring([] { close(socket(AF_INET, SOCK_STREAM, 0)); }), 0);

  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  std::size_t cases = 0;
  EXPECT_EQ(CallsDuring([&] {
              LoadReport report;
              const auto base = KnowledgeBase::LoadFolders(dirs, &report);
              for (const Pack& pack : base->packs()) cases += RunPackTests(*base, pack).cases.size();
            }),
            0);
  EXPECT_GT(cases, 0u);
}

}  // namespace
}  // namespace stepwise::rules
