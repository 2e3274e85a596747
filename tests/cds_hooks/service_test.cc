#include "cds_hooks/service.h"

#include <nlohmann/json.hpp>

#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using nlohmann::json;

const DateTime kNow = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");

std::string Header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string IssueCode(const HttpResponse& response) {
  const json body = json::parse(response.body, nullptr, false);
  if (!body.is_object() || body.value("resourceType", "") != "OperationOutcome") return "no OperationOutcome";
  EXPECT_EQ(body["issue"][0]["severity"], "error");
  return body["issue"][0]["code"];
}

class ServiceTest : public testing::Test {
 protected:
  HttpResponse Send(std::string_view method, std::string_view target, std::string body = "",
                    std::string_view content_type = "application/json") {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.content_type = content_type;
    request.origin = origin_;
    request.content_encoding = content_encoding_;
    request.access_control_request_method = method == "OPTIONS" ? "POST" : "";
    request.body = std::move(body);
    Service service(options_, evaluator_, [] { return kNow; });
    return service.Handle(std::move(request));
  }
  HttpResponse Sign(std::string body = OrderSignRequest()) {
    return Send("POST", "/cds-services/stepwise-order-sign", std::move(body));
  }

  FakeEvaluator evaluator_;
  ServiceOptions options_;
  std::string_view origin_ = "https://sandbox.cds-hooks.org", content_encoding_;
};

TEST_F(ServiceTest, Discovery) {
  const HttpResponse response = Send("GET", "/cds-services?x=1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Header(response, "Content-Type"), "application/json");
  const json services = json::parse(response.body)["services"];
  ASSERT_EQ(services.size(), 3u);
  EXPECT_EQ(services[0]["id"], "stepwise-patient-view");
  EXPECT_EQ(services[0]["prefetch"], json::parse(R"({"patient":"Patient/{{context.patientId}}"})"));
  EXPECT_FALSE(services[1].contains("prefetch"));
  EXPECT_EQ(services[2]["hook"], "order-sign");
  EXPECT_EQ(services[2]["prefetch"].size(), 2u);
  for (const json& service : services) {
    for (const char* key : {"hook", "title", "description", "id", "usageRequirements"}) {
      EXPECT_FALSE(service[key].get<std::string>().empty()) << key;
    }
  }
}

TEST_F(ServiceTest, DiscoveryWithoutPacks) {
  evaluator_.packs.clear();
  EXPECT_EQ(Send("GET", "/cds-services").body, R"({"services":[]})");
  EXPECT_EQ(Sign().status, 404);
}

TEST_F(ServiceTest, AnswersWithCards) {
  evaluator_.decision.cards.push_back(FullCard());
  const HttpResponse response = Sign();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body)["cards"].size(), 1u);
  EXPECT_EQ(Header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(response.summary.route, "/cds-services/{id}");
  EXPECT_EQ(response.summary.hook, "order-sign");
  EXPECT_EQ(response.summary.cards, 1u);
  EXPECT_EQ(response.summary.decision, evaluator_.decision.id);
}

TEST_F(ServiceTest, TheMostCardsTravelToTheEvaluator) {
  options_ = MakeServiceOptions(Config{});
  EXPECT_EQ(Sign().status, 200);
  EXPECT_EQ(evaluator_.last_options.max_cards, 5u);
  // What the request has left of its half second, which is less than an evaluation may take alone.
  EXPECT_GT(evaluator_.last_options.timeout.count(), 0);
  EXPECT_LE(evaluator_.last_options.timeout.count(), Config{}.request_deadline_ms);
  options_.calls.request_deadline_ms = 0;
  EXPECT_EQ(Sign().status, 200);
  EXPECT_EQ(evaluator_.last_options.timeout.count(), Config{}.evaluation_timeout_ms);
}

TEST_F(ServiceTest, TheTraceTravelsToTheEvaluator) {
  const auto traceparent = [this] {
    Service service(options_, evaluator_, [] { return kNow; });
    HttpRequest request;
    request.method = "POST";
    request.target = "/cds-services/stepwise-order-sign";
    request.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.body = OrderSignRequest();
    EXPECT_EQ(service.Handle(std::move(request)).status, 200);
    return evaluator_.last_options.traceparent;
  };
  EXPECT_EQ(traceparent(), "");  // without a source of bits there are no traces
  options_.random_bits = [] { return std::uint64_t{0x1234567890abcdef}; };
  EXPECT_EQ(traceparent(), "00-0af7651916cd43dd8448eb211c80319c-1234567890abcdef-01");
}

