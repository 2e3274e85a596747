#include "cds_hooks/service.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <future>
#include <nlohmann/json.hpp>

#include "cds_hooks/feedback.h"
#include "cds_hooks/operation_outcome.h"
#include "cds_hooks/registry_text.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kRetryAfterSeconds = "1";

HttpResponse Json(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", kJson);
  response.body = std::move(body);
  return response;
}

HttpResponse Refuse(int status, std::string_view issue_code, std::string_view diagnostics) {
  return Json(status, OperationOutcome(issue_code, diagnostics));
}

HttpResponse Refuse(const Error& error) {
  HttpResponse response = Json(HttpStatus(error.code), OperationOutcome(error));
  if (response.status == 503) response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  response.summary.error = CodeName(error.code);
  return response;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '"'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// "application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0". No header at all is let
// through.
bool IsJson(std::string_view content_type) {
  if (content_type.empty()) return true;
  const std::string lower = LowerCase(content_type);
  std::string_view rest = lower;
  const std::string_view type = Trim(rest.substr(0, rest.find(';')));
  if (type != kJson && type != "application/fhir+json") return false;
  while (rest.find(';') != std::string_view::npos) {
    rest.remove_prefix(rest.find(';') + 1);
    const std::string_view parameter = Trim(rest.substr(0, rest.find(';')));
    constexpr std::string_view kCharset = "charset=";
    if (!parameter.starts_with(kCharset)) continue;
    const std::string_view charset = Trim(parameter.substr(kCharset.size()));
    if (charset != "utf-8" && charset != "utf8" && charset != "us-ascii") return false;
  }
  return true;
}

bool IsPost(const HttpRequest& request) { return request.method == "POST"; }
bool IsGet(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

// Why the body cannot be read at all, or "".
std::string_view FaultOfForm(const HttpRequest& request) {
  if (!IsJson(request.content_type))
    return "expected Content-Type application/json or application/fhir+json in UTF-8";
  if (!request.content_encoding.empty() && LowerCase(request.content_encoding) != "identity")
    return "expected a body without Content-Encoding";
  return "";
}

HttpResponse MethodNotAllowed(std::string_view allow) {
  HttpResponse response =
      Refuse(405, "not-supported", "this method is not allowed here; allowed: " + std::string(allow));
  response.headers.emplace_back("Allow", allow);
  return response;
}

HttpResponse Preflight(std::string_view allow, bool cors) {
  HttpResponse response;
  response.status = 204;
  response.headers.emplace_back("Allow", allow);
  if (cors) {
    response.headers.emplace_back("Access-Control-Allow-Methods", allow);
    response.headers.emplace_back("Access-Control-Allow-Headers",
                                  "Accept, Authorization, Content-Type, X-Requested-With");
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  return response;
}

}  // namespace

ServiceOptions MakeServiceOptions(const Config& config) {
  ServiceOptions options;
  options.path_prefix = config.path_prefix;
  options.cors_origins = config.cors_origins;
  options.max_shadows = static_cast<std::size_t>(config.max_shadows);
  options.pipeline.limits.max_bytes = static_cast<std::size_t>(config.max_body_bytes);
  options.pipeline.limits.max_depth = static_cast<int>(config.max_depth);
  options.pipeline.evaluation_timeout = std::chrono::milliseconds(config.evaluation_timeout_ms);
  options.pipeline.max_cards = static_cast<std::size_t>(config.max_cards);
  options.override_limits.max_cards = static_cast<std::size_t>(config.max_issued_cards);
  options.override_limits.max_overrides = static_cast<std::size_t>(config.max_issued_cards);
  return options;
}

Service::Service(ServiceOptions options, rules::Evaluator& evaluator, Clock clock)
    : options_(std::move(options)), evaluator_(evaluator), clock_(std::move(clock)) {
  if (options_.overrides == nullptr)
    options_.overrides = std::make_shared<MemoryOverrideStore>(options_.override_limits);
  options_.pipeline.overrides = options_.overrides.get();
  executor_ = options_.executor != nullptr ? options_.executor : &inline_executor_;
}

Status Service::Refresh() {
  const auto serving = Serve(evaluator_.Snapshot(clock_()));
  return serving ? Status() : tl::unexpected(serving.error());
}

Result<std::shared_ptr<const Service::Serving>> Service::Serve(std::shared_ptr<rules::Evaluator> snapshot) {
  auto serving = std::make_shared<Serving>();
  serving->snapshot = std::move(snapshot);
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<rules::PackInfo> packs, EvaluatorOf(*serving).ListPacks());
  STEPWISE_ASSIGN_OR_RETURN(serving->catalog, BuildCatalog(packs));
  const std::lock_guard lock(mutex_);
  serving_ = serving;
  return serving;
}

Result<std::shared_ptr<const Service::Serving>> Service::CurrentServing(const DateTime& now) {
  std::shared_ptr<rules::Evaluator> snapshot = evaluator_.Snapshot(now);
  {
    const std::lock_guard lock(mutex_);
    if (serving_ != nullptr && serving_->snapshot == snapshot) return serving_;
  }
  return Serve(std::move(snapshot));
}

// Lives in the callbacks of whoever is working on the request.
class Service::Exchange {
 public:
  Exchange(Service& service, HttpRequest request_in, Respond respond)
      : request(std::move(request_in)), service_(service), respond_(std::move(respond)) {}
  // A callback that was dropped without an answer is a fault of ours; the client hears of it.
  ~Exchange() {
    if (!answered_) Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
  }

  // The first answer counts.
  void Answer(HttpResponse response) noexcept {
    if (answered_.exchange(true)) return;
    response.summary.route = route;
    service_.AddCorsHeaders(request.origin, response);
    respond_(std::move(response));
  }

  HttpRequest request;
  std::string_view route = "other", service_id;

 private:
  Service& service_;
  Respond respond_;
  std::atomic<bool> answered_{false};
};

void Service::Handle(HttpRequest request, Respond respond) noexcept {
  const auto exchange = std::make_shared<Exchange>(*this, std::move(request), std::move(respond));
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
  constexpr std::string_view kServices = "/cds-services", kHealth = "/health", kLive = "/health/live",
                             kMetrics = "/metrics";
  constexpr std::string_view kCall = "/cds-services/{id}", kFeedback = "/cds-services/{id}/feedback";
  const HttpRequest& request = exchange->request;
  std::string_view path = request.target.substr(0, request.target.find('?'));
  if (!path.starts_with(options_.path_prefix))
    return exchange->Answer(Refuse(404, "not-found", "there is nothing at this path"));
  path.remove_prefix(options_.path_prefix.size());
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);

  std::string_view service_id;
  std::string_view route;
  for (const std::string_view known : {kServices, kHealth, kLive, kMetrics}) {
    if (path == known) route = known;
  }
  if (route.empty() && path.starts_with("/cds-services/")) {
    service_id = path.substr(kServices.size() + 1);
    const std::string_view rest = service_id.substr(std::min(service_id.find('/'), service_id.size()));
    service_id.remove_suffix(rest.size());
    if (!service_id.empty() && rest.empty()) route = kCall;
    if (!service_id.empty() && rest == "/feedback") route = kFeedback;
  }
  if (route.empty())
    return exchange->Answer(Refuse(404, "not-found",
                                   "there is nothing at this path; services are listed at " +
                                       options_.path_prefix + std::string(kServices)));
  exchange->route = route;
  exchange->service_id = service_id;

  const std::string_view allow = service_id.empty() ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
  if (request.method == "OPTIONS")
    return exchange->Answer(Preflight(allow, !request.access_control_request_method.empty()));
  if (service_id.empty() ? !IsGet(request) : !IsPost(request))
    return exchange->Answer(MethodNotAllowed(allow));
  if (route == kServices) return exchange->Answer(Discover());
  if (route == kMetrics) return exchange->Answer(Metrics());
  if (service_id.empty())
    return exchange->Answer(route == kLive ? Json(200, R"({"status":"up"})") : Health());

  const auto work = [this, exchange, is_feedback = route == kFeedback]() noexcept {
    try {
      exchange->Answer(is_feedback ? TakeFeedback(*exchange) : Call(*exchange));
    } catch (...) {
      exchange->Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
    }
  };
  const bool taken = executor_->Run(work, [exchange] {
    exchange->Answer(
        Refuse(Error{Code::kUnavailable, "the request waited too long to be evaluated", {}, ""}));
  });
  if (!taken)
    exchange->Answer(Refuse(Error{Code::kUnavailable, "too many requests wait to be evaluated", {}, ""}));
}

