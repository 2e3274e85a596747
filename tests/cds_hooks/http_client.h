// A blocking HTTP client on a plain socket: sends bytes as they are, right or wrong.
#ifndef STEPWISE_TESTS_CDS_HOOKS_HTTP_CLIENT_H_
#define STEPWISE_TESTS_CDS_HOOKS_HTTP_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace stepwise::cds_hooks {

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      ADD_FAILURE() << "no connection";
  }
  ~HttpClient() { ::close(socket_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server may refuse before it has read all
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void CloseSending() { ::shutdown(socket_, SHUT_WR); }

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
      char buffer[65536];
      const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) return std::exchange(input_, "");
      input_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool AtEnd() {
    char byte;
    return input_.empty() && ::recv(socket_, &byte, 1, 0) == 0;
  }

 private:
  int socket_;
  std::string input_;
};

inline std::string Post(std::string_view body, std::string_view more_headers = "") {
  return "POST /cds-services/stepwise-order-sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
         std::string(more_headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
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
