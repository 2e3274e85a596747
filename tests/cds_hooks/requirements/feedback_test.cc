// FBK-: what clients report of what clinicians did with cards.

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
  EXPECT_EQ(StatusOfFeedback(GoodFeedback()), 200);
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

TEST(Requirement, FBK_07_UnknownCardsAreNoFaultOfTheClient) {
  const Reply reply = Shipped().Post("/cds-services/stepwise-order-sign/feedback", GoodFeedback().dump());
  EXPECT_EQ(reply.status, 200) << reply.body;
}

}  // namespace
}  // namespace stepwise::cds_hooks
