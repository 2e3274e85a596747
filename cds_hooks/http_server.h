// HttpServer: HTTP/1.1 over TCP for one Service, with a limit on everything.
//
//   Result<std::unique_ptr<HttpServer>> server = HttpServer::Listen(config, service, observer);
//   std::cout << "listening on " << (*server)->url() << std::endl;
//   (*server)->Run();    // returns after Stop(), SIGTERM or SIGINT, when requests in flight are answered
//
// Keep-alive and pipelining; a connection reads its next request when the answer to the last is written, so a
// slow client holds up nobody else. Bodies past Config::max_body_bytes get 413 before they are read, headers
// past max_header_bytes 431, bytes that are not HTTP 400; the connection closes after each of these.
// Connections past max_connections wait unaccepted. Stopping: no new connections, idle ones close, requests
// in flight are answered with Connection: close, what is left after drain_time_ms is cut.
//
// What it does not do: TLS, HTTP/2, compression (put a proxy in front).
// Errors: kInvalidArgument (the address does not parse), kUnavailable (it cannot be bound).
// Thread-safety: Stop() may be called from any thread; Run() once.
#ifndef STEPWISE_CDS_HOOKS_HTTP_SERVER_H_
#define STEPWISE_CDS_HOOKS_HTTP_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cds_hooks/config.h"
#include "cds_hooks/service.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

// One answered request. Nothing in it comes from a patient; see RequestSummary.
struct AccessRecord {
  std::string_view method;  // "GET", ..., "OTHER"
  int status = 0;
  std::int64_t duration_us = 0;  // from the last byte of the request to the answer being ready
  std::size_t request_bytes = 0, response_bytes = 0;  // of the bodies
  RequestSummary summary;
};

class HttpServer {
 public:
  // Called by the worker threads, after the answer was handed to the system; must be quick and not throw.
  using Observer = std::function<void(const AccessRecord&)>;

  // Binds; connections are accepted once Run() is called. `service` outlives the server.
  static Result<std::unique_ptr<HttpServer>> Listen(const Config& config, Service& service,
                                                    Observer observer);
  ~HttpServer();

  std::string url() const;  // "http://127.0.0.1:8080", with the port that was bound

  // Before Run(). `work` is done by a worker every `period` until the server stops: that it is done says that
  // requests are, too. `told` is called once, when stopping begins. Both are quick and do not throw.
  void Every(std::chrono::milliseconds period, std::function<void()> work);
  void WhenStopping(std::function<void()> told);

  // Serves on config.worker_threads threads until stopped. `stop_on_signals`: SIGTERM and SIGINT stop it.
  void Run(bool stop_on_signals);
  void Stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_SERVER_H_
