// FakeHttpServer: an HTTP/1.1 server on 127.0.0.1 that answers as a test tells it to, right or wrong.
//
//   FakeHttpServer server([](const FakeRequest& request) {
//     if (request.target == "/fhir/Patient/1") return FakeReply{.body = R"({"resourceType":"Patient"})"};
//     return FakeReply{.status = 404};
//   });
//   ... server.Url("/fhir") ... server.requests() ...
//
// One thread a connection; connections are kept open. The handler is called on those threads, several at
// once. With `tls` it speaks TLS with a certificate of its own making, for "localhost", which ca_file()
// trusts.
#ifndef STEPWISE_TESTS_FHIR_FAKE_HTTP_SERVER_H_
#define STEPWISE_TESTS_FHIR_FAKE_HTTP_SERVER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/testing.h"

namespace stepwise {

struct FakeRequest {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
  int connection = 0;                          // counts from 1

  std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct FakeReply {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::size_t> content_length = {};  // instead of the true one
  std::optional<std::size_t> cut_after = {};       // closes after so many bytes of the body
  bool hang_up = false;                            // closes without an answer
  bool never = false;                              // says nothing until the server stops
  bool close = false;                              // closes after the answer, without having announced it
  std::chrono::milliseconds delay{0};
};

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    std::abort();
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

class FakeHttpServer {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;

