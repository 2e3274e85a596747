// The registry: who answers while packs, activation and time change.
#include "rules/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "rules/package_resources.h"
#include "tests/rules/registry_fixture.h"

namespace stepwise::rules {
namespace {

constexpr const char* kNow = "2026-12-10T09:00:00Z";

DateTime Time(const char* text) { return *DateTime::ParseDateTime(text); }

class RegistryTest : public testing::Test {
 protected:
  void Write(const PackSpec& pack) const { WritePack(root_.path() / "packs", pack); }
  void Activate(std::string_view sites) const {
    WriteFile(root_.path() / "activation.yaml", "activation: 1\nsites:\n" + std::string(sites) + "\n");
  }
  RegistryOptions Options() const {
    RegistryOptions options{{(root_.path() / "packs").string()}};
    const auto file = root_.path() / "activation.yaml";
    if (std::filesystem::exists(file)) options.activation = file.string();
    return options;
  }
  std::unique_ptr<Registry> Open(const RegistryOptions& options) {
    auto registry = Registry::Open(options, [] { return Time(kNow); });
    if (!registry) ADD_FAILURE() << registry.error().ToString();
    return registry ? *std::move(registry) : nullptr;
  }
  std::unique_ptr<Registry> Open() { return Open(Options()); }

  // Summaries of the cards, or the error.
  static std::string Ask(Evaluator& evaluator, const char* now = kNow, const std::string& patient = "p1",
                         const std::string& pins = "") {
    std::string json =
        R"({"hook":"patient-view","hookInstance":"x","context":{"patientId":")" + patient + "\"}";
    if (!pins.empty()) json += R"(,"extension":{"org.stepwise.pin":)" + pins + "}";
    const auto document = Document::Parse(json + "}");
    const auto decision = evaluator.Evaluate(*document, Time(now), std::chrono::milliseconds(0));
    if (!decision) return decision.error().path + ": " + decision.error().message;
    evaluator.Shadow(*document, *decision, std::chrono::milliseconds(0));
    std::string out;
    for (const Card& card : decision->cards) out += card.summary + ";";
    return out;
  }

  std::string Errors(const Registry& registry) const {
    std::string out;
    for (const Error& error : registry.status().errors) out += error.ToString() + "\n";
    const std::string root = root_.path().string() + "/";
    for (std::size_t at = out.find(root); at != std::string::npos; at = out.find(root))
      out.erase(at, root.size());
    return out;
  }
  static std::string Modes(const Registry& registry) {
    std::string out;
    for (const PackState& pack : registry.status().packs)
      out += pack.ref.id.substr(pack.ref.id.rfind('.') + 1) + pack.ref.version + ":" + pack.mode + " ";
    return out;
  }