HttpResponse Service::Discover() {
  const auto serving = CurrentServing(clock_());
  return serving ? Json(200, (*serving)->catalog.discovery) : Refuse(serving.error());
}

HttpResponse Service::Call(Exchange& exchange) {
  HttpRequest& request = exchange.request;
  const DateTime now = clock_();
  const auto serving = CurrentServing(now);
  if (!serving) return Refuse(serving.error());
  const Catalog& catalog = (*serving)->catalog;
  const CatalogEntry* entry = catalog.Find(exchange.service_id);
  if (entry == nullptr) return NoSuchService();
  HttpResponse response;
  if (const std::string_view fault = FaultOfForm(request); !fault.empty()) {
    response = Refuse(415, "not-supported", fault);
  } else {
    Answer answer = AnswerRequest(std::move(request.body), entry->hook, catalog, EvaluatorOf(**serving), now,
                                  options_.pipeline);
    if (answer.errors.empty()) {
      response = Json(200, std::move(answer.body));
      response.headers.emplace_back("Cache-Control", "no-store");
      response.summary.decision = answer.decision.id;
      response.summary.cards = answer.decision.cards.size();
      response.after = ShadowOf(*serving, std::move(answer));
    } else {
      const Code code = answer.errors.front().code;
      response = Json(HttpStatus(code), std::move(answer.body));
      if (response.status == 503) response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
      response.summary.error = CodeName(code);
    }
  }
  response.summary.service = entry->hook->service_id;
  response.summary.hook = entry->hook->hook;
  return response;
}

