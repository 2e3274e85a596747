#include <gmock/gmock.h>

#include <future>

#include "fhir/document.h"
#include "fhir/rest/fhir_client.h"
#include "tests/fhir/fake_http_server.h"

namespace stepwise::rest {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kToken = "canary-token";
constexpr std::string_view kPatientId = "canary-patient";

HttpCall::Time In(milliseconds time) { return std::chrono::steady_clock::now() + time; }
HttpCall::Time Later() { return In(std::chrono::seconds(60)); }

FhirClientOptions Trusting(const FakeHttpServer& server) {
  return {.http = {.servers = {server.Url("/fhir")},
                   .allowed_networks = {"127.0.0.0/8"},
                   .connect_timeout_ms = 30'000},
          .retry_delay_ms = 1};
}

std::unique_ptr<FhirClient> MakeClient(const FhirClientOptions& options) {
  auto client = FhirClient::Make(options);
  if (!client) ADD_FAILURE() << client.error().message;
  return std::move(*client);
}

std::future<std::vector<FhirResult>> Start(FhirClient& client, const FhirServer& server,
                                           std::vector<FhirQuery> queries, HttpCall::Time deadline) {
  auto promise = std::make_shared<std::promise<std::vector<FhirResult>>>();
  auto future = promise->get_future();
  client.Fetch(server, std::move(queries), deadline,
               [promise](std::vector<FhirResult> results) { promise->set_value(std::move(results)); });
  return future;
}

FhirServer At(const FakeHttpServer& server) {
  return {.base_url = server.Url("/fhir"), .access_token = std::string(kToken)};
}

std::string Text(const FhirResult& result) {
  constexpr const char* kStates[] = {"found", "partial", "not there", "failed"};
  std::string out = kStates[static_cast<std::size_t>(result.state)];
  if (!result.bytes.empty()) out += " " + result.bytes;
  if (!result.why.empty()) out += " (" + result.why + ")";
  return out;
}

std::string Fetch(FhirClient& client, const FakeHttpServer& server, std::string_view query,
                  std::string_view first_page = "") {
  auto results =
      Start(client, At(server),
            {{.key = "key", .query = std::string(query), .first_page = std::string(first_page)}}, Later())
          .get();
  EXPECT_EQ(results.size(), 1u);
  EXPECT_EQ(results.at(0).key, "key");
  EXPECT_THAT(results[0].why, Not(HasSubstr("canary")));
  return Text(results[0]);
}

std::string Resource(std::string_view type, std::string_view id, std::string_view more = "") {
  return R"({"resourceType":")" + std::string(type) + R"(","id":")" + std::string(id) + "\"" +
         std::string(more) + "}";
}

// A searchset page; `next`: "" for none.
std::string Page(const std::vector<std::string>& resources, std::string_view next = "") {
  std::string out = R"({"resourceType":"Bundle","type":"searchset","total":3,"link":[)";
  out += R"({"relation":"self","url":"self"})";
  if (!next.empty()) out += R"(,{"relation":"next","url":")" + std::string(next) + "\"}";
  out += R"(],"entry":[)";
  for (const std::string& resource : resources) out += R"({"resource":)" + resource + "},";
  if (resources.empty())
    out.resize(out.size() - 10);
  else
    out.back() = ']';
  return out + "}";
}

// What the pages with these resources are when put together.
std::string Whole(const std::vector<std::string>& resources, std::string_view next = "") {
  std::string out = R"({"resourceType":"Bundle","type":"searchset","total":3,"link":[)";
  out += R"({"relation":"self","url":"self"})";
  if (!next.empty()) out += R"(,{"relation":"next","url":")" + std::string(next) + "\"}";
  out += R"(],"entry":[)";
  for (const std::string& resource : resources) out += R"({"resource":)" + resource + "},";
  out.back() = ']';
  return out + "}";
}