  TempDir root_;
};

TEST_F(RegistryTest, ReloadsAllOrNothing) {
  Write({.version = "1.0.0"});
  const auto registry = Open();
  ASSERT_NE(registry, nullptr);
  EXPECT_EQ(Ask(*registry), "a 1.0.0;");

  Write({.version = "1.1.0"});
  EXPECT_EQ(Ask(*registry), "a 1.0.0;");  // until it is told
  EXPECT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");

  Write({.version = "1.2.0", .when = "%nonsense"});
  Write({.id = "b"});
  EXPECT_FALSE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");
  EXPECT_EQ(Errors(*registry).find("packs/a/1.2.0/rules/R-0.yaml:5:"), 0u) << Errors(*registry);
  RegistryStatus status = registry->status();
  EXPECT_EQ(status.generation, 2u);
  EXPECT_EQ(status.reloads_ok, 2u);
  EXPECT_EQ(status.reloads_failed, 1u);
  EXPECT_TRUE(status.failed_at.has_value());

  Write({.version = "1.2.0"});
  EXPECT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.2.0;b 1.0.0;");
  EXPECT_EQ(Errors(*registry), "");
  EXPECT_FALSE(registry->status().failed_at.has_value());
}

TEST_F(RegistryTest, RequestsFinishOnTheSnapshotTheyStartedWith) {
  Write({.version = "1.0.0"});
  const auto registry = Open();
  const auto before = registry->Snapshot(Time(kNow));
  EXPECT_EQ(registry->Snapshot(Time(kNow)), before);
  Write({.version = "1.1.0"});
  ASSERT_TRUE(registry->Reload());
  EXPECT_NE(registry->Snapshot(Time(kNow)), before);
  EXPECT_EQ(Ask(*before), "a 1.0.0;");
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");
}

TEST_F(RegistryTest, RollsBackByAnEditOfTheActivation) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0"});
  Activate("  default: { org.example.a: [ { version: 1.1.0 } ] }");
  const auto registry = Open();
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");
  const std::string digest = registry->status().digest;
  Activate("  default: { org.example.a: [ { version: 1.0.0 } ] }");
  ASSERT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.0.0;");
  EXPECT_EQ(Modes(*registry), "a1.0.0:on a1.1.0:off ");
  EXPECT_NE(registry->status().digest, digest);
  Activate("  default: { org.example.a: [ { version: 1.2.0 } ] }");
  EXPECT_FALSE(registry->Reload());
  EXPECT_EQ(Errors(*registry),
            "activation.yaml:3:31: no version of `org.example.a` that is loaded fits `1.2.0`; loaded: 1.0.0, "
            "1.1.0\n");
  EXPECT_EQ(Ask(*registry), "a 1.0.0;");
}

TEST_F(RegistryTest, RequiredVersionsGiveFactsAndNoRules) {
  Write({.id = "k", .fact = true});
  Write({.id = "a", .requires_packs = "{ k: ^1.0 }"});
  Activate("  default: { org.example.a: [ { version: ^1.0 } ] }");
  const auto registry = Open();
  EXPECT_EQ(Ask(*registry), "a 1.0.0 by k 1.0.0;");
  EXPECT_EQ(Modes(*registry), "k1.0.0:required a1.0.0:on ");
}

TEST_F(RegistryTest, EffectivePeriodsStartAndEndVersions) {
  Write({.version = "1.0.0", .effective = "{ to: 2026-12-31 }"});
  Write({.version = "1.1.0", .effective = "{ from: 2027-01-01, to: 2027-12-31 }"});
  const auto registry = Open();
  EXPECT_EQ(Ask(*registry, "2026-12-31T23:59:59Z"), "a 1.0.0;");
  EXPECT_EQ(Ask(*registry, "2027-01-01T00:00:00Z"), "a 1.1.0;");
  EXPECT_EQ(Ask(*registry, "2028-01-01T00:00:00Z"), "");
}

TEST_F(RegistryTest, ACanaryKeepsItsPatients) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0"});
  Activate(
      "  default: { org.example.a: [ { version: 1.0.0 }, { version: 1.1.0, mode: canary, percent: 50 } ] }");
  const auto registry = Open();
  std::map<std::string, std::string> answers;
  for (int i = 0; i < 40; ++i) {
    const std::string patient = "p" + std::to_string(i);
    answers[patient] = Ask(*registry, kNow, patient);
  }
  const auto count = [&](const char* answer) {
    return std::ranges::count_if(answers, [&](const auto& entry) { return entry.second == answer; });
  };
  EXPECT_EQ(count("a 1.0.0;") + count("a 1.1.0;"), 40);  // never both
  EXPECT_GT(count("a 1.0.0;"), 5);
  EXPECT_GT(count("a 1.1.0;"), 5);
  for (const auto& [patient, answer] : answers) EXPECT_EQ(Ask(*registry, kNow, patient), answer);
}

