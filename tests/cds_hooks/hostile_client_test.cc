// HttpServer against clients that mean harm or are broken, over plain HTTP and over TLS: whatever they do,
// the next good request is answered, and in the end no connection, file descriptor or memory is left.

#include <dirent.h>
#include <malloc.h>

#include <random>

#include "tests/cds_hooks/server_fixture.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // GCC ships no header for it
#endif

namespace stepwise::cds_hooks {
namespace {

std::size_t HeapBytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

std::size_t OpenFiles() {
  std::size_t count = 0;
  DIR* const dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++count;
  ::closedir(dir);
  return count;
}

constexpr std::size_t kHeapSlack = 4 << 20;  // caches of the libraries, not one connection's worth a client

class HostileClientTest : public ServerFixture, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) UseTls();
    options_.request_timeout_ms = 250;
    options_.handshake_timeout_ms = 250;
    options_.min_bytes_per_second = 1 << 20;
    options_.max_connections = 64;
    options_.max_body_bytes = 1 << 20;
    options_.max_header_bytes = 4096;
    Start();
    ExpectAlive();
    ExpectNoConnectionLeft();
    files_ = OpenFiles();
    heap_ = HeapBytes();
  }
  void TearDown() override {
    ExpectAlive();
    ExpectNoConnectionLeft();
    EXPECT_EQ(queue_->stats().running, 0u);
    EXPECT_EQ(queue_->stats().waiting, 0u);
    EXPECT_EQ(OpenFiles(), files_);
    EXPECT_LT(HeapBytes(), heap_ + kHeapSlack);
    Stop();
  }
  // Sends, half-closes, and reads to the end.
  std::string Exchange(std::string_view bytes) {
    const auto client = Connect();
    client->Send(bytes);
    client->CloseSending();
    return client->ReceiveAll();
  }
  bool tls() const { return GetParam(); }

  const std::string good_ = Post(OrderSignRequest());
  std::size_t files_ = 0, heap_ = 0;
};

TEST_P(HostileClientTest, EveryPrefix) {
  // A handshake costs more than a request: TLS takes every seventh.
  for (std::size_t size = 1; size < good_.size(); size += tls() ? 7 : 1)
    EXPECT_EQ(StatusOf(Exchange(good_.substr(0, size))), 400) << size;
}

TEST_P(HostileClientTest, ByteByByte) {
  const auto client = Connect();
  for (const char byte : good_) client->Send({&byte, 1});
  EXPECT_EQ(StatusOf(client->Receive()), 200);
}

TEST_P(HostileClientTest, DripsForEver) {
  const std::string head = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
  const struct {
    const char* name;
    std::string start, drip;
  } rows[] = {
      {"header", "GET / HTTP/1.1\r\nX: ", "y"},
      {"headers", "GET / HTTP/1.1\r\n", "X: y\r\n"},
      {"body", head, "x"},
      {"chunks", "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
      {"nothing more", head, ""},
  };
  const std::uint64_t before = server_->stats().accepted;
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const auto& row : rows) {
    clients.push_back(Connect());
    clients.back()->Send(row.start);
  }
  ExpectSoon([&] { return server_->stats().accepted >= clients.size() + before; }, "they are all accepted");
  // Until the server has cut them all, for as long as it takes.
  ExpectSoon(
      [&] {
        for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->Send(rows[i].drip);
        return server_->stats().connections == 0;
      },
      "they are all cut");
  ExpectSoon([&] { return server_->stats().timed_out >= clients.size(); }, "they are counted");
}

TEST_P(HostileClientTest, WrongLengths) {
  const std::string body = OrderSignRequest();
  const auto with_length = [&](const std::string& length) {
    return "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\nContent-Length: " + length +
           "\r\n\r\n" + body;
  };
  const struct {
    std::string length;
    int status;
  } rows[] = {
      {std::to_string(body.size() - 1), 400},
      {std::to_string(body.size() + 1), 400},
      {"0", 400},
      {"-1", 400},
      {"1e3", 400},
      {"99999999999999999999999999", 400},
      {"18446744073709551615", 413},
      {"9223372036854775807", 413},
  };
  for (const auto& row : rows)
    EXPECT_EQ(StatusOf(Exchange(with_length(row.length))), row.status) << row.length;
}

TEST_P(HostileClientTest, PipelinesGoodAndBad) {
  const struct {
    const char* name;
    std::string bad;
    int status;
    bool ends;  // the connection, after the bad one
  } rows[] = {
      {"wrong JSON", Post("{"), 400, false},
      {"no such path", "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n", 404, false},
      {"two lengths", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400,
       true},
      {"too large", Post(std::string(2 << 20, ' ')), 413, true},
      {"garbage", "\x01\x02\x03", 400, true},
  };
  for (const auto& row : rows) {
    const auto client = Connect();
    client->Send(good_ + good_ + row.bad + good_);
    for (const int status : {200, 200, row.status})
      EXPECT_EQ(StatusOf(client->Receive()), status) << row.name;
    EXPECT_EQ(StatusOf(client->Receive()), row.ends ? 0 : 200) << row.name;
  }
}

