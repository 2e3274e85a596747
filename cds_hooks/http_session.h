// HttpSession: one connection of HttpServer, from accept to close. An implementation detail of
// http_server.cc.
//
//   wait for a byte -> header -> (100 Continue) -> body -> Service::Handle -> write -> again
//
// Its handlers run on one strand; it keeps itself alive through the handler that is pending.
#ifndef STEPWISE_CDS_HOOKS_HTTP_SESSION_H_
#define STEPWISE_CDS_HOOKS_HTTP_SESSION_H_

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>  // Asio 1.74 uses std::exchange without including it

#include "cds_hooks/http_server.h"

namespace stepwise::cds_hooks {

// What all sessions of a server share.
struct SessionContext {
  Service& service;
  HttpServer::Observer observer;
  std::uint64_t max_body_bytes;
  std::uint32_t max_header_bytes;
  std::chrono::milliseconds request_timeout, idle_timeout;
  std::atomic<bool> stopping = false;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // `on_close` runs when the session is gone, on whatever thread let go of it last.
  HttpSession(boost::asio::ip::tcp::socket socket, SessionContext& context, std::function<void()> on_close);
  ~HttpSession();

  void Start();
  // Closes the connection if no request is under way; the answer to one that is will say Connection: close.
  void StopWhenIdle();

 private:
  using ErrorCode = boost::beast::error_code;

  void ReadNext();
  void ReadHeader();
  void SendContinue();
  void ReadBody();
  void Answer();
  void Respond(HttpResponse response, std::size_t request_bytes, std::int64_t duration_us);
  void RefuseReading(ErrorCode error);
  void Write(HttpResponse response, bool keep_alive, bool head, bool unread_input);
  void Linger();
  void Close();

  SessionContext& context_;
  const std::function<void()> on_close_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>>
      parser_;  // fresh per request
  boost::beast::http::response<boost::beast::http::string_body> response_;
  bool idle_ = true;          // between requests
  std::size_t lingered_ = 0;  // bytes thrown away after a refusal
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_SESSION_H_