TEST_F(ServiceTest, NothingToSay) {
  const HttpResponse response = Sign();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"cards":[]})");
}

struct Refusal {
  const char* method;
  const char* target;
  const char* content_type;
  std::string body;
  int status;
  const char* issue_code;
};

TEST_F(ServiceTest, Refusals) {
  const char* const sign = "/cds-services/stepwise-order-sign";
  const std::string good = OrderSignRequest();
  const std::string deep = "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}";
  const Refusal rows[] = {
      {"GET", "/", "", "", 404, "not-found"},
      {"GET", "/cds-servicesx", "", "", 404, "not-found"},
      {"GET", "/cds-services//", "", "", 404, "not-found"},
      {"GET", "/cds-services//feedback", "", "", 404, "not-found"},
      {"POST", "/cds-services/nope", "application/json", good, 404, "not-found"},
      {"POST", "/cds-services/stepwise-order-sign/other", "application/json", good, 404, "not-found"},
      {"POST", "/cds-services", "application/json", good, 405, "not-supported"},
      {"GET", sign, "", "", 405, "not-supported"},
      {"DELETE", "/health", "", "", 405, "not-supported"},
      {"POST", sign, "text/plain", good, 415, "not-supported"},
      {"POST", sign, "application/x-www-form-urlencoded", good, 415, "not-supported"},
      {"POST", sign, "application/json; charset=utf-16", good, 415, "not-supported"},
      {"POST", sign, "application/json", "", 400, "structure"},
      {"POST", sign, "application/json", "{\"hook\":", 400, "structure"},
      {"POST", sign, "application/json", "{\"hook\":\"\xFF\"}", 400, "structure"},
      {"POST", sign, "application/json", "[]", 400, "structure"},
      {"POST", sign, "application/json", "{}", 400, "invalid"},
      {"POST", "/cds-services/stepwise-patient-view", "application/json", good, 400, "invalid"},
      {"POST", sign, "application/json", deep, 413, "too-costly"},
  };
  for (const Refusal& row : rows) {
    SCOPED_TRACE(std::string(row.method) + " " + row.target + " " + row.content_type);
    const HttpResponse response = Send(row.method, row.target, row.body, row.content_type);
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(IssueCode(response), row.issue_code) << response.body;
    EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(Header(response, "Allow").empty(), row.status != 405);
  }
  EXPECT_EQ(evaluator_.evaluations, 0);
}

TEST_F(ServiceTest, MediaTypes) {
  for (const char* type :
       {"application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=\"UTF-8\"",
        "application/fhir+json; fhirVersion=4.0", ""}) {
    EXPECT_EQ(Send("POST", "/cds-services/stepwise-order-sign", OrderSignRequest(), type).status, 200)
        << type;
  }
  content_encoding_ = "gzip";
  EXPECT_EQ(Sign().status, 415);
}

TEST_F(ServiceTest, MissingPrefetchNamesTheKey) {
  std::string body = OrderSignRequest();
  body.replace(body.find("\"meds\":null"), 11, "");
  const HttpResponse response = Sign(body);
  EXPECT_EQ(response.status, 412);
  const json issue = json::parse(response.body)["issue"][0];
  EXPECT_EQ(issue["code"], "required");
  EXPECT_EQ(issue["expression"], json::parse(R"(["prefetch.meds"])"));
}

TEST_F(ServiceTest, ErrorsOfTheEvaluator) {
  const struct {
    Code code;
    int status;
  } rows[] = {
      {Code::kInvalidArgument, 400}, {Code::kUnavailable, 503}, {Code::kLimit, 503}, {Code::kInternal, 500}};
  for (const auto& row : rows) {
    evaluator_.error = Error{row.code, "secret of the inside", {}, "context.draftOrders"};
    const HttpResponse response = Sign();
    EXPECT_EQ(response.status, row.status);
    EXPECT_NE(IssueCode(response), "no OperationOutcome");
    EXPECT_EQ(Header(response, "Retry-After").empty(), row.status != 503);
    EXPECT_EQ(response.body.find("secret") == std::string::npos, row.status == 500);
  }
}