TEST_P(HostileClientTest, GiantHeadersAndBodies) {
  EXPECT_EQ(StatusOf(Exchange("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n")),
            431);
  EXPECT_EQ(StatusOf(Exchange("GET /" + std::string(1 << 20, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n")), 431);
  EXPECT_EQ(StatusOf(Exchange(std::string(1 << 20, 'G'))), 431);
  EXPECT_EQ(StatusOf(Exchange(Post(std::string(4 << 20, ' ')))), 413);
  EXPECT_EQ(StatusOf(Exchange(PostInChunks(std::string(4 << 20, ' '), 64 << 10))), 413);
  EXPECT_EQ(StatusOf(Exchange(PostInChunks(OrderSignRequest(), 1, ";" + std::string(200, 'x')))), 400);
}

TEST_P(HostileClientTest, RandomMutations) {
  std::mt19937 random(20261128);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
  const std::string chunked = PostInChunks(OrderSignRequest(), 50, ";a=b", "X: y\r\n");
  for (int i = 0; i < (tls() ? 100 : 500); ++i) {
    std::string bytes = i % 2 == 0 ? good_ : chunked;
    for (std::size_t change = below(4) + 1; change > 0; --change) {
      // Half of the changes are in the head.
      const std::size_t at = below(below(2) == 0 ? 150 : bytes.size());
      switch (below(4)) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes.erase(at, below(20)); break;
        case 2: bytes.insert(at, bytes.substr(below(bytes.size()), below(60))); break;
        case 3: bytes.insert(at, 1, "\r\n\0:; ,0"[below(8)]); break;
      }
      if (bytes.size() < 200) break;
    }
    const std::string response = Exchange(bytes);
    const int status = StatusOf(response);
    EXPECT_TRUE(status >= 200 && status < 600) << "mutation " << i << ": " << response;
  }
}

TEST_P(HostileClientTest, Garbage) {
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) {
    std::string bytes(random() % 3000 + 1, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    bytes[0] = '\x80';
    const auto client = std::make_unique<HttpClient>(port_);  // past TLS, where there is any
    client->SendRaw(bytes);
    client->CloseSending();
    EXPECT_TRUE(client->AtRawEnd());
  }
}

TEST_P(HostileClientTest, ConcurrentFloodThatNeverSends) {
  std::vector<std::unique_ptr<HttpClient>> flood;
  for (int i = 0; i < 300; ++i) {
    flood.push_back(std::make_unique<HttpClient>(port_));
    if (i % 50 == 49) ExpectAlive();
  }
  EXPECT_LE(server_->stats().connections, 64u);
  EXPECT_GT(server_->stats().ended_for_room, 0u);
}

TEST_P(HostileClientTest, ConcurrentClientsThatGoAway) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 25; ++j) {
        const auto client = Connect();
        if (j % 2 == 0) client->ResetOnClose();
        // A part of a request, one whose answer nobody waits for, nothing, or several.
        const std::string sent[] = {good_.substr(0, 100), good_, "", good_ + good_ + good_.substr(0, 20)};
        client->Send(sent[(i + j) % 4]);
        if (j % 3 == 0) client->CloseSending();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(HostileClientTest, HandshakeThatStallsOrIsGarbage) {
  if (!tls()) return;
  const std::string hello("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (const std::string& bytes :
       {std::string(), hello, hello.substr(0, 3), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("\x16\x03\x01\xff\xff", 5), std::string(20'000, '\x16')}) {
    clients.push_back(std::make_unique<HttpClient>(port_));
    clients.back()->SendRaw(bytes);
  }
  for (const auto& client : clients) EXPECT_TRUE(client->AtRawEnd());
  ExpectSoon([&] { return server_->stats().handshakes_failed == clients.size(); }, "they are counted");
}

TEST_P(HostileClientTest, RenegotiationIsRefused) {
  if (!tls()) return;
  SSL_CTX_set_max_proto_version(client_tls_.get(), TLS1_2_VERSION);
  const auto client = Connect();
  ASSERT_TRUE(client->connected());
  EXPECT_EQ(SSL_renegotiate(client->ssl()), 1);
  EXPECT_NE(SSL_do_handshake(client->ssl()), 1);
  SSL_CTX_set_max_proto_version(client_tls_.get(), 0);
}

INSTANTIATE_TEST_SUITE_P(Transports, HostileClientTest, testing::Bool(),
                         [](const auto& transport) { return transport.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace stepwise::cds_hooks
