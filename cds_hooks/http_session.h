// HttpSession: one connection of HttpServer, from accept to close. An implementation detail of
// http_server.cc.
//
//   (TLS handshake) -> wait for a byte -> head -> (100 Continue) -> body -> Service::Handle -> write -> again
//
// It keeps itself alive through the one handler that is pending, or through the answer it waits for; each
// handler's last act is to start the next operation, so no two run at once and no strand is needed. Time is
// kept by the ConnectionTable, which makes what is pending end at the connection's deadline.
#ifndef STEPWISE_CDS_HOOKS_HTTP_SESSION_H_
#define STEPWISE_CDS_HOOKS_HTTP_SESSION_H_

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cds_hooks/connection_table.h"
#include "cds_hooks/http_body.h"
#include "cds_hooks/http_server.h"
#include "cds_hooks/http_stream.h"

namespace stepwise::cds_hooks {

// What all sessions of a server share; it lives as long as the last of them.
class SessionContext {
 public:
  SessionContext(HttpServerOptions options_in, HttpHandler handler_in, HttpServer::Observer observer_in)
      : options(std::move(options_in)),
        handler(std::move(handler_in)),
        observer(std::move(observer_in)),
        table(static_cast<std::size_t>(options.max_connections_per_address)) {}

  // Has it run on a thread of the server; dropped once the server is gone.
  template <typename Executor, typename Handler>
  void Post(const Executor& executor, Handler&& what) {
    const std::lock_guard lock(finish_mutex);
    if (!finished) boost::asio::post(executor, std::forward<Handler>(what));
  }
  // A session is gone, on whatever thread let go of it last.
  virtual void SessionClosed() = 0;

  const HttpServerOptions options;
  const HttpHandler handler;
  const HttpServer::Observer observer;
  ConnectionTable table;
  std::atomic<bool> stopping{false};
  std::atomic<bool> crowded{false};  // a new connection waits for room; who ends for it takes this back
  std::atomic<std::size_t> buffered_bytes{0};
  std::atomic<std::uint64_t> handshakes_failed{0}, ended_for_room{0};
  std::mutex finish_mutex;
  bool finished = false;  // guarded by finish_mutex

 protected:
  ~SessionContext() = default;
};

class HttpSession final : public Connection, public std::enable_shared_from_this<HttpSession> {
 public:
  // `tls`: nullptr for plain HTTP.
  HttpSession(HttpStream::Socket socket, boost::asio::ssl::context* tls,
              std::shared_ptr<SessionContext> context);
  ~HttpSession();

  void Start();
  void EndInput() override;
  void Cut() override;

 private:
  using ErrorCode = boost::system::error_code;
  using Step = void (HttpSession::*)();

  void Enter(Phase phase, std::int64_t timeout_ms);
  void ShutDown(int how);  // from any thread
  void Read(Step next);
  void ReadNext();
  void ReceiveHead();
  void ParseHead(std::size_t size);
  void SendContinue();
  void ReceiveBody();
  bool ChargeBody();
  void Answer();
  void Respond(HttpResponse response, std::size_t request_bytes, std::int64_t duration_us);
  void InputEnded();
  void RefuseParsing(ErrorCode error);
  void Refuse(int status, std::string_view diagnostics);
  void Write(const HttpResponse& response, bool keep_alive, bool unread_input);
  void Goodbye(bool unread_input);
  void Linger();
  void Close();

  const std::shared_ptr<SessionContext> context_;  // first: the stream needs its io_context to the end
  HttpStream stream_;
  std::mutex socket_mutex_;         // between Close() and those who call from other threads
  bool open_ = true;                // guarded by socket_mutex_
  std::atomic<bool> ended_{false};  // EndInput() was called
  boost::beast::flat_buffer buffer_;
  std::size_t scanned_ = 0;  // of buffer_, for the end of the head

  // The request being received or answered.
  std::optional<boost::beast::http::request_parser<GrowingBody, WipingAllocator<char>>> parser_;
  HttpRequest request_;  // its views point into parser_ and client_certificate_
  std::string_view method_ = "OTHER";
  bool keep_alive_ = false, http10_ = false;
  std::int64_t body_started_ = 0;
  std::uint64_t body_wire_bytes_ = 0;  // with what chunks add
  std::size_t charged_bytes_ = 0;      // of SessionContext::buffered_bytes

  std::string client_certificate_;
  std::string output_;
  std::int64_t requests_ = 0;
  std::size_t lingered_ = 0;  // bytes thrown away after a refusal
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_SESSION_H_
