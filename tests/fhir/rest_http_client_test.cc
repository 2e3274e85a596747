#include <gmock/gmock.h>

#include <future>

#include "fhir/rest/http_client.h"
#include "tests/fhir/fake_http_server.h"

namespace stepwise::rest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

HttpCall::Time In(milliseconds time) { return std::chrono::steady_clock::now() + time; }
HttpCall::Time Later() { return In(seconds(60)); }

HttpClientOptions Trusting(const FakeHttpServer& server) {
  return {.servers = {server.Url()}, .allowed_networks = {"127.0.0.0/8"}, .connect_timeout_ms = 30'000};
}

std::unique_ptr<HttpClient> MakeClient(const HttpClientOptions& options) {
  auto client = HttpClient::Make(options);
  if (!client) ADD_FAILURE() << client.error().message;
  return std::move(*client);
}

std::future<Result<HttpReply>> Start(HttpClient& client, HttpCall call) {
  auto promise = std::make_shared<std::promise<Result<HttpReply>>>();
  auto future = promise->get_future();
  client.Start(std::move(call), [promise](Result<HttpReply> reply) { promise->set_value(std::move(reply)); });
  return future;
}

Result<HttpReply> Ask(HttpClient& client, HttpCall call) { return Start(client, std::move(call)).get(); }

std::string Outcome(const Result<HttpReply>& reply) {
  return reply ? std::to_string(reply->status) + " " + reply->body
               : std::string(CodeName(reply.error().code)) + ": " + reply.error().message;
}

TEST(RestHttpClient, GetsAndPosts) {
  FakeHttpServer server([](const FakeRequest& request) {
    return FakeReply{.status = request.method == "POST" ? 201 : 302,
                     .body = request.method + " " + request.body,
                     .headers = {{"content-TYPE", " text/plain "}, {"Location", "/x"}, {"Retry-After", "3"}}};
  });
  const auto client = MakeClient(Trusting(server));
  const auto got =
      Ask(*client, {.url = server.Url("/a?b=c"), .headers = {{"X-A", "1"}}, .deadline = Later()});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(Outcome(got), "302 GET ");
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_EQ(got->location, "/x");
  EXPECT_EQ(got->retry_after, "3");
  const std::string body(100'000, 'b');
  EXPECT_EQ(
      Outcome(Ask(*client,
                  {.method = HttpMethod::kPost, .url = server.Url("/p"), .body = body, .deadline = Later()})),
      "201 POST " + body);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].target, "/a?b=c");
  EXPECT_EQ(requests[0].Header("x-a"), "1");
  EXPECT_EQ(requests[0].Header("accept-encoding"), "gzip, deflate");
  EXPECT_EQ(requests[1].headers.count("expect"), 0u);
  EXPECT_EQ(requests[1].headers.count("cookie"), 0u);
}

TEST(RestHttpClient, UsesConnectionsAgain) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok"}; });
  const auto client = MakeClient(Trusting(server));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Outcome(Ask(*client, {.url = server.Url("/"), .deadline = Later()})), "200 ok");
  EXPECT_EQ(server.connections(), 1);
  const HttpClientStats stats = client->stats();
  EXPECT_EQ(stats.calls, 5u);
  EXPECT_EQ(stats.replies, 5u);
  EXPECT_EQ(stats.connections, 1u);
  EXPECT_EQ(stats.bytes, 10u);
  EXPECT_EQ(stats.in_flight, 0u);
}

// A server may close a connection that was kept; a call that meets the closed one is sent again.
TEST(RestHttpClient, SurvivesConnectionsThatWereClosedMeanwhile) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok", .close = true}; });
  const auto client = MakeClient(Trusting(server));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Outcome(Ask(*client, {.url = server.Url("/"), .deadline = Later(), .connect_retries = 1})),
              "200 ok");
}

// All requests are at the server at once before the first is answered, on as many connections.
TEST(RestHttpClient, CallsConcurrently) {
  constexpr std::size_t kCalls = 8;
  FakeHttpServer* at = nullptr;
  FakeHttpServer server([&](const FakeRequest& request) {
    at->WaitForRequests(kCalls);
    return FakeReply{.body = request.target};
  });
  at = &server;
  const auto client = MakeClient(Trusting(server));
  std::vector<std::future<Result<HttpReply>>> replies;
  for (std::size_t i = 0; i < kCalls; ++i)
    replies.push_back(Start(*client, {.url = server.Url("/" + std::to_string(i)), .deadline = Later()}));
  for (std::size_t i = 0; i < kCalls; ++i) EXPECT_EQ(Outcome(replies[i].get()), "200 /" + std::to_string(i));
  EXPECT_EQ(server.connections(), static_cast<int>(kCalls));
}

