// DIS-: what a client learns of the services on offer.

#include <set>

#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

constexpr char kDiscovery[] = "/cds-services";

// Services of the shipped packs and of the pack for every hook.
void ForEachService(const std::function<void(const Json& service)>& check) {
  int services = 0;
  for (TestService* one : {&Shipped(), &EveryHook()}) {
    for (const Json& service : ServicesOf(*one)) {
      SCOPED_TRACE(service.dump());
      check(service);
      ++services;
    }
  }
  EXPECT_EQ(services, 3 + 9);
}

TEST(Requirement, DIS_01_DiscoveryIsThereAndStable) {
  const Reply reply = Shipped().Get(kDiscovery);
  EXPECT_EQ(reply.status, 200);
  Shipped().Call("order-sign", std::string("{"));
  EXPECT_EQ(Shipped().Get(kDiscovery).body, reply.body);
  ServiceOptions options;
  options.path_prefix = "/cds/v1";
  TestService prefixed("tests/cds_hooks/requirements/pack", options);
  EXPECT_EQ(prefixed.Get("/cds/v1/cds-services").status, 200);
  EXPECT_EQ(prefixed.Get(kDiscovery).status, 404);
}

TEST(Requirement, DIS_02_TheBodyHoldsAnArrayOfServices) {
  for (TestService* one : {&Shipped(), &EveryHook()})
    EXPECT_TRUE(one->Get(kDiscovery).json["services"].is_array());
}

TEST(Requirement, DIS_03_NoServicesIsAnEmptyArray) {
  FakeEvaluator evaluator;
  evaluator.packs.clear();
  Service service({}, evaluator, [] { return DateTime::FromUnixMillis(0); });
  const Reply reply(service.Handle({.method = "GET", .target = kDiscovery}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"services":[]})");
}

TEST(Requirement, DIS_04_EachServiceHasAHook) {
  std::set<std::string> hooks;
  ForEachService([&](const Json& service) {
    ASSERT_TRUE(IsText(service, "hook"));
    hooks.insert(service["hook"]);
  });
  EXPECT_EQ(hooks.size(), 9u);
}

TEST(Requirement, DIS_05_EachServiceHasADescription) {
  ForEachService([](const Json& service) { EXPECT_TRUE(IsText(service, "description")); });
}

TEST(Requirement, DIS_06_EachServiceIsReachableByItsId) {
  ForEachService([](const Json& service) {
    ASSERT_TRUE(Matches(service["id"], "[a-z0-9-]+"));
    const std::string hook = service["hook"];
    const Reply reply =
        EveryHook().Post("/cds-services/" + service["id"].get<std::string>(), GoodRequest(hook).dump());
    EXPECT_EQ(reply.status, 200) << reply.body;
  });
}

TEST(Requirement, DIS_07_EachServiceHasATitle) {
  ForEachService([](const Json& service) { EXPECT_TRUE(IsText(service, "title")); });
}

TEST(Requirement, DIS_08_PrefetchIsAnObjectOfStrings) {
  ForEachService([](const Json& service) {
    ASSERT_TRUE(service.contains("prefetch") && service["prefetch"].is_object());
    for (const auto& [key, value] : service["prefetch"].items()) EXPECT_TRUE(value.is_string()) << key;
  });
}

TEST(Requirement, DIS_09_UsageRequirementsAreText) {
  ForEachService([](const Json& service) { EXPECT_TRUE(IsText(service, "usageRequirements")); });
}

TEST(Requirement, DIS_10_TheVersionOfCdsHooksIsSemantic) {
  ForEachService([](const Json& service) {
    EXPECT_TRUE(Matches(service["version"], "[0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_EQ(service["version"], "2.0.1");
  });
}

TEST(Requirement, DIS_11_HookVersionsAreThoseOfTheLibrary) {
  const std::map<std::string, std::string> library = {
      {"patient-view", "1.0"},     {"order-select", "1.0"},        {"order-sign", "1.0"},
      {"order-dispatch", "1.1"},   {"encounter-start", "1.0"},     {"encounter-discharge", "1.0"},
      {"appointment-book", "1.0"}, {"medication-refill", "0.1.0"}, {"medication-verify", "0.1.0"}};
  ForEachService(
      [&](const Json& service) { EXPECT_EQ(service["hookVersion"], library.at(service["hook"])); });
}

TEST(Requirement, DIS_12_EachHookHasAnIdOfItsOwn) {
  const Json services = ServicesOf(EveryHook());
  std::set<std::string> ids;
  for (const Json& service : services) ids.insert(service["id"].get<std::string>());
  EXPECT_EQ(ids.size(), services.size());
}

TEST(Requirement, DIS_13_OtherStatusesAre4xxAnd5xx) {
  FakeEvaluator evaluator;
  evaluator.list_error = Error{Code::kUnavailable, "no peer answered", {}, ""};
  Service service({}, evaluator, [] { return DateTime::FromUnixMillis(0); });
  const Reply reply(service.Handle({.method = "GET", .target = kDiscovery}));
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
}

TEST(Requirement, DIS_14_UnknownIdsAre404AndWrongMethods405) {
  EXPECT_EQ(EveryHook().Post("/cds-services/nope", GoodRequest("order-sign").dump()).status, 404);
  // A hook for which no pack in force has a rule is not on offer.
  EXPECT_EQ(Shipped().Call("encounter-start", GoodRequest("encounter-start")).status, 404);
  const Reply get = EveryHook().Get("/cds-services/stepwise-order-sign");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.Header("Allow"), "POST, OPTIONS");
  EXPECT_EQ(EveryHook().Post(kDiscovery, "{}").Header("Allow"), "GET, HEAD, OPTIONS");
}

}  // namespace
}  // namespace stepwise::cds_hooks