TEST_F(RegistryTest, CountsWhereTheShadowDiffers) {
  Write({.version = "1.0.0", .rules = 2});
  Write({.version = "1.1.0", .rules = 3, .when = "%context.patientId = 'p2'"});
  Activate("  default: { org.example.a: [ { version: 1.0.0 }, { version: 1.1.0, mode: shadow } ] }");
  const auto registry = Open();
  EXPECT_EQ(Ask(*registry, kNow, "p1"), "a 1.0.0;a 1.0.0;");
  EXPECT_EQ(Ask(*registry, kNow, "p2"), "a 1.0.0;a 1.0.0;");
  std::string counts;
  for (const auto& [one, count] : registry->status().shadow)
    counts +=
        one.version + " " + one.rule + " " + one.kind + " " + one.line + "=" + std::to_string(count) + "\n";
  EXPECT_EQ(counts,
            "1.1.0 R-0 fewer line=1\n1.1.0 R-0 same =1\n1.1.0 R-1 fewer line=1\n1.1.0 R-1 same =1\n"
            "1.1.0 R-2 more =1\n");
}

TEST_F(RegistryTest, ARequestPinsVersions) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0"});
  Write({.id = "b", .version = "1.0.0"});
  const auto registry = Open();
  const std::string digest = registry->status().packs[0].ref.digest;
  const std::pair<std::string, std::string> rows[] = {
      {"", "a 1.1.0;b 1.0.0;"},
      {R"({"org.example.a":"1.0.0"})", "a 1.0.0;b 1.0.0;"},
      {R"({"org.example.a":")" + digest + R"("})", "a 1.0.0;b 1.0.0;"},
      {R"({"org.example.a":"1.0.0","org.example.b":"1.0.0"})", "a 1.0.0;b 1.0.0;"},
      {R"({"org.example.a":"1.2.0"})",
       "extension.`org.stepwise.pin`.`org.example.a`: this version is not loaded; loaded: 1.0.0, 1.1.0"},
      {R"({"org.example.z":"1.2.0"})",
       "extension.`org.stepwise.pin`.`org.example.z`: no such pack is on here"},
      {R"({"org.example.a":1})", "extension.`org.stepwise.pin`.`org.example.a`: expected a version as text"},
      {R"(["1.0.0"])", "extension.`org.stepwise.pin`: expected an object from the ids of packs to versions"},
  };
  for (const auto& [pins, answer] : rows) EXPECT_EQ(Ask(*registry, kNow, "p1", pins), answer) << pins;
}

TEST_F(RegistryTest, OneKeyIsOneQueryForVersionsThatAnswerTogether) {
  Write({.version = "1.0.0", .query = "Condition?patient={{context.patientId}}"});
  Write({.version = "1.1.0", .query = "Observation?patient={{context.patientId}}"});
  const auto open = [&] {
    const auto registry = Registry::Open(Options(), [] { return Time(kNow); });
    return registry ? std::string() : registry.error().message;
  };
  EXPECT_EQ(open(), "");  // only the highest is on
  Activate(
      "  default: { org.example.a: [ { version: 1.0.0, to: 2027-01-01T00:00:00Z }, { version: 1.1.0, from: "
      "2027-01-01T00:00:00Z } ] }");
  EXPECT_EQ(open(), "");  // one after the other
  for (const char* mode : {"shadow", "canary, percent: 1"}) {
    Activate("  default: { org.example.a: [ { version: 1.0.0 }, { version: 1.1.0, mode: " +
             std::string(mode) + " } ] }");
    EXPECT_EQ(open().find("prefetch key `data` is another query in pack org.example.a 1.0.0"), 0u) << open();
  }
  std::filesystem::remove(root_.path() / "activation.yaml");
  EXPECT_NE(Ask(*Open(), kNow, "p1", R"({"org.example.a":"1.0.0"})").find("this version cannot answer now"),
            std::string::npos);
}

