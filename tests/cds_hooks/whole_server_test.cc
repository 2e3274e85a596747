// stepwise-server with everything on, as an EHR and an operator meet it: tokens, a FHIR server, a store,
// feedback, replay; what happens when one of them fails; and that no secret or identifier is left anywhere.

#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cds_hooks/http_client.h"
#include "tests/cds_hooks/program.h"
#include "tests/cds_hooks/token_maker.h"
#include "tests/fhir/fake_http_server.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kNow = "2026-12-10T09:00:00Z";
constexpr const char* kPublicUrl = "https://cds.example.org";
constexpr const char* kSign = "/cds-services/stepwise-order-sign";

// What must be found nowhere: a request that holds all of them is sent, and feedback with the comment.
constexpr const char* kToken = "canary-token-7d1f";
constexpr const char* kName = "Canaryname";
constexpr const char* kIdentifier = "canary-mrn-88412";
constexpr const char* kPatientId = "canary-patient-31";
constexpr const char* kComment = "canary comment of a clinician";
constexpr const char* kCanaries[] = {kToken, kName, kIdentifier, kPatientId, kComment};

// How the FHIR server behaves.
enum class Behaviour { kGood, kSlow, kBroken, kOfAnother, kGarbage };

class WholeServerTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteFile(dir_.path() / "jwks.json", ehr_.JwkSetText());
    WriteFile(dir_.path() / "seal.key", std::string(64, 'a'));
    WriteFile(dir_.path() / "admin.token", "admin-secret\n");
    for (const char* file : {"seal.key", "admin.token"}) ::chmod((dir_.path() / file).c_str(), 0600);
  }

  // With `more` lines of configuration.
  void Configure(std::string_view more = "") {
    const std::string config =
        std::string("listen: 127.0.0.1:0\npublic-url: ") + kPublicUrl + "\npacks: [" +
        (SourceDir() / "rules/packs").string() + "]\nnow: " + kNow +
        "\nrequest-deadline-ms: 60000\nevaluation-timeout-ms: 60000\n"
        "trust: { issuers: [ { iss: \"https://ehr.example.org/\", jwks-file: jwks.json } ] }\n"
        "fhir: { servers: [ \"" +
        fhir_.Url("/r4") + "\" ], allowed-networks: [ 127.0.0.0/8 ], deadline-ms: " +
        (behaviour_ == Behaviour::kSlow ? "300" : "20000") +
        " }\n"
        "store: { state-dir: state, key-files: [ seal.key ], keep-input: true }\n"
        "admin: { token-file: admin.token }\n" +
        std::string(more);
    WriteFile(dir_.path() / "stepwise.yaml", config);
  }
  std::unique_ptr<Program> Start(std::string_view more = "") {
    Configure(more);
    return std::make_unique<Program>(
        dir_.path(), "stepwise-server",
        std::vector<std::string>{"--config", (dir_.path() / "stepwise.yaml").string()});
  }

  // The demonstration's request about the canary patient, with the prefetch that `with` names and, when
  // `from_server`, what it takes to fetch the rest.
  Json Request(const std::vector<std::string>& with, bool from_server) {
    std::string text = DemoRequest(kNow).dump();
    const std::string id = DemoRequest(kNow)["context"]["patientId"];
    for (std::size_t at = 0; (at = text.find(id, at)) != std::string::npos; at += std::strlen(kPatientId))
      text.replace(at, id.size(), kPatientId);
    Json request = Json::parse(text);
    Json& patient = request["prefetch"]["patient"];
    patient["name"] = {{{"family", kName}}};
    patient["identifier"] = {{{"system", "urn:oid:1.2.3"}, {"value", kIdentifier}}};
    data_ = request["prefetch"];
    Json prefetch = Json::object();
    for (const std::string& key : with) prefetch[key] = data_[key];
    request["prefetch"] = prefetch;
    if (from_server) {
      request["fhirServer"] = fhir_.Url("/r4");
      request["fhirAuthorization"] = {{"access_token", kToken},
                                      {"token_type", "Bearer"},
                                      {"expires_in", 300},
                                      {"scope", "user/*.read"},
                                      {"subject", "stepwise"}};
    }
    return request;
  }
  Json AllSupplied() {
    Request({}, false);
    std::vector<std::string> keys;
    for (const auto& [key, value] : data_.items()) keys.push_back(key);
    return Request(keys, false);
  }

  std::string Send(std::uint16_t port, std::string_view path, const Json& body,
                   std::string_view authorization, std::string_view more_headers = "") {
    HttpClient client(port);
    const std::string text = body.dump();
    client.Send("POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
                std::string(more_headers) + "Authorization: " + std::string(authorization) +
                "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
    return client.Receive();
  }
  std::string Get(std::uint16_t port, std::string_view target, std::string_view authorization = "") {
    HttpClient client(port);
    client.Send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" +
                (authorization.empty() ? "" : "Authorization: " + std::string(authorization) + "\r\n") +
                "\r\n");
    return client.Receive();
  }
  std::string Bearer(std::string_view path) {
    return "Bearer " +
           ehr_.Token(kPublicUrl + std::string(path), DateTime::ParseDateTime(kNow)->ToUnixMillis() / 1000);
  }
  std::string Sign(std::uint16_t port, const Json& request) {
    return Send(port, kSign, request, Bearer(kSign));
  }
  static Json CardsOf(const std::string& response) { return Json::parse(BodyOf(response)).at("cards"); }
  static std::vector<std::string> RulesOf(const Json& cards) {
    std::vector<std::string> rules;
    for (const Json& card : cards) rules.push_back(card["source"]["topic"]["code"]);
    return rules;
  }

  FakeReply AnswerFhir(const FakeRequest& request) {
    if (behaviour_ == Behaviour::kSlow) return {.never = true};
    if (behaviour_ == Behaviour::kBroken) return {.status = 500, .body = kName};
    if (behaviour_ == Behaviour::kGarbage) return {.body = "<html>" + std::string(kName)};
    if (request.Header("authorization") != "Bearer " + std::string(kToken)) return {.status = 401};
    const std::string type = request.target.substr(4, request.target.find_first_of("/?", 4) - 4);
    for (const auto& [key, value] : data_.items()) {
      const bool is_read = request.target == "/r4/Patient/" + std::string(kPatientId);
      if (is_read && value.value("resourceType", "") == "Patient") {
        Json patient = value;
        if (behaviour_ == Behaviour::kOfAnother) patient["id"] = "somebody-else";
        return Fhir(patient);
      }
      const std::string query = request.body + request.target;
      if (!is_read && key == KeyOf(type, query)) {
        std::string text = value.dump();
        if (behaviour_ == Behaviour::kOfAnother) {
          for (std::size_t at; (at = text.find(kPatientId)) != std::string::npos;)
            text.replace(at, std::strlen(kPatientId), "somebody-else");
        }
        return Fhir(Json::parse(text));
      }
    }
    return Fhir({{"resourceType", "Bundle"}, {"type", "searchset"}});
  }
  static FakeReply Fhir(const Json& resource) {
    return {.body = resource.dump(), .headers = {{"Content-Type", "application/fhir+json"}}};
  }
  // The prefetch key that a search of this type stands for, from the discovery document.
  std::string KeyOf(const std::string& type, const std::string& query) const {
    for (const auto& [key, one] : queries_.items()) {
      const std::string text = one;
      if (!text.starts_with(type + "?")) continue;
      const std::size_t code = text.find("code=");
      if (code == std::string::npos || query.find("code=") != std::string::npos) return key;
    }
    return "";
  }
  void Discover(std::uint16_t port) {
    const std::string response = Get(port, "/cds-services", Bearer("/cds-services"));
    ASSERT_EQ(StatusOf(response), 200) << response;
    const Json discovery = Json::parse(BodyOf(response));
    for (const Json& service : discovery["services"]) {
      if (service["hook"] == "order-sign") queries_ = service["prefetch"];
    }
  }

  // Every byte that the server left behind, but for the configuration that this test wrote.
  std::string Leftovers() {
    std::string all;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(dir_.path())) {
      if (entry.is_regular_file()) all += entry.path().filename().string() + "\n" + ReadFile(entry.path());
    }
    return all;
  }
  std::string Run(const std::string& name, std::vector<std::string> arguments, int exit_code) {
    Program program(dir_.path(), name, std::move(arguments));
    EXPECT_EQ(program.Wait(), exit_code) << program.Errors();
    return program.Output();
  }
  std::string StoreUrl() const { return "sqlite:" + (dir_.path() / "state/stepwise.db").string(); }

  TempDir dir_;
  trust::TokenMaker ehr_{"https://ehr.example.org/"};
  Behaviour behaviour_ = Behaviour::kGood;
  Json data_, queries_;
  FakeHttpServer fhir_{[this](const FakeRequest& request) { return AnswerFhir(request); }};
};

