// String functions. Positions and lengths count code points.
#include <utf8proc.h>

#include "fhir/fhirpath/functions.h"
#include "fhir/fhirpath/values.h"
#include "fhir/utf8.h"

namespace stepwise::fhirpath {
namespace {

void EmitCount(Call& call, std::size_t count) { EmitInteger(call, static_cast<std::int64_t>(count)); }

Status Length(Call& call) {
  EmitCount(call, CountCodePoints(call.one().string()));
  return {};
}

Status EmitPosition(Call& call, std::size_t at) {
  if (at == std::string_view::npos) {
    call.Emit(Item::Integer(-1));
  } else {
    EmitCount(call, CountCodePoints(call.one().string().substr(0, at)));
  }
  return {};
}

Status IndexOf(Call& call) { return EmitPosition(call, call.one().string().find(call.arg(0).string())); }

Status LastIndexOf(Call& call) { return EmitPosition(call, call.one().string().rfind(call.arg(0).string())); }

Status Substring(Call& call) {
  std::string_view text = call.one().string();
  const std::int64_t start = call.arg(0).integer();
  if (start < 0) return {};
  text.remove_prefix(CodePointOffset(text, static_cast<std::size_t>(start)));
  if (text.empty()) return {};
  if (call.has(1)) {
    const std::int64_t length = call.arg(1).integer();
    text = text.substr(0, length <= 0 ? 0 : CodePointOffset(text, static_cast<std::size_t>(length)));
  }
  call.Emit(Item::String(text));  // a part of a text lives as long as the whole
  return {};
}

Status StartsWith(Call& call) {
  call.Emit(call.one().string().starts_with(call.arg(0).string()));
  return {};
}

Status EndsWith(Call& call) {
  call.Emit(call.one().string().ends_with(call.arg(0).string()));
  return {};
}

Status Contains(Call& call) {
  call.Emit(call.one().string().find(call.arg(0).string()) != std::string_view::npos);
  return {};
}

// Maps code point by code point, the same in every locale.
template <utf8proc_int32_t (*convert)(utf8proc_int32_t)>
Status MapCase(Call& call) {
  const std::string_view text = call.one().string();
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CodePointSize(text, at);
    utf8proc_int32_t code = 0;
    utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                     static_cast<utf8proc_ssize_t>(size), &code);
    if (convert == utf8proc_toupper && code == 0xDF) {
      out += "SS";  // the sharp s has no upper case of its own in Unicode's SpecialCasing
    } else {
      AppendCodePoint(&out, static_cast<std::uint32_t>(convert(code)));
    }
    at += size;
  }
  return EmitText(call, out);
}

// 'abc' with "" replaced by 'x' is 'xaxbxcx'.
Status ReplaceBetween(Call& call, std::string_view text, std::string_view with) {
  std::string out(with);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CodePointSize(text, at);
    out += text.substr(at, size);
    out += with;
    at += size;
    STEPWISE_RETURN_IF_ERROR(CheckSize(call, out.size()));
  }
  return EmitText(call, out);
}

Status Replace(Call& call) {
  const std::string_view text = call.one().string();
  const std::string_view pattern = call.arg(0).string();
  const std::string_view with = call.arg(1).string();
  if (pattern.empty()) return ReplaceBetween(call, text, with);
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = text.find(pattern); at != std::string_view::npos; at = text.find(pattern, from)) {
    out += text.substr(from, at - from);
    out += with;
    from = at + pattern.size();
    STEPWISE_RETURN_IF_ERROR(CheckSize(call, out.size()));
  }
  out += text.substr(from);
  return EmitText(call, out);
}

Status CheckCount(const Call& call, std::size_t count) {
  if (count <= call.limits().max_items) return {};
  return call.Fail(Code::kLimit, "more than " + std::to_string(call.limits().max_items) + " items");
}

Status ToChars(Call& call) {
  const std::string_view text = call.one().string();
  STEPWISE_RETURN_IF_ERROR(CheckCount(call, CountCodePoints(text)));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CodePointSize(text, at);
    call.Emit(Item::String(text.substr(at, size)));
    at += size;
  }
  return {};
}

Status Trim(Call& call) {
  constexpr std::string_view kBlank = " \t\n\r";  // what FHIRPath calls whitespace
  std::string_view text = call.one().string();
  const std::size_t begin = text.find_first_not_of(kBlank);
  text = begin == std::string_view::npos ? text.substr(0, 0)
                                         : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
  call.Emit(Item::String(text));
  return {};
}

// Splitting at "" gives the characters.
Status Split(Call& call) {
  const std::string_view separator = call.arg(0).string();
  if (separator.empty()) return ToChars(call);
  std::string_view text = call.one().string();
  for (std::size_t count = 1;; ++count) {
    STEPWISE_RETURN_IF_ERROR(CheckCount(call, count));
    const std::size_t at = text.find(separator);
    call.Emit(Item::String(text.substr(0, at)));
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + separator.size());
  }
}