std::function<void()> Service::ShadowOf(std::shared_ptr<const Serving> serving, Answer answer) {
  return [this, serving = std::move(serving), answer = std::make_shared<const Answer>(std::move(answer))] {
    if (shadows_.fetch_add(1) < options_.max_shadows) {
      try {
        EvaluatorOf(*serving).Shadow(*answer->document, answer->decision, answer->evaluated);
      } catch (...) {  // out of memory: nobody waits for it
        ++shadows_skipped_;
      }
    } else {
      ++shadows_skipped_;
    }
    --shadows_;
  };
}

HttpResponse Service::TakeFeedback(Exchange& exchange) {
  HttpRequest& request = exchange.request;
  const DateTime now = clock_();
  const auto serving = CurrentServing(now);
  if (!serving) return Refuse(serving.error());
  const CatalogEntry* entry = (*serving)->catalog.Find(exchange.service_id);
  if (entry == nullptr) return NoSuchService();
  HttpResponse response;
  if (const std::string_view fault = FaultOfForm(request); !fault.empty()) {
    response = Refuse(415, "not-supported", fault);
  } else if (const auto document = Document::Parse(std::move(request.body), options_.pipeline.limits);
             !document) {
    response = Refuse(document.error());
  } else if (const auto feedback = ReadFeedback(*document); !feedback) {
    response = Refuse(feedback.error());
  } else {
    for (const Feedback& one : *feedback) {
      // A client whose clock is ahead must not keep advice quiet for longer. Cards that are not remembered
      // are no error of the client's: the memory is ours.
      const bool ahead = one.at.ToUnixMillis() > now.ToUnixMillis();
      if (one.overridden) options_.overrides->Overridden(one.card, ahead ? now : one.at);
    }
    response = Json(200, "{}");
    response.headers.emplace_back("Cache-Control", "no-store");
  }
  response.summary.service = entry->hook->service_id;
  response.summary.hook = entry->hook->hook;
  return response;
}

HttpResponse Service::NoSuchService() const {
  return Refuse(
      404, "not-found",
      "there is no service of this id; services are listed at " + options_.path_prefix + "/cds-services");
}

HttpResponse Service::Health() {
  const Result<std::vector<rules::PackInfo>> packs = evaluator_.ListPacks();
  if (!packs) return Refuse({Code::kUnavailable, packs.error().message, {}, ""});
  if (options_.registry != nullptr) return Json(200, HealthText(options_.registry->status()));
  nlohmann::ordered_json health = {{"status", "ready"}};
  for (const rules::PackInfo& pack : *packs) {
    health["packs"].push_back(
        {{"id", pack.ref.id}, {"version", pack.ref.version}, {"digest", pack.ref.digest}});
  }
  return Json(200, health.dump());
}

HttpResponse Service::Metrics() {
  if (options_.registry == nullptr)
    return Refuse(404, "not-found", "packs are loaded by the evaluators, not here");
  HttpResponse response = Json(200, MetricsText(options_.registry->status(), shadows_skipped_));
  response.headers[0].second = "text/plain; version=0.0.4; charset=utf-8";
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
