#include "cds_hooks/http_session.h"

#include <openssl/crypto.h>
#include <sys/socket.h>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <chrono>

#include "cds_hooks/operation_outcome.h"
#include "cds_hooks/request_head.h"

namespace stepwise::cds_hooks {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 64 << 10;    // one read; small buffers cost throughput at 8 KiB bodies
constexpr std::size_t kKeptOutput = 64 << 10;   // memory that an idle connection keeps for its next answer
constexpr std::size_t kLingerBytes = 64 << 20;  // a refused client may send this much before it is cut
constexpr std::int64_t kLingerMs = 5'000;
constexpr std::uint64_t kChunkOverhead = 8;  // bytes around a chunk's one byte, at most

std::string_view View(boost::string_view text) { return {text.data(), text.size()}; }

// Steady time measures and cuts; it decides no advice.
std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
constexpr std::int64_t kNsPerMs = 1'000'000;

std::string_view MethodName(http::verb verb) {
  switch (verb) {
    case http::verb::get: return "GET";
    case http::verb::head: return "HEAD";
    case http::verb::post: return "POST";
    case http::verb::options: return "OPTIONS";
    case http::verb::put: return "PUT";
    case http::verb::patch: return "PATCH";
    case http::verb::delete_: return "DELETE";
    default: return "OTHER";
  }
}

std::string_view IssueCode(int status) {
  if (status == 413 || status == 431) return "too-long";
  if (status == 503) return "transient";
  return status == 400 ? "structure" : "not-supported";
}

// No value of ours has a line end; one that got in by a mistake must not begin a header.
void AppendHeader(std::string_view name, std::string_view value, std::string& output) {
  output.append(name).append(": ");
  const std::size_t begin = output.size();
  output.append(value);
  std::replace_if(
      output.begin() + static_cast<std::ptrdiff_t>(begin), output.end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  output.append("\r\n");
}

}  // namespace

HttpSession::HttpSession(HttpStream::Socket socket, asio::ssl::context* tls,
                         std::shared_ptr<SessionContext> context)
    : context_(std::move(context)), stream_(std::move(socket), tls) {
  buffer_.max_size(kReadBytes + static_cast<std::size_t>(context_->options.max_header_bytes));
}

HttpSession::~HttpSession() {
  context_->table.Remove(*this);  // from here on nobody else calls
  context_->buffered_bytes -= charged_bytes_;
  context_->SessionClosed();
}

void HttpSession::Start() {
  ErrorCode ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  if (!stream_.encrypted()) {
    return asio::post(stream_.get_executor(), [self = shared_from_this()] { self->ReadNext(); });
  }
  waiting_since = Now();
  Enter(Phase::kOpening, context_->options.handshake_timeout_ms);
  stream_.async_handshake([self = shared_from_this()](ErrorCode error) {
    if (error) {
      ++self->context_->handshakes_failed;
      return self->Close();
    }
    self->client_certificate_ = VerifiedSubject(self->stream_.tls());
    self->ReadNext();
  });
}

void HttpSession::EndInput() {
  ended_ = true;
  ShutDown(SHUT_RD);
}

void HttpSession::Cut() { ShutDown(SHUT_RDWR); }

void HttpSession::ShutDown(int how) {
  const std::lock_guard lock(socket_mutex_);
  if (open_) ::shutdown(stream_.socket().native_handle(), how);
}

void HttpSession::Enter(Phase next, std::int64_t timeout_ms) {
  deadline = Now() + timeout_ms * kNsPerMs;
  phase = next;
}

void HttpSession::Read(Step next) {
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this(), next](ErrorCode error, std::size_t bytes) {
                            if (error) return self->InputEnded();
                            self->buffer_.commit(bytes);
                            (self.get()->*next)();
                          });
}

void HttpSession::ReadNext() {
  scanned_ = 0;
  if (buffer_.size() != 0) return ReceiveHead();  // pipelined
  Enter(Phase::kIdle, context_->options.idle_timeout_ms);
  waiting_since = Now();
  // Who wants idle connections to go says so first and looks at all of them then, so one of us sees the
  // other.
  if (context_->stopping) return Goodbye(false);
  if (context_->crowded && context_->crowded.exchange(false)) {
    ++context_->ended_for_room;
    EndInput();  // whoever waits for the room does not wait for this client
    return Goodbye(false);
  }
  Read(&HttpSession::ReceiveHead);
}

void HttpSession::ReceiveHead() {
  if (phase != Phase::kHead) {
    Enter(Phase::kHead, context_->options.request_timeout_ms);
    if (waiting_since == kNever) waiting_since = Now();
  }
  // RFC 9112, 2.2: an empty line before a request is passed over.
  const auto text = [&] {
    return std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  };
  if (scanned_ == 0 && text().starts_with("\r\n")) buffer_.consume(2);
  if (text().empty() || text() == "\r") return Read(&HttpSession::ReceiveHead);
  const HeadEnd end = FindHeadEnd(text(), scanned_);
  const auto most = static_cast<std::size_t>(context_->options.max_header_bytes);
  if (end.state == HeadEnd::kNeverWill) return Refuse(400, "the bytes are not an HTTP/1.1 request");
  if ((end.state == HeadEnd::kFound ? end.size : buffer_.size()) > most) {
    return Refuse(431, "the header is larger than the limit of " + std::to_string(most) + " bytes");
  }
  if (end.state == HeadEnd::kNotYet) return Read(&HttpSession::ReceiveHead);
  if (const auto fault = FaultOfHead(text().substr(0, end.size))) return Refuse(fault->status, fault->text);
  ParseHead(end.size);
}