  explicit FakeHttpServer(Handler handler, bool tls = false) : handler_(std::move(handler)) {
    if (tls) MakeTls();
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that the other side has closed
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 128) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ADD_FAILURE() << "cannot listen";
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~FakeHttpServer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    changed_.notify_all();
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }
  FakeHttpServer(const FakeHttpServer&) = delete;
  FakeHttpServer& operator=(const FakeHttpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string Url(std::string_view path = "", std::string_view host = "127.0.0.1") const {
    return (tls_ ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port_) +
           std::string(path);
  }
  std::string ca_file() const { return (folder_->path() / "ca.pem").string(); }

  std::vector<FakeRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(sockets_.size());
  }
  // Waits until so many requests have come; false when they do not.
  bool WaitForRequests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return requests_.size() >= count; });
  }

 private:
  struct Connection {
    int socket, number;
    SSL* ssl = nullptr;
    std::string input = {};

    bool Receive() {
      char bytes[65536];
      const auto got = ssl != nullptr ? static_cast<ssize_t>(::SSL_read(ssl, bytes, sizeof bytes))
                                      : ::recv(socket, bytes, sizeof bytes, 0);
      if (got > 0) input.append(bytes, static_cast<std::size_t>(got));
      return got > 0;
    }
    bool Send(std::string_view bytes) {
      while (!bytes.empty()) {
        const auto sent =
            ssl != nullptr
                ? static_cast<ssize_t>(::SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())))
                : ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
  };

  void Accept() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      if (stopping_) ::shutdown(socket, SHUT_RDWR);
      const int number = static_cast<int>(sockets_.size());
      threads_.emplace_back([this, socket, number] { Serve({socket, number}); });
    }
  }

  // The socket stays open until nobody can shut it down any more, so that its number is not given out again.
  void Serve(Connection connection) {
    if (tls_ != nullptr) {
      connection.ssl = ::SSL_new(tls_.get());
      ::SSL_set_fd(connection.ssl, connection.socket);
    }
    if (connection.ssl == nullptr || ::SSL_accept(connection.ssl) == 1) {
      while (Answer(connection)) {
      }
    }
    ::SSL_free(connection.ssl);
    const std::lock_guard lock(mutex_);
    *std::find(sockets_.begin(), sockets_.end(), connection.socket) = -1;
    ::close(connection.socket);
  }

  bool Answer(Connection& connection) {
    std::optional<FakeRequest> request = Read(connection);
    if (!request) return false;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    changed_.notify_all();
    const FakeReply reply = handler_(*request);
    {
      std::unique_lock lock(mutex_);
      const auto stopping = [&] { return stopping_; };
      if (reply.never) changed_.wait(lock, stopping);
      if (reply.delay.count() > 0) changed_.wait_for(lock, reply.delay, stopping);
      if (stopping_) return false;
    }
    if (reply.hang_up) return false;
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Whatever\r\n";
    for (const auto& [name, value] : reply.headers) ((text += name) += ": " + value) += "\r\n";
    text +=
        "Content-Length: " + std::to_string(reply.content_length.value_or(reply.body.size())) + "\r\n\r\n";
    text += reply.body.substr(0, reply.cut_after.value_or(reply.body.size()));
    return connection.Send(text) && !reply.cut_after && !reply.close;
  }

  static std::optional<FakeRequest> Read(Connection& connection) {
    std::size_t end;
    while ((end = connection.input.find("\r\n\r\n")) == std::string::npos) {
      if (!connection.Receive()) return std::nullopt;
    }
    FakeRequest request;
    request.connection = connection.number;
    std::string_view head = std::string_view(connection.input).substr(0, end + 2);
    const auto take_line = [&head] {
      const std::size_t at = head.find("\r\n");
      std::string line(head.substr(0, at));
      head.remove_prefix(at + 2);
      return line;
    };
    const std::string first = take_line();
    const std::size_t space = first.find(' '), second = first.rfind(' ');
    request.method = first.substr(0, space);
    request.target = first.substr(space + 1, second - space - 1);
    while (!head.empty()) {
      const std::string line = take_line();
      const std::size_t colon = line.find(':');
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      request.headers[name] = line.substr(std::min(line.size(), colon + 2));
    }
    const std::size_t length = std::strtoul(request.Header("content-length").c_str(), nullptr, 10);
    while (connection.input.size() < end + 4 + length) {
      if (!connection.Receive()) return std::nullopt;
    }
    request.body = connection.input.substr(end + 4, length);
    connection.input.erase(0, end + 4 + length);
    return request;
  }

  // A key, and a certificate that it signs itself.
  void MakeTls() {
    folder_.emplace();
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(::EVP_EC_gen("P-256"), ::EVP_PKEY_free);
    const std::unique_ptr<X509, void (*)(X509*)> certificate(::X509_new(), ::X509_free);
    ::X509_set_version(certificate.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), 1);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), 3600);
    ::X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const name = ::X509_get_subject_name(certificate.get());
    ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    ::X509_set_issuer_name(certificate.get(), name);
    X509_EXTENSION* const names =
        ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    ::X509_add_ext(certificate.get(), names, -1);
    ::X509_EXTENSION_free(names);
    ::X509_sign(certificate.get(), key.get(), ::EVP_sha256());
    std::FILE* const file = std::fopen(ca_file().c_str(), "w");
    if (file == nullptr || ::PEM_write_X509(file, certificate.get()) != 1) ADD_FAILURE() << "no certificate";
    std::fclose(file);
    tls_.reset(::SSL_CTX_new(::TLS_server_method()));
    if (::SSL_CTX_use_certificate(tls_.get(), certificate.get()) != 1 ||
        ::SSL_CTX_use_PrivateKey(tls_.get(), key.get()) != 1) {
      ADD_FAILURE() << "no TLS";
    }
  }

  struct FreeTls {
    void operator()(SSL_CTX* tls) const { ::SSL_CTX_free(tls); }
  };

  const Handler handler_;
  std::optional<TempDir> folder_;
  std::unique_ptr<SSL_CTX, FreeTls> tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;    // a request came, or stopping_
  std::vector<FakeRequest> requests_;  // guarded by mutex_
  std::vector<int> sockets_;           // one a connection, -1 when it is closed; guarded by mutex_
  bool stopping_ = false;              // guarded by mutex_
  std::vector<std::thread> threads_;   // used by acceptor_ only, until it has ended
  std::thread acceptor_;
};

}  // namespace stepwise

#endif  // STEPWISE_TESTS_FHIR_FAKE_HTTP_SERVER_H_