TEST(RestFhirClient, ReadsAndSearches) {
  const std::string patient = Resource("Patient", kPatientId, R"(,"x":1.50)");
  const std::string meds = Page({Resource("MedicationRequest", "1", R"(,"value":0.10)")});
  FakeHttpServer server([&](const FakeRequest& request) {
    if (request.target == "/fhir/Patient/" + std::string(kPatientId))
      return FakeReply{.body = " " + patient + "\n"};
    if (request.target == "/fhir/MedicationRequest/_search") return FakeReply{.body = meds};
    if (request.target == "/fhir/Condition/_search") return FakeReply{.body = Page({})};
    return FakeReply{.status = request.target == "/fhir/Patient/gone" ? 410 : 404};
  });
  const auto client = MakeClient(Trusting(server));
  const std::string meds_query = "MedicationRequest?patient=" + std::string(kPatientId) + "&code=a|b";
  const auto results = Start(*client, At(server),
                             {{.key = "patient", .query = "Patient/" + std::string(kPatientId)},
                              {.key = "meds", .query = meds_query},
                              {.key = "conditions", .query = "Condition"},
                              {.key = "gone", .query = "Patient/gone"},
                              {.key = "none", .query = "Patient/none"}},
                             Later())
                           .get();
  std::string text;
  for (const FhirResult& result : results) text += result.key + ": " + Text(result) + "\n";
  EXPECT_EQ(text, "patient: found " + patient + "\nmeds: found " + meds + "\nconditions: found " + Page({}) +
                      "\ngone: not there\nnone: not there\n");
  for (const FakeRequest& request : server.requests()) {
    EXPECT_EQ(request.Header("accept"), "application/fhir+json");
    EXPECT_EQ(request.Header("authorization"), "Bearer " + std::string(kToken));
    EXPECT_THAT(request.target, Not(HasSubstr("patient=")));  // what is searched for is in no URL
    if (request.target != "/fhir/MedicationRequest/_search") continue;
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.Header("content-type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(request.body, "patient=canary-patient&code=a%7Cb");
  }
  const FhirClientStats stats = client->stats();
  EXPECT_EQ(stats.fetches, 1u);
  EXPECT_EQ(stats.queries, 5u);
  EXPECT_EQ(stats.calls, 5u);
  EXPECT_EQ(stats.in_flight, 0u);
  EXPECT_EQ(stats.bytes, patient.size() + 2 + meds.size() + Page({}).size());
  EXPECT_EQ(stats.problems, (std::array<std::uint64_t, kFhirProblemCount>{}));
}

TEST(RestFhirClient, SendsNoTokenWhereThereIsNone) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = Resource("Patient", "1")}; });
  const auto client = MakeClient(Trusting(server));
  EXPECT_EQ(
      Text(Start(*client, {.base_url = server.Url("/fhir/")}, {{.key = "p", .query = "Patient/1"}}, Later())
               .get()
               .at(0)),
      "found " + Resource("Patient", "1"));
  EXPECT_EQ(server.requests().at(0).headers.count("authorization"), 0u);
  EXPECT_EQ(server.requests().at(0).target, "/fhir/Patient/1");
}

TEST(RestFhirClient, TakesOnlyWhatWasAskedFor) {
  const std::string outcome = R"({"resourceType":"OperationOutcome","id":"1"})";
  const std::string not_it = "failed (the answer is not the resource that was asked for)";
  const std::string not_json = "failed (the answer is not a JSON object, or too deep)";
  struct {
    std::string query;
    int status;
    std::string body, expected;
  } const rows[] = {
      {"Patient/1", 200, Resource("Patient", "2"), not_it},
      {"Patient/1", 200, Resource("Practitioner", "1"), not_it},
      {"Patient/1", 200, R"({"resourceType":"Patient"})", not_it},
      {"Patient/1", 200, R"({"resourceType":"Patient","id":1})", not_it},
      {"Patient/1", 200, "[]", not_json},
      {"Patient/1", 200, "null", not_json},
      {"Patient/1", 200, "<html>canary</html>", not_json},
      {"Patient/1", 200, "", not_json},
      {"Patient/1", 200, Resource("Patient", "1").substr(0, 20), not_json},
      {"Patient/1", 200, R"({"resourceType":"Patient","id":"1","id":"1"})", not_json},
      {"Patient/1", 200,
       "{\"resourceType\":\"Patient\",\"id\":\"1\",\"x\":" + std::string(200, '[') + std::string(200, ']') +
           "}",
       not_json},
      {"Patient/1", 200, outcome, "failed (the answer is an OperationOutcome)"},
      {"Patient/1", 201, Resource("Patient", "1"), "failed (the server answered with status 201)"},
      {"Patient/1", 204, "", "failed (the server answered with status 204)"},
      {"Patient/1", 401, outcome, "failed (the server answered with status 401)"},
      {"Patient/1", 403, outcome, "failed (the server answered with status 403)"},
      {"Patient/1", 500, outcome, "failed (the server answered with status 500)"},
      {"Patient/1", 404, outcome, "not there"},
      {"Condition?patient=1", 404, outcome, "failed (the server answered with status 404)"},
      {"Condition?patient=1", 410, outcome, "failed (the server answered with status 410)"},
      {"Condition?patient=1", 200, outcome, "failed (the answer is no Bundle)"},
      {"Condition?patient=1", 200, Resource("Condition", "1"), "failed (the answer is no Bundle)"},
      {"Condition?patient=1", 200, "[]", "failed (the answer is not a JSON object)"},
      {"Condition?patient=1", 200, "garbage", "failed (the answer is not a JSON object)"},
      {"Condition?patient=1", 200, R"({"resourceType":"Bundle","entry":["canary"]})",
       "failed (the answer is a Bundle whose links or entries are no objects)"},
  };
  for (const auto& row : rows) {
    FakeHttpServer server(
        [&](const FakeRequest&) { return FakeReply{.status = row.status, .body = row.body}; });
    EXPECT_EQ(Fetch(*MakeClient(Trusting(server)), server, row.query), row.expected) << row.query << row.body;
  }
}

