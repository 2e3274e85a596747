#include "rules/grpc_status.h"

#include <algorithm>
#include <iterator>

#include "fhir/utf8.h"
#include "stepwise/rules/v1/rule_evaluation.pb.h"

namespace stepwise::rules {
namespace {

struct Row {
  Code code;
  grpc::StatusCode status;
  v1::ErrorCode detail;
};

// Read from the top. The first row of a code is what is sent for it; the first row of a status is what it
// means when it comes without a detail.
constexpr Row kRows[] = {
    {Code::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT, v1::ERROR_CODE_INVALID_ARGUMENT},
    {Code::kSyntax, grpc::StatusCode::INVALID_ARGUMENT, v1::ERROR_CODE_SYNTAX},
    {Code::kSemantic, grpc::StatusCode::INVALID_ARGUMENT, v1::ERROR_CODE_SEMANTIC},
    {Code::kNotFound, grpc::StatusCode::NOT_FOUND, v1::ERROR_CODE_NOT_FOUND},
    {Code::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION, v1::ERROR_CODE_FAILED_PRECONDITION},
    {Code::kLimit, grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_CODE_LIMIT},
    {Code::kUnavailable, grpc::StatusCode::UNAVAILABLE, v1::ERROR_CODE_UNAVAILABLE},
    {Code::kInternal, grpc::StatusCode::INTERNAL, v1::ERROR_CODE_INTERNAL},
    // Only read: what gRPC itself says, or a proxy.
    {Code::kLimit, grpc::StatusCode::DEADLINE_EXCEEDED, v1::ERROR_CODE_LIMIT},
    {Code::kLimit, grpc::StatusCode::OUT_OF_RANGE, v1::ERROR_CODE_LIMIT},
    {Code::kUnavailable, grpc::StatusCode::CANCELLED, v1::ERROR_CODE_UNAVAILABLE},  // the server is stopping
    {Code::kUnavailable, grpc::StatusCode::ABORTED, v1::ERROR_CODE_UNAVAILABLE},
};
// Everything else (UNIMPLEMENTED, UNAUTHENTICATED, ...) is a fault of the installation, not of a request.
constexpr Row kUnknownRow = {Code::kInternal, grpc::StatusCode::INTERNAL, v1::ERROR_CODE_INTERNAL};

template <typename Matches>
const Row& FindRow(Matches matches) {
  const auto* row = std::ranges::find_if(kRows, matches);
  return row == std::end(kRows) ? kUnknownRow : *row;
}

// At most `max_bytes` of the text, not cutting through a code point, and valid UTF-8.
std::string Fit(const std::string& text, std::size_t max_bytes) {
  std::string out = text;
  if (!IsUtf8(out)) {
    for (char& c : out) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  if (out.size() <= max_bytes) return out;
  static constexpr std::string_view kEllipsis = "\u2026";
  std::size_t end = max_bytes - kEllipsis.size();
  while (end > 0 && IsContinuation(out[end])) --end;
  return out.replace(end, std::string::npos, kEllipsis);
}

}  // namespace

grpc::Status ToGrpcStatus(const Error& error) {
  const Row& row = FindRow([&](const Row& r) { return r.code == error.code; });
  v1::ErrorDetail detail;
  detail.set_code(row.detail);
  detail.set_message(Fit(error.message, 1024));
  detail.set_path(Fit(error.path, 1024));
  if (error.span.line != 0 || !error.span.file.empty()) {
    v1::SourceSpan* span = detail.mutable_span();
    span->set_file(Fit(error.span.file, 1024));
    span->set_line(error.span.line);
    span->set_column(error.span.column);
    span->set_length(error.span.length);
  }
  return {row.status, Fit(error.message, 256), detail.SerializeAsString()};
}

Error FromGrpcStatus(const grpc::Status& status) {
  Error error;
  error.code = FindRow([&](const Row& r) { return r.status == status.error_code(); }).code;
  error.message = status.error_message();
  v1::ErrorDetail detail;
  if (status.error_details().empty() || !detail.ParseFromString(status.error_details())) return error;
  const auto* row = std::ranges::find_if(kRows, [&](const Row& r) { return r.detail == detail.code(); });
  if (row != std::end(kRows)) error.code = row->code;
  error.message = detail.message();
  error.path = detail.path();
  error.span = {detail.span().file(), detail.span().line(), detail.span().column(), detail.span().length()};
  return error;
}

}  // namespace stepwise::rules
