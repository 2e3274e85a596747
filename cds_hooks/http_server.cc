#include "cds_hooks/http_server.h"

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <charconv>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>  // Asio 1.74 uses std::exchange without including it
#include <vector>

#include "cds_hooks/http_session.h"

namespace stepwise::cds_hooks {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kAcceptRetry{100};  // after running out of file descriptors

// An io_context whose pending handlers can be destroyed before itself, with the sessions in them: an answer
// that comes after the server's end holds on to its session, and that to the io_context.
class IoContext : public asio::io_context {
 public:
  using asio::execution_context::shutdown;
};

Result<std::pair<std::string, std::uint16_t>> SplitAddress(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const char* const begin = colon == std::string::npos ? end : address.data() + colon + 1;
  const auto [stop, error] = std::from_chars(begin, end, port);
  if (begin == end || error != std::errc() || stop != end) {
    return Fail(Code::kInvalidArgument, "listen: expected HOST:PORT, found \"" + address + "\"");
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::pair(std::move(host), port);
}

bool IsLoopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  return address.is_loopback();
}

// Often enough that no timeout is overrun by more than a quarter.
milliseconds SweepTime(const HttpServerOptions& options) {
  const std::int64_t shortest =
      std::min({options.handshake_timeout_ms, options.request_timeout_ms, options.idle_timeout_ms});
  return milliseconds(std::clamp<std::int64_t>(shortest / 4, 10, 250));
}

std::int64_t Now() {  // as Connection has it
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

HttpServerOptions MakeHttpServerOptions(const Config& config) {
  HttpServerOptions options;
  options.listen = config.listen;
  options.max_body_bytes = config.max_body_bytes;
  options.max_header_bytes = config.max_header_bytes;
  options.request_timeout_ms = config.request_timeout_ms;
  options.min_bytes_per_second = config.min_bytes_per_second;
  options.idle_timeout_ms = config.idle_timeout_ms;
  options.drain_time_ms = config.drain_time_ms;
  options.drain_notice_ms = config.drain_notice_ms;
  options.max_buffered_bytes = config.max_buffered_bytes;
  options.max_connections = config.max_connections;
  options.max_connections_per_address = config.max_connections_per_address;
  options.max_requests_per_connection = config.max_requests_per_connection;
  options.plain_http_anywhere = config.tls.plain_http == "anywhere";
  options.certificate_poll_ms = config.tls.reload_poll_ms;
  options.tls.certificate = config.tls.certificate;
  options.tls.private_key = config.tls.private_key;
  options.tls.client_ca = config.tls.client_ca;
  // The configuration allows no other names.
  options.tls.client_certificates =
      ParseClientCertificates(config.tls.client_certificates).value_or(ClientCertificates::kRequired);
  options.io_threads = config.worker_threads;
  return options;
}

// One io_context that all threads run: a request that takes long holds up one thread, never the connections
// that happen to share it. Accepting, timers and signals have a strand of their own.
struct HttpServer::Impl final : SessionContext, std::enable_shared_from_this<HttpServer::Impl> {
  using SessionContext::SessionContext;

  Status Bind();
  std::size_t ThreadCount() const;
  void Accept();
  void Admit(HttpStream::Socket socket);
  void StartSession(HttpStream::Socket socket);
  void SessionClosed() override;
  void AwaitSignal();
  void BeginDrain();
  void BeginStop();
  void Finish();
  void Sweep();
  void LookAtCertificates();
  void WaitForTick();
  void Work();

  std::unique_ptr<TlsCertificates> tls;  // nullptr: plain HTTP
  CertificateObserver certificate_observer;
  EvaluationQueue* queue = nullptr;
  std::atomic<bool> draining{false};
  std::atomic<std::uint64_t> accepted{0}, refused{0}, timed_out{0};

  IoContext io;
  asio::executor_work_guard<asio::io_context::executor_type> work{
      io.get_executor()};  // until the last session
  asio::strand<asio::io_context::executor_type> strand{asio::make_strand(io)};
  tcp::acceptor acceptor{strand};
  asio::steady_timer retry_timer{strand}, drain_timer{strand}, sweep_timer{strand}, certificate_timer{strand},
      tick_timer{strand};
  milliseconds tick_period{};
  std::function<void()> on_tick, on_stop;
  asio::signal_set signals{strand};
  // On the strand:
  bool accepting = false;                      // an accept is pending
  std::optional<HttpStream::Socket> newcomer;  // accepted, and waiting for room
};

Status HttpServer::Impl::Bind() {
  STEPWISE_ASSIGN_OR_RETURN(const auto address, SplitAddress(options.listen));
  ErrorCode error;
  const auto found = tcp::resolver(io).resolve(address.first, std::to_string(address.second), error);
  if (error || found.empty()) {
    return Fail(Code::kInvalidArgument, "listen: " + options.listen + ": " + error.message());
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (tls == nullptr && !options.plain_http_anywhere && !IsLoopback(endpoint.address())) {
    return Fail(Code::kInvalidArgument,
                "listen: " + options.listen +
                    " can be reached from other machines, and without TLS others can read what is about "
                    "patients: set tls.certificate and tls.private-key, or tls.plain-http: anywhere behind a "
                    "proxy that does TLS");
  }
  const auto failed = [&] {
    return Fail(Code::kUnavailable, "listen: " + options.listen + ": " + error.message());
  };
  if (acceptor.open(endpoint.protocol(), error)) return failed();
  if (acceptor.set_option(tcp::acceptor::reuse_address(true), error)) return failed();
  if (acceptor.bind(endpoint, error)) return failed();
  if (acceptor.listen(asio::socket_base::max_listen_connections, error)) return failed();
  return {};
}

std::size_t HttpServer::Impl::ThreadCount() const {
  if (queue != nullptr) return queue->places() + 1;
  if (options.io_threads > 0) return static_cast<std::size_t>(options.io_threads);
  return std::max(1u, std::thread::hardware_concurrency());
}

void HttpServer::Impl::Accept() {
  if (accepting || newcomer || stopping || !acceptor.is_open()) return;
  accepting = true;
  acceptor.async_accept(io, asio::bind_executor(strand, [this](ErrorCode error, HttpStream::Socket socket) {
                          accepting = false;
                          if (error == asio::error::operation_aborted || stopping) return;
                          if (error && error != asio::error::connection_aborted) {
                            table.EndOldestWaiting();  // gives a file descriptor back
                            retry_timer.expires_after(kAcceptRetry);
                            retry_timer.async_wait([this](ErrorCode aborted) {
                              if (!aborted) Accept();
                            });
                            return;
                          }
                          if (!error) Admit(std::move(socket));
                          Accept();
                        }));
}

void HttpServer::Impl::Admit(HttpStream::Socket socket) {
  ++accepted;
  if (table.size() < static_cast<std::size_t>(options.max_connections))
    return StartSession(std::move(socket));
  newcomer.emplace(std::move(socket));
  crowded = true;
  if (table.EndOldestWaiting() && crowded.exchange(false)) ++ended_for_room;
}

void HttpServer::Impl::StartSession(HttpStream::Socket socket) {
  ErrorCode error;
  const asio::ip::address address = socket.remote_endpoint(error).address();
  if (error) return;  // already gone
  const std::shared_ptr<asio::ssl::context> context = tls != nullptr ? tls->context() : nullptr;
  const auto session = std::make_shared<HttpSession>(std::move(socket), context.get(), shared_from_this());
  if (!table.Add(*session, address)) {
    ++refused;
    return;
  }
  session->Start();
}

void HttpServer::Impl::SessionClosed() {
  Post(strand, [this] {
    if (newcomer && table.size() < static_cast<std::size_t>(options.max_connections)) {
      HttpStream::Socket socket = std::move(*newcomer);
      newcomer.reset();
      crowded = false;
      StartSession(std::move(socket));
    }
    stopping ? Finish() : Accept();
  });
}

void HttpServer::Impl::AwaitSignal() {
  signals.async_wait([this](ErrorCode error, int) {
    if (error) return;
    if (draining) return io.stop();  // asked twice: at once
    AwaitSignal();                   // before stopping, which ends the wait when nothing is in flight
    BeginDrain();
  });
}

void HttpServer::Impl::BeginDrain() {
  if (draining.exchange(true)) return;
  if (on_stop) on_stop();
  if (options.drain_notice_ms == 0) return BeginStop();
  drain_timer.expires_after(milliseconds(options.drain_notice_ms));
  drain_timer.async_wait([this](ErrorCode aborted) {
    if (!aborted) BeginStop();
  });
}

void HttpServer::Impl::BeginStop() {
  stopping = true;
  ErrorCode ignored;
  acceptor.close(ignored);
  newcomer.reset();
  retry_timer.cancel();
  drain_timer.expires_after(milliseconds(options.drain_time_ms));
  drain_timer.async_wait([this](ErrorCode aborted) {
    if (aborted) return;
    table.CutAll();
    io.stop();
  });
  table.EndIdle();
  Finish();
}

// Once stopping and the last session is gone, nothing is left for the io_context to wait for.
void HttpServer::Impl::Finish() {
  if (table.size() != 0) return;
  for (asio::steady_timer* timer : {&drain_timer, &sweep_timer, &certificate_timer, &tick_timer})
    timer->cancel();
  ErrorCode ignored;
  signals.cancel(ignored);
  work.reset();
}

void HttpServer::Impl::Sweep() {
  sweep_timer.expires_after(SweepTime(options));
  sweep_timer.async_wait([this](ErrorCode aborted) {
    if (aborted || (stopping && table.size() == 0)) return;
    timed_out += table.CutLate(Now());
    Sweep();
  });
}

void HttpServer::Impl::LookAtCertificates() {
  if (tls == nullptr || options.certificate_poll_ms == 0) return;
  certificate_timer.expires_after(milliseconds(options.certificate_poll_ms));
  certificate_timer.async_wait([this](ErrorCode aborted) {
    if (aborted || stopping) return;
    const Result<bool> changed = tls->ReloadIfChanged();
    if (certificate_observer && !(changed && !*changed))
      certificate_observer(changed ? Status() : tl::unexpected(changed.error()));
    LookAtCertificates();
  });
}

void HttpServer::Impl::WaitForTick() {
  if (!on_tick) return;
  tick_timer.expires_after(tick_period);
  tick_timer.async_wait([this](ErrorCode aborted) {
    if (aborted) return;
    on_tick();
    WaitForTick();
  });
}

void HttpServer::Impl::Work() {
  for (;;) {
    try {
      io.run();
      return;
    } catch (...) {  // out of memory in one handler: its connection is gone, the others go on
    }
  }
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  if (impl_->queue != nullptr) impl_->queue->SetThreads(nullptr);
  {
    const std::lock_guard lock(impl_->finish_mutex);
    impl_->finished = true;
  }
  impl_->io.shutdown();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(HttpServerOptions options, Service& service,
                                                       EvaluationQueue* queue, Observer observer,
                                                       CertificateObserver certificate_observer) {
  HttpHandler handler;
  handler.handle = [&service](HttpRequest request, Respond respond) {
    service.Handle(std::move(request), std::move(respond));
  };
  handler.add_cors_headers = [&service](std::string_view origin, HttpResponse& response) {
    service.AddCorsHeaders(origin, response);
  };
  return Listen(std::move(options), std::move(handler), queue, std::move(observer),
                std::move(certificate_observer));
}

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(HttpServerOptions options, HttpHandler handler,
                                                       EvaluationQueue* queue, Observer observer,
                                                       CertificateObserver certificate_observer) {
  auto impl = std::make_shared<Impl>(std::move(options), std::move(handler), std::move(observer));
  if (impl->options.tls.enabled()) {
    STEPWISE_ASSIGN_OR_RETURN(impl->tls, TlsCertificates::Load(impl->options.tls));
  }
  STEPWISE_RETURN_IF_ERROR(impl->Bind());
  impl->certificate_observer = std::move(certificate_observer);
  impl->queue = queue;
  if (queue != nullptr) {
    queue->SetThreads([impl](Executor::Job job) { impl->Post(impl->io.get_executor(), std::move(job)); });
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::string HttpServer::url() const {
  ErrorCode ignored;
  const tcp::endpoint endpoint = impl_->acceptor.local_endpoint(ignored);
  const std::string host = endpoint.address().to_string();
  return (impl_->tls != nullptr ? "https://" : "http://") +
         (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

void HttpServer::Every(std::chrono::milliseconds period, std::function<void()> work) {
  impl_->tick_period = period;
  impl_->on_tick = std::move(work);
}

void HttpServer::WhenStopping(std::function<void()> told) { impl_->on_stop = std::move(told); }

void HttpServer::Run(bool stop_on_signals) {
  if (stop_on_signals) {
    impl_->signals.add(SIGINT);
    impl_->signals.add(SIGTERM);
    impl_->AwaitSignal();
  }
  asio::post(impl_->strand, [impl = impl_.get()] {
    impl->Sweep();
    impl->LookAtCertificates();
    impl->WaitForTick();
    impl->Accept();
  });
  std::vector<std::thread> workers;
  for (std::size_t i = 1; i < impl_->ThreadCount(); ++i) workers.emplace_back([this] { impl_->Work(); });
  impl_->Work();
  for (std::thread& worker : workers) worker.join();
}

void HttpServer::Stop() {
  asio::post(impl_->strand, [impl = impl_.get()] { impl->BeginDrain(); });
}

bool HttpServer::draining() const { return impl_->draining; }

Status HttpServer::ReloadCertificates() {
  if (impl_->tls == nullptr) return {};
  Status status = impl_->tls->Reload();
  if (impl_->certificate_observer) impl_->certificate_observer(status);
  return status;
}

HttpServerStats HttpServer::stats() const {
  HttpServerStats stats;
  stats.connections = impl_->table.size();
  stats.busy = impl_->table.busy();
  stats.buffered_bytes = impl_->buffered_bytes;
  stats.accepted = impl_->accepted;
  stats.refused = impl_->refused;
  stats.ended_for_room = impl_->ended_for_room;
  stats.timed_out = impl_->timed_out;
  stats.handshakes_failed = impl_->handshakes_failed;
  if (impl_->tls != nullptr) stats.certificate_not_after_unix_s = impl_->tls->not_after_unix_s();
  return stats;
}

}  // namespace stepwise::cds_hooks