TEST(RestFhirClient, RefusesWhatIsNoQuery) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{}; });
  const auto client = MakeClient(Trusting(server));
  for (const char* query :
       {"", "patient/1", "Patient/", "Patient/1/x", "Patient/1?x=y", "Patient/..", "Patient/a%2fb",
        "Patient/a b", "Patient/canary\xE2\x80\x91", "../Patient/1", "/Patient/1",
        "http://evil.example/Patient/1", "metadata", "Patient/$everything", "Patient1", "?x=y"}) {
    EXPECT_EQ(
        Fetch(*client, server, query),
        "failed (the query is neither a read such as Patient/1 nor a search such as Observation?patient=1)")
        << query;
  }
  EXPECT_EQ(Fetch(*client, server, "Patient?canary=\r\nHost: x"),
            "failed (the URL has a control character in its query)");
  EXPECT_TRUE(server.requests().empty());
  EXPECT_TRUE(Start(*client, At(server), {}, Later()).get().empty());
}

TEST(RestFhirClient, CallsOnlyServersOnItsList) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{}; });
  const auto client = MakeClient(Trusting(server));
  const std::string not_allowed = "failed (the URL is not of a server that may be called)";
  const std::string no_url = "failed (the base URL of the server may not be called)";
  const std::pair<std::string, std::string> rows[] = {
      {server.Url("/other"), not_allowed},
      {server.Url("/fhirevil"), not_allowed},
      {server.Url("/"), not_allowed},
      {server.Url("/fhir", "localhost"), not_allowed},
      {"http://169.254.169.254/latest/meta-data", not_allowed},
      {server.Url("/fhir/../other"), no_url},
      {server.Url("/fhir?x=y"), no_url},
      {"http://user:canary@127.0.0.1/fhir", no_url},
      {"", no_url},
  };
  for (const auto& [base_url, expected] : rows) {
    const auto results =
        Start(*client, {.base_url = base_url, .access_token = std::string(kToken)},
              {{.key = "a", .query = "Patient/1"}, {.key = "b", .query = "Patient?x=y"}}, Later())
            .get();
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(Text(results[0]), expected) << base_url;
    EXPECT_EQ(Text(results[1]), expected) << base_url;
  }
  EXPECT_TRUE(server.requests().empty());
  EXPECT_EQ(client->stats().problems[static_cast<std::size_t>(FhirProblem::kRefused)], 2 * std::size(rows));
  // A token with a line break would become a header of its own.
  EXPECT_EQ(Text(Start(*client, {.base_url = server.Url("/fhir"), .access_token = "canary\r\nX-Evil: 1"},
                       {{.key = "a", .query = "Patient/1"}}, Later())
                     .get()
                     .at(0)),
            "failed (a header of the call may not be sent)");
  EXPECT_TRUE(server.requests().empty());
}

