// FBK-: what clients report of what clinicians did with cards.

#include "tests/cds_hooks/program.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

Json GoodFeedback() {
  return Json::parse(R"({"feedback":[{"card":"9368d37b-283f-44a0-93ea-547cebab93ed","outcome":"overridden",
      "outcomeTimestamp":"2026-12-10T08:00:00Z"}]})");
}

int StatusOfFeedback(const Json& body) {
  return EveryHook().Post("/cds-services/stepwise-order-sign/feedback", body.dump()).status;
}

TEST(Requirement, FBK_01_FeedbackIsTaken) {
  const Reply reply = EveryHook().Post("/cds-services/stepwise-order-sign/feedback", GoodFeedback().dump());
  EXPECT_EQ(reply.status, 200);
  ASSERT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
  EXPECT_EQ(reply.json["issue"][0]["severity"], "information");
  EXPECT_EQ(reply.json["issue"][0]["diagnostics"], "1 entry was kept");
  EXPECT_EQ(EveryHook().Post("/cds-services/nope/feedback", GoodFeedback().dump()).status, 404);
}

TEST(Requirement, FBK_02_TheBodyHoldsAnArray) {
  for (const Json& wrong :
       {GoodFeedback()["feedback"][0], GoodFeedback()["feedback"],
        Json{{"feedback", GoodFeedback()["feedback"][0]}}, Json{{"feedback", nullptr}}, Json::object()})
    EXPECT_EQ(StatusOfFeedback(wrong), 400) << wrong.dump();
}

TEST(Requirement, FBK_03_CardOutcomeAndTimeAreRequired) {
  for (const char* key : {"card", "outcome", "outcomeTimestamp"}) {
    Json body = GoodFeedback();
    body["feedback"][0].erase(key);
    EXPECT_EQ(StatusOfFeedback(body), 400) << key;
    body["feedback"][0][key] = "yes";
    if (std::string_view(key) != "card") {
      EXPECT_EQ(StatusOfFeedback(body), 400) << key;
    }
  }
}

TEST(Requirement, FBK_04_AcceptedSuggestionsAreTaken) {
  Json body = GoodFeedback();
  body["feedback"][0]["outcome"] = "accepted";
  body["feedback"][0]["acceptedSuggestions"] = {{{"id", "e56e1945-20b3-4393-8503-a1a20fd73152"}}};
  EXPECT_EQ(StatusOfFeedback(body), 200);
}

TEST(Requirement, FBK_05_AnOverrideReasonNeedsNoDisplay) {
  for (const char* reason : {R"({"reason":{"code":"d7ecf885","system":"https://example.com/reasons"}})",
                             R"({"reason":{"code":"a","system":"https://example.com/reasons","display":"A"},
                                 "userComment":"A comment"})",
                             R"({"userComment":"A comment"})"}) {
    Json body = GoodFeedback();
    body["feedback"][0]["overrideReason"] = Json::parse(reason);
    EXPECT_EQ(StatusOfFeedback(body), 200) << reason;
  }
}

TEST(Requirement, FBK_06_FeedbackMayRepeatAndABadEntryLosesNoOther) {
  const char* const feedback = "/cds-services/stepwise-order-sign/feedback";
  ServiceOptions options;
  options.calls.pipeline.evaluation_timeout = std::chrono::seconds(60);
  TestService service("rules/packs", options);
  const std::string request = DemoRequest("2026-12-10T09:00:00Z").dump();
  const auto cards = [&] {
    std::map<std::string, std::string> uuids;  // by rule
    const Reply reply = service.Call("order-sign", request);
    EXPECT_EQ(reply.status, 200) << reply.body;
    for (const Json& card : reply.json["cards"]) uuids[card["source"]["topic"]["code"]] = card["uuid"];
    return uuids;
  };
  const auto before = cards();
  ASSERT_TRUE(before.contains("SCH-02") && before.contains("ADJ-03"));

  // Two cards, one of them twice, in one call and again: as if it had come once.
  const auto entry = [](const std::string& card, const char* outcome) {
    return Json{{"card", card}, {"outcome", outcome}, {"outcomeTimestamp", "2026-12-10T09:00:00Z"}};
  };
  Json mixed = {{"feedback",
                 {entry(before.at("ADJ-03"), "accepted"), entry(before.at("ADJ-03"), "accepted"),
                  entry("9368d37b-283f-44a0-93ea-547cebab93ed", "overridden")}}};
  if (const auto dir = SharedData("cds-hooks-examples")) {  // those of the specification, all in one
    for (const char* name : {"spec201-18.json", "spec201-19.json", "spec201-20.json"})
      mixed["feedback"].push_back(Json::parse(ReadFile(*dir / name))["feedback"][0]);
  }
  for (int i = 0; i < 2; ++i) {
    const Reply reply = service.Post(feedback, mixed.dump());
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.json["issue"][0]["diagnostics"],
              std::to_string(mixed["feedback"].size()) + " entries were kept");
  }
  EXPECT_TRUE(cards().contains("SCH-02"));

  // The good entry between two bad ones does what it says, and the client learns which were bad.
  const Json spoilt = {
      {"feedback", {entry("u1", "ignored"), entry(before.at("SCH-02"), "overridden"), Json::array({1})}}};
  for (int i = 0; i < 2; ++i) {
    const Reply reply = service.Post(feedback, spoilt.dump());
    EXPECT_EQ(reply.status, 400);
    ASSERT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
    EXPECT_NE(reply.body.find("feedback[0].outcome"), std::string::npos) << reply.body;
    EXPECT_EQ(reply.body.find("feedback[1]"), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("all other entries were kept: 1"), std::string::npos) << reply.body;
    EXPECT_FALSE(cards().contains("SCH-02"));
  }
  EXPECT_TRUE(cards().contains("ADJ-03"));
}

TEST(Requirement, FBK_07_UnknownCardsAreNoFaultOfTheClient) {
  const Reply reply = Shipped().Post("/cds-services/stepwise-order-sign/feedback", GoodFeedback().dump());
  EXPECT_EQ(reply.status, 200) << reply.body;
}

}  // namespace
}  // namespace stepwise::cds_hooks
