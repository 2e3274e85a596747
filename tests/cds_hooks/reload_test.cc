// The service while its packs are reloaded: no request fails, and each is answered by packs that were on.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "cds_hooks/evaluator_choice.h"
#include "cds_hooks/service.h"
#include "tests/rules/registry_fixture.h"

namespace stepwise::cds_hooks {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kRequests = 2'000, kReloads = 40;
#else
constexpr int kRequests = 10'000, kReloads = 200;
#endif
constexpr int kThreads = 3;

const DateTime kNow = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");

class ReloadTest : public testing::Test {
 protected:
  std::filesystem::path packs() const { return root_.path() / "packs"; }
  void Write(const rules::PackSpec& pack) const { rules::WritePack(packs(), pack); }
  void Remove(const std::string& folder) const { std::filesystem::remove_all(packs() / folder); }
  void Activate(std::string_view sites) {
    config_.activation = (root_.path() / "activation.yaml").string();
    WriteFile(config_.activation, "activation: 1\nsites: " + std::string(sites) + "\n");
  }

  void Open() {
    config_.packs = {packs().string()};
    auto chosen = ChooseEvaluator(config_, [] { return kNow; });
    ASSERT_TRUE(chosen) << chosen.error().ToString();
    chosen_ = *std::move(chosen);
    ServiceOptions options = MakeServiceOptions(config_);
    options.registry = chosen_.registry;
    service_ = std::make_unique<Service>(options, *chosen_.evaluator, [] { return kNow; });
  }
  rules::Registry& registry() { return *chosen_.registry; }

  HttpResponse Ask(const std::string& more = "") {
    HttpRequest request{.method = "POST", .target = "/cds-services/stepwise-patient-view"};
    request.body = R"({"hook":"patient-view","hookInstance":"x","context":{"userId":"Practitioner/1",)"
                   R"("patientId":"p1"})" +
                   more + "}";
    HttpResponse response = service_->Handle(std::move(request));
    if (response.after) response.after();
    return response;
  }
  HttpResponse Get(std::string_view target) { return service_->Handle({.method = "GET", .target = target}); }

