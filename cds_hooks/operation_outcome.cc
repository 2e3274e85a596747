#include "cds_hooks/operation_outcome.h"

#include <nlohmann/json.hpp>

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::ordered_json;

struct Row {
  Code code;
  int http_status;
  std::string_view issue_code;  // FHIR R4 issue-type
};
constexpr Row kRows[] = {
    {Code::kInvalidArgument, 400, "invalid"},
    {Code::kSyntax, 400, "structure"},
    {Code::kSemantic, 400, "invalid"},
    {Code::kNotFound, 404, "not-found"},
    {Code::kFailedPrecondition, 412, "required"},
    {Code::kLimit, 413, "too-costly"},
    {Code::kUnavailable, 503, "transient"},
    {Code::kInternal, 500, "exception"},
};

const Row& RowOf(Code code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[std::size(kRows) - 1];
}

Json Issue(const Error& error) {
  std::string diagnostics =
      error.code == Code::kInternal ? "The service could not process the request." : error.message;
  if (error.code != Code::kInternal && error.span.line != 0) {
    diagnostics +=
        " (line " + std::to_string(error.span.line) + ", column " + std::to_string(error.span.column) + ")";
  }
  Json issue = {{"severity", "error"}, {"code", RowOf(error.code).issue_code}};
  if (!diagnostics.empty()) issue["diagnostics"] = std::move(diagnostics);
  // "$" is our name for the root of a plain JSON text, not a FHIRPath expression.
  std::string_view path = error.path;
  if (path.starts_with("$.")) path.remove_prefix(2);
  if (!path.empty() && path != "$") issue["expression"] = Json::array({path});
  return issue;
}

std::string Text(Json issues) {
  const Json outcome = {{"resourceType", "OperationOutcome"}, {"issue", std::move(issues)}};
  // A message may quote bytes that are not UTF-8; dump() would throw on them.
  return outcome.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

int HttpStatus(Code code) { return RowOf(code).http_status; }

std::string OperationOutcome(std::span<const Error> errors) {
  Json issues = Json::array();
  for (const Error& error : errors) issues.push_back(Issue(error));
  return Text(std::move(issues));
}

std::string OperationOutcome(const Error& error) { return OperationOutcome(std::span(&error, 1)); }

std::string OperationOutcome(std::string_view issue_code, std::string_view diagnostics) {
  return Text(Json::array({{{"severity", "error"}, {"code", issue_code}, {"diagnostics", diagnostics}}}));
}

std::string InformationOutcome(std::string_view diagnostics) {
  return Text(
      Json::array({{{"severity", "information"}, {"code", "informational"}, {"diagnostics", diagnostics}}}));
}

}  // namespace stepwise::cds_hooks
