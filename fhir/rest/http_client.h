// HttpClient: calls to other servers, many at once, on one background thread.
//
//   std::unique_ptr<HttpClient> client = *HttpClient::Make({.servers = {"https://keys.example.org"}});
//   client->Start({.url = "https://keys.example.org/jwks.json", .deadline = now + 500ms},
//                 [](Result<HttpReply> reply) { ... });
//
// Only URLs on the allow-list are called, and only at addresses that the guard lets through (allow_list.h,
// address_guard.h). Redirects are handed back as replies and never followed; there are no cookies, no proxies
// from the environment, no .netrc, and certificates are always checked. Connections are kept and used again.
// Any status is a reply; an Error means that there is none:
//   kInvalidArgument  the URL, its address or a header may not be used
//   kLimit            the answer is larger than max_response_bytes or the budget
//   kUnavailable      no connection, no complete answer in time, too many calls, or the client is stopping
// Messages name neither the URL nor headers nor anything of the answer.
// Thread-safety: Start() and stats() may be called from any thread, also from a `done`.
#ifndef STEPWISE_FHIR_REST_HTTP_CLIENT_H_
#define STEPWISE_FHIR_REST_HTTP_CLIENT_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/result.h"

namespace stepwise::rest {

struct HttpClientOptions {
  // What may be called.
  std::vector<std::string> servers = {};           // base URLs, see allow_list.h; none: no call is made
  std::vector<std::string> allowed_networks = {};  // CIDR blocks to be called though they are not public
  std::string ca_file = {};                        // PEM file of trusted authorities; "": the system's

  // How many at once.
  std::int64_t max_connections = 128;  // in all; more calls wait for one
  std::int64_t max_connections_per_host = 32;
  std::int64_t max_calls = 4096;  // begun and waiting; more are refused at once

  // How long. Of a call it is its deadline that counts.
  std::int64_t connect_timeout_ms = 150;     // name, connection and TLS handshake
  std::int64_t idle_connection_ms = 30'000;  // an unused connection older than that is not used again

  std::size_t max_header_bytes = 64u << 10;  // of one answer
};

enum class HttpMethod : std::uint8_t { kGet, kPost };

struct HttpCall {
  using Time = std::chrono::steady_clock::time_point;

  HttpMethod method = HttpMethod::kGet;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};                      // of a POST
  Time deadline = {};                         // when `done` is called whatever has come
  Time not_before = {};                       // the call is put off until then
  std::size_t max_response_bytes = 4u << 20;  // of the body, counted when it is decompressed
  // What all calls that share it may still receive, counted likewise; nullptr: no such limit.
  std::shared_ptr<std::atomic<std::int64_t>> budget = nullptr;
  // How often it may be begun again after the connection failed before a byte of the answer had come. For
  // calls that change nothing.
  int connect_retries = 0;
};

struct HttpReply {
  int status = 0;
  std::string content_type, location, retry_after;  // header values; "" when absent
  std::string body;                                 // decompressed
  int retries = 0;                                  // of connect_retries, used
};

// Since the client was made.
struct HttpClientStats {
  std::uint64_t calls = 0;        // Start()
  std::uint64_t replies = 0;      // answered, whatever the status
  std::uint64_t retries = 0;      // of connections
  std::uint64_t connections = 0;  // opened
  std::uint64_t bytes = 0;        // of bodies, decompressed
  std::uint64_t in_flight = 0;    // now: begun or waiting
};

class HttpClient {
 public:
  using Done = std::function<void(Result<HttpReply>)>;

  // Errors: kInvalidArgument for a server, a network or a CA file that cannot be used; kInternal.
  static Result<std::unique_ptr<HttpClient>> Make(const HttpClientOptions& options);
  ~HttpClient();  // Stop()
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Calls `done` exactly once: on the client's thread, or before Start returns when the client is stopping or
  // has too many calls. It must be quick, for all other calls wait meanwhile, and must not throw.
  void Start(HttpCall call, Done done);

  // Ends all calls (kUnavailable, "stopping"), and returns when every `done` has returned. Not from a `done`.
  void Stop();

  HttpClientStats stats() const;

 private:
  class Loop;
  explicit HttpClient(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_HTTP_CLIENT_H_
