#include "fhir/rest/interaction.h"

#include <algorithm>

#include "fhir/rest/url.h"

namespace stepwise::rest {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Shape only: the server knows best which types it has.
bool IsType(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() >= 'A' && text.front() <= 'Z' &&
         std::all_of(text.begin(), text.end(), IsLetter);
}

// Source: FHIR R4, data type id.
bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '.'; });
}

bool HasParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (query.substr(0, query.substr(0, end).find('=')) == name) return true;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

}  // namespace

Result<Interaction> ReadInteraction(std::string_view query) {
  Interaction out;
  const std::size_t question = query.find('?');
  const std::string_view path = query.substr(0, question);
  const std::size_t slash = path.find('/');
  out.type = path.substr(0, slash);
  if (IsType(out.type)) {
    if (slash == std::string_view::npos) {
      if (question != std::string_view::npos) {
        STEPWISE_ASSIGN_OR_RETURN(out.query, EncodeQuery(query.substr(question + 1)));
        out.first_page_only = HasParameter(out.query, "_count");
      }
      return out;
    }
    out.id = path.substr(slash + 1);
    if (question == std::string_view::npos && IsId(out.id)) return out;
  }
  return Fail(Code::kInvalidArgument,
              "the query is neither a read such as Patient/1 nor a search such as Observation?patient=1");
}

}  // namespace stepwise::rest
