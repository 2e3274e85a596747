#include "cds_hooks/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <charconv>
#include <csignal>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>  // Asio 1.74 uses std::exchange without including it
#include <vector>

#include "cds_hooks/http_session.h"

namespace stepwise::cds_hooks {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptRetry{100};  // after running out of file descriptors

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

std::size_t ThreadCount(const Config& config) {
  if (config.worker_threads > 0) return static_cast<std::size_t>(config.worker_threads);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

// One io_context that all workers run: a request that takes long holds up one worker, never the connections
// that happen to share it.
struct HttpServer::Impl {
  Impl(const Config& config_in, Service& service, Observer observer)
      : config(config_in),
        context{service,
                std::move(observer),
                static_cast<std::uint64_t>(config.max_body_bytes),
                static_cast<std::uint32_t>(config.max_header_bytes),
                std::chrono::milliseconds(config.request_timeout_ms),
                std::chrono::milliseconds(config.idle_timeout_ms)} {}

  Status Bind();
  void Accept();
  void StartSession(tcp::socket socket);
  void SessionClosed(std::uint64_t id);
  void AwaitSignal();
  void BeginStop();
  void Finish();
  void WaitForTick();
  void Work();

  const Config config;
  SessionContext context;
  std::mutex sessions_mutex;
  std::unordered_map<std::uint64_t, std::weak_ptr<HttpSession>> sessions;  // guarded by sessions_mutex

  // The io_context is destroyed before what its pending handlers use.
  asio::io_context io;
  asio::strand<asio::io_context::executor_type> strand{asio::make_strand(io)};  // acceptor, timers, signals
  tcp::acceptor acceptor{strand};
  asio::steady_timer retry_timer{strand}, drain_timer{strand}, tick_timer{strand};
  std::chrono::milliseconds tick_period{};
  std::function<void()> on_tick, on_stop;
  asio::signal_set signals{strand};
  bool accepting = false;     // an accept is pending; on the strand
  std::uint64_t next_id = 0;  // on the strand
};

Status HttpServer::Impl::Bind() {
  STEPWISE_ASSIGN_OR_RETURN(const auto address, SplitAddress(config.listen));
  ErrorCode error;
  const auto found = tcp::resolver(io).resolve(address.first, std::to_string(address.second), error);
  if (error || found.empty()) {
    return Fail(Code::kInvalidArgument, "listen: " + config.listen + ": " + error.message());
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  const auto failed = [&] {
    return Fail(Code::kUnavailable, "listen: " + config.listen + ": " + error.message());
  };
  if (acceptor.open(endpoint.protocol(), error)) return failed();
  if (acceptor.set_option(tcp::acceptor::reuse_address(true), error)) return failed();
  if (acceptor.bind(endpoint, error)) return failed();
  if (acceptor.listen(asio::socket_base::max_listen_connections, error)) return failed();
  return {};
}

void HttpServer::Impl::Accept() {
  if (accepting || context.stopping || !acceptor.is_open()) return;
  {
    const std::lock_guard lock(sessions_mutex);
    if (sessions.size() >= static_cast<std::size_t>(config.max_connections))
      return;  // SessionClosed() resumes
  }
  accepting = true;
  acceptor.async_accept(asio::make_strand(io),
                        asio::bind_executor(strand, [this](ErrorCode error, tcp::socket socket) {
                          accepting = false;
                          if (error == asio::error::operation_aborted || context.stopping) return;
                          if (error && error != asio::error::connection_aborted) {
                            retry_timer.expires_after(kAcceptRetry);
                            retry_timer.async_wait([this](ErrorCode aborted) {
                              if (!aborted) Accept();
                            });
                            return;
                          }
                          if (!error) StartSession(std::move(socket));
                          Accept();
                        }));
}

void HttpServer::Impl::StartSession(tcp::socket socket) {
  const std::uint64_t id = next_id++;
  auto session = std::make_shared<HttpSession>(std::move(socket), context, [this, id] { SessionClosed(id); });
  {
    const std::lock_guard lock(sessions_mutex);
    sessions.emplace(id, session);
  }
  session->Start();
}

void HttpServer::Impl::SessionClosed(std::uint64_t id) {
  {
    const std::lock_guard lock(sessions_mutex);
    sessions.erase(id);
  }
  if (io.stopped()) return;  // being torn down
  asio::post(strand, [this] { context.stopping ? Finish() : Accept(); });
}

void HttpServer::Impl::AwaitSignal() {
  signals.async_wait([this](ErrorCode error, int) {
    if (error) return;
    if (context.stopping) return io.stop();  // asked twice: at once
    AwaitSignal();                           // before stopping, which ends the wait when nothing is in flight
    BeginStop();
  });
}

void HttpServer::Impl::BeginStop() {
  if (context.stopping.exchange(true)) return;
  ErrorCode ignored;
  acceptor.close(ignored);
  retry_timer.cancel();
  if (on_stop) on_stop();
  drain_timer.expires_after(std::chrono::milliseconds(config.drain_time_ms));
  drain_timer.async_wait([this](ErrorCode aborted) {
    if (!aborted) io.stop();
  });
  std::vector<std::shared_ptr<HttpSession>> open;
  {
    const std::lock_guard lock(sessions_mutex);
    for (const auto& [id, session] : sessions) {
      if (auto alive = session.lock()) open.push_back(std::move(alive));
    }
  }
  for (const auto& session : open) session->StopWhenIdle();
  open.clear();  // may close the last one
  Finish();
}

// Once stopping and the last session is gone, nothing is left for the io_context to wait for.
void HttpServer::Impl::Finish() {
  const std::lock_guard lock(sessions_mutex);
  if (!sessions.empty()) return;
  drain_timer.cancel();
  tick_timer.cancel();
  ErrorCode ignored;
  signals.cancel(ignored);
}

void HttpServer::Impl::WaitForTick() {
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

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::Listen(const Config& config, Service& service,
                                                       Observer observer) {
  auto impl = std::make_unique<Impl>(config, service, std::move(observer));
  STEPWISE_RETURN_IF_ERROR(impl->Bind());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::string HttpServer::url() const {
  ErrorCode ignored;
  const tcp::endpoint endpoint = impl_->acceptor.local_endpoint(ignored);
  const std::string host = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
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
    impl->Accept();
    if (impl->on_tick) impl->WaitForTick();
  });
  std::vector<std::thread> workers;
  for (std::size_t i = 1; i < ThreadCount(impl_->config); ++i)
    workers.emplace_back([this] { impl_->Work(); });
  impl_->Work();
  for (std::thread& worker : workers) worker.join();
}

void HttpServer::Stop() {
  asio::post(impl_->strand, [impl = impl_.get()] { impl->BeginStop(); });
}

}  // namespace stepwise::cds_hooks
