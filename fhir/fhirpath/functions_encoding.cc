// encode, decode, escape, unescape.
#include <array>
#include <optional>

#include "fhir/fhirpath/functions.h"
#include "fhir/utf8.h"

namespace stepwise::fhirpath {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string EncodeHex(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 0xF];
  }
  return out;
}

// Value of a hexadecimal digit, -1 if it is none.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::uint32_t> ParseHex(std::string_view digits) {
  if (digits.empty() || digits.size() > 6) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : digits) {
    if (HexValue(c) < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(HexValue(c));
  }
  return value;
}

std::optional<std::string> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::optional<std::uint32_t> byte = ParseHex(text.substr(i, 2));
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
  }
  return out;
}

std::string EncodeBase64(std::string_view text, std::string_view alphabet) {
  std::string out;
  out.reserve((text.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, text.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(text[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? alphabet[bits >> (18 - 6 * k) & 0x3F] : '=';
  }
  return out;
}

// Padding may be missing and blanks may stand anywhere, as in a FHIR base64Binary.
std::optional<std::string> DecodeBase64(std::string_view text, std::string_view alphabet) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;  // digits so far, modulo 4
  int padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos || padding > 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count = (count + 1) % 4;
    if (count == 2) out += static_cast<char>(bits >> 4 & 0xFF);
    if (count == 3) out += static_cast<char>(bits >> 2 & 0xFF);
    if (count == 0) out += static_cast<char>(bits & 0xFF);
  }
  // One digit too many holds no byte; bits below the last byte must be 0, and padding must fit if there is
  // any.
  if (count == 1 || (count == 2 && (bits & 0xF) != 0) || (count == 3 && (bits & 0x3) != 0))
    return std::nullopt;
  if (padding != 0 && padding != (4 - count) % 4) return std::nullopt;
  return out;
}

std::string EncodeAscii(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += CodePointSize(text, at)) {
    out += static_cast<unsigned char>(text[at]) < 0x80 ? text[at] : '?';
  }
  return out;
}

tl::unexpected<Error> UnknownFormat(const Call& call, std::string_view known) {
  return call.Fail(Code::kSemantic,
                   "'" + std::string(call.arg(0).string()) + "' is none of " + std::string(known));
}

Status Encode(Call& call) {
  const std::string_view text = call.one().string();
  const std::string_view format = call.arg(0).string();
  STEPWISE_RETURN_IF_ERROR(CheckSize(call, text.size() * 2));
  if (format == "hex") return EmitText(call, EncodeHex(text));
  if (format == "base64") return EmitText(call, EncodeBase64(text, kBase64));
  if (format == "urlbase64") return EmitText(call, EncodeBase64(text, kUrlBase64));
  if (format == "ascii") return EmitText(call, EncodeAscii(text));
  return UnknownFormat(call, "'hex', 'base64', 'urlbase64', 'ascii'");
}

Status Decode(Call& call) {
  const std::string_view text = call.one().string();
  const std::string_view format = call.arg(0).string();
  std::optional<std::string> out;
  if (format == "hex") {
    out = DecodeHex(text);
  } else if (format == "base64") {
    out = DecodeBase64(text, kBase64);
  } else if (format == "urlbase64") {
    out = DecodeBase64(text, kUrlBase64);
  } else {
    return UnknownFormat(call, "'hex', 'base64', 'urlbase64'");
  }
  return out && IsUtf8(*out) ? EmitText(call, *out) : Status();
}

struct Escape {
  char character;
  std::string_view text;
};
constexpr std::array<Escape, 5> kHtmlEscapes = {
    {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};
constexpr std::array<Escape, 7> kJsonEscapes = {{{'"', "\\\""},
                                                 {'\\', "\\\\"},
                                                 {'\b', "\\b"},
                                                 {'\f', "\\f"},
                                                 {'\n', "\\n"},
                                                 {'\r', "\\r"},
                                                 {'\t', "\\t"}}};

std::string_view EscapeOf(std::span<const Escape> table, char c) {
  for (const Escape& escape : table) {
    if (escape.character == c) return escape.text;
  }
  return {};
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const std::string_view escape = EscapeOf(kHtmlEscapes, c);
    escape.empty() ? out += c : out += escape;
  }
  return out;
}

std::string EscapeJson(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const std::string_view escape = EscapeOf(kJsonEscapes, c);
    if (!escape.empty()) {
      out += escape;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += EncodeHex({&c, 1});
    } else {
      out += c;
    }
  }
  return out;
}

bool IsScalar(std::uint32_t code) { return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF); }

