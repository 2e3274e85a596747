// Feedback end to end: a card is overridden, the same advice keeps quiet, with evaluators here and elsewhere;
// and the store that remembers it.
#include "cds_hooks/feedback.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "cds_hooks/service.h"
#include "rules/evaluator_service.h"
#include "rules/local_evaluator.h"
#include "rules/remote_evaluator.h"
#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using nlohmann::json;

DateTime At(std::string_view text) { return *DateTime::ParseDateTime(text); }

// The demonstration's request, as of 2026-11-20T09:00:00Z.
std::string DemoRequest() {
  std::string out = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  for (const auto& [from, to] :
       {std::pair("@NOW-2h@", "2026-11-20T07:00:00Z"), std::pair("@NOW-20h@", "2026-11-19T13:00:00Z")}) {
    for (std::size_t at; (at = out.find(from)) != std::string::npos;) out.replace(at, std::strlen(from), to);
  }
  return out;
}

std::string FeedbackBody(const std::string& card, const std::string& outcome, const std::string& at) {
  return json{
      {"feedback",
       {{{"card", card},
         {"outcome", outcome},
         {"overrideReason", {{"reason", {{"code", "incident-pain"}, {"system", "x"}}}, {"userComment", "c"}}},
         {"outcomeTimestamp", at}}}}}
      .dump();
}

class FeedbackTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::string packs[] = {(SourceDir() / "rules/packs").string()};
    auto local = rules::LoadLocalEvaluator(packs);
    ASSERT_TRUE(local) << local.error().ToString();
    local_ = std::move(*local);
    if (GetParam()) {
      auto server = rules::EvaluatorServer::Start(*local_, {.listen = "127.0.0.1:0"});
      ASSERT_TRUE(server) << server.error().ToString();
      server_ = std::move(*server);
      remote_ = rules::ConnectRemoteEvaluator({server_->address()}, std::chrono::seconds(60));
    }
    options_.calls.pipeline.evaluation_timeout = std::chrono::seconds(60);
    service_ = std::make_unique<Service>(options_, GetParam() ? *remote_ : *local_, [this] { return now_; });
  }

  HttpResponse Post(std::string_view target, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.content_type = "application/json";
    request.body = std::move(body);
    return service_->Handle(std::move(request));
  }
  // Rule -> uuid of its card.
  std::map<std::string, std::string> Sign() {
    std::map<std::string, std::string> out;
    const HttpResponse response = Post("/cds-services/stepwise-order-sign", DemoRequest());
    EXPECT_EQ(response.status, 200) << response.body;
    const json body = json::parse(response.body);
    for (const json& card : body["cards"]) out[card["source"]["topic"]["code"]] = card["uuid"];
    return out;
  }
  HttpResponse Send(std::string body) {
    return Post("/cds-services/stepwise-order-sign/feedback", std::move(body));
  }

  DateTime now_ = At("2026-11-20T09:00:00Z");
  ServiceOptions options_;
  std::unique_ptr<rules::Evaluator> local_, remote_;
  std::unique_ptr<rules::EvaluatorServer> server_;
  std::unique_ptr<Service> service_;
};

TEST_P(FeedbackTest, AnOverriddenCardKeepsQuietForItsTime) {
  const auto cards = Sign();
  ASSERT_TRUE(cards.contains("SCH-02"));
  const HttpResponse accepted = Send(FeedbackBody(cards.at("SCH-02"), "accepted", "2026-11-20T09:00:00Z"));
  EXPECT_EQ(accepted.status, 200);
  EXPECT_TRUE(Sign().contains("SCH-02"));

  const HttpResponse overridden =
      Send(FeedbackBody(cards.at("SCH-02"), "overridden", "2026-11-20T10:00:00+01:00"));
  EXPECT_EQ(overridden.status, 200) << overridden.body;
  EXPECT_EQ(overridden.summary.route, "/cds-services/{id}/feedback");
  const auto later = Sign();
  EXPECT_FALSE(later.contains("SCH-02"));
  EXPECT_TRUE(later.contains("ADJ-03"));  // has no `suppress-repeat`

  now_ = At("2026-11-20T20:59:59Z");
  EXPECT_FALSE(Sign().contains("SCH-02"));
  now_ = At("2026-11-20T21:00:00Z");
  EXPECT_TRUE(Sign().contains("SCH-02"));
}

TEST_P(FeedbackTest, AClockAheadKeepsNothingQuietForLonger) {
  EXPECT_EQ(Send(FeedbackBody(Sign().at("SCH-02"), "overridden", "2027-11-20T09:00:00Z")).status, 200);
  EXPECT_FALSE(Sign().contains("SCH-02"));
  now_ = At("2026-11-20T21:00:00Z");
  EXPECT_TRUE(Sign().contains("SCH-02"));
}