TEST_F(WholeServerTest, LetsOnlyTrustedClientsIn) {
  const auto server = Start();
  const std::uint16_t port = server->Port();
  const Json request = AllSupplied();
  EXPECT_EQ(StatusOf(Sign(port, request)), 200);
  const std::string token = Bearer(kSign);
  EXPECT_EQ(StatusOf(Send(port, kSign, request, token)), 200);
  const struct {
    const char* what;
    std::string authorization;
  } rows[] = {{"replayed", token},
              {"none", ""},
              {"of another endpoint", Bearer("/cds-services/stepwise-patient-view")},
              {"the administrator's", "Bearer admin-secret"},
              {"garbage", "Bearer x.y.z"}};
  for (const auto& row : rows) {
    const std::string response = Send(port, kSign, request, row.authorization);
    EXPECT_EQ(StatusOf(response), 401) << row.what;
    EXPECT_NE(response.find("WWW-Authenticate: Bearer"), std::string::npos) << row.what;
    EXPECT_NE(BodyOf(response).find("\"login\""), std::string::npos) << row.what;
  }
  EXPECT_EQ(StatusOf(Get(port, "/cds-services")), 401);
  EXPECT_EQ(StatusOf(Get(port, "/cds-services", Bearer("/cds-services"))), 200);
  EXPECT_EQ(StatusOf(Get(port, "/health/ready")), 200);
  EXPECT_EQ(StatusOf(Get(port, "/admin/feedback")), 401);
  EXPECT_EQ(StatusOf(Get(port, "/admin/feedback", "Bearer admin-secret")), 200);
  EXPECT_EQ(StatusOf(Get(port, "/admin/feedback?format=nonsense", "Bearer admin-secret")), 400);
  EXPECT_EQ(server->Stop(), 0);
}

