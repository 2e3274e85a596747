#include "fhir/result.h"

#include <algorithm>

namespace stepwise {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return "invalid-argument";
    case Code::kSyntax: return "syntax";
    case Code::kSemantic: return "semantic";
    case Code::kNotFound: return "not-found";
    case Code::kFailedPrecondition: return "failed-precondition";
    case Code::kLimit: return "limit";
    case Code::kUnavailable: return "unavailable";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

std::string Error::ToString() const {
  if (span.line != 0) {
    return (span.file.empty() ? "" : span.file + ":") + std::to_string(span.line) + ":" +
           std::to_string(span.column) + ": " + message;
  }
  if (!span.file.empty()) return span.file + ": " + (path.empty() ? "" : path + ": ") + message;
  return path.empty() ? message : path + ": " + message;
}

std::string CaretLines(std::string_view text, const SourceSpan& span) {
  if (span.line == 0) return "";
  std::size_t begin = 0;
  for (std::uint32_t line = 1; line < span.line; ++line) {
    const std::size_t newline = text.find('\n', begin);
    if (newline == std::string_view::npos) return "";
    begin = newline + 1;
  }
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  std::string out(line);
  out += "\n";
  out.append(span.column > 0 ? span.column - 1 : 0, ' ');
  out += '^';
  if (span.length > 1) out.append(std::min<std::size_t>(span.length, line.size()) - 1, '~');
  return out;
}

}  // namespace stepwise
