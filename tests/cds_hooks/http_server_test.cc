// HttpServer over real sockets: after each hostile exchange the server must answer the next good one.

#include "cds_hooks/http_server.h"

#include <csignal>
#include <future>
#include <thread>

#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/cds_hooks/http_client.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    config_.listen = "127.0.0.1:0";
    config_.worker_threads = 2;
  }
  ~HttpServerTest() override { Stop(); }

  void Start(bool stop_on_signals = false) {
    service_ = std::make_unique<Service>(MakeServiceOptions(config_), evaluator_,
                                         [] { return DateTime::FromUnixMillis(0); });
    auto server = HttpServer::Listen(config_, *service_, [this](const AccessRecord& record) {
      const std::lock_guard lock(mutex_);
      statuses_.push_back(record.status);
    });
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = std::move(*server);
    port_ = static_cast<std::uint16_t>(std::stoi(server_->url().substr(server_->url().rfind(':') + 1)));
    runner_ = std::thread([this, stop_on_signals] { server_->Run(stop_on_signals); });
  }
  void Stop() {
    if (!runner_.joinable()) return;
    server_->Stop();
    runner_.join();
  }
  void ExpectAlive() {
    HttpClient client(port_);
    client.Send(Post(OrderSignRequest()));
    EXPECT_EQ(StatusOf(client.Receive()), 200);
  }

  Config config_;
  FakeEvaluator evaluator_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread runner_;
  std::mutex mutex_;
  std::vector<int> statuses_;
};

TEST_F(HttpServerTest, KeepsAliveAndPipelines) {
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
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(statuses_.size(), 24u);
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  Start();
  HttpClient client(port_);
  client.Send(
      "HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\nHEAD /nope HTTP/1.1\r\nHost: x\r\nConnection: "
      "close\r\n\r\n");
  std::string all, part;
  while (!(part = client.Receive()).empty()) all += part;
  EXPECT_EQ(StatusOf(all), 200);
  EXPECT_NE(all.find("HTTP/1.1 404"), std::string::npos);
  EXPECT_EQ(all.find('{'), std::string::npos) << all;
}

TEST_F(HttpServerTest, HostileBytes) {
  config_.max_body_bytes = 1 << 20;
  config_.max_header_bytes = 4096;
  Start();
  const std::string deep = "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}";
  const struct {
    const char* name;
    std::string bytes;
    int status;  // 0: no answer is owed
  } rows[] = {
      {"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400},
      {"no version", "GET /\r\n\r\n", 400},
      {"two lengths", "POST /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"bad length", "POST /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"bad chunk",
       "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"truncated header", "POST /cds-serv", 400},
      {"truncated body", Post(OrderSignRequest()).substr(0, 200), 400},
      {"long header", "GET / HTTP/1.1\r\nX: " + std::string(8192, 'x') + "\r\n\r\n", 431},
      {"20 MB", Post(std::string(20 << 20, ' ')), 413},
      {"20 MB announced", "POST /x HTTP/1.1\r\nContent-Length: 20971520\r\n\r\n", 413},
      {"20 MB in chunks",
       "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1400000\r\n" +
           std::string(20 << 20, ' ') + "\r\n0\r\n\r\n",
       413},
      {"200 deep", Post(deep), 413},
      {"invalid UTF-8", Post("{\"hook\":\"\xC3\x28\"}"), 400},
      {"wrong type", Post(R"({"hook":7})"), 400},
      {"no body", Post(""), 400},
      {"nothing", "", 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    HttpClient client(port_);
    client.Send(row.bytes);
    client.CloseSending();
    const std::string response = client.Receive();
    EXPECT_EQ(StatusOf(response), row.status) << response.substr(0, 300);
    if (row.status != 0) {
      EXPECT_NE(response.find("OperationOutcome"), std::string::npos);
      EXPECT_NE(response.find("Access-Control-Allow-Origin: *"), std::string::npos);
    }
    ExpectAlive();
  }
}

TEST_F(HttpServerTest, ChunkedBody) {
  Start();
  HttpClient client(port_);
  const std::string body = OrderSignRequest();
  char size[16];
  std::snprintf(size, sizeof size, "%zx", body.size());
  client.Send("POST /cds-services/stepwise-order-sign HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
              std::string(size) + "\r\n" + body + "\r\n0\r\n\r\n");
  EXPECT_EQ(StatusOf(client.Receive()), 200);
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
}

TEST_F(HttpServerTest, SlowClientsAreCut) {
  config_.request_timeout_ms = 100;
  config_.idle_timeout_ms = 300;
  Start();
  HttpClient half(port_), idle(port_);
  half.Send("POST /cds-services HTTP/1.1\r\nHost");
  EXPECT_TRUE(half.AtEnd());
  EXPECT_TRUE(idle.AtEnd());
  ExpectAlive();
}

TEST_F(HttpServerTest, ConnectionsPastTheLimitWait) {
  config_.max_connections = 1;
  Start();
  auto first = std::make_unique<HttpClient>(port_);
  first->Send(Post(OrderSignRequest()));
  EXPECT_EQ(StatusOf(first->Receive()), 200);
  HttpClient second(port_);
  second.Send(Post(OrderSignRequest()));
  auto answer = std::async(std::launch::async, [&] { return second.Receive(); });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  first.reset();
  EXPECT_EQ(StatusOf(answer.get()), 200);
}

TEST_F(HttpServerTest, StopFinishesTheRequestInFlight) {
  evaluator_.delay = std::chrono::milliseconds(300);
  Start();
  HttpClient busy(port_), idle(port_);
  busy.Send(Post(OrderSignRequest()));
  while (evaluator_.evaluations == 0) std::this_thread::yield();
  Stop();
  const std::string response = busy.Receive();
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_NE(response.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(busy.AtEnd());
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(HttpServerTest, StopCutsWhatDoesNotEnd) {
  config_.drain_time_ms = 100;
  Start();
  HttpClient half(port_);
  half.Send("POST /cds-services/stepwise-order-sign HTTP/1.1\r\nContent-Length: 10\r\n\r\n1");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto start = std::chrono::steady_clock::now();
  Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(HttpServerTest, SignalsStop) {
  config_.drain_time_ms = 60'000;
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

TEST_F(HttpServerTest, ListenErrors) {
  Start();
  Config config = config_;
  config.listen = "127.0.0.1:" + std::to_string(port_);
  EXPECT_EQ(HttpServer::Listen(config, *service_, {}).error().code, Code::kUnavailable);
  for (const char* address :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", "no.such.host.invalid:1"}) {
    config.listen = address;
    EXPECT_FALSE(HttpServer::Listen(config, *service_, {}).has_value()) << address;
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
