// HttpServer: HTTP/1.1 over TCP or TLS for one Service, with a limit on everything.
//
//   EvaluationQueue queue(MakeEvaluationQueueOptions(config));      // also ServiceOptions::executor
//   Result<std::unique_ptr<HttpServer>> server =
//       HttpServer::Listen(MakeHttpServerOptions(config), service, &queue, observer);
//   std::cout << "listening on " << (*server)->url() << std::endl;
//   (*server)->Run();    // returns after Stop(), SIGTERM or SIGINT, when requests in flight are answered
//
// Keep-alive and pipelining; a connection reads its next request when the answer to the last is written, so a
// slow client holds up nobody else. Bodies past max_body_bytes get 413 before they are read, headers past
// max_header_bytes 431, what two servers might read differently 400 (request_head.h); the connection closes
// after each of these. At max_connections the connection whose client has owed a request for longest makes
// room; while all are busy new ones wait unaccepted, and those that are answered close.
//
// Stopping: no new connections, idle ones close, requests in flight are answered with Connection: close, what
// is left after drain_time_ms is cut.
//
// What it does not do: HTTP/2, compression (put a proxy in front).
// Errors of Listen(): kInvalidArgument (the address does not parse; plain HTTP beyond this machine; a
// certificate that is none), kNotFound (a certificate's file), kUnavailable (the address cannot be bound).
// Thread-safety: Run() once; all others from any thread.
#ifndef STEPWISE_CDS_HOOKS_HTTP_SERVER_H_
#define STEPWISE_CDS_HOOKS_HTTP_SERVER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cds_hooks/config.h"
#include "cds_hooks/evaluation_queue.h"
#include "cds_hooks/service.h"
#include "cds_hooks/tls.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

struct HttpServerOptions {
  std::string listen = "127.0.0.1:8080";  // HOST:PORT, [::1]:PORT for IPv6; port 0 takes any free port
  // Without TLS requests and answers, which are about patients, can be read by whoever is in between: off
  // this machine it must be asked for, by those who have a proxy that does TLS.
  bool plain_http_anywhere = false;
  TlsOptions tls;                             // on where it names a certificate or a key
  std::int64_t certificate_poll_ms = 10'000;  // between two looks at its files; 0: ReloadCertificates() only

  // What clients may send.
  std::int64_t max_body_bytes = 16 << 20;       // larger bodies: 413, before they are read
  std::int64_t max_header_bytes = 16 << 10;     // larger headers: 431
  std::int64_t max_buffered_bytes = 256 << 20;  // of all bodies being received: 503 to those past it

  // How long they may take.
  std::int64_t handshake_timeout_ms = 10'000;    // of TLS
  std::int64_t request_timeout_ms = 10'000;      // for a header; for a body, and to take an answer,
  std::int64_t min_bytes_per_second = 16 << 10;  // as long again, and a second more for each of these
  std::int64_t idle_timeout_ms = 75'000;         // until the first byte of a request
  std::int64_t drain_time_ms = 10'000;           // after Stop(), for requests in flight
  // After Stop(), still serving as ever while draining() says that it will end: for load balancers that need
  // a look at GET /health to send requests elsewhere.
  std::int64_t drain_notice_ms = 0;

  // How many.
  std::int64_t max_connections = 1024;
  // Of one address; 0: no limit, since an EHR's or a proxy's connections all come from one.
  std::int64_t max_connections_per_address = 0;
  std::int64_t max_requests_per_connection = 0;  // then it closes, so that balancers can move it; 0: no limit
  std::int64_t io_threads = 0;                   // without a queue; 0: one a core
};

HttpServerOptions MakeHttpServerOptions(const Config& config);

// One answered request. Nothing in it comes from a patient; see RequestSummary.
struct AccessRecord {
  std::string_view method;  // "GET", ..., "OTHER"
  int status = 0;
  std::int64_t duration_us = 0;  // from the last byte of the request to the answer being ready
  std::size_t request_bytes = 0, response_bytes = 0;  // of the bodies
  RequestSummary summary;
};

// What answers the requests. Both are called by many threads at once, and do not throw.
struct HttpHandler {
  std::function<void(HttpRequest, Respond)> handle;  // calls back exactly once, now or later, on any thread
  // For answers that are the server's own, to bytes that are no request.
  std::function<void(std::string_view origin, HttpResponse&)> add_cors_headers = [](std::string_view,
                                                                                    HttpResponse&) {};
};

struct HttpServerStats {
  std::size_t connections = 0, busy = 0,
              buffered_bytes = 0;  // now; busy: receiving a body, or being answered
  // Since the start:
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;         // one address had max_connections_per_address
  std::uint64_t ended_for_room = 0;  // at max_connections
  std::uint64_t timed_out = 0;       // cut at a deadline
  std::uint64_t handshakes_failed = 0;
  std::int64_t certificate_not_after_unix_s = 0;  // 0: no TLS
};

class HttpServer {
 public:
  // Called by the worker threads, after the answer was handed to the system; must be quick and not throw.
  using Observer = std::function<void(const AccessRecord&)>;
  // What a look at the certificate's files led to; not called while they are the same.
  using CertificateObserver = std::function<void(const Status&)>;

  // Binds; connections are accepted once Run() is called. `service` and `queue` outlive the server. The
  // queue, where there is one, is the service's executor, and gets the server's threads for what it posts.
  static Result<std::unique_ptr<HttpServer>> Listen(HttpServerOptions options, Service& service,
                                                    EvaluationQueue* queue, Observer observer,
                                                    CertificateObserver certificate_observer = {});
  // The same for what is no Service.
  static Result<std::unique_ptr<HttpServer>> Listen(HttpServerOptions options, HttpHandler handler,
                                                    EvaluationQueue* queue, Observer observer,
                                                    CertificateObserver certificate_observer = {});
  // Answers that are still to come from the service then go nowhere.
  ~HttpServer();

  std::string url() const;  // "http://127.0.0.1:8080", with the port that was bound

  // Before Run(). `work` is done by a worker every `period` until the server stops: that it is done says that
  // requests are, too. `told` is called once, when stopping begins. Both are quick and do not throw.
  void Every(std::chrono::milliseconds period, std::function<void()> work);
  void WhenStopping(std::function<void()> told);

  // Serves until stopped, on one thread more than the queue has places. `stop_on_signals`: SIGTERM and SIGINT
  // stop it, a second one at once.
  void Run(bool stop_on_signals);
  void Stop();
  bool draining() const;  // Stop() was called, or a signal came

  // The certificate's files are read again, for connections to come; the observer hears the result too.
  Status ReloadCertificates();

  HttpServerStats stats() const;

 private:
  struct Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_SERVER_H_