void HttpSession::ParseHead(std::size_t size) {
  waiting_since = kNever;
  Enter(Phase::kBusy, context_->options.request_timeout_ms);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(context_->options.max_header_bytes));
  parser_->body_limit(static_cast<std::uint64_t>(context_->options.max_body_bytes));
  ErrorCode error;
  const auto head = buffer_.data();
  const std::size_t parsed = parser_->put(asio::const_buffer(head.data(), size), error);
  OPENSSL_cleanse(head.data(), size);
  buffer_.consume(size);
  const auto& message = parser_->get();
  method_ = MethodName(message.method());
  request_.origin = View(message[http::field::origin]);
  if (error) return RefuseParsing(error);
  if (parsed != size || !parser_->is_header_done())
    return Refuse(400, "the bytes are not an HTTP/1.1 request");

  // Taken now: what a chunked body's trailer adds is no header.
  keep_alive_ = message.keep_alive();
  http10_ = message.version() == 10;
  request_.method = View(message.method_string());
  request_.target = PathOfTarget(View(message.target()));
  request_.content_type = View(message[http::field::content_type]);
  request_.content_encoding = View(message[http::field::content_encoding]);
  request_.access_control_request_method = View(message[http::field::access_control_request_method]);
  request_.authorization = View(message[http::field::authorization]);
  // W3C Trace Context: two traceparents are none.
  if (message.count("traceparent") == 1) {
    request_.traceparent = View(message["traceparent"]);
    if (message.count("tracestate") == 1) request_.tracestate = View(message["tracestate"]);
  }
  request_.client_certificate = client_certificate_;
  body_started_ = Now();
  body_wire_bytes_ = 0;
  if (!parser_->is_done() && buffer_.size() == 0 && message.count(http::field::expect) != 0 && !http10_) {
    return SendContinue();
  }
  ReceiveBody();
}

void HttpSession::SendContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      if (error) return self->Close();
                      self->ReceiveBody();
                    });
}

void HttpSession::ReceiveBody() {
  const HttpServerOptions& options = context_->options;
  const auto most_unparsed = static_cast<std::size_t>(options.max_header_bytes);
  while (!parser_->is_done()) {
    if (buffer_.size() == 0) break;
    ErrorCode error;
    const std::size_t taken = parser_->put(buffer_.data(), error);
    buffer_.consume(taken);
    body_wire_bytes_ += taken;
    if (error == http::error::need_more) {
      if (buffer_.size() > most_unparsed) return Refuse(400, "a chunk's size, or the trailer, is too long");
      break;
    }
    if (error) return RefuseParsing(error);
  }
  const std::string& body = parser_->get().body();
  if (body_wire_bytes_ > body.size() * (1 + kChunkOverhead) + most_unparsed)
    return Refuse(400, "the chunks are mostly extensions");
  if (!ChargeBody()) return Refuse(503, "too many requests are being received");
  if (parser_->is_done()) return Answer();
  const std::int64_t received_ms =
      static_cast<std::int64_t>(body.size()) * 1000 / options.min_bytes_per_second;
  deadline = body_started_ + (options.request_timeout_ms + received_ms) * kNsPerMs;
  Read(&HttpSession::ReceiveBody);
}

// Counts the memory of the body, until it is answered. false: all bodies together have too much.
bool HttpSession::ChargeBody() {
  const std::size_t more = parser_->get().body().capacity() - charged_bytes_;
  if (more == 0) return true;
  charged_bytes_ += more;
  return context_->buffered_bytes.fetch_add(more) + more <=
         static_cast<std::size_t>(context_->options.max_buffered_bytes);
}

void HttpSession::Answer() {
  deadline = kNever;  // the service has its own
  HttpRequest request = request_;
  request.body = std::move(parser_->get().body());
  const std::size_t request_bytes = request.body.size();
  const std::int64_t start = Now();
  // The request's views point into parser_, which stays as it is until the answer comes.
  context_->handler.handle(
      std::move(request), [self = shared_from_this(), request_bytes, start](HttpResponse response) {
        const std::int64_t duration_us = (Now() - start) / 1000;
        const auto executor = self->stream_.get_executor();
        // Here and now where a quick answer comes from.
        if (executor.running_in_this_thread())
          return self->Respond(std::move(response), request_bytes, duration_us);
        self->context_->Post(executor,
                             [self, request_bytes, duration_us, response = std::move(response)]() mutable {
                               self->Respond(std::move(response), request_bytes, duration_us);
                             });
      });
}