// Code point that an entity ("lt", "#39", "#x27") names; 0 if it names none that we know.
std::uint32_t EntityOf(std::string_view name) {
  struct Named {
    std::string_view name;
    std::uint32_t code;
  };
  constexpr std::array<Named, 6> kNamed = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xA0}}};
  for (const Named& named : kNamed) {
    if (named.name == name) return named.code;
  }
  if (!name.starts_with('#')) return 0;
  name.remove_prefix(1);
  std::uint32_t code = 0;
  if (name.starts_with('x') || name.starts_with('X')) {
    code = ParseHex(name.substr(1)).value_or(0);
  } else {
    if (name.empty() || name.size() > 7) return 0;
    for (const char c : name) {
      if (c < '0' || c > '9') return 0;
      code = code * 10 + static_cast<std::uint32_t>(c - '0');
    }
  }
  return IsScalar(code) ? code : 0;
}

// What is no entity that we know stays as it is, as browsers do it.
std::string UnescapeHtml(std::string_view text) {
  constexpr std::size_t kLongest = 10;  // &#1114111;
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&') {
      const std::size_t end = text.substr(0, at + kLongest).find(';', at);
      const std::uint32_t code =
          end == std::string_view::npos ? 0 : EntityOf(text.substr(at + 1, end - at - 1));
      if (code != 0) {
        AppendCodePoint(&out, code);
        at = end;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

// \uXXXX at text[*at], or a surrogate pair of two; leaves *at on the last character.
std::optional<std::uint32_t> TakeUnicodeEscape(std::string_view text, std::size_t* at) {
  const auto take = [&](std::size_t begin) -> std::optional<std::uint32_t> {
    if (begin + 6 > text.size() || text.substr(begin, 2) != "\\u") return std::nullopt;
    return ParseHex(text.substr(begin + 2, 4));
  };
  std::optional<std::uint32_t> code = take(*at);
  if (!code) return std::nullopt;
  *at += 5;
  if (*code >= 0xD800 && *code <= 0xDBFF) {
    const std::optional<std::uint32_t> low = take(*at + 1);
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
    *at += 6;
    code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
  }
  if (!IsScalar(*code)) return std::nullopt;
  return code;
}

// The escapes of JSON and those that FHIRPath strings have besides; nullopt when one is none of these.
std::optional<std::string> UnescapeJson(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    if (at + 1 == text.size()) return std::nullopt;
    if (text[at + 1] == 'u') {
      const std::optional<std::uint32_t> code = TakeUnicodeEscape(text, &at);
      if (!code) return std::nullopt;
      AppendCodePoint(&out, *code);
      continue;
    }
    const char c = text[++at];
    constexpr std::string_view kLetters = "bfnrt\"\\/'`";
    constexpr std::string_view kCharacters = "\b\f\n\r\t\"\\/'`";
    const std::size_t index = kLetters.find(c);
    if (index == std::string_view::npos) return std::nullopt;
    out += kCharacters[index];
  }
  return out;
}

Status EscapeText(Call& call) {
  const std::string_view text = call.one().string();
  const std::string_view target = call.arg(0).string();
  if (target == "html") return EmitText(call, EscapeHtml(text));
  if (target == "json") return EmitText(call, EscapeJson(text));
  return UnknownFormat(call, "'html', 'json'");
}

Status UnescapeText(Call& call) {
  const std::string_view text = call.one().string();
  const std::string_view target = call.arg(0).string();
  if (target == "html") return EmitText(call, UnescapeHtml(text));
  if (target != "json") return UnknownFormat(call, "'html', 'json'");
  const std::optional<std::string> out = UnescapeJson(text);
  return out ? EmitText(call, *out) : Status();
}

constexpr Builtin kRows[] = {
    {.name = "encode",
     .input = Want::kString,
     .params = {{{Want::kString, "format"}}},
     .result = types::kSystemString,
     .fn = Encode,
     .doc = "The text's UTF-8 bytes as 'hex', 'base64' or 'urlbase64'; 'ascii' puts ? for what ASCII lacks.",
     .spec = "fhirpath#encode"},
    {.name = "decode",
     .input = Want::kString,
     .params = {{{Want::kString, "format"}}},
     .result = types::kSystemString,
     .fn = Decode,
     .doc = "The text that was encoded as 'hex', 'base64' or 'urlbase64'; empty when it is not that, or not "
            "UTF-8.",
     .spec = "fhirpath#decode"},
    {.name = "escape",
     .input = Want::kString,
     .params = {{{Want::kString, "target"}}},
     .result = types::kSystemString,
     .fn = EscapeText,
     .doc = "The text as it can stand in 'html' or inside a 'json' string.",
     .spec = "fhirpath#escape"},
    {.name = "unescape",
     .input = Want::kString,
     .params = {{{Want::kString, "target"}}},
     .result = types::kSystemString,
     .fn = UnescapeText,
     .doc = "The text that was escaped for 'html' or 'json'; empty when it is no such JSON text.",
     .spec = "fhirpath#unescape"},
};

}  // namespace

std::span<const Builtin> EncodingFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
