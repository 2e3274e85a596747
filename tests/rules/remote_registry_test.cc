// Evaluators that reload their packs behind a service: who answers while they do not agree.
#include <gtest/gtest.h>

#include <stdexcept>

#include "rules/evaluator_service.h"
#include "rules/registry.h"
#include "rules/remote_evaluator.h"
#include "tests/rules/registry_fixture.h"

namespace stepwise::rules {
namespace {

const DateTime kNow = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");
constexpr std::chrono::seconds kTimeout{10};

// A registry of two versions of a pack, one of them on, behind gRPC.
class Peer {
 public:
  explicit Peer(const std::filesystem::path& packs, const std::string& site = "") {
    TurnOn("1.0.0");
    auto registry = Registry::Open({{packs.string()}, file(), site}, [] { return kNow; });
    if (!registry) throw std::runtime_error(registry.error().ToString());
    registry_ = *std::move(registry);
    EvaluatorServerOptions options{.listen = "127.0.0.1:0", .site = site, .threads = 2};
    auto server = EvaluatorServer::Start(*registry_, options);
    if (!server) throw std::runtime_error(server.error().ToString());
    server_ = *std::move(server);
  }
  void TurnOn(const std::string& version, const std::string& more = "") const {
    WriteFile(file(), "activation: 1\nsites: { default: { org.example.a: [ { version: " + version + " }" +
                          more + " ] } }\n");
    if (registry_ != nullptr && !registry_->Reload()) ADD_FAILURE() << "did not reload";
  }
  const std::string& address() const { return server_->address(); }
  RegistryStatus status() const { return registry_->status(); }
  void Stop() { server_->Shutdown(kTimeout); }

 private:
  std::string file() const { return (root_.path() / "activation.yaml").string(); }
  TempDir root_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<EvaluatorServer> server_;
};

std::string Ask(Evaluator& evaluator, const std::string& more = "") {
  const auto document = Document::Parse(
      R"({"hook":"patient-view","hookInstance":"x","context":{"patientId":"p1"})" + more + "}");
  const auto decision = evaluator.Evaluate(*document, kNow, kTimeout);
  if (!decision) return decision.error().ToString();
  std::string out;
  for (const Card& card : decision->cards) out += card.summary + ";";
  return out;
}

class RemoteRegistry : public testing::Test {
 protected:
  const RegistryFixture packs_{{{.id = "a", .version = "1.0.0"}, {.id = "a", .version = "1.1.0"}}};
};

TEST_F(RemoteRegistry, AnEvaluatorWithOtherPacksOnIsPassedOverUntilAllHaveThem) {
  Peer one(packs_.root()), two(packs_.root());
  const auto remote = ConnectRemoteEvaluator({one.address(), two.address()}, kTimeout);
  const auto snapshot = remote->Snapshot(kNow);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->digest(), one.status().digest);
  EXPECT_EQ(remote->Snapshot(kNow), snapshot);
  EXPECT_EQ(Ask(*snapshot), "a 1.0.0;");

  two.TurnOn("1.1.0");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(*snapshot), "a 1.0.0;");  // never from the other
  one.TurnOn("1.1.0");
  EXPECT_EQ(Ask(*snapshot), "a 1.1.0;");  // nobody has 1.0.0 on any more; the request does not fail
  const auto later = remote->Snapshot(kNow);
  ASSERT_NE(later, nullptr);
  EXPECT_NE(later, snapshot);
  EXPECT_EQ(later->digest(), one.status().digest);
  EXPECT_EQ(Ask(*later), "a 1.1.0;");
}

TEST_F(RemoteRegistry, ListsAgainEveryFewSeconds) {
  Peer one(packs_.root());
  const auto remote = ConnectRemoteEvaluator({one.address()}, kTimeout);
  const auto snapshot = remote->Snapshot(kNow);
  one.TurnOn("1.1.0");
  EXPECT_EQ(remote->Snapshot(kNow), snapshot);
  EXPECT_NE(remote->Snapshot(*Add(kNow, *Decimal::Parse("3"), CalendarUnit::kSecond)), snapshot);
}

TEST_F(RemoteRegistry, AnEvaluatorOfAnotherSiteSaysSo) {
  Peer one(packs_.root(), "north");
  const auto remote = ConnectRemoteEvaluator({one.address()}, kTimeout, "south");
  EXPECT_EQ(remote->Snapshot(kNow), nullptr);
  EXPECT_EQ(Ask(*remote), "no evaluator answered: " + one.address() +
                              ": this evaluator serves the site `north`, not `south`");
  EXPECT_EQ(Ask(*ConnectRemoteEvaluator({one.address()}, kTimeout, "north")), "a 1.0.0;");
}

TEST_F(RemoteRegistry, PinsTravelWithTheRequestAndShadowsStayThere) {
  Peer one(packs_.root());
  one.TurnOn("1.0.0", ", { version: 1.1.0, mode: shadow }");
  const auto remote = ConnectRemoteEvaluator({one.address()}, kTimeout);
  const auto snapshot = remote->Snapshot(kNow);
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(Ask(*snapshot), "a 1.0.0;");
  EXPECT_EQ(Ask(*snapshot, R"(,"extension":{"org.stepwise.pin":{"org.example.a":"1.1.0"}})"), "a 1.1.0;");
  EXPECT_NE(Ask(*snapshot, R"(,"extension":{"org.stepwise.pin":{"org.example.a":"9.0.0"}})")
                .find("this version is not loaded"),
            std::string::npos);
  one.Stop();  // waits for what was left to do after the answers
  std::uint64_t tried = 0;
  for (const auto& [difference, count] : one.status().shadow) tried += count;
  EXPECT_EQ(tried, 2u);
}

}  // namespace
}  // namespace stepwise::rules