TEST(RestHttpClient, KeepsToItsConnectionsUnderConcurrentCalls) {
  std::atomic<int> now{0}, most{0};
  FakeHttpServer server([&](const FakeRequest&) {
    const int current = ++now;
    int seen = most;
    while (seen < current && !most.compare_exchange_weak(seen, current)) {
    }
    std::this_thread::yield();
    --now;
    return FakeReply{.body = "ok"};
  });
  HttpClientOptions options = Trusting(server);
  options.max_connections_per_host = 2;
  const auto client = MakeClient(options);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<std::future<Result<HttpReply>>> replies;
      replies.reserve(10);
      for (int i = 0; i < 10; ++i)
        replies.push_back(Start(*client, {.url = server.Url("/"), .deadline = Later()}));
      for (auto& reply : replies) good += Outcome(reply.get()) == "200 ok";
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
  EXPECT_LE(most, 2);
  EXPECT_LE(server.connections(), 2);
}

TEST(RestHttpClient, CallsFurtherFromDone) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok"}; });
  const auto client = MakeClient(Trusting(server));
  std::promise<int> end;
  std::function<void(int)> next = [&](int left) {
    client->Start({.url = server.Url("/"), .deadline = Later()}, [&, left](const Result<HttpReply>& reply) {
      if (!reply || left == 0) return end.set_value(left);
      next(left - 1);
    });
  };
  next(4);
  EXPECT_EQ(end.get_future().get(), 0);
}

TEST(RestHttpClient, RefusesWhatMayNotBeCalled) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{}; });
  HttpClientOptions options = Trusting(server);
  options.servers = {server.Url("/fhir")};
  const auto client = MakeClient(options);
  const std::string not_allowed = "invalid-argument: the URL is not of a server that may be called";
  struct {
    std::string url, expected;
  } const rows[] = {
      {server.Url("/other"), not_allowed},
      {server.Url("/fhirevil"), not_allowed},
      {server.Url("/fhir", "localhost"), not_allowed},
      {"http://127.0.0.1/fhir", not_allowed},
      {"https://127.0.0.1:" + std::to_string(server.port()) + "/fhir", not_allowed},
      {"file:///etc/passwd", "invalid-argument: the URL has a scheme other than http and https"},
      {server.Url("/fhir/../x"), "invalid-argument: the URL has '.' or '..' as a segment of its path"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Outcome(Ask(*client, {.url = row.url, .deadline = Later()})), row.expected) << row.url;
  const std::pair<std::string, std::string> headers[] = {
      {"X-A", "1\r\nX-B: 2"},        {"X-A", "1\n"}, {"X A", "1"}, {"X-A:", "1"}, {"", "1"}, {"X-A", ""},
      {"X-A", std::string("1\0", 2)}};
  for (const auto& header : headers) {
    EXPECT_EQ(Outcome(Ask(*client, {.url = server.Url("/fhir"), .headers = {header}, .deadline = Later()})),
              "invalid-argument: a header of the call may not be sent");
  }
  EXPECT_TRUE(server.requests().empty());
}

// The name is allowed; where it leads is not, whatever the resolver says by then.
TEST(RestHttpClient, RefusesAddressesThatAreNotListed) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok"}; });
  HttpClientOptions options = Trusting(server);
  options.servers = {server.Url(), server.Url("", "localhost")};
  const HttpCall by_name = {.url = server.Url("/", "localhost"), .deadline = Later(), .connect_retries = 3};
  const HttpCall by_address = {.url = server.Url("/"), .deadline = Later(), .connect_retries = 3};
  const auto trusting = MakeClient(options);
  EXPECT_EQ(Outcome(Ask(*trusting, by_name)), "200 ok");
  EXPECT_EQ(server.connections(), 1);
  options.allowed_networks = {"10.0.0.0/8"};
  const auto wary = MakeClient(options);
  for (const HttpCall& call : {by_name, by_address}) {
    EXPECT_EQ(Outcome(Ask(*wary, call)),
              "invalid-argument: the name of the server leads to an address that may not be called");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(wary->stats().connections, 0u);
}