TEST_F(ServiceTest, AnExceptionIsAnAnswer) {
  evaluator_.throws = true;
  const HttpResponse response = Sign();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(IssueCode(response), "exception");
  EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "*");
}

TEST_F(ServiceTest, AnEvaluatorThatIsAway) {
  evaluator_.list_error = Error{Code::kUnavailable, "no peer answered", {}, ""};
  for (const char* target : {"/cds-services", "/health"}) {
    const HttpResponse response = Send("GET", target);
    EXPECT_EQ(response.status, 503) << target;
    EXPECT_EQ(Header(response, "Retry-After"), "1");
  }
  EXPECT_EQ(Send("GET", "/health/live").status, 200);
  Service service({}, evaluator_, [] { return kNow; });
  EXPECT_EQ(service.Handle({.method = "GET", .target = "/cds-services"}).status, 503);
  evaluator_.list_error.reset();  // it comes back: no restart needed
  EXPECT_EQ(service.Handle({.method = "GET", .target = "/cds-services"}).status, 200);
}

TEST_F(ServiceTest, Health) {
  EXPECT_EQ(
      Send("GET", "/health").body,
      R"({"status":"ready","packs":[{"id":"org.example.pain","version":"1.2.0","digest":"sha256:00"}]})");
}

TEST_F(ServiceTest, PathPrefix) {
  options_.path_prefix = "/cds";
  EXPECT_EQ(Send("GET", "/cds/cds-services").status, 200);
  EXPECT_EQ(Send("GET", "/cds/cds-services/").status, 200);
  EXPECT_EQ(Send("GET", "/cds-services").status, 404);
}

TEST_F(ServiceTest, Preflight) {
  const HttpResponse response = Send("OPTIONS", "/cds-services/stepwise-order-sign");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(Header(response, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_NE(Header(response, "Access-Control-Allow-Headers").find("Authorization, Content-Type"),
            std::string::npos);
  EXPECT_EQ(Header(response, "Access-Control-Allow-Credentials"), "");
}

TEST_F(ServiceTest, CorsOrigins) {
  options_.cors_origins = {"https://ehr.example.org"};
  EXPECT_EQ(Header(Sign(), "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(Header(Sign(), "Vary"), "Origin");
  origin_ = "https://ehr.example.org";
  EXPECT_EQ(Header(Sign(), "Access-Control-Allow-Origin"), "https://ehr.example.org");
  options_.cors_origins = {};
  EXPECT_EQ(Header(Sign(), "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(Header(Sign(), "Vary"), "");
}

TEST_F(ServiceTest, RefreshKeepsThePacksThatWork) {
  Service service({}, evaluator_, [] { return kNow; });
  ASSERT_TRUE(service.Refresh().has_value());
  rules::PackInfo other = evaluator_.packs[0];
  other.ref.id = "org.example.other";
  other.prefetch[0].query = "MedicationRequest?patient={{context.patientId}}";
  evaluator_.packs.push_back(other);
  const Status status = service.Refresh();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(
      status.error().message,
      "pack org.example.other, prefetch meds, \"MedicationRequest?patient={{context.patientId}}\": another "
      "pack "
      "gives this key a different query, \"MedicationRequest?patient={{context.patientId}}&status=active\"");
  EXPECT_EQ(service.Handle({.method = "GET", .target = "/cds-services"}).status, 200);
}

TEST(Discovery, Tokens) {
  const struct {
    const char* query;
    bool good;
  } rows[] = {
      {"Patient/{{context.patientId}}", true},
      {"Encounter/{{ context.encounterId }}", true},
      {"Practitioner/{{userPractitionerId}}", true},
      {"Patient/{{context.draftOrders}}", false},   // no primitive
      {"Patient/{{context.patientId.id}}", false},  // no root-level field
      {"Patient/{{context.performer}}", false},     // another hook's
      {"Patient/{{patientId}}", false},
      {"Patient/{{context.patientId", false},
      {"", false},
  };
  for (const auto& row : rows) {
    rules::PackInfo pack;
    pack.hooks = {"order-sign"};
    pack.prefetch.push_back({"k", row.query, true, {"order-sign"}});
    const Result<Catalog> catalog = BuildCatalog(std::span(&pack, 1));
    EXPECT_EQ(catalog.has_value(), row.good) << row.query;
    if (!catalog) {
      EXPECT_EQ(catalog.error().code, Code::kSemantic);
    }
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
