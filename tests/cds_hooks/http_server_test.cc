// HttpServer over real sockets: what HTTP/1.1 asks for, limits, the queue of evaluations, and stopping.

#include "cds_hooks/http_server.h"

#include <condition_variable>
#include <csignal>
#include <future>
#include <thread>

#include "tests/cds_hooks/server_fixture.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kLive = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

// Evaluations that wait for the test.
class GatedEvaluator : public FakeEvaluator {
 public:
  Result<rules::Decision> Evaluate(const Document& document, const DateTime& now,
                                   const rules::EvaluateOptions& options) override {
    {
      std::unique_lock lock(gate_mutex_);
      ++waiting;
      gate_.wait(lock, [this] { return open_; });
    }
    return FakeEvaluator::Evaluate(document, now, options);
  }
  void Open() {
    const std::lock_guard lock(gate_mutex_);
    open_ = true;
    gate_.notify_all();
  }
  std::atomic<int> waiting = 0;

 private:
  std::mutex gate_mutex_;
  std::condition_variable gate_;
  bool open_ = false;
};

class HttpServerTest : public ServerFixture {
 protected:
  ~HttpServerTest() override { Stop(); }

  // Answers wait until the test gives them.
  void HoldAnswers() {
    handler_.handle = [this](const HttpRequest&, const Respond& respond) {
      const std::lock_guard lock(mutex_);
      held_.push_back(respond);
    };
  }
  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  std::vector<Respond> TakeHeld() {
    const std::lock_guard lock(mutex_);
    return std::exchange(held_, {});
  }

  GatedEvaluator gated_;
  std::vector<Respond> held_;  // guarded by mutex_
};

TEST_F(HttpServerTest, KeepsAliveAndPipelinesInOrder) {
  Start();
  HttpClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send(Post(OrderSignRequest()));
    EXPECT_EQ(StatusOf(client.Receive()), 200);
  }
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += i % 2 == 0 ? Post(OrderSignRequest()) : Post("{}");
  client.Send(burst + "GET /cds-services HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(StatusOf(client.Receive()), i % 2 == 0 ? 200 : 400);
  const std::string last = client.Receive();
  EXPECT_EQ(StatusOf(last), 200);
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  EXPECT_NE(last.find("Access-Control-Allow-Origin: *"), std::string::npos);
  EXPECT_TRUE(client.AtEnd());
  ExpectSoon(
      [&] {
        const std::lock_guard lock(mutex_);
        return statuses_.size() == 24;
      },
      "the observer hears of all");
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  HttpClient client(port_);
  client.Send(
      "HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\nHEAD /nope HTTP/1.1\r\nHost: x\r\nConnection: "
      "close\r\n\r\n");
  const std::string all = client.ReceiveAll();
  EXPECT_EQ(StatusOf(all), 200);
  EXPECT_NE(all.find("HTTP/1.1 404"), std::string::npos);
  EXPECT_EQ(all.find('{'), std::string::npos) << all;
}