TEST(RestFhirClient, FallsBackFromPostToGetAndRemembers) {
  for (const int status : {404, 405, 415, 501}) {
    FakeHttpServer server([&](const FakeRequest& request) {
      if (request.method == "POST") return FakeReply{.status = status};
      return FakeReply{.body = request.target.starts_with("/fhir/Nothing") ? "" : Page({})};
    });
    const auto client = MakeClient(Trusting(server));
    const auto targets = [&] {
      std::string out;
      for (const FakeRequest& request : server.requests())
        out += request.method + " " + request.target + "\n";
      return out;
    };
    // Not remembered from a search that GET does not answer either.
    EXPECT_EQ(Fetch(*client, server, "Nothing?a=b"), "failed (the answer is not a JSON object)");
    const std::string first = "POST /fhir/Nothing/_search\nGET /fhir/Nothing?a=b\n";
    EXPECT_EQ(targets(), first);
    EXPECT_EQ(Fetch(*client, server, "Condition?a=b c"), "found " + Page({}));
    EXPECT_EQ(Fetch(*client, server, "Condition"), "found " + Page({}));
    EXPECT_EQ(targets(),
              first + "POST /fhir/Condition/_search\nGET /fhir/Condition?a=b%20c\nGET /fhir/Condition\n");
  }
}

TEST(RestFhirClient, ForgetsWhichServersDoNotPost) {
  FakeHttpServer server([&](const FakeRequest& request) {
    return FakeReply{.status = request.method == "POST" ? 405 : 200, .body = Page({})};
  });
  const auto posts = [&](const FhirClientOptions& options, std::initializer_list<const char*> bases) {
    const auto client = MakeClient(options);
    const std::size_t before = server.requests().size();
    for (const char* base : bases) {
      Start(*client, {.base_url = server.Url(base)}, {{.key = "a", .query = "Condition"}}, Later()).get();
    }
    std::string out;
    const auto requests = server.requests();
    for (std::size_t i = before; i < requests.size(); ++i) out += requests[i].method == "POST" ? 'P' : 'G';
    return out;
  };
  FhirClientOptions options = Trusting(server);
  EXPECT_EQ(posts(options, {"/fhir/a", "/fhir/b", "/fhir/a", "/fhir/b"}), "PGPGGG");
  options.max_remembered_servers = 1;
  EXPECT_EQ(posts(options, {"/fhir/a", "/fhir/b", "/fhir/b", "/fhir/a"}), "PGPGGPG");
  options.remember_no_post_ms = 0;
  EXPECT_EQ(posts(options, {"/fhir/a", "/fhir/a"}), "PGPG");
  options.post_search = false;
  EXPECT_EQ(posts(options, {"/fhir/a", "/fhir/a"}), "GG");
}

const std::string kOne = Resource("Condition", "1", R"(,"x":1.00)"), kTwo = Resource("Condition", "2"),
                  kThree = Resource("Condition", "3", R"(,"x":100000000000000000000.10)");

TEST(RestFhirClient, PutsPagesTogether) {
  for (const bool absolute : {true, false}) {
    FakeHttpServer* at = nullptr;
    FakeHttpServer server([&](const FakeRequest& request) {
      const std::string base = absolute ? at->Url("/fhir") : "";
      if (request.method == "POST") return FakeReply{.body = Page({kOne}, base + "?page=2")};
      if (request.target == (absolute ? "/fhir?page=2" : "/fhir/?page=2"))
        return FakeReply{.body = Page({kOne, kTwo}, absolute ? base + "/x?page=3" : "x?page=3")};
      if (request.target == "/fhir/x?page=3") return FakeReply{.body = Page({kThree})};
      return FakeReply{.status = 400};
    });
    at = &server;
    const auto client = MakeClient(Trusting(server));
    EXPECT_EQ(Fetch(*client, server, "Condition?patient=1"), "found " + Whole({kOne, kTwo, kThree}));
    EXPECT_EQ(server.connections(), 1);
    for (const FakeRequest& request : server.requests())
      EXPECT_EQ(request.Header("authorization"), "Bearer " + std::string(kToken));
    // Of a query with _count the first page is the answer.
    EXPECT_THAT(Fetch(*client, server, "Condition?patient=1&_count=1"),
                HasSubstr("found " + Page({kOne}, absolute ? server.Url("/fhir") + "?page=2" : "?page=2")));
    EXPECT_EQ(server.requests().size(), 4u);
  }
}

