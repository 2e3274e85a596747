#include "cds_hooks/health.h"

#include <gtest/gtest.h>

namespace stepwise::cds_hooks {
namespace {

HealthInputs Good() {
  HealthInputs inputs;
  rules::PackRef& ref = inputs.packs->emplace_back().ref;
  ref.id = "org.example.a";
  ref.version = "1.0.0";
  ref.digest = "sha256:00";
  return inputs;
}

TEST(Health, WhenTheServerIsReady) {
  const struct {
    const char* name;
    void (*change)(HealthInputs&);
    int status;
    const char* body;
  } rows[] = {
      {"ready", [](HealthInputs&) {}, 200, R"({"status":"ready"})"},
      {"store up", [](HealthInputs& i) { i.store_configured = i.store_up = true; }, 200,
       R"({"status":"ready"})"},
      {"store down", [](HealthInputs& i) { i.store_configured = true; }, 200,
       R"({"status":"degraded","reasons":["the store takes no records"]})"},
      {"stopping", [](HealthInputs& i) { i.draining = true; }, 503,
       R"({"status":"unready","reasons":["the server is stopping"]})"},
      {"no packs", [](HealthInputs& i) { i.packs->clear(); }, 503,
       R"({"status":"unready","reasons":["no pack is on"]})"},
      {"no evaluator", [](HealthInputs& i) { i.packs = Fail(Code::kUnavailable, "no peer answered"); }, 503,
       R"({"status":"unready","reasons":["no peer answered"]})"},
  };
  for (const auto& row : rows) {
    HealthInputs inputs = Good();
    row.change(inputs);
    const Health ready = ReadyHealth(inputs);
    EXPECT_EQ(ready.status, row.status) << row.name;
    EXPECT_EQ(ready.body, row.body) << row.name;
    const Health detailed = HealthText(inputs);
    EXPECT_EQ(detailed.status, row.status) << row.name;
    EXPECT_TRUE(detailed.body.starts_with(ready.body.substr(0, ready.body.size() - 1))) << detailed.body;
  }
}

TEST(Health, InDetail) {
  HealthInputs inputs = Good();
  inputs.store_configured = inputs.store_up = true;
  EXPECT_EQ(HealthText(inputs).body,
            R"({"status":"ready","packs":[{"id":"org.example.a","version":"1.0.0","digest":"sha256:00"}],)"
            R"("store":"ok"})");
}

}  // namespace
}  // namespace stepwise::cds_hooks
