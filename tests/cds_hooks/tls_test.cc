// TLS over real sockets: who may speak, what is refused, and certificates that change while it runs.

#include "cds_hooks/tls.h"

#include "tests/cds_hooks/server_fixture.h"

namespace stepwise::cds_hooks {
namespace {

namespace fs = std::filesystem;

class TlsTest : public ServerFixture {
 protected:
  TlsTest() {
    UseTls();
    // Says what the service would be told.
    handler_.handle = [](const HttpRequest& request, const Respond& respond) {
      HttpResponse response;
      response.body = request.client_certificate;
      respond(std::move(response));
    };
  }
  fs::path File(const char* name) { return dir_.path() / name; }
  void RequireClients(ClientCertificates which) {
    options_.tls.client_ca = File("ca.pem");
    options_.tls.client_certificates = which;
  }
  // The body of the answer to a request over this connection, or "no connection".
  std::string Ask(SSL_CTX* tls, SSL_SESSION* resumed = nullptr) {
    HttpClient client(port_, tls, resumed);
    client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string response = client.Receive();
    return StatusOf(response) == 200 ? BodyOf(response) : "no connection";
  }
};

TEST_F(TlsTest, ServesHttps) {
  handler_ = {};
  Start();
  EXPECT_TRUE(server_->url().starts_with("https://127.0.0.1:"));
  const auto client = Connect();
  ASSERT_TRUE(client->connected());
  for (int i = 0; i < 3; ++i) {
    client->Send(Post(OrderSignRequest()));
    EXPECT_EQ(StatusOf(client->Receive()), 200);
  }
  client->Send(Post(std::string(1 << 20, ' ')) + Post(OrderSignRequest(), "Connection: close\r\n"));
  EXPECT_EQ(StatusOf(client->Receive()), 400);
  EXPECT_EQ(StatusOf(client->Receive()), 200);
  EXPECT_TRUE(client->AtEnd());
  EXPECT_EQ(SSL_get_shutdown(client->ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(TlsTest, ProtocolsAndCiphers) {
  Start();
  const struct {
    const char* name;
    int version;
    const char* ciphers;
    bool good;
  } rows[] = {
      {"1.3", TLS1_3_VERSION, "DEFAULT", true},
      {"1.2", TLS1_2_VERSION, "DEFAULT", true},
      {"1.1", TLS1_1_VERSION, "DEFAULT:@SECLEVEL=0", false},
      {"1.2 with CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", false},
      {"1.2 with ChaCha20", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", true},
  };
  for (const auto& row : rows) {
    const ClientTls tls = MakeClientTls(File("ca.pem"));
    SSL_CTX_set_min_proto_version(tls.get(), row.version);
    SSL_CTX_set_max_proto_version(tls.get(), row.version);
    EXPECT_EQ(SSL_CTX_set_cipher_list(tls.get(), row.ciphers), 1);
    EXPECT_EQ(Ask(tls.get()), row.good ? "" : "no connection") << row.name;
  }
  ExpectSoon([&] { return server_->stats().handshakes_failed == 2; }, "they are counted");
}

TEST_F(TlsTest, MinimumVersion) {
  options_.tls.min_version = TlsVersion::kTls13;
  Start();
  EXPECT_EQ(Ask(client_tls_.get()), "");
  SSL_CTX_set_max_proto_version(client_tls_.get(), TLS1_2_VERSION);
  EXPECT_EQ(Ask(client_tls_.get()), "no connection");
}

TEST_F(TlsTest, Alpn) {
  Start();
  const struct {
    std::string offered, selected;
    bool good;
  } rows[] = {
      {"\x02h2\x08http/1.1", "http/1.1", true}, {"\x08http/1.1", "http/1.1", true}, {"\x02h2", "", false}};
  for (const auto& row : rows) {
    const ClientTls tls = MakeClientTls(File("ca.pem"));
    SSL_CTX_set_alpn_protos(tls.get(), reinterpret_cast<const unsigned char*>(row.offered.data()),
                            static_cast<unsigned>(row.offered.size()));
    HttpClient client(port_, tls.get());
    EXPECT_EQ(client.connected(), row.good) << row.offered;
    const unsigned char* selected = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(client.ssl(), &selected, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(selected), length), row.selected) << row.offered;
  }
}

TEST_F(TlsTest, ClientCertificates) {
  const TestAuthority stranger("Test CA");  // the same name, another key
  authority_->Issue("EHR \"East\"", File("client.pem"), File("client.key"));
  authority_->Issue("late", File("late.pem"), File("late.key"), -1);
  stranger.Issue("EHR \"East\"", File("strange.pem"), File("strange.key"));
  const ClientTls good = MakeClientTls(File("ca.pem"), File("client.pem"), File("client.key"));
  const ClientTls late = MakeClientTls(File("ca.pem"), File("late.pem"), File("late.key"));
  const ClientTls strange = MakeClientTls(File("ca.pem"), File("strange.pem"), File("strange.key"));
  const ClientTls without = MakeClientTls(File("ca.pem"));
  const std::string subject = R"(CN=EHR \"East\",O=Example\, Inc.)";
  const struct {
    ClientCertificates which;
    std::string good, late, strange, without;
  } rows[] = {
      {ClientCertificates::kNone, "", "", "", ""},
      {ClientCertificates::kOptional, subject, "no connection", "no connection", ""},
      {ClientCertificates::kRequired, subject, "no connection", "no connection", "no connection"},
  };
  for (const auto& row : rows) {
    if (row.which != ClientCertificates::kNone) RequireClients(row.which);
    Start();
    EXPECT_EQ(Ask(good.get()), row.good);
    EXPECT_EQ(Ask(late.get()), row.late);
    EXPECT_EQ(Ask(strange.get()), row.strange);
    EXPECT_EQ(Ask(without.get()), row.without);
    Stop();
  }
}

TEST_F(TlsTest, ResumedSessionsKeepTheClientsCertificate) {
  RequireClients(ClientCertificates::kRequired);
  authority_->Issue("EHR", File("client.pem"), File("client.key"));
  const ClientTls tls = MakeClientTls(File("ca.pem"), File("client.pem"), File("client.key"));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(tls.get(), version);
    Start();
    HttpClient first(port_, tls.get());
    first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(BodyOf(first.Receive()), "CN=EHR,O=Example\\, Inc.");
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_get1_session(first.ssl()),
                                                                            SSL_SESSION_free);
    HttpClient second(port_, tls.get(), session.get());
    EXPECT_EQ(SSL_session_reused(second.ssl()), 1);
    second.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(BodyOf(second.Receive()), "CN=EHR,O=Example\\, Inc.");
    // New files: the session is known no more, so the certificate is asked for again.
    EXPECT_TRUE(server_->ReloadCertificates().has_value());
    HttpClient third(port_, tls.get(), session.get());
    EXPECT_TRUE(third.connected());
    EXPECT_EQ(SSL_session_reused(third.ssl()), 0);
    Stop();
  }
}

TEST_F(TlsTest, ReloadsWithoutAGap) {
  options_.certificate_poll_ms = 0;
  Start();
  const std::int64_t before = server_->stats().certificate_not_after_unix_s;
  const auto old = Connect();
  EXPECT_TRUE(old->connected());
  const TestAuthority next("Next CA");
  next.Write(File("next-ca.pem"));
  next.Issue("localhost", File("server.pem"), File("server.key"), 30);
  const ClientTls next_tls = MakeClientTls(File("next-ca.pem"));
  EXPECT_EQ(Ask(next_tls.get()), "no connection") << "not yet";
  EXPECT_TRUE(server_->ReloadCertificates().has_value());
  EXPECT_EQ(Ask(next_tls.get()), "");
  EXPECT_GT(server_->stats().certificate_not_after_unix_s, before + 28 * 86'400);
  old->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(old->Receive()), 200) << "connections keep what they started with";
}

TEST_F(TlsTest, ReloadIsAllOrNothing) {
  options_.certificate_poll_ms = 0;
  Start();
  authority_->Issue("other", File("other.pem"), File("other.key"));
  const std::string certificate = ReadFile(File("server.pem")), key = ReadFile(File("server.key"));
  const struct {
    const char* name;
    std::string certificate, key, says;
  } rows[] = {
      {"another's key", certificate, ReadFile(File("other.key")), "tls-private-key"},
      {"half a certificate", certificate.substr(0, certificate.size() / 2), key, "tls-certificate"},
      {"no certificate", "", key, "tls-certificate"},
      {"half a key", certificate, key.substr(0, key.size() / 2), "tls-private-key"},
      {"an encrypted key", certificate,
       "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
       "tls-private-key"},
  };
  for (const auto& row : rows) {
    WriteFile(File("server.pem"), row.certificate);
    WriteFile(File("server.key"), row.key);
    const Status status = server_->ReloadCertificates();
    ASSERT_FALSE(status.has_value()) << row.name;
    EXPECT_NE(status.error().ToString().find(row.says), std::string::npos) << status.error().ToString();
    EXPECT_EQ(Ask(client_tls_.get()), "") << "after " << row.name;
  }
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(reloads_.size(), std::size(rows));
}

TEST_F(TlsTest, LooksAtTheFiles) {
  options_.certificate_poll_ms = 5;
  Start();
  const auto reloads = [&] {
    const std::lock_guard lock(mutex_);
    return reloads_;
  };
  const TestAuthority next("Next CA");
  next.Write(File("next-ca.pem"));
  fs::rename(File("server.key"), File("old.key"));
  ExpectSoon([&] { return reloads().size() == 1; }, "a file that is gone is told");
  EXPECT_EQ(Ask(client_tls_.get()), "");
  next.Issue("localhost", File("server.pem"), File("server.key"), 30);
  const ClientTls next_tls = MakeClientTls(File("next-ca.pem"));
  ExpectSoon([&] { return Ask(next_tls.get()).empty(); }, "the new certificate is used");
  EXPECT_EQ(reloads().back(), "");
}

TEST_F(TlsTest, StopFinishesTheRequestInFlight) {
  handler_ = {};
  evaluator_.delay = std::chrono::milliseconds(300);
  Start();
  const auto busy = Connect(), idle = Connect();
  busy->Send(Post(OrderSignRequest()));
  while (evaluator_.evaluations == 0) std::this_thread::yield();
  Stop();
  const std::string response = busy->Receive();
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_NE(response.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(busy->AtEnd());
  EXPECT_TRUE(idle->AtEnd());
  EXPECT_EQ(SSL_get_shutdown(idle->ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(TlsTest, OptionsThatDoNotFit) {
  authority_->Issue("other", File("other.pem"), File("other.key"));
  const struct {
    const char* name;
    std::function<void(TlsOptions&)> change;
    Code code;
  } rows[] = {
      {"no key", [](auto& tls) { tls.private_key = ""; }, Code::kInvalidArgument},
      {"no certificate", [](auto& tls) { tls.certificate = ""; }, Code::kInvalidArgument},
      {"no such file", [](auto& tls) { tls.certificate = "no-such.pem"; }, Code::kNotFound},
      {"another's key", [&](auto& tls) { tls.private_key = File("other.key"); }, Code::kInvalidArgument},
      {"an authority that nobody is asked for", [&](auto& tls) { tls.client_ca = File("ca.pem"); },
       Code::kInvalidArgument},
      {"clients that nobody can vouch for",
       [](auto& tls) { tls.client_certificates = ClientCertificates::kRequired; }, Code::kInvalidArgument},
      {"an authority that is none",
       [](auto& tls) {
         tls.client_ca = tls.private_key;
         tls.client_certificates = ClientCertificates::kRequired;
       },
       Code::kInvalidArgument},
      {"no cipher", [](auto& tls) { tls.ciphers = "NONE-SUCH"; }, Code::kInvalidArgument},
  };
  for (const auto& row : rows) {
    TlsOptions options = options_.tls;
    row.change(options);
    const auto loaded = TlsCertificates::Load(options);
    ASSERT_FALSE(loaded.has_value()) << row.name;
    EXPECT_EQ(loaded.error().code, row.code) << row.name << loaded.error().ToString();
  }
  EXPECT_EQ(ParseClientCertificates("optional").value(), ClientCertificates::kOptional);
  EXPECT_FALSE(ParseClientCertificates("yes").has_value());
}

}  // namespace
}  // namespace stepwise::cds_hooks