TEST_F(RegistryTest, ChangesAreLoadedOnceTheySettled) {
  Write({.version = "1.0.0"});
  Activate("  default: { org.example.a: [ { version: ^1.0 } ] }");
  const auto registry = Open();
  EXPECT_FALSE(registry->Changed());
  Write({.version = "1.1.0"});
  EXPECT_FALSE(registry->Changed());  // may be going on
  Write({.version = "1.2.0"});
  EXPECT_FALSE(registry->Changed());
  EXPECT_TRUE(registry->Changed());
  Write({.version = "1.3.0", .when = "%nonsense"});
  EXPECT_FALSE(registry->Reload());
  EXPECT_FALSE(registry->Changed());  // was tried: the error is not told twice
  EXPECT_FALSE(registry->Changed());
  std::filesystem::remove_all(root_.path() / "packs/a/1.3.0");
  EXPECT_FALSE(registry->Changed());
  EXPECT_TRUE(registry->Changed());
  EXPECT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.2.0;");
  Activate("  default: { org.example.a: [ { version: 1.0.0 } ] }");
  registry->Changed();
  EXPECT_TRUE(registry->Changed());
}

TEST_F(RegistryTest, AppliesTheOverlaysOfItsSite) {
  Write({.version = "1.0.0"});
  Write({.version = "1.1.0"});
  const auto plain = Open();
  const auto overlay = root_.path() / "packs/a/1.1.0/sites/north.yaml";
  WriteFile(
      overlay,
      "site: north\nfor: \"org.example.a@^1.1\"\nrules: { R-0: { mode: shadow } }\napproved-by: board\n");
  RegistryOptions options = Options();
  options.site = "north";
  const auto north = Open(options);
  EXPECT_EQ(Ask(*plain), "a 1.1.0;");
  EXPECT_EQ(Ask(*north), "");
  EXPECT_EQ(north->status().packs[0].ref.digest, plain->status().packs[0].ref.digest);
  EXPECT_NE(north->status().packs[1].ref.digest, plain->status().packs[1].ref.digest);
  WriteFile(overlay,
            "site: north\nfor: \"org.example.a@^1.1\"\nparameters: { days: 31 }\napproved-by: board\n");
  EXPECT_FALSE(north->Reload());
  EXPECT_EQ(Errors(*north).find("packs/a/1.1.0/sites/north.yaml:3:15: no parameter `days`"), 0u)
      << Errors(*north);
}

TEST_F(RegistryTest, ServesPackagesAndKeepsTheLastGoodOne) {
  const RegistryFixture source({{.version = "1.0.0"}, {.version = "1.1.0"}});
  const auto base = source.Load();
  ASSERT_NE(base, nullptr);
  const auto package = [&](const Pack& pack) {
    return root_.path() / "packs" / ("a-" + pack.version.ToString() + ".tgz");
  };
  for (const Pack& pack : base->packs()) {
    const auto bytes = BuildPackage(*base, pack);
    ASSERT_TRUE(bytes) << bytes.error().ToString();
    WriteFile(package(pack), *bytes);
  }
  const auto registry = Open();
  ASSERT_NE(registry, nullptr);
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");

  const Pack& highest = base->packs().back();
  const std::string good = ReadFile(package(highest));
  std::string changed = good;
  changed[changed.size() / 2] ^= 1;
  WriteFile(package(highest), changed);
  EXPECT_FALSE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");
  ASSERT_FALSE(registry->status().errors.empty());
  EXPECT_NE(registry->status().errors[0].ToString().find("a-1.1.0.tgz"), std::string::npos);

  std::filesystem::remove(package(highest));
  EXPECT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.0.0;");
  WriteFile(package(highest), good);
  EXPECT_TRUE(registry->Reload());
  EXPECT_EQ(Ask(*registry), "a 1.1.0;");
}

TEST_F(RegistryTest, OtherChecksRefuseAPackToo) {
  Write({.version = "1.0.0"});
  RegistryOptions options = Options();
  options.check = [](const PackInfo& info) -> Status {
    return Fail(Code::kSemantic, "cannot offer " + info.ref.version);
  };
  const auto registry = Registry::Open(options, [] { return Time(kNow); });
  ASSERT_FALSE(registry);
  EXPECT_NE(registry.error().ToString().find("packs/a/1.0.0: cannot offer 1.0.0"), std::string::npos)
      << registry.error().ToString();
}

}  // namespace
}  // namespace stepwise::rules