// Each of these is answered once and the connection closed, whatever comes behind it: where it could be read
// as the start of a request, nobody reads it.
TEST_F(HttpServerTest, RefusesWhatTwoServersMayReadDifferently) {
  options_.max_body_bytes = 1 << 20;
  options_.max_header_bytes = 4096;
  Start();
  const std::string get = "GET /health/live HTTP/1.1\r\nHost: x\r\n";
  const std::string post = "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const struct {
    const char* name;
    std::string bytes;
    int status;
  } rows[] = {
      {"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"authority-form", "GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no Host", "GET /health/live HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", get + "Host: y\r\n\r\n", 400},
      {"two Authorizations", get + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400},
      {"folded line", get + "X: a\r\n b\r\n\r\n", 400},
      {"lone LF", "GET /health/live HTTP/1.1\nHost: x\n\n", 400},
      {"lone LF at the end", get + "X: y\r\n\n", 400},
      {"lone CR", get + "X: a\rContent-Length: 5\r\n\r\n", 400},
      {"NUL", get + "X: a" + std::string(1, '\0') + "\r\n\r\n", 400},
      {"space before the colon", post + "Content-Length : 5\r\n\r\n12345", 400},
      {"name that is no token", get + "X[Y]: a\r\n\r\n", 400},
      {"length and chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunks and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"the same length twice", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400},
      {"a list of lengths", post + "Content-Length: 2, 2\r\n\r\nab", 400},
      {"negative length", post + "Content-Length: -1\r\n\r\n", 400},
      {"signed length", post + "Content-Length: +1\r\n\r\na", 400},
      {"hexadecimal length", post + "Content-Length: 0x2\r\n\r\nab", 400},
      {"length past 64 bits", post + "Content-Length: 18446744073709551617\r\n\r\na", 400},
      {"length of 64 bits", post + "Content-Length: 18446744073709551615\r\n\r\na", 413},
      {"gzip", post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"identity", post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {"chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501},
      {"two Transfer-Encodings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400},
      {"a coding like chunked", post + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
      {"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunk that is no number", chunked + "zz\r\n", 400},
      {"negative chunk", chunked + "-1\r\n", 400},
      {"chunk past 64 bits", chunked + "10000000000000001\r\n", 400},
      {"chunk without its line end", chunked + "2\r\nab3\r\nabc\r\n0\r\n\r\n", 400},
      {"chunk size with a lone LF", chunked + "2\nab\r\n0\r\n\r\n", 400},
      {"one long extension", chunked + "2;x=" + std::string(9000, 'x') + "\r\nab\r\n0\r\n\r\n", 400},
      {"many extensions", PostInChunks(std::string(2000, ' '), 1, ";x=" + std::string(100, 'x')), 400},
      {"long trailer", chunked + "0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 400},
      {"length in the trailer", chunked + "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n", 400},
      {"unknown expectation", post + "Expect: tea\r\nContent-Length: 2\r\n\r\n{}", 417},
      {"long header", get + "X: " + std::string(8192, 'x') + "\r\n\r\n", 431},
      {"endless header", get + "X: " + std::string(100'000, 'x'), 431},
      {"many headers",
       get +
           [] {
             std::string headers;
             for (int i = 0; i < 1000; ++i) headers += "A: b\r\n";
             return headers;
           }() +
           "\r\n",
       431},
      {"2 MB", Post(std::string(2 << 20, ' ')), 413},
      {"20 MB announced", post + "Content-Length: 20971520\r\n\r\n", 413},
      {"2 MB in chunks", PostInChunks(std::string(2 << 20, ' '), 100'000), 413},
      {"a chunk of 2 MB announced", chunked + "200000\r\n", 413},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    HttpClient client(port_);
    client.Send(row.bytes + std::string(kLive));
    client.CloseSending();
    const std::string response = client.Receive();
    EXPECT_EQ(StatusOf(response), row.status) << response.substr(0, 400);
    EXPECT_NE(response.find("Connection: close"), std::string::npos);
    EXPECT_NE(response.find("OperationOutcome"), std::string::npos);
    EXPECT_NE(response.find("Access-Control-Allow-Origin: *"), std::string::npos);
    EXPECT_EQ(client.ReceiveAll(), "") << "only one answer";
    ExpectAlive();
  }
}

// What is unusual and good.
TEST_F(HttpServerTest, AnswersWhatIsUnusual) {
  Start();
  const std::string body = OrderSignRequest();
  const struct {
    const char* name;
    std::string bytes;
    int status;
    bool stays;  // the connection is kept for another request
  } rows[] = {
      {"HTTP/1.0", "GET /health/live HTTP/1.0\r\n\r\n", 200, false},
      {"HTTP/1.0 that stays", "GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true},
      {"absolute-form", "GET http://y:80/health/live HTTP/1.1\r\nHost: x\r\n\r\n", 200, true},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, true},
      {"unknown method", "BREW /health/live HTTP/1.1\r\nHost: x\r\n\r\n", 405, true},
      {"empty line before", "\r\n" + std::string(kLive), 200, true},
      {"Upgrade to HTTP/2",
       "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
       "h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
       200, true},
      {"Upgrade to WebSocket",
       "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200,
       true},
      {"body of a GET", "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /", 200, true},
      {"one chunk", PostInChunks(body, 1 << 20), 200, true},
      {"many chunks", PostInChunks(body, 7), 200, true},
      {"chunks with extensions", PostInChunks(body, 100, ";a=b;c=\"d\""), 200, true},
      {"trailer", PostInChunks(body, 100, "", "Authorization: Bearer x\r\nX: y\r\n"), 200, true},
      {"body in pieces of JSON that is wrong", Post("{\"hook\":\"\xC3\x28\"}"), 400, true},
      {"wrong type", Post(R"({"hook":7})"), 400, true},
      {"no body", Post(""), 400, true},
      {"200 deep", Post("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}"), 413, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    HttpClient client(port_);
    client.Send(row.bytes);
    client.Send(kLive);
    const std::string response = client.Receive();
    EXPECT_EQ(StatusOf(response), row.status) << response.substr(0, 400);
    if (row.stays)
      EXPECT_EQ(StatusOf(client.Receive()), 200);
    else
      EXPECT_TRUE(client.AtEnd());
  }
}

TEST_F(HttpServerTest, TellsTheServiceItsHeaders) {
  handler_.handle = [](const HttpRequest& request, const Respond& respond) {
    HttpResponse response;
    for (const std::string_view value :
         {request.method, request.target, request.content_type, request.content_encoding, request.origin,
          request.authorization, request.traceparent, request.tracestate, request.client_certificate,
          std::string_view(request.body)})
      response.body.append(value).append("|");
    respond(std::move(response));
  };
  Start();
  const struct {
    std::string bytes, says;
  } rows[] = {
      {"PUT /a?b HTTP/1.1\r\nHost: x\r\nContent-Type: t\r\nContent-Encoding: e\r\norigin: "
       "o\r\nAUTHORIZATION: "
       " Bearer z \r\ntraceparent: 00-p\r\nTraceState: s\r\nContent-Length: 2\r\n\r\nhi",
       "PUT|/a?b|t|e|o|Bearer z|00-p|s||hi|"},
      {"GET http://h/p?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET|/p?q|||||||||"},
      {"GET / HTTP/1.1\r\nHost: x\r\ntraceparent: 1\r\ntraceparent: 2\r\ntracestate: s\r\n\r\n",
       "GET|/|||||||||"},
      {"GET / HTTP/1.1\r\nHost: x\r\ntracestate: s\r\n\r\n", "GET|/|||||||||"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nAuthorization: "
       "z\r\nOrigin: o\r\n\r\n",
       "POST|/||||||||hi|"},
  };
  HttpClient client(port_);
  for (const auto& row : rows) {
    client.Send(row.bytes);
    EXPECT_EQ(BodyOf(client.Receive()), row.says) << row.bytes;
  }
}

TEST_F(HttpServerTest, Expect100Continue) {
  Start();
  HttpClient client(port_);
  const std::string request = Post(OrderSignRequest(), "Expect: 100-continue\r\n");
  const std::size_t header = request.find("\r\n\r\n") + 4;
  client.Send(request.substr(0, header));
  EXPECT_EQ(client.Receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send(request.substr(header));
  EXPECT_EQ(StatusOf(client.Receive()), 200);
  client.Send(request);
  EXPECT_EQ(StatusOf(client.Receive()), 200) << "the body is there already";
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_EQ(StatusOf(client.Receive()), 413);
}

TEST_F(HttpServerTest, SlowClientsAreCut) {
  options_.request_timeout_ms = 100;
  options_.idle_timeout_ms = 300;
  options_.min_bytes_per_second = 1 << 20;
  Start();
  HttpClient half(port_), idle(port_), body(port_);
  half.Send("POST /cds-services HTTP/1.1\r\nHost");
  body.Send(Post(OrderSignRequest()).substr(0, 200));
  EXPECT_TRUE(half.AtEnd());
  EXPECT_TRUE(body.AtEnd());
  EXPECT_TRUE(idle.AtEnd());
  ExpectSoon([&] { return server_->stats().timed_out == 3; }, "they are counted");
  ExpectAlive();
}

TEST_F(HttpServerTest, ClientsThatDoNotReadAreCut) {
  options_.request_timeout_ms = 100;
  options_.min_bytes_per_second = 1 << 30;
  handler_.handle = [](const HttpRequest&, const Respond& respond) {
    HttpResponse response;
    response.body = std::string(64 << 20, 'x');  // more than the system buffers
    respond(std::move(response));
  };
  Start();
  HttpClient deaf(port_);
  deaf.Send(kLive);
  ExpectSoon([&] { return server_->stats().timed_out == 1; }, "it is cut");
  ExpectNoConnectionLeft();
}

TEST_F(HttpServerTest, MaxConnectionsMakesRoomOfThoseThatOweARequest) {
  options_.max_connections = 3;
  HoldAnswers();
  Start();
  HttpClient busy(port_);
  busy.Send(kLive);
  ExpectSoon([&] { return held() == 1; }, "the request is being answered");
  HttpClient oldest(port_);
  ExpectSoon([&] { return server_->stats().connections == 2; }, "it is accepted");
  HttpClient half(port_);
  half.Send("GET / HT");
  ExpectSoon([&] { return server_->stats().connections == 3; }, "it is accepted");
  HttpClient third(port_);
  EXPECT_TRUE(oldest.AtEnd());
  HttpClient fourth(port_);
  EXPECT_TRUE(half.AtEnd());
  ExpectSoon([&] { return server_->stats().accepted == 5; }, "all are accepted");
  ExpectSoon([&] { return server_->stats().ended_for_room == 2; }, "two made room");
  for (HttpClient* client : {&third, &fourth}) client->Send(kLive);
  ExpectSoon([&] { return held() == 3; }, "the new ones are served");
  for (const Respond& respond : TakeHeld()) respond({});
  for (HttpClient* client : {&busy, &third, &fourth}) EXPECT_EQ(StatusOf(client->Receive()), 200);
}

TEST_F(HttpServerTest, MaxConnectionsAllBusyWaits) {
  options_.max_connections = 1;
  HoldAnswers();
  Start();
  HttpClient first(port_);
  first.Send(kLive);
  ExpectSoon([&] { return held() == 1; }, "the request is being answered");
  HttpClient second(port_);
  second.Send(kLive);
  ExpectSoon([&] { return server_->stats().accepted == 2; }, "the next one waits");
  EXPECT_EQ(server_->stats().connections, 1u);
  for (const Respond& respond : TakeHeld()) respond({});
  EXPECT_NE(first.Receive().find("Connection: close"), std::string::npos);
  ExpectSoon([&] { return held() == 1; }, "the next one has its turn");
  for (const Respond& respond : TakeHeld()) respond({});
  EXPECT_EQ(StatusOf(second.Receive()), 200);
}

TEST_F(HttpServerTest, MaxConnectionsPerAddress) {
  options_.max_connections_per_address = 2;
  Start();
  auto first = Connect();
  HttpClient second(port_);
  for (HttpClient* client : {first.get(), &second}) {
    client->Send(kLive);
    EXPECT_EQ(StatusOf(client->Receive()), 200);
  }
  HttpClient third(port_);
  EXPECT_TRUE(third.AtEnd());
  EXPECT_EQ(server_->stats().refused, 1u);
  first.reset();
  ExpectSoon([&] { return server_->stats().connections == 1; }, "there is room again");
  ExpectAlive();
}

TEST_F(HttpServerTest, MaxRequestsPerConnection) {
  options_.max_requests_per_connection = 2;
  Start();
  HttpClient client(port_);
  client.Send(std::string(kLive) + std::string(kLive) + std::string(kLive));
  EXPECT_EQ(client.Receive().find("Connection: close"), std::string::npos);
  EXPECT_NE(client.Receive().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, MemoryOfAllBodiesIsBounded) {
  options_.max_buffered_bytes = 3 << 20;
  Start();
  // Announced bytes take none.
  std::vector<std::unique_ptr<HttpClient>> announcers;
  for (int i = 0; i < 20; ++i) {
    announcers.push_back(Connect());
    announcers.back()->Send(
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000000\r\n\r\n");
  }
  ExpectSoon([&] { return server_->stats().busy == 20; }, "the heads are read");
  EXPECT_LT(server_->stats().buffered_bytes, 3u << 20);
  auto large = Connect();
  large->Send(Post(std::string(5 << 20, ' ')));
  const std::string response = large->Receive();
  EXPECT_EQ(StatusOf(response), 503);
  EXPECT_NE(response.find("Retry-After: "), std::string::npos);
  ExpectAlive();
  announcers.clear();
  large.reset();
  ExpectSoon([&] { return server_->stats().busy == 0; }, "they are gone");
  ExpectSoon([&] { return server_->stats().buffered_bytes == 0; }, "their memory is given back");
}

TEST_F(HttpServerTest, ConcurrentEvaluationsFillTheQueueAndHealthStillAnswers) {
  queue_options_ = {.running = 2, .waiting = 3, .max_wait_ms = 0};
  served_ = &gated_;
  Start();
  std::vector<std::unique_ptr<HttpClient>> clients;
  const auto send = [&] {
    clients.push_back(Connect());
    clients.back()->Send(Post(OrderSignRequest()));
  };
  for (int i = 0; i < 2; ++i) send();
  ExpectSoon([&] { return gated_.waiting == 2; }, "all places are taken");
  for (int i = 0; i < 3; ++i) send();
  ExpectSoon([&] { return queue_->stats().waiting == 3; }, "the queue is full");
  for (int i = 0; i < 3; ++i) {
    HttpClient refused(port_);
    refused.Send(Post(OrderSignRequest()));
    const std::string response = refused.Receive();
    EXPECT_EQ(StatusOf(response), 503);
    EXPECT_NE(response.find("Retry-After: "), std::string::npos);
    for (const char* path : {"/health/live", "/health", "/cds-services"}) {
      refused.Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
      EXPECT_EQ(StatusOf(refused.Receive()), 200) << path;
    }
  }
  gated_.Open();
  for (const auto& client : clients) EXPECT_EQ(StatusOf(client->Receive()), 200);
  EXPECT_EQ(queue_->stats().refused, 3u);
  ExpectSoon([&] { return queue_->stats().running == 0; }, "all places are free");
}

TEST_F(HttpServerTest, WhatWaitsTooLongIsNotEvaluated) {
  queue_options_ = {.running = 1, .waiting = 10, .max_wait_ms = 1};
  served_ = &gated_;
  Start();
  HttpClient first(port_), second(port_);
  first.Send(Post(OrderSignRequest()));
  ExpectSoon([&] { return gated_.waiting == 1; }, "it is being evaluated");
  second.Send(Post(OrderSignRequest()));
  ExpectSoon([&] { return queue_->stats().waiting == 1; }, "it waits");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // more than max_wait_ms
  gated_.Open();
  EXPECT_EQ(StatusOf(first.Receive()), 200);
  EXPECT_EQ(StatusOf(second.Receive()), 503);
  EXPECT_EQ(gated_.evaluations, 1);
  EXPECT_EQ(queue_->stats().expired, 1u);
}

TEST_F(HttpServerTest, StopFinishesTheRequestInFlight) {
  evaluator_.delay = std::chrono::milliseconds(300);
  Start();
  HttpClient busy(port_), idle(port_);
  busy.Send(Post(OrderSignRequest()));
  while (evaluator_.evaluations == 0) std::this_thread::yield();
  EXPECT_FALSE(server_->draining());
  Stop();
  EXPECT_TRUE(server_->draining());
  const std::string response = busy.Receive();
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_NE(response.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(busy.AtEnd());
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(HttpServerTest, StopWaitsForAnswersThatComeFromElsewhere) {
  HoldAnswers();
  Start();
  HttpClient client(port_);
  client.Send(kLive);
  ExpectSoon([&] { return held() == 1; }, "the request is being answered");
  server_->Stop();
  ExpectSoon([&] { return server_->draining(); }, "it drains");
  for (const Respond& respond : TakeHeld()) respond({});
  const std::string response = client.Receive();
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_NE(response.find("Connection: close"), std::string::npos);
  runner_.join();
}

TEST_F(HttpServerTest, AnswersAfterTheServersEndGoNowhere) {
  options_.drain_time_ms = 50;
  HoldAnswers();
  Start();
  HttpClient client(port_);
  client.Send(kLive);
  ExpectSoon([&] { return held() == 1; }, "the request is being answered");
  Stop();
  std::vector<Respond> late = TakeHeld();
  server_.reset();
  for (const Respond& respond : late) respond({});
  late.clear();
  EXPECT_EQ(StatusOf(client.Receive()), 0);
}

TEST_F(HttpServerTest, NoticeIsGivenBeforeStopping) {
  options_.drain_notice_ms = 400;
  Start();
  HttpClient idle(port_);
  server_->Stop();
  ExpectSoon([&] { return server_->draining(); }, "it says so");
  ExpectAlive();
  EXPECT_TRUE(idle.AtEnd());
  runner_.join();
}

TEST_F(HttpServerTest, StopCutsWhatDoesNotEnd) {
  options_.drain_time_ms = 100;
  Start();
  HttpClient half(port_);
  half.Send("POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1");
  ExpectSoon([&] { return server_->stats().busy == 1; }, "the head is read");
  Stop();
  server_.reset();
  EXPECT_TRUE(half.AtEnd());
}

TEST_F(HttpServerTest, SignalsStop) {
  options_.drain_time_ms = 60'000;
  for (const int signal : {SIGTERM, SIGINT}) {
    Start(/*stop_on_signals=*/true);
    HttpClient idle(port_);
    ExpectAlive();
    ::kill(::getpid(), signal);
    runner_.join();
    EXPECT_TRUE(idle.AtEnd());
  }
}

TEST_F(HttpServerTest, ConcurrentClients) {
  Start();
  std::vector<std::thread> clients;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      HttpClient client(port_);
      for (int j = 0; j < 50; ++j) {
        client.Send(Post(OrderSignRequest()));
        if (StatusOf(client.Receive()) == 200) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 400);
}

// Requests that come while the server makes room, cuts the slow and stops, with answers from other threads.
TEST_F(HttpServerTest, ConcurrentEndsOfConnections) {
  options_.max_connections = 4;
  options_.request_timeout_ms = 40;
  options_.idle_timeout_ms = 40;
  options_.drain_time_ms = 50;
  HoldAnswers();
  Start();
  std::atomic<bool> done = false;
  std::thread answerer([&] {
    while (!done) {
      for (const Respond& respond : TakeHeld()) respond({});
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      for (int j = 0; j < 40; ++j) {
        HttpClient client(port_);
        if (i % 3 == 0) client.ResetOnClose();
        client.Send(kLive.substr(0, i % 2 == 0 ? kLive.size() : 10));
        if (i % 3 != 0) client.Receive();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  HttpClient last(port_);
  last.Send(kLive);
  Stop();
  server_.reset();
  done = true;
  answerer.join();
  TakeHeld().clear();
}

TEST_F(HttpServerTest, ListenErrors) {
  Start();
  const auto listen = [&](std::string address) {
    HttpServerOptions options = options_;
    options.listen = std::move(address);
    return HttpServer::Listen(options, *service_, nullptr, {});
  };
  EXPECT_EQ(listen("127.0.0.1:" + std::to_string(port_)).error().code, Code::kUnavailable);
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", "no.such.host.invalid:1"}) {
    EXPECT_FALSE(listen(address).has_value()) << address;
  }
}

TEST_F(HttpServerTest, PlainHttpStaysOnThisMachine) {
  Start();
  HttpServerOptions options = options_;
  for (const char* address : {"0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"}) {
    options.listen = address;
    const auto refused = HttpServer::Listen(options, *service_, nullptr, {});
    ASSERT_FALSE(refused.has_value()) << address;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
    for (const char* key : {"tls.certificate", "tls.private-key", "tls.plain-http: anywhere"})
      EXPECT_NE(refused.error().message.find(key), std::string::npos) << refused.error().message;
  }
  options.listen = "0.0.0.0:0";
  options.plain_http_anywhere = true;
  EXPECT_TRUE(HttpServer::Listen(options, *service_, nullptr, {}).has_value());
  options.plain_http_anywhere = false;
  UseTls();
  options.tls = options_.tls;
  EXPECT_TRUE(HttpServer::Listen(options, *service_, nullptr, {}).has_value());
}

}  // namespace
}  // namespace stepwise::cds_hooks
