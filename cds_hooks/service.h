// Service: the CDS Hooks service as a function from an HTTP request to an HTTP response. No sockets.
//
//   GET  /cds-services        what is on offer (discovery)
//   POST /cds-services/{id}   advice for one hook
//   POST /cds-services/{id}/feedback   what clinicians did with cards: overrides keep the same advice quiet
//   GET  /health              200 when requests can be answered, else 503; what is loaded, and what the last
//                             reload said;  /health/ready: the same in short;  /health/live: 200 while the
//                             process runs
//   GET  /metrics             what happened, in numbers (Prometheus)
//   OPTIONS on any of these   CORS preflight
//
// /health and /metrics name files and versions: a proxy should keep them inside.
//
//   Service service({.cors_origins = {"*"}}, evaluator, clock);
//   HttpResponse response = service.Handle({.method = "GET", .target = "/cds-services"});
//
// Every answer carries the CORS headers, and every answer that is not 2xx an OperationOutcome, but those of
// /health. Nothing throws. Source: CDS Hooks 2.0.1, "Discovery", "Calling a CDS Service", "Cross-Origin
// Resource Sharing". Thread-safety: Handle() may be called from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_SERVICE_H_
#define STEPWISE_CDS_HOOKS_SERVICE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cds_hooks/config.h"
#include "cds_hooks/discovery.h"
#include "cds_hooks/health.h"
#include "cds_hooks/metrics.h"
#include "cds_hooks/pipeline.h"
#include "fhir/date_time.h"
#include "rules/evaluator.h"
#include "rules/registry.h"

namespace stepwise::cds_hooks {

// The views live as long as the call.
struct HttpRequest {
  std::string_view method = {}, target = {};
  std::string_view content_type = {}, content_encoding = {}, origin = {};  // headers; "" when absent
  std::string_view access_control_request_method = {};
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
  std::string_view caller;           // name of an issuer in the configuration, or ""
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

struct ServiceOptions {
  std::string path_prefix;
  std::vector<std::string> cors_origins = {"*"};
  PipelineOptions pipeline;
  std::size_t max_shadows = 4;                // see Config
  const rules::Registry* registry = nullptr;  // whose state /health and /metrics tell; outlives the service
  std::shared_ptr<OverrideStore> overrides;   // nullptr: in memory, with `override_limits`
  OverrideStoreLimits override_limits;
  std::shared_ptr<Metrics> metrics;  // what /metrics tells; nullptr: the service's own
  // Adds what the service does not know (stopping, the store) before /health is answered.
  std::function<void(HealthInputs&)> add_health;
};
ServiceOptions MakeServiceOptions(const Config& config);

class Service {
 public:
  using Clock = std::function<DateTime()>;  // called once per evaluation

  // `evaluator` outlives the service.
  Service(ServiceOptions options, rules::Evaluator& evaluator, Clock clock);

  // Reads the packs in force again and puts them in the place of the ones served until now; on an error
  // those stay. Called by itself on the first request that needs it. Errors: ListPacks()'s, BuildCatalog()'s.
  Status Refresh();

  HttpResponse Handle(HttpRequest request) noexcept;

  // Adds the CORS headers; for answers that are not from Handle(), to requests that could not be read.
  void AddCorsHeaders(std::string_view origin, HttpResponse& response) const;

 private:
  HttpResponse Route(HttpRequest& request);
  // A request is answered by one of these from beginning to end.
  struct Serving {
    std::shared_ptr<rules::Evaluator> snapshot;  // nullptr: evaluator_
    Catalog catalog;
  };
  HttpResponse Discover();
  HttpResponse Call(HttpRequest& request, std::string_view service_id);
  HttpResponse TakeFeedback(HttpRequest& request, std::string_view service_id);
  HttpResponse TellHealth(Health (*tell)(const HealthInputs&));
  HttpResponse TellMetrics();
  std::function<void()> ShadowOf(std::shared_ptr<const Serving> serving, Answer answer);
  Result<std::shared_ptr<const Serving>> Serve(std::shared_ptr<rules::Evaluator> snapshot);
  Result<std::shared_ptr<const Serving>> CurrentServing(const DateTime& now);
  rules::Evaluator& EvaluatorOf(const Serving& serving) {
    return serving.snapshot == nullptr ? evaluator_ : *serving.snapshot;
  }
  HttpResponse NoSuchService() const;

  ServiceOptions options_;  // not changed after construction
  rules::Evaluator& evaluator_;
  const Clock clock_;
  std::mutex mutex_;
  std::shared_ptr<const Serving> serving_;  // guarded by mutex_; null until the evaluator has answered once
  std::atomic<std::size_t> shadows_{0};     // running
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_SERVICE_H_
