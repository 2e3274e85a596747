// A blocking HTTP client on a plain or a TLS socket: sends bytes as they are, right or wrong.
#ifndef STEPWISE_TESTS_CDS_HOOKS_HTTP_CLIENT_H_
#define STEPWISE_TESTS_CDS_HOOKS_HTTP_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace stepwise::cds_hooks {

class HttpClient {
 public:
  // `tls`: nullptr for plain HTTP. A handshake that fails shows in connected().
  explicit HttpClient(std::uint16_t port, SSL_CTX* tls = nullptr, SSL_SESSION* resumed = nullptr)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      ADD_FAILURE() << "no connection";
    if (tls == nullptr) return;
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, socket_);
    if (resumed != nullptr) SSL_set_session(ssl_, resumed);
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~HttpClient() {
    SSL_free(ssl_);
    ::close(socket_);
  }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool connected() const { return connected_; }
  SSL* ssl() { return ssl_; }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                           : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server may refuse before it has read all
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Past TLS, where there is any.
  void SendRaw(std::string_view bytes) { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void CloseSending() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    ::shutdown(socket_, SHUT_WR);
  }
  // The next close sends a reset.
  void ResetOnClose() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  // One response, header and body as sent; what is left stays for the next call. "" at the end.
  std::string Receive() {
    for (;;) {
      const std::size_t header = input_.find("\r\n\r\n");
      if (header != std::string::npos) {
        const std::size_t at = input_.find("Content-Length: ");
        const std::size_t length = at < header ? std::stoul(input_.substr(at + 16)) : 0;
        if (input_.size() >= header + 4 + length) {
          std::string response = input_.substr(0, header + 4 + length);
          input_.erase(0, header + 4 + length);
          return response;
        }
      }
      if (!ReadSome()) return std::exchange(input_, "");
    }
  }
  // Everything until the server closes.
  std::string ReceiveAll() {
    while (ReadSome()) {
    }
    return std::exchange(input_, "");
  }
  bool AtEnd() { return input_.empty() && !ReadSome() && !timed_out_; }
  // The socket's own end, past TLS.
  bool AtRawEnd() {
    char buffer[4096];
    ssize_t got;
    while ((got = ::recv(socket_, buffer, sizeof buffer, 0)) > 0) {
    }
    return got == 0 || errno == ECONNRESET;
  }

 private:
  bool ReadSome() {
    char buffer[65536];
    const ssize_t got =
        ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer) : ::recv(socket_, buffer, sizeof buffer, 0);
    timed_out_ = got < 0 && errno == EAGAIN;
    if (got <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  SSL* ssl_ = nullptr;
  bool connected_ = true, timed_out_ = false;
  std::string input_;
};

inline std::string Post(std::string_view body, std::string_view more_headers = "") {
  return "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
         std::string(more_headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

// The same in chunks of so many bytes; `extension` and `trailer` as they are.
inline std::string PostInChunks(std::string_view body, std::size_t chunk, std::string_view extension = "",
                                std::string_view trailer = "") {
  std::string request =
      "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx", std::min(chunk, body.size()));
    request.append(size).append(extension).append("\r\n").append(body.substr(0, chunk)).append("\r\n");
  }
  return request.append("0\r\n").append(trailer).append("\r\n");
}

inline int StatusOf(std::string_view response) {
  return response.starts_with("HTTP/1.1 ") ? std::atoi(response.substr(9, 3).data()) : 0;
}

inline std::string BodyOf(std::string_view response) {
  const std::size_t header = response.find("\r\n\r\n");
  return header == std::string_view::npos ? "" : std::string(response.substr(header + 4));
}

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_HTTP_CLIENT_H_