TEST(RestFhirClient, GoesOnFromASuppliedPage) {
  FakeHttpServer server([&](const FakeRequest& request) {
    if (request.target == "/fhir?page=2") return FakeReply{.body = Page({kTwo})};
    return FakeReply{.status = 400};
  });
  const auto client = MakeClient(Trusting(server));
  EXPECT_EQ(Fetch(*client, server, "Condition?patient=1", Page({kOne}, server.Url("/fhir?page=2"))),
            "found " + Whole({kOne, kTwo}));
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].method, "GET");
  EXPECT_EQ(Fetch(*client, server, "Condition?patient=1", Page({kOne})), "found " + Page({kOne}));
  EXPECT_EQ(Fetch(*client, server, "Condition?patient=1", "{}"),
            "failed (the first page that was supplied is no Bundle)");
  const std::string outside = Page({kOne}, "https://evil.example/fhir?page=2");
  EXPECT_EQ(Fetch(*client, server, "Condition?patient=1", outside),
            "partial " + outside + " (the next page lies outside the base URL of the server)");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(RestFhirClient, DeclaresWhatIsIncomplete) {
  FakeHttpServer foreign([](const FakeRequest&) { return FakeReply{.body = Page({kTwo})}; });
  const auto run = [&](const std::string& next, const FakeReply& second, const FhirClientOptions& changes) {
    FakeHttpServer* at = nullptr;
    std::atomic<int> gets{0};
    FakeHttpServer server([&](const FakeRequest& request) {
      if (request.method == "POST") return FakeReply{.body = Page({kOne}, next)};
      return ++gets > 5 ? FakeReply{.status = 418} : second;
    });
    at = &server;
    FhirClientOptions options = Trusting(*at);
    options.http.servers.push_back(foreign.Url("/fhir"));  // allowed, and still not this server
    options.max_pages = changes.max_pages;
    options.max_entries = changes.max_entries;
    options.max_response_bytes = changes.max_response_bytes;
    options.max_total_bytes = changes.max_total_bytes;
    const auto client = MakeClient(options);
    return Fetch(*client, server, "Condition?patient=1");
  };
  const std::string first = Page({kOne}, "?page=2");
  const auto first_but = [&](const std::string& next, const std::string& why) {
    return "partial " + Page({kOne}, next) + " (" + why + ")";
  };
  const std::string outside = "the next page lies outside the base URL of the server";
  for (const std::string& next : {foreign.Url("/fhir?page=2"), std::string("https://127.0.0.1/fhir?page=2"),
                                  std::string("/other?page=2"), std::string("/fhirevil"), std::string("../x"),
                                  std::string("//evil.example/fhir"), std::string("file:///etc/passwd")}) {
    EXPECT_EQ(run(next, {.body = Page({kTwo})}, {}), first_but(next, outside));
  }
  EXPECT_TRUE(foreign.requests().empty());
  EXPECT_EQ(run("?page=2", {.status = 500}, {}), first_but("?page=2", "the server answered with status 500"));
  EXPECT_EQ(run("?page=2", {.body = "garbage"}, {}), first_but("?page=2", "the answer is not a JSON object"));
  EXPECT_EQ(run("?page=2", {.body = kTwo}, {}), first_but("?page=2", "the answer is no Bundle"));
  EXPECT_EQ(run("?page=2", {.hang_up = true}, {}),
            first_but("?page=2", "the server closed the connection without an answer"));
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo}) + std::string(2000, ' ')}, {.max_response_bytes = 1000}),
            first_but("?page=2", "the answer is larger than its limit"));
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo})}, {.max_total_bytes = first.size() + 20}),
            first_but("?page=2", "the answer is larger than its limit"));
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo}, "?page=2")}, {}),
            "partial " + Whole({kOne, kTwo}, "?page=2") + " (the pages of the answer go round in a circle)");
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo}, "?page=3")}, {.max_pages = 2}),
            "partial " + Whole({kOne, kTwo}, "?page=3") + " (there are more pages than the limit of 2)");
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo})}, {.max_pages = 2}), "found " + Whole({kOne, kTwo}));
  EXPECT_EQ(run("?page=2", {.body = Page({kTwo}, "?page=3")}, {.max_entries = 1}),
            first_but("?page=2", "there are more entries than the limit of 1"));
}