// Elements without a value (only extensions) add nothing, not even a separator.
Status Join(Call& call) {
  const std::string_view separator = call.has(0) ? call.arg(0).string() : std::string_view();
  call.Rests(call.input());
  std::string out;
  bool first = true;
  for (const Item& raw : call.input()) {
    const Item item = ToSystem(raw, call.evaluation());
    if (item.is_node() && !HasValue(item)) continue;
    if (item.kind() != ItemKind::kString) {
      return call.Fail(Code::kSemantic,
                       "join() takes strings, not " + TypeText(raw) + "; toString() makes one");
    }
    if (!first) out += separator;
    first = false;
    out += item.string();
    STEPWISE_RETURN_IF_ERROR(CheckSize(call, out.size()));
  }
  return first ? Status() : EmitText(call, out);
}

constexpr Builtin kRows[] = {
    {.name = "indexOf",
     .input = Want::kString,
     .params = {{{Want::kString, "substring"}}},
     .result = types::kSystemInteger,
     .fn = IndexOf,
     .doc = "Position of the first occurrence of a text, counted in characters from 0; -1 if there is none.",
     .spec = "fhirpath#indexof"},
    {.name = "lastIndexOf",
     .input = Want::kString,
     .params = {{{Want::kString, "substring"}}},
     .result = types::kSystemInteger,
     .fn = LastIndexOf,
     .doc = "Position of the last occurrence of a text, counted in characters from 0; -1 if there is none.",
     .spec = "fhirpath#lastindexof"},
    {.name = "substring",
     .input = Want::kString,
     .params = {{{Want::kInteger, "start"}, {Want::kInteger, "length", true}}},
     .result = types::kSystemString,
     .fn = Substring,
     .doc = "The text from a position on, at most so many characters; empty when it starts outside.",
     .spec = "fhirpath#substring"},
    {.name = "startsWith",
     .input = Want::kString,
     .params = {{{Want::kString, "prefix"}}},
     .result = types::kSystemBoolean,
     .fn = StartsWith,
     .doc = "Whether the text starts with another.",
     .spec = "fhirpath#startswith"},
    {.name = "endsWith",
     .input = Want::kString,
     .params = {{{Want::kString, "suffix"}}},
     .result = types::kSystemBoolean,
     .fn = EndsWith,
     .doc = "Whether the text ends with another.",
     .spec = "fhirpath#endswith"},
    {.name = "contains",
     .input = Want::kString,
     .params = {{{Want::kString, "substring"}}},
     .result = types::kSystemBoolean,
     .fn = Contains,
     .doc = "Whether the text contains another; the operator of the same name looks for an item in a "
            "collection.",
     .spec = "fhirpath#contains"},
    {.name = "upper",
     .input = Want::kString,
     .result = types::kSystemString,
     .fn = MapCase<utf8proc_toupper>,
     .doc = "The text in upper case.",
     .spec = "fhirpath#upper"},
    {.name = "lower",
     .input = Want::kString,
     .result = types::kSystemString,
     .fn = MapCase<utf8proc_tolower>,
     .doc = "The text in lower case.",
     .spec = "fhirpath#lower"},
    {.name = "replace",
     .input = Want::kString,
     .params = {{{Want::kString, "pattern"}, {Want::kString, "substitution"}}},
     .result = types::kSystemString,
     .fn = Replace,
     .doc = "The text with every occurrence of another replaced.",
     .spec = "fhirpath#replace"},
    {.name = "length",
     .input = Want::kString,
     .result = types::kSystemInteger,
     .fn = Length,
     .doc = "Number of characters (Unicode code points) of the text.",
     .spec = "fhirpath#length"},
    {.name = "toChars",
     .input = Want::kString,
     .result = types::kSystemString,
     .result_many = true,
     .fn = ToChars,
     .doc = "The characters of the text, one string each.",
     .spec = "fhirpath#tochars"},
    {.name = "trim",
     .input = Want::kString,
     .result = types::kSystemString,
     .fn = Trim,
     .doc = "The text without blanks, tabs and line ends at both ends.",
     .spec = "fhirpath#trim"},
    {.name = "split",
     .input = Want::kString,
     .params = {{{Want::kString, "separator"}}},
     .result = types::kSystemString,
     .result_many = true,
     .fn = Split,
     .doc = "The parts of the text between occurrences of a separator.",
     .spec = "fhirpath#split"},
    {.name = "join",
     .input = Want::kItems,
     .params = {{{Want::kString, "separator", true}}},
     .result = types::kSystemString,
     .fn = Join,
     .doc = "All strings in one, with a separator between them.",
     .spec = "fhirpath#join"},
};

}  // namespace

std::span<const Builtin> StringFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