TEST(RestHttpClient, EndsAtTheDeadline) {
  FakeHttpServer server([](const FakeRequest& request) {
    if (request.target == "/never") return FakeReply{.never = true};
    return FakeReply{.body = std::string(10, 'x'), .content_length = 1000};  // the rest never comes
  });
  HttpClientOptions options = Trusting(server);
  options.max_connections_per_host = 1;  // so that one of the calls waits for a connection
  const auto client = MakeClient(options);
  std::vector<std::future<Result<HttpReply>>> replies;
  for (const char* path : {"/never", "/partly", "/never"})
    replies.push_back(Start(*client, {.url = server.Url(path), .deadline = In(milliseconds(100))}));
  replies.push_back(Start(*client, {.url = server.Url("/"), .deadline = In(milliseconds(0))}));
  replies.push_back(
      Start(*client, {.url = server.Url("/"), .deadline = In(milliseconds(50)), .not_before = Later()}));
  for (auto& reply : replies) EXPECT_EQ(Outcome(reply.get()), "unavailable: did not answer in time");
}

TEST(RestHttpClient, DecompressesAndCountsWhatIsDecompressed) {
  const std::string text(1000, 'a');
  FakeHttpServer server([&](const FakeRequest& request) {
    const std::string body = request.target == "/bomb" ? std::string(8 << 20, '0') : text;
    if (request.target == "/plain") return FakeReply{.body = body};
    if (request.target == "/broken")
      return FakeReply{.body = "this is no gzip", .headers = {{"Content-Encoding", "gzip"}}};
    return FakeReply{.body = Gzip(body), .headers = {{"Content-Encoding", "gzip"}}};
  });
  const auto client = MakeClient(Trusting(server));
  const auto run = [&](std::string_view path, std::size_t limit) {
    return Outcome(Ask(*client, {.url = server.Url(path), .deadline = Later(), .max_response_bytes = limit}));
  };
  const std::string too_large = "limit: the answer is larger than its limit";
  EXPECT_EQ(run("/gzip", 1000), "200 " + text);
  EXPECT_EQ(run("/gzip", 999), too_large);
  EXPECT_EQ(run("/plain", 1000), "200 " + text);
  EXPECT_EQ(run("/plain", 999), too_large);
  EXPECT_EQ(run("/bomb", 64 << 10), too_large);
  EXPECT_LT(client->stats().bytes, 128u << 10);  // the bomb did not go off
  EXPECT_EQ(run("/broken", 1000), "unavailable: the answer could not be decompressed");
}

TEST(RestHttpClient, SharesABudget) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = std::string(400, 'x')}; });
  const auto client = MakeClient(Trusting(server));
  const auto budget = std::make_shared<std::atomic<std::int64_t>>(1000);
  const HttpCall call = {.url = server.Url("/"), .deadline = Later(), .budget = budget};
  EXPECT_TRUE(Ask(*client, call));
  EXPECT_TRUE(Ask(*client, call));
  EXPECT_EQ(Outcome(Ask(*client, call)), "limit: the answer is larger than its limit");
}

TEST(RestHttpClient, LimitsHeaders) {
  FakeHttpServer server([](const FakeRequest&) {
    return FakeReply{.headers = {{"X-A", std::string(3000, 'x')}, {"X-B", std::string(3000, 'x')}}};
  });
  HttpClientOptions options = Trusting(server);
  options.max_header_bytes = 4096;
  EXPECT_EQ(Outcome(Ask(*MakeClient(options), {.url = server.Url("/"), .deadline = Later()})),
            "limit: the answer is larger than its limit");
}

