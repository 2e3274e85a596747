// Service: the CDS Hooks service as a function from an HTTP request to an HTTP response. No sockets.
//
//   GET  /cds-services        what is on offer (discovery)
//   POST /cds-services/{id}   advice for one hook
//   POST /cds-services/{id}/feedback   what clinicians did with cards: overrides keep the same advice quiet
//   GET  /health/live         200 while the process runs
//   GET  /health/ready        200 when requests can be answered, else 503
//   GET  /health              the same, and what is loaded and what the last reload said
//   GET  /metrics             the same in numbers (Prometheus)
//   GET  /admin/feedback      how often cards were accepted and overridden; for administrators
//   OPTIONS on any of these   CORS preflight
//
// /health and /metrics name files and versions: a proxy should keep them inside. Where an authenticator is
// set, everything below /cds-services is for its clients only; who is not one gets 401, whatever else is
// wrong with the request.
//
//   Service service({.cors_origins = {"*"}}, evaluator, clock);
//   service.Handle({.method = "GET", .target = "/cds-services"}, [](HttpResponse response) { ... });
//   HttpResponse response = service.Handle({.method = "GET", .target = "/cds-services"});   // waits
//
// Every answer carries the CORS headers, and every answer that is not 2xx an OperationOutcome (of /health its
// own JSON). Nothing throws. Source: CDS Hooks 2.0.1, "Discovery", "Calling a CDS Service", "Cross-Origin
// Resource Sharing". Thread-safety: Handle() may be called from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_SERVICE_H_
#define STEPWISE_CDS_HOOKS_SERVICE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/config.h"
#include "cds_hooks/exchange.h"
#include "cds_hooks/executor.h"
#include "cds_hooks/health.h"
#include "cds_hooks/hook_calls.h"
#include "cds_hooks/http_message.h"
#include "cds_hooks/serving.h"
#include "cds_hooks/trust/authenticator.h"
#include "fhir/date_time.h"
#include "rules/evaluator.h"
#include "rules/registry.h"

namespace stepwise::cds_hooks {

// What the pointers point to outlives the service; nullptr: that part is not there.
struct ServiceOptions {
  std::string path_prefix;
  // What clients call, without slash at the end; "aud" of their tokens is this and a path. It stands for the
  // prefix, too: "https://cds.example.org/cds" where path_prefix is "/cds".
  std::string public_url;
  std::vector<std::string> cors_origins = {"*"};
  HookCallOptions calls;
  const rules::Registry* registry = nullptr;  // whose state /health and /metrics tell
  std::shared_ptr<OverrideStore> overrides;   // nullptr: in memory, with `override_limits`
  OverrideStoreLimits override_limits;
  std::shared_ptr<Metrics> metrics;                 // what /metrics tells; nullptr: the service's own
  Executor* executor = nullptr;                     // of evaluations; nullptr: an InlineExecutor
  trust::Authenticator* authenticator = nullptr;    // nullptr: anybody may call
  std::string admin_token;                          // "": there is no /admin
  std::function<std::uint64_t()> random_bits = {};  // of trace ids; none: no traces
  std::function<bool()> draining = {};              // is the server stopping?
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

  // Answers by `respond`, exactly once: before it returns, or later on another thread.
  void Handle(HttpRequest request, Respond respond) noexcept;
  // The same for those who can wait.
  HttpResponse Handle(HttpRequest request);

  // Adds the CORS headers; for answers that are not from Handle(), to requests that could not be read.
  void AddCorsHeaders(std::string_view origin, HttpResponse& response) const;

 private:
  enum class Access : std::uint8_t { kAnybody, kClients, kAdministrators };
  using Handler = HttpResponse (Service::*)(Exchange& exchange);
  struct RouteSpec {
    std::string_view name;   // "/cds-services/{id}"
    std::string_view allow;  // methods, as the header Allow lists them
    bool is_post;            // else GET and HEAD
    Access access;
    bool works;      // waits for its turn; the others are answered at once
    Handler answer;  // nullptr: calls_
  };
  struct Place {
    const RouteSpec* route = nullptr;
    std::string_view service_id = {};
  };
  static const RouteSpec kRoutes[];
  static Place FindPlace(std::string_view path);

  void Route(const ExchangePtr& exchange);
  void Authenticate(const ExchangePtr& exchange, const RouteSpec& route);
  void Work(const ExchangePtr& exchange, const RouteSpec& route) noexcept;
  bool IsAdministrator(const HttpRequest& request) const;
  void StartTrace(Exchange& exchange) const;
  HttpResponse Discover(Exchange& exchange);
  HttpResponse TakeFeedback(Exchange& exchange);
  HttpResponse Health(Exchange& exchange);
  HttpResponse Live(Exchange& exchange);
  HttpResponse Ready(Exchange& exchange);
  HttpResponse ShowMetrics(Exchange& exchange);
  HttpResponse ReportFeedback(Exchange& exchange);
  HealthInputs HealthNow();

  const ServiceOptions options_;
  rules::Evaluator& evaluator_;
  const Clock clock_;
  InlineExecutor inline_executor_;
  Executor& executor_;
  ServingSource serving_;
  HookCalls calls_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_SERVICE_H_
