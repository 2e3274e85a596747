// A running HttpServer for tests: of a Service with a FakeEvaluator, or of a handler of the test's own.
//
//   class MyTest : public ServerFixture {};
//   TEST_F(MyTest, Answers) { options_.max_connections = 1; Start(); ExpectAlive(); }
#ifndef STEPWISE_TESTS_CDS_HOOKS_SERVER_FIXTURE_H_
#define STEPWISE_TESTS_CDS_HOOKS_SERVER_FIXTURE_H_

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cds_hooks/http_server.h"
#include "tests/cds_hooks/fake_evaluator.h"
#include "tests/cds_hooks/http_client.h"
#include "tests/cds_hooks/test_certificates.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {

class ServerFixture : public testing::Test {
 protected:
  ServerFixture() {
    options_.listen = "127.0.0.1:0";
    queue_options_.running = 2;
  }
  ~ServerFixture() override { Stop(); }

  void UseTls() {
    authority_ = std::make_unique<TestAuthority>("Test CA");
    authority_->Write(dir_.path() / "ca.pem");
    authority_->Issue("localhost", dir_.path() / "server.pem", dir_.path() / "server.key");
    options_.tls.certificate = dir_.path() / "server.pem";
    options_.tls.private_key = dir_.path() / "server.key";
    client_tls_ = MakeClientTls(dir_.path() / "ca.pem");
  }

  void Start(bool stop_on_signals = false) {
    server_.reset();  // before what it uses
    service_options_.calls.pipeline.limits.max_bytes = static_cast<std::size_t>(options_.max_body_bytes);
    queue_ = std::make_unique<EvaluationQueue>(queue_options_);
    service_options_.executor = queue_.get();
    service_ =
        std::make_unique<Service>(service_options_, *served_, [] { return DateTime::FromUnixMillis(0); });
    const auto observer = [this](const AccessRecord& record) {
      const std::lock_guard lock(mutex_);
      statuses_.push_back(record.status);
    };
    const auto certificate_observer = [this](const Status& status) {
      const std::lock_guard lock(mutex_);
      reloads_.push_back(status ? "" : status.error().ToString());
    };
    auto server = handler_.handle != nullptr
                      ? HttpServer::Listen(options_, handler_, queue_.get(), observer, certificate_observer)
                      : HttpServer::Listen(options_, *service_, queue_.get(), observer, certificate_observer);
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

  std::unique_ptr<HttpClient> Connect() { return std::make_unique<HttpClient>(port_, client_tls_.get()); }
  void ExpectAlive() {
    const auto client = Connect();
    client->Send(Post(OrderSignRequest()));
    const std::string response = client->Receive();
    EXPECT_EQ(StatusOf(response), 200) << response;
  }
  // Waits for what must come to pass, for longer than any machine needs.
  template <typename Condition>
  void ExpectSoon(Condition condition, const char* what) {
    for (int i = 0; i < 3000; ++i) {
      if (condition()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "it does not come to pass: " << what;
  }
  void ExpectNoConnectionLeft() {
    ExpectSoon([&] { return server_->stats().connections == 0; }, "no connection is left");
    EXPECT_EQ(server_->stats().buffered_bytes, 0u);
  }

  TempDir dir_;
  HttpServerOptions options_;
  EvaluationQueueOptions queue_options_;
  ServiceOptions service_options_;
  HttpHandler handler_;  // of the test's own, in the place of the service
  FakeEvaluator evaluator_;
  rules::Evaluator* served_ = &evaluator_;
  std::unique_ptr<TestAuthority> authority_;
  ClientTls client_tls_{nullptr, SSL_CTX_free};
  std::unique_ptr<EvaluationQueue> queue_;
  std::unique_ptr<Service> service_;
  std::mutex mutex_;
  std::vector<int> statuses_;         // guarded by mutex_
  std::vector<std::string> reloads_;  // of certificates: errors, or ""; guarded by mutex_
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread runner_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_SERVER_FIXTURE_H_