INSTANTIATE_TEST_SUITE_P(HereAndElsewhere, FeedbackTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Remote" : "Local"; });

TEST(Feedback, Refusals) {
  FakeEvaluator evaluator;
  Service service({}, evaluator, [] { return At("2026-12-10T09:00:00Z"); });
  const std::string good = FeedbackBody("u1", "overridden", "2026-12-10T09:00:00Z");
  const struct {
    std::string method, target, type, body;
    int status;
    std::string message;
  } rows[] = {
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", good, 200,
       ""},  // unknown card
      {"POST", "/cds-services/stepwise-order-sign/feedback/", "application/json", good, 200, ""},
      {"GET", "/cds-services/stepwise-order-sign/feedback", "", "", 405, ""},
      {"POST", "/cds-services/nope/feedback", "application/json", good, 404, "no service of this id"},
      {"POST", "/cds-services/stepwise-order-sign/feedbac", "application/json", good, 404, ""},
      {"POST", "/cds-services/stepwise-order-sign/feedback/x", "application/json", good, 404, ""},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "text/plain", good, 415, ""},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", "{", 400, ""},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", "[]", 400, "JSON object"},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", "{}", 400,
       "at least one entry"},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", R"({"feedback":[1]})", 400,
       "feedback[0]"},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json", R"({"feedback":[{}]})", 400,
       "feedback[0].card"},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json",
       FeedbackBody("u1", "ignored", "2026-12-10T09:00:00Z"), 400, "feedback[0].outcome"},
      {"POST", "/cds-services/stepwise-order-sign/feedback", "application/json",
       FeedbackBody("u1", "overridden", "2026-12-10T09:00:00"), 400, "feedback[0].outcomeTimestamp"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.method + " " + row.target + " " + row.body);
    HttpRequest request;
    request.method = row.method;
    request.target = row.target;
    request.content_type = row.type;
    request.body = row.body;
    const HttpResponse response = service.Handle(std::move(request));
    EXPECT_EQ(response.status, row.status) << response.body;
    EXPECT_NE(response.body.find(row.message), std::string::npos) << response.body;
  }
}

std::string Describe(const Feedback& one) {
  std::string out = one.card + (one.overridden ? " overridden" : " accepted") + " " + one.at.ToString();
  for (const std::string& suggestion : one.suggestions) out += " +" + suggestion;
  if (!one.reason.code.empty())
    out += " " + one.reason.system + "|" + one.reason.code + "|" + one.reason.display;
  if (!one.comment.empty()) out += " '" + one.comment + "'";
  return out;
}

FeedbackBatch Read(const std::string& body, const FeedbackLimits& limits = {}) {
  return ReadFeedback(*Document::Parse(body), limits);
}

TEST(ReadFeedback, VariantsThatClientsSend) {
  const std::string accepted =
      R"("card":"u1","outcome":"accepted","outcomeTimestamp":"2026-12-10T09:00:00Z")";
  const std::string overridden =
      R"("card":"u1","outcome":"overridden","outcomeTimestamp":"2026-12-10T09:00:00Z")";
  const std::string yes = "u1 accepted 2026-12-10T09:00:00Z", no = "u1 overridden 2026-12-10T09:00:00Z";
  const struct {
    std::string entry, expected;
  } rows[] = {
      {accepted, yes},
      {accepted + R"(,"acceptedSuggestions":[{"id":"s2"},{"id":"s1","extension":{"a":1}}])",
       yes + " +s1 +s2"},
      {accepted + R"(,"acceptedSuggestions":["urn:uuid:S1"],"extension":{"x":[1]},"more":null)",
       yes + " +s1"},
      {overridden, no},
      {overridden + R"(,"overrideReason":{"reason":{"code":"c","system":"s"},"userComment":"k"})",
       no + " s|c| 'k'"},
      {overridden + R"(,"overrideReason":{"reason":{"code":"c","system":"s","display":"d"}})", no + " s|c|d"},
      {overridden + R"(,"overrideReason":{"userComment":"k"})", no + " 'k'"},
      {overridden + R"(,"overrideReason":{"code":"c","system":"s"})", no + " s|c|"},
      {overridden + R"(,"overrideReason":{"code":"c","userComment":"k"})", no + " |c| 'k'"},
      {overridden + R"(,"overrideReason":{"reason":{"coding":[{"code":"c"}],"text":"t"}})", no + " |c| 't'"},
      {overridden + R"(,"overrideReason":"free")", no + " 'free'"},
      {overridden + R"(,"overrideReason":null)", no},
      {overridden + R"(,"overrideReason":{"reason":7})", no},
      {R"("card":"urn:uuid:4E0A3A1E-3283-4575-ab82-028d55fe2719","outcome":"overridden",)"
       R"("outcomeTimestamp":"2026-12-10T09:00:00.5+02:00")",
       "4e0a3a1e-3283-4575-ab82-028d55fe2719 overridden 2026-12-10T09:00:00.5+02:00"},
  };
  for (const auto& row : rows) {
    const FeedbackBatch batch = Read(R"({"feedback":[{)" + row.entry + "}]}");
    ASSERT_EQ(batch.entries.size(), 1u) << row.entry;
    EXPECT_TRUE(batch.errors.empty()) << row.entry;
    EXPECT_EQ(Describe(batch.entries[0]), row.expected);
  }
}