void HttpSession::Respond(HttpResponse response, std::size_t request_bytes, std::int64_t duration_us) {
  AccessRecord record;
  record.method = method_;
  record.request_bytes = request_bytes;
  record.duration_us = duration_us;
  record.status = response.status;
  record.response_bytes = response.body.size();
  record.summary = std::move(response.summary);
  const std::function<void()> after = std::move(response.after);

  ++requests_;
  const std::int64_t most = context_->options.max_requests_per_connection;
  bool keep_alive = keep_alive_ && !context_->stopping && (most == 0 || requests_ < most);
  if (keep_alive && context_->crowded && context_->crowded.exchange(false)) {
    ++context_->ended_for_room;
    keep_alive = false;
  }
  Write(response, keep_alive, false);
  // By now another thread may be reading the next request: nothing that changes is touched any more.
  if (context_->observer) context_->observer(record);
  if (after) after();
}

// The client has closed, or the table has ended or cut the connection.
void HttpSession::InputEnded() {
  if (ended_ || phase == Phase::kIdle) return Goodbye(false);
  if (deadline == kNever) return Close();  // it was cut
  Refuse(400, "the request ends before its announced length");
}

void HttpSession::RefuseParsing(ErrorCode error) {
  if (error == http::error::body_limit) {
    return Refuse(413, "the body is larger than the limit of " +
                           std::to_string(context_->options.max_body_bytes) + " bytes");
  }
  Refuse(400, "the bytes are not an HTTP/1.1 request: " + error.message());
}

// The bytes were no request that can be answered: says why, then closes.
void HttpSession::Refuse(int status, std::string_view diagnostics) {
  waiting_since = kNever;
  phase = Phase::kBusy;
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  response.body = OperationOutcome(IssueCode(status), diagnostics);
  context_->handler.add_cors_headers(request_.origin, response);
  AccessRecord record;
  record.method = method_;
  record.status = response.status;
  record.response_bytes = response.body.size();
  record.summary.error = "http";
  Write(response, false, true);
  if (context_->observer) context_->observer(record);
}

// What is known of the request ends here.
void HttpSession::Write(const HttpResponse& response, bool keep_alive, bool unread_input) {
  output_.clear();
  output_.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  output_.append(View(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)))));
  output_.append("\r\n");
  for (const auto& [name, value] : response.headers) AppendHeader(name, value, output_);
  AppendHeader("X-Content-Type-Options", "nosniff", output_);
  if (response.status != 204) AppendHeader("Content-Length", std::to_string(response.body.size()), output_);
  if (!keep_alive || http10_) AppendHeader("Connection", keep_alive ? "keep-alive" : "close", output_);
  output_.append("\r\n");
  if (method_ != "HEAD") output_.append(response.body);

  request_ = {};
  method_ = "OTHER";
  parser_.reset();  // and with it the client's access token
  context_->buffered_bytes -= std::exchange(charged_bytes_, 0);
  const HttpServerOptions& options = context_->options;
  deadline = Now() + (options.request_timeout_ms +
                      static_cast<std::int64_t>(output_.size()) * 1000 / options.min_bytes_per_second) *
                         kNsPerMs;
  asio::async_write(stream_, asio::buffer(output_),
                    [self = shared_from_this(), keep_alive, unread_input](ErrorCode error, std::size_t) {
                      if (error) return self->Close();
                      self->output_.clear();
                      if (self->output_.capacity() > kKeptOutput) self->output_.shrink_to_fit();
                      if (keep_alive) return self->ReadNext();
                      self->Goodbye(unread_input || self->buffer_.size() != 0);
                    });
}

void HttpSession::Goodbye(bool unread_input) {
  waiting_since = kNever;
  Enter(Phase::kBusy, kLingerMs);
  if (!stream_.encrypted()) return unread_input ? Linger() : Close();
  // We say that we end, and do not wait for the client to say it too: every answer has its length.
  SSL_set_shutdown(stream_.tls(), SSL_get_shutdown(stream_.tls()) | SSL_RECEIVED_SHUTDOWN);
  stream_.async_shutdown([self = shared_from_this(), unread_input](ErrorCode) {
    unread_input ? self->Linger() : self->Close();
  });
}

// Closing with input unread makes the system send a reset, which can destroy the answer on its way: the rest
// is read and thrown away first.
void HttpSession::Linger() {
  ErrorCode ignored;
  if (lingered_ == 0) stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  buffer_.clear();
  stream_.socket().async_read_some(buffer_.prepare(kReadBytes),
                                   [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                                     self->lingered_ += bytes;
                                     if (error || self->lingered_ > kLingerBytes) return self->Close();
                                     self->Linger();
                                   });
}

void HttpSession::Close() {
  const std::lock_guard lock(socket_mutex_);
  open_ = false;
  ErrorCode ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_both, ignored);
  stream_.socket().close(ignored);
}

}  // namespace stepwise::cds_hooks