TEST_F(WholeServerTest, FetchesWhatIsMissingAndOnlyThat) {
  const auto server = Start();
  const std::uint16_t port = server->Port();
  Discover(port);
  const std::string supplied = Sign(port, AllSupplied());
  ASSERT_EQ(StatusOf(supplied), 200) << supplied;
  ASSERT_FALSE(CardsOf(supplied).empty());
  EXPECT_TRUE(fhir_.requests().empty());

  const std::string fetched = Sign(port, Request({}, true));
  ASSERT_EQ(StatusOf(fetched), 200) << fetched;
  EXPECT_EQ(RulesOf(CardsOf(fetched)), RulesOf(CardsOf(supplied)));
  EXPECT_EQ(fhir_.requests().size(), queries_.size());
  for (const FakeRequest& call : fhir_.requests())
    EXPECT_EQ(call.Header("authorization"), "Bearer " + std::string(kToken)) << call.target;

  std::vector<std::string> keys;
  for (const auto& [key, value] : data_.items()) keys.push_back(key);
  std::erase(keys, "pain");
  const std::size_t before = fhir_.requests().size();
  const std::string partly = Sign(port, Request(keys, true));
  ASSERT_EQ(StatusOf(partly), 200) << partly;
  EXPECT_EQ(RulesOf(CardsOf(partly)), RulesOf(CardsOf(supplied)));
  // Keys that the demonstration leaves open are asked for as well.
  EXPECT_EQ(fhir_.requests().size() - before, queries_.size() - keys.size());
  EXPECT_EQ(server->Stop(), 0);
}

