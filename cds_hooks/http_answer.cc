#include "cds_hooks/http_answer.h"

#include <algorithm>
#include <cctype>

#include "cds_hooks/operation_outcome.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kRetryAfterSeconds = "1";

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

}  // namespace

HttpResponse JsonResponse(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", kJson);
  if (status == 503) response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  response.body = std::move(body);
  return response;
}

HttpResponse Refuse(int status, std::string_view issue_code, std::string_view diagnostics) {
  return JsonResponse(status, OperationOutcome(issue_code, diagnostics));
}

HttpResponse Refuse(const Error& error) { return Refuse(error.code, OperationOutcome(error)); }

HttpResponse Refuse(Code code, std::string outcome) {
  HttpResponse response = JsonResponse(HttpStatus(code), std::move(outcome));
  response.summary.error = CodeName(code);
  return response;
}

HttpResponse NoSuchService() {
  return Refuse(404, "not-found", "there is no service of this id; services are listed at /cds-services");
}

HttpResponse Busy() {
  return Refuse(Error{Code::kUnavailable, "too many requests wait to be evaluated", {}, ""});
}

HttpResponse Unauthorized() {
  HttpResponse response = Refuse(401, "login", "the request is not authenticated");
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
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

}  // namespace stepwise::cds_hooks
