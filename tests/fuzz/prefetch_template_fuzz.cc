// Any text either is a prefetch template or is refused with a reason and a place in it. What is accepted can
// be filled in from any request whose values are ids, and never grows by more than those: as many parameters
// as were written, and no character that would end the query. First line: the template; second: patientId;
// third: userId.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cds_hooks/prefetch_template.h"

namespace {

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') out += c;
  }
  return out + "\"";
}

std::string_view Line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise;
  using namespace stepwise::cds_hooks;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = Line(input), patient = Line(input), user = Line(input);
  const Result<ParsedTemplate> parsed = ParseTemplate(text);
  if (!parsed) {
    const Error& error = parsed.error();
    if (error.message.empty() || error.span.line != 1 || error.span.column > text.size() + 1) std::abort();
    return 0;
  }
  for (const TemplateToken& token : parsed->tokens) {
    if (!text.substr(token.begin, token.length).starts_with("{{")) std::abort();
    if (!text.substr(token.begin, token.length).ends_with("}}")) std::abort();
  }
  const HookSpec* hook = FindHook("order-sign");
  if (!CheckTokens(*parsed, *hook)) return 0;
  const Result<Document> document = Document::Parse(
      R"({"hook":"order-sign","hookInstance":"i","context":{"draftOrders":{"resourceType":"Bundle"},)"
      R"("userId":)" +
      JsonString(user) + R"(,"patientId":)" + JsonString(patient) + "}}");
  if (!document) std::abort();
  const Result<Request> request = ReadRequest(*document, hook);
  if (!request) return 0;
  const Result<std::string> query = Resolve(*parsed, *request);
  if (!query) {
    const Code code = query.error().code;
    if (code != Code::kFailedPrecondition && code != Code::kInvalidArgument) std::abort();
    return 0;
  }
  for (const char separator : {'&', '?', '=', '#', ' ', '{', '|'}) {
    const auto in_query = std::count(query->begin(), query->end(), separator);
    std::string outside;
    std::size_t copied = 0;
    for (const TemplateToken& token : parsed->tokens) {
      outside += text.substr(copied, token.begin - copied);
      copied = token.begin + token.length;
    }
    outside += text.substr(copied);
    const bool written = separator != '|' && separator != ' ' && separator != '#' && separator != '{';
    if (in_query != (written ? std::count(outside.begin(), outside.end(), separator) : 0)) std::abort();
  }
  return 0;
}