TEST(RestHttpClient, SaysWhyThereIsNoAnswer) {
  FakeHttpServer server([](const FakeRequest& request) {
    if (request.target == "/cut") return FakeReply{.body = "1234567890", .cut_after = 3};
    if (request.target == "/lie") return FakeReply{.body = "12345", .content_length = 50, .close = true};
    return FakeReply{.hang_up = true};
  });
  HttpClientOptions options = Trusting(server);
  std::uint16_t closed_port;
  {
    FakeHttpServer gone([](const FakeRequest&) { return FakeReply{}; });
    closed_port = gone.port();
  }
  const std::string closed = "http://127.0.0.1:" + std::to_string(closed_port) + "/";
  options.servers.push_back(closed);
  const auto client = MakeClient(options);
  const std::string broken = "unavailable: the connection broke off before the answer was complete";
  struct {
    std::string url, expected;
  } const rows[] = {
      {server.Url("/cut"), broken},
      {server.Url("/lie"), broken},
      {server.Url("/hang-up"), "unavailable: the server closed the connection without an answer"},
      {closed, "unavailable: the server could not be reached"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Outcome(Ask(*client, {.url = row.url, .deadline = Later()})), row.expected) << row.url;
}

TEST(RestHttpClient, TriesAgainWhenNothingHasCome) {
  std::atomic<int> calls{0};
  FakeHttpServer server([&](const FakeRequest& request) {
    if (++calls < 3) return FakeReply{.hang_up = true};
    if (request.target == "/cut") return FakeReply{.body = "1234567890", .cut_after = 3};
    return FakeReply{.body = "ok"};
  });
  const auto client = MakeClient(Trusting(server));
  const auto reply = Ask(*client, {.url = server.Url("/"), .deadline = Later(), .connect_retries = 2});
  EXPECT_EQ(Outcome(reply), "200 ok");
  EXPECT_EQ(reply->retries, 2);
  EXPECT_EQ(client->stats().retries, 2u);
  EXPECT_FALSE(Ask(*client, {.url = server.Url("/cut"), .deadline = Later(), .connect_retries = 2}));
  EXPECT_EQ(calls, 4);  // bytes had come: not tried again
}

TEST(RestHttpClient, AnswersEveryCallWhenItStops) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.never = true}; });
  auto client = MakeClient(Trusting(server));
  std::vector<std::string> outcomes;  // of the client's thread, read when it has ended
  for (int i = 0; i < 3; ++i) {
    client->Start({.url = server.Url("/"), .deadline = Later()}, [&](const Result<HttpReply>& reply) {
      outcomes.push_back(Outcome(reply));
      client->Start({.url = server.Url("/"), .deadline = Later()},
                    [&](const Result<HttpReply>& further) { outcomes.push_back(Outcome(further)); });
    });
  }
  ASSERT_TRUE(server.WaitForRequests(3));
  EXPECT_EQ(client->stats().in_flight, 3u);
  client->Stop();
  EXPECT_EQ(outcomes, std::vector<std::string>(6, "unavailable: the client is stopping"));
  EXPECT_EQ(client->stats().in_flight, 0u);
  client.reset();
}

TEST(RestHttpClient, StopsWhileCallsComeConcurrently) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok"}; });
  auto client = MakeClient(Trusting(server));
  std::atomic<int> started{0}, done{0};
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        ++started;
        client->Start({.url = server.Url("/"), .deadline = Later()},
                      [&](const Result<HttpReply>&) { ++done; });
      }
    });
  }
  server.WaitForRequests(5);
  client->Stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(started, 150);
  EXPECT_EQ(done, 150);
}

TEST(RestHttpClient, RefusesMoreCallsThanItTakes) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.never = true}; });
  HttpClientOptions options = Trusting(server);
  options.max_calls = 2;
  const auto client = MakeClient(options);
  const HttpCall call = {.url = server.Url("/"), .deadline = Later()};
  const auto first = Start(*client, call), second = Start(*client, call);
  EXPECT_EQ(Outcome(Ask(*client, call)), "unavailable: too many calls are under way");
  client->Stop();
}

TEST(RestHttpClient, ChecksCertificates) {
  FakeHttpServer server([](const FakeRequest&) { return FakeReply{.body = "ok"}; }, /*tls=*/true);
  HttpClientOptions options = Trusting(server);
  options.servers = {server.Url("", "localhost"), server.Url()};
  const HttpCall by_name = {.url = server.Url("/", "localhost"), .deadline = Later()};
  const std::string untrusted = "unavailable: the certificate of the server is not trusted";
  EXPECT_EQ(Outcome(Ask(*MakeClient(options), by_name)), untrusted);
  options.ca_file = server.ca_file();
  const auto client = MakeClient(options);
  EXPECT_EQ(Outcome(Ask(*client, by_name)), "200 ok");
  // The certificate is for localhost.
  EXPECT_EQ(Outcome(Ask(*client, {.url = server.Url("/"), .deadline = Later()})), untrusted);
}

TEST(RestHttpClient, NamesTheSettingThatIsWrong) {
  EXPECT_EQ(HttpClient::Make({.servers = {"x"}}).error().message,
            "server `x`: the URL is not absolute; it begins with http:// or https://");
  EXPECT_EQ(HttpClient::Make({.allowed_networks = {"x"}}).error().message,
            "network `x` is no CIDR block such as 10.1.0.0/16 or fd00::/8");
  EXPECT_EQ(HttpClient::Make({.ca_file = "/nowhere/ca.pem"}).error().message,
            "cannot read the CA file /nowhere/ca.pem");
}

}  // namespace
}  // namespace stepwise::rest