TEST(ReadFeedback, OneBadEntryLosesNoOther) {
  const std::string good = R"({"card":"u1","outcome":"accepted","outcomeTimestamp":"2026-12-10T09:00:00Z"})";
  const FeedbackBatch batch =
      Read(R"({"feedback":[)" + good + R"(,{"card":"a card","outcome":"ignored"},)" + good +
           R"(,{"card":"u2","outcome":"accepted","outcomeTimestamp":"2026-12-10T09:00:00Z",)"
           R"("acceptedSuggestions":[{"id":"s1"},{}]}]})");
  EXPECT_EQ(batch.entries.size(), 2u);
  std::string paths;
  for (const Error& error : batch.Refusal()) paths += error.path + " ";
  EXPECT_EQ(paths,
            "feedback[1].card feedback[1].outcome feedback[1].outcomeTimestamp "
            "feedback[3].acceptedSuggestions[1].id feedback ");
  EXPECT_EQ(batch.Refusal().back().message, "all other entries were kept: 2");
}

TEST(ReadFeedback, Limits) {
  const std::string entry =
      R"({"card":"u1","outcome":"overridden","outcomeTimestamp":"2026-12-10T09:00:00Z",)"
      "\"overrideReason\":{\"userComment\":\"ab\\u00e9\"}}";
  const FeedbackBatch many =
      Read(R"({"feedback":[)" + entry + "," + entry + "," + entry + "]}", {.max_entries = 2});
  EXPECT_EQ(many.entries.size(), 2u);
  ASSERT_EQ(many.errors.size(), 1u);
  EXPECT_EQ(many.errors[0].path, "feedback[2]");
  const FeedbackBatch cut = Read(R"({"feedback":[)" + entry + "]}", {.max_text_bytes = 3});
  EXPECT_EQ(cut.entries[0].comment, "ab");  // never half a character
}

rules::Card CardOf(const std::string& uuid, const std::string& key) {
  rules::Card card;
  card.uuid = uuid;
  card.suppression_key = key;
  return card;
}

TEST(OverrideStore, RemembersByPatientWithinItsBounds) {
  const DateTime now = At("2026-12-10T09:00:00Z");
  MemoryOverrideStore store({.max_cards = 3, .max_overrides = 2, .max_age_days = 10});
  store.Issued("p1", CardOf("u0", ""), now);  // nothing to suppress: not kept
  EXPECT_FALSE(store.Overridden("u0", now));
  for (const char* uuid : {"u1", "u2", "u3", "u4"})
    store.Issued("p1", CardOf(uuid, std::string("k") + uuid), now);
  EXPECT_FALSE(store.Overridden("u1", now));  // fell out
  EXPECT_TRUE(store.Overridden("u2", now));
  EXPECT_TRUE(store.Of("p2", now).empty());
  ASSERT_EQ(store.Of("p1", now).size(), 1u);
  EXPECT_EQ(store.Of("p1", now)[0].key, "ku2");
  EXPECT_TRUE(store.Overridden("u3", now));
  EXPECT_TRUE(store.Overridden("u4", now));
  ASSERT_EQ(store.Of("p1", now).size(), 2u);
  EXPECT_EQ(store.Of("p1", now)[0].key, "ku3");
  EXPECT_EQ(store.Of("p1", At("2026-12-20T09:00:00Z")).size(), 2u);
  EXPECT_TRUE(store.Of("p1", At("2026-12-20T09:00:01Z")).empty());
  EXPECT_FALSE(store.Overridden("u4", At("2026-12-20T09:00:01Z")));
}

TEST(OverrideStore, ConcurrentUse) {
  const DateTime now = At("2026-12-10T09:00:00Z");
  MemoryOverrideStore store({.max_cards = 50, .max_overrides = 20});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string uuid = std::to_string(t) + "-" + std::to_string(i);
        store.Issued("p" + std::to_string(i % 3), CardOf(uuid, uuid), now);
        store.Overridden(uuid, now);
        EXPECT_LE(store.Of("p0", now).size(), 20u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t all = 0;
  for (const char* patient : {"p0", "p1", "p2"}) all += store.Of(patient, now).size();
  EXPECT_EQ(all, 20u);
}

}  // namespace
}  // namespace stepwise::cds_hooks
