#include "cds_hooks/http_session.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/write.hpp>

#include "cds_hooks/operation_outcome.h"

namespace stepwise::cds_hooks {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 64 << 10;     // one read; small buffers cost throughput at 8 KiB bodies
constexpr std::size_t kReservedBody = 16 << 10;  // most requests grow their body no more than once
constexpr std::size_t kLingerBytes = 64 << 20;   // a refused client may send this much before it is cut
constexpr std::chrono::seconds kLingerTime{5};

std::string_view View(boost::string_view text) { return {text.data(), text.size()}; }
boost::string_view View(std::string_view text) { return {text.data(), text.size()}; }

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

HttpResponse Refusal(int status, std::string_view issue_code, std::string_view diagnostics) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = OperationOutcome(issue_code, diagnostics);
  return response;
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, SessionContext& context,
                         std::function<void()> on_close)
    : context_(context), on_close_(std::move(on_close)), stream_(std::move(socket)) {
  buffer_.max_size(kReadBytes + context.max_header_bytes);
  buffer_.reserve(kReadBytes);
}

HttpSession::~HttpSession() { on_close_(); }

void HttpSession::Start() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    beast::error_code ignored;
    self->stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    self->ReadNext();
  });
}

void HttpSession::StopWhenIdle() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->Close();
  });
}

void HttpSession::ReadNext() {
  if (context_.stopping) return Close();
  parser_.emplace();
  parser_->header_limit(context_.max_header_bytes);
  parser_->body_limit(context_.max_body_bytes);
  parser_->get().body().reserve(kReservedBody);
  if (buffer_.size() != 0) return ReadHeader();  // pipelined
  idle_ = true;
  stream_.expires_after(context_.idle_timeout);
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            self->ReadHeader();
                          });
}

void HttpSession::ReadHeader() {
  idle_ = false;
  stream_.expires_after(context_.request_timeout);
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](ErrorCode error, std::size_t) {
                            if (error) return self->RefuseReading(error);
                            if (self->parser_->is_done()) return self->Answer();
                            const auto expect = self->parser_->get()[http::field::expect];
                            if (beast::iequals(expect, "100-continue") && self->buffer_.size() == 0)
                              return self->SendContinue();
                            self->ReadBody();
                          });
}

void HttpSession::SendContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](ErrorCode error, std::size_t) {
                      if (error) return self->Close();
                      self->ReadBody();
                    });
}

void HttpSession::ReadBody() {
  http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) {
    if (error) return self->RefuseReading(error);
    self->Answer();
  });
}

void HttpSession::Answer() {
  auto& message = parser_->get();
  HttpRequest request;
  request.method = View(message.method_string());
  request.target = View(message.target());
  request.content_type = View(message[http::field::content_type]);
  request.content_encoding = View(message[http::field::content_encoding]);
  request.origin = View(message[http::field::origin]);
  request.access_control_request_method = View(message[http::field::access_control_request_method]);
  request.body = std::move(message.body());

  const std::size_t request_bytes = request.body.size();
  const auto start = std::chrono::steady_clock::now();  // measures; decides nothing
  // The request's views point into parser_, which stays as it is until the answer is written.
  context_.service.Handle(
      std::move(request), [self = shared_from_this(), request_bytes, start](HttpResponse response) {
        const auto duration = std::chrono::steady_clock::now() - start;
        // Runs here and now on the session's own strand, which is where a quick answer comes from.
        asio::dispatch(self->stream_.get_executor(), [self, request_bytes, duration,
                                                      response = std::move(response)]() mutable {
          self->Respond(std::move(response), request_bytes,
                        std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
        });
      });
}

void HttpSession::Respond(HttpResponse response, std::size_t request_bytes, std::int64_t duration_us) {
  const auto& message = parser_->get();
  AccessRecord record;
  record.method = MethodName(message.method());
  record.request_bytes = request_bytes;
  record.duration_us = duration_us;
  record.status = response.status;
  record.response_bytes = response.body.size();
  record.summary = std::move(response.summary);
  const std::function<void()> after = std::move(response.after);

  const bool keep_alive = message.keep_alive() && !context_.stopping;
  Write(std::move(response), keep_alive, message.method() == http::verb::head, false);
  if (context_.observer) context_.observer(record);
  if (after) after();
}

// The bytes were no request that can be answered: say why if the connection still stands, then close it.
void HttpSession::RefuseReading(ErrorCode error) {
  if (error == http::error::end_of_stream || error == beast::error::timeout ||
      error.category() != make_error_code(http::error::bad_method).category()) {
    return Close();  // the client went away, or was too slow
  }
  HttpResponse response;
  if (error == http::error::body_limit) {
    response =
        Refusal(413, "too-long",
                "the body is larger than the limit of " + std::to_string(context_.max_body_bytes) + " bytes");
  } else if (error == http::error::header_limit) {
    response = Refusal(
        431, "too-long",
        "the header is larger than the limit of " + std::to_string(context_.max_header_bytes) + " bytes");
  } else if (error == http::error::partial_message) {
    response = Refusal(400, "structure", "the request ends before its announced length");
  } else {
    response = Refusal(400, "structure", "the bytes are not an HTTP/1.1 request: " + error.message());
  }
  context_.service.AddCorsHeaders(View(parser_->get()[http::field::origin]), response);
  AccessRecord record;
  record.method = MethodName(parser_->get().method());
  record.status = response.status;
  record.response_bytes = response.body.size();
  record.summary.error = "http";
  Write(std::move(response), false, false, true);
  if (context_.observer) context_.observer(record);
}

void HttpSession::Write(HttpResponse response, bool keep_alive, bool head, bool unread_input) {
  response_ = {};
  response_.version(11);
  response_.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) response_.insert(View(name), value);
  response_.set("X-Content-Type-Options", "nosniff");
  const std::size_t length = response.body.size();
  if (!head) response_.body() = std::move(response.body);
  if (response.status != 204) response_.content_length(length);
  response_.keep_alive(keep_alive);

  stream_.expires_after(context_.request_timeout);
  http::async_write(stream_, response_,
                    [self = shared_from_this(), keep_alive, unread_input](ErrorCode error, std::size_t) {
                      if (error) return self->Close();
                      if (keep_alive) return self->ReadNext();
                      if (unread_input || self->buffer_.size() != 0) {
                        self->stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
                        self->stream_.expires_after(kLingerTime);
                        return self->Linger();
                      }
                      self->Close();
                    });
}

// Closing with input unread makes the system send a reset, which can destroy the answer on its way: the rest
// is read and thrown away first.
void HttpSession::Linger() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t bytes) {
                            self->lingered_ += bytes;
                            if (error || self->lingered_ > kLingerBytes) return self->Close();
                            self->Linger();
                          });
}

void HttpSession::Close() {
  beast::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

}  // namespace stepwise::cds_hooks