TEST(RestFhirClient, LimitsBytes) {
  FakeHttpServer server([](const FakeRequest& request) {
    const std::string body =
        Resource("Patient", request.target.substr(14), ",\"x\":\"" + std::string(500, 'x') + "\"");
    if (request.target == "/fhir/Patient/bomb") {
      return FakeReply{
          .body = Gzip(Resource("Patient", "bomb", ",\"x\":\"" + std::string(4 << 20, 'x') + "\"")),
          .headers = {{"Content-Encoding", "gzip"}}};
    }
    return FakeReply{.body = body};
  });
  FhirClientOptions options = Trusting(server);
  options.max_response_bytes = 1000;
  options.max_total_bytes = 1500;
  const auto client = MakeClient(options);
  EXPECT_EQ(Fetch(*client, server, "Patient/bomb"), "failed (the answer is larger than its limit)");
  const auto results =
      Start(*client, At(server), std::vector<FhirQuery>(4, {.key = "a", .query = "Patient/1"}), Later())
          .get();
  EXPECT_EQ(std::count_if(results.begin(), results.end(),
                          [](const FhirResult& result) { return result.state == FhirState::kFound; }),
            2);
  EXPECT_EQ(client->stats().problems[static_cast<std::size_t>(FhirProblem::kLimit)], 3u);
}

TEST(RestFhirClient, TriesAgainWithinTheDeadline) {
  struct {
    FakeReply first;
    std::int64_t max_retries;
    std::string expected;
    std::size_t requests;
  } const rows[] = {
      {{.status = 503}, 1, "found", 2},
      {{.status = 502}, 1, "found", 2},
      {{.status = 504}, 1, "found", 2},
      {{.status = 429, .headers = {{"Retry-After", "0"}}}, 1, "found", 2},
      {{.status = 503, .headers = {{"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"}}}, 1, "found", 2},
      {{.status = 503, .headers = {{"Retry-After", "3600"}}},
       1,
       "failed (the server answered with status 503)",
       1},
      {{.status = 503, .headers = {{"Retry-After", "99999999999999999999"}}}, 1, "found", 2},
      {{.status = 503}, 0, "failed (the server answered with status 503)", 1},
      {{.status = 500}, 1, "failed (the server answered with status 500)", 1},
      {{.hang_up = true}, 1, "found", 2},
      {{.hang_up = true}, 0, "failed (the server closed the connection without an answer)", 1},
      {{.body = "12345", .cut_after = 3},
       1,
       "failed (the connection broke off before the answer was complete)",
       1},
  };
  for (const auto& row : rows) {
    std::atomic<int> calls{0};
    FakeHttpServer server([&](const FakeRequest&) {
      return ++calls == 1 ? row.first : FakeReply{.body = Resource("Patient", "1")};
    });
    FhirClientOptions options = Trusting(server);
    options.max_retries = row.max_retries;
    const auto client = MakeClient(options);
    EXPECT_EQ(Fetch(*client, server, "Patient/1").substr(0, row.expected.size()), row.expected);
    EXPECT_EQ(server.requests().size(), row.requests) << row.expected << row.first.status;
    EXPECT_EQ(client->stats().retries, row.requests - 1);
  }
}

TEST(RestFhirClient, FollowsRedirectsOfItsOwnServerOnly) {
  FakeHttpServer foreign([](const FakeRequest&) { return FakeReply{.body = Resource("Patient", "1")}; });
  FakeHttpServer server([&](const FakeRequest& request) {
    const auto to = [](std::string where, int status = 302) {
      return FakeReply{.status = status, .headers = {{"Location", std::move(where)}}};
    };
    const std::string id = request.target.substr(request.target.rfind('/') + 1);
    if (id == "relative") return to("moved", 301);
    if (id == "rooted") return to("/fhir/v2/moved", 307);
    if (id == "moved") return FakeReply{.body = Resource("Patient", "relative")};
    if (id == "foreign") return to(foreign.Url("/fhir/Patient/1"));
    if (id == "outside") return to("/other");
    if (id == "loop") return to("loop", 308);
    return to("moved", 303);
  });
  FhirClientOptions options = Trusting(server);
  options.http.servers.push_back(foreign.Url());  // allowed, and still another server
  const auto client = MakeClient(options);
  EXPECT_EQ(Fetch(*client, server, "Patient/relative"), "found " + Resource("Patient", "relative"));
  EXPECT_EQ(Fetch(*client, server, "Patient/rooted"),
            "failed (the answer is not the resource that was asked for)");
  const std::string elsewhere = "failed (the server redirects to where this client does not follow)";
  EXPECT_EQ(Fetch(*client, server, "Patient/foreign"), elsewhere);
  EXPECT_EQ(Fetch(*client, server, "Patient/outside"),
            "failed (the URL is not of a server that may be called)");
  const std::size_t before = server.requests().size();
  EXPECT_EQ(Fetch(*client, server, "Patient/loop"), "failed (the server redirects too often)");
  EXPECT_EQ(server.requests().size(), before + 4);
  EXPECT_EQ(Fetch(*client, server, "Condition?a=b"),
            "failed (the server answered with status 303)");  // a POST
  EXPECT_TRUE(foreign.requests().empty());
}