  TempDir root_;
  Config config_;
  ChosenEvaluator chosen_;
  std::unique_ptr<Service> service_;
};

std::string Version(int number) { return "1.0." + std::to_string(number); }

// What follows `key` in the text, up to the next quote.
std::string After(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return "";
  return text.substr(at + key.size(), text.find('"', at + key.size()) - at - key.size());
}

TEST_F(ReloadTest, ConcurrentRequestsNeverFail) {
  Write({.version = Version(0)});
  Open();
  // A good reload to version n: first begun_ = n, then done_ = n. An answer names one from done_ before the
  // request to begun_ after it.
  std::atomic<int> begun{0}, done{0}, answered{0};
  std::atomic<bool> reloading{true};
  std::mutex mutex;
  std::string failure;                                       // the first; guarded by mutex
  std::map<std::pair<std::string, std::string>, int> named;  // version, digest; guarded by mutex

  const auto ask = [&] {
    std::map<std::pair<std::string, std::string>, int> own;
    while (reloading || answered < kRequests) {
      const int low = done;
      const HttpResponse response = Ask();
      const int high = begun;
      ++answered;
      const std::string version = After(response.body, "\"version\":\"");
      const int number = version.empty() ? -1 : std::stoi(version.substr(version.rfind('.') + 1));
      ++own[{version, After(response.body, "\"digest\":\"")}];
      if (response.status == 200 && low <= number && number <= high) continue;
      const std::scoped_lock lock(mutex);
      if (failure.empty()) failure = std::to_string(low) + ".." + std::to_string(high) + ": " + response.body;
    }
    const std::scoped_lock lock(mutex);
    for (const auto& [name, count] : own) named[name] += count;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(ask);

  const rules::PackSpec broken[] = {{.id = "x", .when = "%nonsense", .folder = "broken"},
                                    {.id = "x", .version = "1", .folder = "broken"},
                                    {.id = "x", .requires_packs = "{ nobody: ^1.0 }", .folder = "broken"},
                                    {.id = "a", .folder = "broken", .title = "Other"}};
  std::map<std::pair<std::string, std::string>, int> on;
  const auto note = [&] {
    for (const rules::PackState& pack : registry().status().packs)
      on[{pack.ref.version, pack.ref.digest}] = 1;
  };
  note();
  for (int i = 1; i <= kReloads; ++i) {
    if (i % 2 == 0) {
      rules::PackSpec pack = broken[static_cast<std::size_t>(i / 2) % std::size(broken)];
      if (pack.id == "a") pack.version = Version(done);  // the version that is on, with other content
      Write(pack);
      EXPECT_FALSE(registry().Reload());
      Remove("broken");
    } else {
      begun = i;
      Write({.version = Version(i)});
      Remove("a/" + Version(done));
      EXPECT_TRUE(registry().Reload());
      done = i;
      note();
    }
  }
  reloading = false;
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(failure, "");
  EXPECT_GE(answered, kRequests);
  EXPECT_GT(named.size(), static_cast<std::size_t>(kReloads) / 8);  // many versions had their turn
  for (const auto& [name, count] : named)
    EXPECT_TRUE(on.contains(name)) << name.first << " " << name.second << " was never on";
  const rules::RegistryStatus status = registry().status();
  EXPECT_EQ(status.reloads_ok, static_cast<std::uint64_t>(kReloads / 2 + 1));
  EXPECT_EQ(status.reloads_failed, static_cast<std::uint64_t>(kReloads / 2));
}

TEST_F(ReloadTest, HealthAndMetricsTellWhatTheLastReloadSaid) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0"});
  Activate("{ default: { org.example.a: [ { version: 1.0.0 }, { version: 1.1.0, mode: shadow } ] } }");
  Open();
  EXPECT_EQ(Ask().status, 200);
  Write({.id = "b", .when = "%nonsense"});
  EXPECT_FALSE(registry().Reload());
  EXPECT_EQ(Ask().status, 200);

  const nlohmann::json health = nlohmann::json::parse(Get("/health").body);
  EXPECT_EQ(health["status"], "ready");
  ASSERT_EQ(health["packs"].size(), 2u);
  EXPECT_EQ(health["packs"][0]["mode"], "on");
  EXPECT_EQ(health["packs"][1]["mode"], "shadow");
  EXPECT_EQ(health["registry"]["generation"], 1);
  EXPECT_EQ(health["registry"]["reload"], "failed");
  EXPECT_EQ(health["registry"]["failed"], "2026-12-10T09:00:00Z");
  ASSERT_EQ(health["registry"]["errors"].size(), 1u);
  EXPECT_NE(health["registry"]["errors"][0].get<std::string>().find("R-0.yaml:5:"), std::string::npos);

  const HttpResponse metrics = Get("/metrics");
  EXPECT_EQ(metrics.headers[0].second, "text/plain; version=0.0.4; charset=utf-8");
  const std::string digest = health["packs"][0]["digest"];
  for (const std::string& line :
       {std::string("stepwise_reloads_total{result=\"ok\"} 1\n"),
        std::string("stepwise_reloads_total{result=\"failed\"} 1\n"),
        std::string("stepwise_reload_failing 1\n"), std::string("stepwise_registry_generation 1\n"),
        "stepwise_pack_info{id=\"org.example.a\",version=\"1.0.0\",digest=\"" + digest +
            "\",mode=\"on\"} 1\n",
        std::string(
            "stepwise_shadow_outcomes_total{pack=\"org.example.a\",version=\"1.1.0\",rule=\"R-0\",kind="
            "\"same\",line=\"\"} 2\n"),
        std::string("stepwise_shadow_skipped_total 0\n")}) {
    EXPECT_NE(metrics.body.find(line), std::string::npos) << line << metrics.body;
  }
}

TEST_F(ReloadTest, APinThatCannotBeIsTheCallersMistake) {
  Write({.version = "1.0.0"});
  Open();
  EXPECT_EQ(Ask(R"(,"extension":{"org.stepwise.pin":{"org.example.a":"1.0.0"}})").status, 200);
  const HttpResponse response = Ask(R"(,"extension":{"org.stepwise.pin":{"org.example.a":"2.0.0"}})");
  EXPECT_EQ(response.status, 400);
  const nlohmann::json body = nlohmann::json::parse(response.body);
  EXPECT_EQ(body["resourceType"], "OperationOutcome");
  EXPECT_NE(response.body.find("extension.`org.stepwise.pin`.`org.example.a`"), std::string::npos)
      << response.body;
}

TEST_F(ReloadTest, WhatIsOfferedFollowsWhatIsOn) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0",
         .query = "Condition?patient={{context.patientId}}",
         .when = "%data.entry.empty() or true"});
  Activate("{ default: { org.example.a: [ { version: 1.0.0 } ] } }");
  Open();
  EXPECT_EQ(Get("/cds-services").body.find("Condition?patient"), std::string::npos);
  Activate("{ default: { org.example.a: [ { version: 1.1.0 } ] } }");
  ASSERT_TRUE(registry().Reload());
  EXPECT_NE(Get("/cds-services").body.find("Condition?patient"), std::string::npos);
  EXPECT_EQ(Ask().status, 412);
  // In shadow nothing is required of the caller.
  Activate("{ default: { org.example.a: [ { version: 1.0.0 }, { version: 1.1.0, mode: shadow } ] } }");
  ASSERT_TRUE(registry().Reload());
  EXPECT_NE(Get("/cds-services").body.find("Condition?patient"), std::string::npos);
  EXPECT_EQ(Ask().status, 200);
  Activate("{ default: {} }");
  ASSERT_TRUE(registry().Reload());
  EXPECT_EQ(Get("/cds-services").body, R"({"services":[]})");
}

}  // namespace
}  // namespace stepwise::cds_hooks
