#include "cds_hooks/service.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>

#include "cds_hooks/feedback.h"
#include "cds_hooks/http_answer.h"
#include "cds_hooks/metrics.h"
#include "cds_hooks/operation_outcome.h"
#include "cds_hooks/store/feedback_report.h"
#include "cds_hooks/store/recorder.h"
#include "cds_hooks/traceparent.h"

namespace stepwise::cds_hooks {
namespace {

ServiceOptions WithDefaults(ServiceOptions options) {
  if (options.overrides == nullptr)
    options.overrides = std::make_shared<MemoryOverrideStore>(options.override_limits);
  options.calls.pipeline.overrides = options.overrides.get();
  if (options.metrics == nullptr) options.metrics = std::make_shared<Metrics>();
  options.calls.metrics = options.metrics.get();
  return options;
}

}  // namespace

ServiceOptions MakeServiceOptions(const Config& config) {
  ServiceOptions options;
  options.path_prefix = config.path_prefix;
  options.public_url = config.public_url;
  if (options.public_url.empty()) {
    const std::string scheme = config.tls.certificate.empty() ? "http://" : "https://";
    options.public_url = scheme + config.listen + config.path_prefix;
  }
  while (options.public_url.ends_with('/')) options.public_url.pop_back();
  options.cors_origins = config.cors_origins;
  options.calls.max_shadows = static_cast<std::size_t>(config.max_shadows);
  options.calls.request_deadline_ms = config.request_deadline_ms;
  PipelineOptions& pipeline = options.calls.pipeline;
  pipeline.limits.max_bytes = static_cast<std::size_t>(config.max_body_bytes);
  pipeline.limits.max_depth = static_cast<int>(config.max_depth);
  pipeline.evaluation_timeout = std::chrono::milliseconds(config.evaluation_timeout_ms);
  pipeline.max_cards = static_cast<std::size_t>(config.max_cards);
  options.override_limits.max_cards = static_cast<std::size_t>(config.max_issued_cards);
  options.override_limits.max_overrides = static_cast<std::size_t>(config.max_issued_cards);
  return options;
}

Service::Service(ServiceOptions options, rules::Evaluator& evaluator, Clock clock)
    : options_(WithDefaults(std::move(options))),
      evaluator_(evaluator),
      clock_(std::move(clock)),
      executor_(options_.executor != nullptr ? *options_.executor : inline_executor_),
      serving_(evaluator),
      calls_(options_.calls, serving_, clock_, executor_) {}

Status Service::Refresh() {
  const Result<ServingPtr> serving = serving_.Refresh(clock_());
  return serving ? Status() : tl::unexpected(serving.error());
}

void Service::Handle(HttpRequest request, Respond respond) noexcept {
  const std::string_view origin = request.origin;
  const auto exchange = std::make_shared<Exchange>(
      std::move(request), [this, origin, respond = std::move(respond)](HttpResponse response) {
        AddCorsHeaders(origin, response);
        respond(std::move(response));
      });
  try {
    Route(exchange);
  } catch (...) {  // ours or a library's fault; the next request must find a server
    exchange->Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
  }
}

HttpResponse Service::Handle(HttpRequest request) {
  const auto promise = std::make_shared<std::promise<HttpResponse>>();
  Handle(std::move(request), [promise](HttpResponse given) { promise->set_value(std::move(given)); });
  return promise->get_future().get();
}

void Service::Route(const ExchangePtr& exchange) {
  const HttpRequest& request = exchange->request;
  std::string_view path = request.target.substr(0, request.target.find('?'));
  if (!path.starts_with(options_.path_prefix))
    return exchange->Answer(Refuse(404, "not-found", "there is nothing at this path"));
  path.remove_prefix(options_.path_prefix.size());
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const Place place = FindPlace(path);
  const bool hidden = place.route != nullptr && place.route->access == Access::kAdministrators &&
                      options_.admin_token.empty();
  if (place.route == nullptr || hidden)
    return exchange->Answer(Refuse(
        404, "not-found",
        "there is nothing at this path; services are listed at " + options_.path_prefix + "/cds-services"));
  const RouteSpec& route = *place.route;
  exchange->summary.route = route.name;
  exchange->service_id = place.service_id;
  exchange->path = path;
  StartTrace(*exchange);
  if (request.method == "OPTIONS")
    return exchange->Answer(Preflight(route.allow, !request.access_control_request_method.empty()));
  if (route.is_post ? !IsPost(request) : !IsGet(request))
    return exchange->Answer(MethodNotAllowed(route.allow));
  if (route.access == Access::kAdministrators && !IsAdministrator(request))
    return exchange->Answer(Unauthorized());

  const bool authenticates = route.access == Access::kClients && options_.authenticator != nullptr;
  if (!route.works && !authenticates) return Work(exchange, route);
  // Signatures are work, too.
  const auto job = [this, exchange, &route, authenticates]() noexcept {
    if (!authenticates) return Work(exchange, route);
    try {
      Authenticate(exchange, route);
    } catch (...) {
      exchange->Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
    }
  };
  const auto expired = [this, exchange] { calls_.AnswerBusy(*exchange, "expired"); };
  if (!executor_.Run(job, expired)) calls_.AnswerBusy(*exchange, "queue-full");
}

void Service::Authenticate(const ExchangePtr& exchange, const RouteSpec& route) {
  const trust::Credentials credentials{exchange->request.authorization, exchange->request.client_certificate};
  const std::string endpoint = options_.public_url + std::string(exchange->path);
  const auto start = Exchange::Clock::now();
  options_.authenticator->Check(
      credentials, endpoint, clock_(),
      [this, exchange, &route, start,
       caller_thread = std::this_thread::get_id()](Result<trust::Caller> caller) {
        RequestSummary& summary = exchange->summary;
        summary.auth_us =
            std::chrono::duration_cast<std::chrono::microseconds>(Exchange::Clock::now() - start).count();
        options_.metrics->Count(Metrics::kAuthentications, caller ? "ok" : caller.error().message);
        if (!caller) {
          summary.refused = caller.error().message;
          return exchange->Answer(Unauthorized());
        }
        summary.caller = caller->iss;
        if (std::this_thread::get_id() == caller_thread) return Work(exchange, route);
        // The keys came from another server: its thread has others to serve.
        const auto job = [this, exchange, &route]() noexcept { Work(exchange, route); };
        const auto expired = [this, exchange] { calls_.AnswerBusy(*exchange, "expired"); };
        if (!executor_.Post(job, expired)) calls_.AnswerBusy(*exchange, "queue-full");
      });
}

void Service::Work(const ExchangePtr& exchange, const RouteSpec& route) noexcept {
  try {
    if (route.answer == nullptr) return calls_.Answer(exchange);
    exchange->Answer((this->*route.answer)(*exchange));
  } catch (...) {
    exchange->Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
  }
}

bool Service::IsAdministrator(const HttpRequest& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string& token = options_.admin_token;
  const std::string_view given =
      request.authorization.substr(std::min(kBearer.size(), request.authorization.size()));
  return request.authorization.starts_with(kBearer) && given.size() == token.size() &&
         CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
}

void Service::StartTrace(Exchange& exchange) const {
  if (!options_.random_bits) return;
  const TraceContext span =
      StartSpan(exchange.request.traceparent, exchange.request.tracestate, options_.random_bits);
  exchange.summary.trace_id = span.trace_id;
  exchange.summary.request_id = span.span_id;
  exchange.trace = FormatTraceparent(span);
}

namespace {

constexpr std::string_view kGet = "GET, HEAD, OPTIONS", kPost = "POST, OPTIONS";

}  // namespace

// Every path there is. {id} is one segment, the id of a service.
const Service::RouteSpec Service::kRoutes[] = {
    // path, methods, is POST, for whom, works, answer (nullptr: HookCalls)
    {"/cds-services", kGet, false, Access::kClients, false, &Service::Discover},
    {"/cds-services/{id}", kPost, true, Access::kClients, true, nullptr},
    {"/cds-services/{id}/feedback", kPost, true, Access::kClients, true, &Service::TakeFeedback},
    {"/health", kGet, false, Access::kAnybody, false, &Service::Health},
    {"/health/live", kGet, false, Access::kAnybody, false, &Service::Live},
    {"/health/ready", kGet, false, Access::kAnybody, false, &Service::Ready},
    {"/metrics", kGet, false, Access::kAnybody, false, &Service::ShowMetrics},
    {"/admin/feedback", kGet, false, Access::kAdministrators, true, &Service::ReportFeedback},
};

Service::Place Service::FindPlace(std::string_view path) {
  constexpr std::string_view kId = "{id}";
  for (const RouteSpec& route : kRoutes) {
    const std::size_t at = route.name.find(kId);
    if (at == std::string_view::npos) {
      if (path == route.name) return {&route, ""};
      continue;
    }
    const std::string_view before = route.name.substr(0, at), after = route.name.substr(at + kId.size());
    if (!path.starts_with(before) || path.size() <= before.size() + after.size() || !path.ends_with(after))
      continue;
    const std::string_view id = path.substr(at, path.size() - before.size() - after.size());
    if (id.find('/') == std::string_view::npos) return {&route, id};
  }
  return {};
}

HttpResponse Service::Discover(Exchange&) {
  const Result<ServingPtr> serving = serving_.At(clock_());
  return serving ? JsonResponse(200, (*serving)->catalog.discovery) : Refuse(serving.error());
}

HttpResponse Service::Live(Exchange&) { return JsonResponse(200, R"({"status":"up"})"); }

HttpResponse Service::TakeFeedback(Exchange& exchange) {
  HttpRequest& request = exchange.request;
  const DateTime now = clock_();
  const Result<ServingPtr> serving = serving_.At(now);
  if (!serving) return Refuse(serving.error());
  const CatalogEntry* entry = (*serving)->catalog.Find(exchange.service_id);
  if (entry == nullptr) return NoSuchService();
  const std::string_view service = entry->hook->service_id;
  exchange.summary.service = service;
  exchange.summary.hook = entry->hook->hook;
  if (const std::string_view fault = FaultOfForm(request); !fault.empty())
    return Refuse(415, "not-supported", fault);
  const auto document = Document::Parse(std::move(request.body), options_.calls.pipeline.limits);
  if (!document) return Refuse(document.error());

  const FeedbackBatch batch = ReadFeedback(*document);
  if (Recorder* const recorder = options_.calls.recorder; recorder != nullptr && !batch.entries.empty()) {
    // What is acknowledged has been kept.
    if (const Status kept = recorder->TakeFeedback(service, batch.entries, now); !kept)
      return Refuse(kept.error());
  }
  for (const Feedback& one : batch.entries) {
    // A client whose clock is ahead must not keep advice quiet for longer. Cards that are not remembered are
    // no error of the client's: the memory is ours.
    const bool ahead = one.at.ToUnixMillis() > now.ToUnixMillis();
    if (one.overridden) options_.overrides->Overridden(one.card, ahead ? now : one.at);
    options_.metrics->Count(Metrics::kFeedback, one.overridden ? "overridden" : "accepted");
  }
  if (!batch.errors.empty()) {
    const std::vector<Error> errors = batch.Refusal();
    return Refuse(errors.front().code, OperationOutcome(errors));
  }
  const std::size_t kept = batch.entries.size();
  HttpResponse response = JsonResponse(
      200, InformationOutcome(std::to_string(kept) + (kept == 1 ? " entry was kept" : " entries were kept")));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HealthInputs Service::HealthNow() {
  HealthInputs inputs{evaluator_.ListPacks()};
  inputs.draining = options_.draining && options_.draining();
  if (const Recorder* const recorder = options_.calls.recorder; recorder != nullptr) {
    inputs.store_configured = true;
    inputs.store_up = recorder->status().up;
  }
  return inputs;
}

HttpResponse Service::Ready(Exchange&) {
  cds_hooks::Health health = ReadyHealth(HealthNow());
  return JsonResponse(health.status, std::move(health.body));
}

HttpResponse Service::Health(Exchange&) {
  HealthInputs inputs = HealthNow();
  std::optional<rules::RegistryStatus> registry;
  if (options_.registry != nullptr) inputs.registry = &registry.emplace(options_.registry->status());
  cds_hooks::Health health = HealthText(inputs);
  return JsonResponse(health.status, std::move(health.body));
}

HttpResponse Service::ShowMetrics(Exchange&) {
  std::optional<rules::RegistryStatus> registry;
  if (options_.registry != nullptr) registry = options_.registry->status();
  HttpResponse response = JsonResponse(200, options_.metrics->Text(registry ? &*registry : nullptr));
  response.headers[0].second = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

HttpResponse Service::ReportFeedback(Exchange& exchange) {
  if (options_.calls.recorder == nullptr)
    return Refuse(404, "not-found", "no feedback is kept: there is no store");
  const std::string_view target = exchange.request.target;
  const std::size_t query = target.find('?');
  Result<AdminAnswer> answer = AdminFeedback(options_.calls.recorder->store(),
                                             query == std::string_view::npos ? "" : target.substr(query + 1));
  if (!answer) return Refuse(answer.error());
  HttpResponse response = JsonResponse(200, std::move(answer->body));
  response.headers[0].second = std::string(answer->media_type);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

void Service::AddCorsHeaders(std::string_view origin, HttpResponse& response) const {
  const std::vector<std::string>& origins = options_.cors_origins;
  if (origins.empty()) return;
  if (std::find(origins.begin(), origins.end(), "*") != origins.end()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    return;
  }
  response.headers.emplace_back("Vary", "Origin");
  if (std::find(origins.begin(), origins.end(), origin) != origins.end()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  }
}

}  // namespace stepwise::cds_hooks