TEST(RestFhirClient, IsDoneAtTheDeadline) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.never = true}; });
  const auto client = MakeClient(Trusting(server));
  const std::string first = Page({kOne}, "?page=2");
  const auto results = Start(*client, At(server),
                             {{.key = "a", .query = "Patient/1"},
                              {.key = "b", .query = "Condition?patient=1"},
                              {.key = "c", .query = "Condition?patient=1", .first_page = first}},
                             In(milliseconds(100)))
                           .get();
  EXPECT_EQ(Text(results.at(0)), "failed (did not answer in time)");
  EXPECT_EQ(Text(results.at(1)), "failed (did not answer in time)");
  EXPECT_EQ(Text(results.at(2)), "partial " + first + " (did not answer in time)");
}

TEST(RestFhirClient, FetchesConcurrently) {
  constexpr std::size_t kQueries = 6;
  FakeHttpServer* at = nullptr;
  FakeHttpServer server([&](const FakeRequest& request) {
    at->WaitForRequests(kQueries);  // none is answered before all have been asked
    return FakeReply{.body = Resource("Patient", request.target.substr(14))};
  });
  at = &server;
  const auto client = MakeClient(Trusting(server));
  std::vector<FhirQuery> queries;
  for (std::size_t i = 0; i < kQueries; ++i)
    queries.push_back({.key = std::to_string(i), .query = "Patient/" + std::to_string(i)});
  const auto results = Start(*client, At(server), queries, Later()).get();
  for (std::size_t i = 0; i < kQueries; ++i)
    EXPECT_EQ(Text(results.at(i)), "found " + Resource("Patient", std::to_string(i)));
}

TEST(RestFhirClient, ServesManyFetchesConcurrently) {
  FakeHttpServer server([&](const FakeRequest& request) {
    if (request.method == "POST") return FakeReply{.body = Page({kOne}, "?page=2")};
    if (request.target == "/fhir/?page=2") return FakeReply{.body = Page({kTwo})};
    return FakeReply{.body = Resource("Patient", "1")};
  });
  const auto client = MakeClient(Trusting(server));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto results =
            Start(*client, At(server),
                  {{.key = "a", .query = "Patient/1"}, {.key = "b", .query = "Condition?patient=1"}}, Later())
                .get();
        good += Text(results.at(0)) == "found " + Resource("Patient", "1") &&
                Text(results.at(1)) == "found " + Whole({kOne, kTwo});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
  EXPECT_EQ(client->stats().calls, 120u);
}

TEST(RestFhirClient, IsDoneWhenItIsDestroyed) {
  FakeHttpServer server([&](const FakeRequest& request) {
    if (request.method == "POST") return FakeReply{.body = Page({kOne}, "?page=2")};
    return FakeReply{.never = true};
  });
  auto client = MakeClient(Trusting(server));
  auto future =
      Start(*client, At(server),
            {{.key = "a", .query = "Patient/1"}, {.key = "b", .query = "Condition?patient=1"}}, Later());
  ASSERT_TRUE(server.WaitForRequests(3));
  client.reset();
  const auto results = future.get();
  EXPECT_EQ(Text(results.at(0)), "failed (the client is stopping)");
  EXPECT_EQ(Text(results.at(1)), "partial " + Page({kOne}, "?page=2") + " (the client is stopping)");
}

TEST(RestFhirClient, NamesItsProblems) {
  std::string names;
  for (std::size_t i = 0; i < kFhirProblemCount; ++i)
    names += std::string(FhirProblemName(static_cast<FhirProblem>(i))) + " ";
  EXPECT_EQ(names, "refused unavailable status limit content ");
}

}  // namespace
}  // namespace stepwise::rest