TEST_F(WholeServerTest, PassesOnTheTraceOfTheCaller) {
  const auto server = Start();
  const std::uint16_t port = server->Port();
  Discover(port);
  const std::string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";
  const std::string response = Send(port, kSign, Request({}, true), Bearer(kSign),
                                    "traceparent: 00-" + trace + "-" + span + "-01\r\n");
  EXPECT_EQ(StatusOf(response), 200) << response;
  ASSERT_FALSE(fhir_.requests().empty());
  for (const FakeRequest& call : fhir_.requests()) {
    const std::string passed = call.Header("traceparent");
    EXPECT_TRUE(passed.starts_with("00-" + trace + "-")) << passed;
    EXPECT_EQ(passed.find(span), std::string::npos) << "the parent is our own span";
  }
  EXPECT_EQ(server->Stop(), 0);
  EXPECT_NE(server->Errors().find("\"trace\":\"" + trace + "\""), std::string::npos);
}

TEST_F(WholeServerTest, AFhirServerThatFailsNeverBecomesNothingThere) {
  for (const Behaviour behaviour :
       {Behaviour::kSlow, Behaviour::kBroken, Behaviour::kGarbage, Behaviour::kOfAnother}) {
    SCOPED_TRACE(static_cast<int>(behaviour));
    behaviour_ = behaviour;
    const auto server = Start();
    const std::uint16_t port = server->Port();
    Discover(port);
    const std::string response = Sign(port, Request({"patient"}, true));
    EXPECT_EQ(StatusOf(response), 412) << response;
    EXPECT_NE(response.find("prefetch.pain"), std::string::npos) << response;
    EXPECT_NE(response.find("could not be fetched"), std::string::npos) << response;
    for (const char* canary : kCanaries) EXPECT_EQ(response.find(canary), std::string::npos) << canary;
    EXPECT_EQ(StatusOf(Sign(port, AllSupplied())), 200);
    EXPECT_EQ(server->Stop(), 0);
    fs::remove_all(dir_.path() / "state");
  }
  // Down altogether, or not on the list: the same.
  behaviour_ = Behaviour::kGood;
  const std::size_t before = fhir_.requests().size();
  const auto server = Start();
  const std::uint16_t port = server->Port();
  Json request = Request({"patient"}, true);
  for (const char* url :
       {"http://127.0.0.1:1/r4", "https://fhir.evil.example/r4", "http://169.254.169.254/"}) {
    request["fhirServer"] = url;
    const std::string response = Sign(port, request);
    EXPECT_EQ(StatusOf(response), 412) << url << response;
  }
  EXPECT_EQ(fhir_.requests().size(), before);
  EXPECT_EQ(server->Stop(), 0);
}

