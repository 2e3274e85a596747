// HttpRequest and HttpResponse: what passes between the sockets (cds_hooks/http_session.h) and the Service.
//
// Thread-safety: plain values.
#ifndef STEPWISE_CDS_HOOKS_HTTP_MESSAGE_H_
#define STEPWISE_CDS_HOOKS_HTTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepwise::cds_hooks {

// The views live until the response is given.
struct HttpRequest {
  std::string_view method = {}, target = {};
  std::string_view content_type = {}, content_encoding = {}, origin = {};  // headers; "" when absent
  std::string_view access_control_request_method = {};
  std::string_view authorization = {}, traceparent = {}, tracestate = {};
  std::string_view client_certificate = {};  // subject of the verified one; "" without
  std::string body = {};
};

// What may be said about a request in a log: nothing of the patient, and nothing a client chose freely.
struct RequestSummary {
  std::string_view route = "other";  // "/cds-services/{id}", not the target
  std::string_view service, hook;    // known ids, or ""
  std::string_view error;            // name of the error's code, or ""
  std::string decision;              // id, or ""
  std::size_t cards = 0;
  std::string trace_id, request_id;  // of W3C trace context: the trace, and this request's span in it; or ""
  std::string caller;                // an issuer of the configuration, or ""
  std::string refused;               // why the caller is not trusted (trust/reason.h), or ""
  // Microseconds: to check who asks, to fetch what was missing, to evaluate the rules; -1 where that was not
  // done.
  std::int64_t auth_us = -1, fetch_us = -1, evaluate_us = -1;
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string_view, std::string>> headers;  // without Content-Length and Connection
  std::string body;
  RequestSummary summary;
  std::function<void()> after = {};  // to be done when the answer is on its way; does not throw
};

using Respond = std::function<void(HttpResponse)>;  // does not throw

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_MESSAGE_H_
