// Reloading by signal and by looking at the files.
#include "rules/reloader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <future>

#include "tests/rules/registry_fixture.h"

namespace stepwise::rules {
namespace {

constexpr std::chrono::milliseconds kNever{0};

std::unique_ptr<Registry> Open(const RegistryFixture& packs) {
  auto registry = Registry::Open({{packs.root().string()}},
                                 [] { return *DateTime::ParseDateTime("2026-12-10T09:00:00Z"); });
  return registry ? *std::move(registry) : nullptr;
}

// Generations after the first reload that was reported, which `change` brings about; negative: it failed.
int GenerationAfter(std::chrono::milliseconds poll,
                    const std::function<void(const RegistryFixture&)>& change) {
  const RegistryFixture packs({{.version = "1.0.0"}});
  const auto registry = Open(packs);
  std::promise<int> reported;
  bool once = true;
  const Reloader reloader(*registry, poll, [&](bool loaded, const RegistryStatus& status) {
    const int generation = static_cast<int>(status.generation);
    if (std::exchange(once, false)) reported.set_value(loaded ? generation : -generation);
  });
  change(packs);
  return reported.get_future().get();
}

// Appears at once: half a pack might settle on a slow machine.
void MoveIn(const RegistryFixture& made, const RegistryFixture& packs) {
  std::filesystem::rename(made.root() / "b", packs.root() / "b");
}

TEST(Reloader, NoticesThatFilesChanged) {
  const std::chrono::milliseconds poll(2);
  const RegistryFixture good(std::vector{PackSpec{.id = "b"}}),
      broken(std::vector{PackSpec{.id = "b", .when = "%nonsense"}});
  EXPECT_EQ(GenerationAfter(poll, [&](const auto& packs) { MoveIn(good, packs); }), 2);
  EXPECT_EQ(GenerationAfter(poll, [&](const auto& packs) { MoveIn(broken, packs); }), -1);
}

// In a process of its own: the threads of other tests do not block the signal.
TEST(ReloaderDeathTest, ReloadsOnSighup) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    BlockReloadSignal();
    ::_exit(GenerationAfter(kNever, [](const auto&) { ::kill(::getpid(), SIGHUP); }));
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(2), "");
}

}  // namespace
}  // namespace stepwise::rules