TEST_F(WholeServerTest, RemembersReplaysAndReports) {
  std::string answer;
  Json cards;
  {
    const auto server = Start();
    const std::uint16_t port = server->Port();
    Discover(port);
    answer = BodyOf(Sign(port, Request({}, true)));
    cards = Json::parse(answer).at("cards");
    ASSERT_GE(cards.size(), 2u) << answer;
    const Json feedback = {
        {"feedback",
         {{{"card", cards[0]["uuid"]},
           {"outcome", "overridden"},
           {"overrideReason",
            {{"reason", {{"code", "not-now"}, {"system", "urn:x"}}}, {"userComment", kComment}}},
           {"outcomeTimestamp", "2026-12-10T09:00:30Z"}},
          {{"card", cards[1]["uuid"]},
           {"outcome", "accepted"},
           {"outcomeTimestamp", "2026-12-10T09:00:10Z"}}}}};
    const std::string path = std::string(kSign) + "/feedback";
    EXPECT_EQ(StatusOf(Send(port, path, feedback, Bearer(path))), 200);
    // What was acknowledged outlives this.
    EXPECT_EQ(server->Kill(), -SIGKILL);
  }
  const auto server = Start();
  const std::uint16_t port = server->Port();
  Json report;
  for (int i = 0; i < 600; ++i) {  // the spool is written to the store by a thread of its own
    report = Json::parse(BodyOf(Get(port, "/admin/feedback?format=json", "Bearer admin-secret")));
    if (report.dump().find("not-now") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_NE(report.dump().find("not-now"), std::string::npos) << report;
  EXPECT_EQ(server->Stop(), 0);
  EXPECT_NE(Run("stepwise-server", {"report", "feedback", "--store", StoreUrl(), "--format", "csv"}, 0)
                .find("not-now"),
            std::string::npos);

  const std::string decision = cards[0]["extension"]["org.stepwise-cds"]["decision"];
  EXPECT_EQ(Run("stepwise",
                {"replay", decision, "--store", StoreUrl(), "--key-file", (dir_.path() / "seal.key").string(),
                 "--packs", (SourceDir() / "rules/packs").string()},
                0),
            answer);
}

TEST_F(WholeServerTest, LeavesNoSecretAndNoIdentifierAnywhere) {
  std::string metrics;
  {
    const auto server = Start("log-level: trace\n");
    const std::uint16_t port = server->Port();
    Discover(port);
    const Json good = Request({}, true);
    const std::string answer = Sign(port, good);
    ASSERT_EQ(StatusOf(answer), 200) << answer;
    // Requests that fail, each in its own way.
    Json bad = good;
    bad["context"]["draftOrders"] = kName;
    EXPECT_EQ(StatusOf(Sign(port, bad)), 400);
    bad = good;
    bad["fhirAuthorization"]["patient"] = kIdentifier;
    EXPECT_EQ(StatusOf(Sign(port, bad)), 400);
    behaviour_ = Behaviour::kBroken;
    EXPECT_EQ(StatusOf(Sign(port, good)), 412);
    behaviour_ = Behaviour::kOfAnother;
    EXPECT_EQ(StatusOf(Sign(port, good)), 412);
    EXPECT_EQ(StatusOf(Send(port, "/cds-services/" + std::string(kName), good, Bearer(kSign))), 401);
    EXPECT_EQ(StatusOf(Get(port, "/" + std::string(kPatientId) + "?token=" + kToken)), 404);
    EXPECT_EQ(StatusOf(Send(port, kSign, good, "Bearer " + std::string(kToken))), 401);
    const std::string path = std::string(kSign) + "/feedback";
    const Json feedback = {
        {"feedback",
         {{{"card", CardsOf(answer)[0]["uuid"]},
           {"outcome", "overridden"},
           {"overrideReason", {{"reason", {{"code", "x"}, {"system", "urn:x"}}}, {"userComment", kComment}}},
           {"outcomeTimestamp", "2026-12-10T09:00:30Z"}},
          {{"card", kComment}, {"outcome", kName}, {"outcomeTimestamp", kName}}}}};
    const std::string refused = Send(port, path, feedback, Bearer(path));
    EXPECT_EQ(StatusOf(refused), 400);
    for (const char* canary : kCanaries) EXPECT_EQ(refused.find(canary), std::string::npos) << canary;
    metrics =
        Get(port, "/metrics") + Get(port, "/health") + Get(port, "/admin/feedback", "Bearer admin-secret");
    EXPECT_EQ(server->Kill(), -SIGKILL);  // so that the spool is still there, too
  }
  const std::string left = Leftovers() + metrics;
  EXPECT_NE(left.find("stepwise_requests_total"), std::string::npos);
  EXPECT_NE(left.find("\"event\":\"request\""), std::string::npos);
  EXPECT_NE(left.find("SQLite format 3"), std::string::npos);
  for (const char* canary : kCanaries) EXPECT_EQ(left.find(canary), std::string::npos) << canary;
}

TEST_F(WholeServerTest, AnswersWhileTheStoreIsDownAndSaysSo) {
  // Nobody listens there: records wait in the spool.
  const auto server = Start("");
  const std::uint16_t first = server->Port();
  EXPECT_EQ(StatusOf(Sign(first, AllSupplied())), 200);
  EXPECT_EQ(server->Stop(), 0);

  const auto down = std::make_unique<Program>(
      dir_.path(), "stepwise-server",
      std::vector<std::string>{"--config", (dir_.path() / "stepwise.yaml").string(), "--store",
                               "postgres://127.0.0.1:1/stepwise?connect_timeout=1"});
  const std::uint16_t port = down->Port();
  for (int i = 0; i < 3; ++i) {
    Json request = AllSupplied();
    request["hookInstance"] = "00000000-0000-4000-8000-00000000000" + std::to_string(i);
    EXPECT_EQ(StatusOf(Sign(port, request)), 200);
  }
  std::string ready;
  for (int i = 0; i < 600 && ready.find("degraded") == std::string::npos; ++i) {
    ready = Get(port, "/health/ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(StatusOf(ready), 200);
  EXPECT_NE(ready.find("degraded"), std::string::npos) << ready;
  EXPECT_NE(Get(port, "/metrics").find("stepwise_store_up 0"), std::string::npos);
  EXPECT_EQ(down->Kill(), -SIGKILL);
  EXPECT_NE(down->Errors().find("store-down"), std::string::npos);

  // Back with a store: what was answered meanwhile is in it, all four.
  const auto up = Start();
  const std::uint16_t again = up->Port();
  std::string decisions;
  for (int i = 0; i < 600; ++i) {
    decisions = Run("stepwise-server", {"report", "decisions", "--store", StoreUrl()}, 0);
    if (std::count(decisions.begin(), decisions.end(), '\n') >= 4) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_GE(std::count(decisions.begin(), decisions.end(), '\n'), 4) << decisions;
  EXPECT_EQ(StatusOf(Get(again, "/health/ready")), 200);
  EXPECT_EQ(up->Stop(), 0);
}

TEST_F(WholeServerTest, AFullDiskCostsRecordsAndNoAdvice) {
  Configure();
  Program server(dir_.path(), "stepwise-server",
                 {"--config", (dir_.path() / "stepwise.yaml").string(), "--store",
                  "postgres://127.0.0.1:1/stepwise?connect_timeout=1", "--store-spool-max-bytes", "100"});
  const std::uint16_t port = server.Port();
  const std::string answer = Sign(port, AllSupplied());
  ASSERT_EQ(StatusOf(answer), 200) << answer;
  // What cannot be kept is not acknowledged: the EHR can send it again.
  const std::string path = std::string(kSign) + "/feedback";
  const Json feedback = {{"feedback",
                          {{{"card", CardsOf(answer)[0]["uuid"]},
                            {"outcome", "accepted"},
                            {"outcomeTimestamp", "2026-12-10T09:00:30Z"}}}}};
  const std::string refused = Send(port, path, feedback, Bearer(path));
  EXPECT_EQ(StatusOf(refused), 503) << refused;
  EXPECT_NE(refused.find("Retry-After"), std::string::npos);
  EXPECT_NE(Get(port, "/metrics").find("stepwise_records_total{result=\"lost\"} 1"), std::string::npos);
  EXPECT_EQ(server.Stop(), 0);
  EXPECT_NE(server.Errors().find("spool-full"), std::string::npos) << server.Errors();
}

}  // namespace
}  // namespace stepwise::cds_hooks
