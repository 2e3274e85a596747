// Result<T> and Error: the one way a run reports that it cannot continue.
//
// "The data do not say" is NOT an Error: it is an empty collection or an unknown outcome, an ordinary
// value that flows through three-valued logic. An Error means that nothing useful can be computed: a
// malformed document, a pack that does not compile, a limit that was hit.
//
//   Result<Document> doc = Document::Parse(bytes);
//   if (!doc) return tl::unexpected(doc.error());
//   STEPWISE_ASSIGN_OR_RETURN(Program program, Compile(text));
//
// Thread-safety: plain values.
#ifndef STEPWISE_FHIR_RESULT_H_
#define STEPWISE_FHIR_RESULT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace stepwise {

// Each code maps to one gRPC status, one HTTP status and one OperationOutcome issue code, in one table at
// the edge that needs it.
enum class Code : std::uint8_t {
  kInvalidArgument,     // the caller's input is wrong; trying again with the same input is useless
  kSyntax,              // text that does not parse (JSON, YAML, FHIRPath, UCUM, dates)
  kSemantic,            // text that parses and cannot mean anything (unknown element, impossible cast)
  kNotFound,            // a named thing does not exist
  kFailedPrecondition,  // data the run needs were neither given nor obtainable
  kLimit,               // a documented limit (bytes, depth, steps, time) was hit
  kUnavailable,         // a peer did not answer; trying again may help
  kInternal,            // our own bug
};

// Stable lower-case name of a code: "invalid-argument", "syntax", ...
std::string_view CodeName(Code code);

// A place in a text that a person wrote. Lines and columns count from 1, columns in Unicode code points;
// line 0 means that the place is not known. `length` counts code points of the offending text.
struct SourceSpan {
  std::string file;  // as the user named it; empty for text that came from no file
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 0;
};

struct Error {
  Code code = Code::kInternal;
  std::string message;   // what is wrong, the offending text, and what would be right
  SourceSpan span = {};  // where in a text that a person wrote, or line 0
  std::string path =
      {};  // where in a document, as a FHIRPath-like path ("Bundle.entry[3].resource"), or empty

  // "file:line:column: message" or "path: message" or "message".
  std::string ToString() const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

// The offending line of `text` with a caret line below it, for terminals; "" where span.line is 0.
std::string CaretLines(std::string_view text, const SourceSpan& span);

inline tl::unexpected<Error> Fail(Code code, std::string message, SourceSpan span = {},
                                  std::string path = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(span), std::move(path)});
}

}  // namespace stepwise

#define STEPWISE_CONCAT_INNER(a, b) a##b
#define STEPWISE_CONCAT(a, b) STEPWISE_CONCAT_INNER(a, b)
#define STEPWISE_ASSIGN_OR_RETURN(lhs, expr) \
  STEPWISE_ASSIGN_OR_RETURN_INNER(STEPWISE_CONCAT(stepwise_result_, __LINE__), lhs, expr)
#define STEPWISE_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr)    \
  auto tmp = (expr);                                       \
  if (!tmp) return tl::unexpected(std::move(tmp).error()); \
  lhs = std::move(*tmp)
#define STEPWISE_RETURN_IF_ERROR(expr)                                               \
  do {                                                                               \
    auto stepwise_status = (expr);                                                   \
    if (!stepwise_status) return tl::unexpected(std::move(stepwise_status).error()); \
  } while (false)

#endif  // STEPWISE_FHIR_RESULT_H_
