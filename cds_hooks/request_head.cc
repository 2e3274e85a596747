#include "cds_hooks/request_head.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";

// Headers of which there is one: given twice, two readers may take different ones.
enum Single : std::size_t {
  kHost,
  kContentLength,
  kTransferEncoding,
  kExpect,
  kAuthorization,
  kContentType,
  kOrigin
};
constexpr std::string_view kSingles[] = {
    "host", "content-length", "transfer-encoding", "expect", "authorization", "content-type", "origin"};

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 9110, 5.6.2
bool IsTokenChar(char c) {
  return IsAlphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool EqualIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return Lower(a) == b; });
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the next line and its CR LF off `rest`, which has one.
std::string_view NextLine(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

HeadFault Bad(std::string_view text) { return {400, std::string(text)}; }

bool IsAbsolute(std::string_view target) {
  return EqualIgnoringCase(target.substr(0, 7), "http://") ||
         EqualIgnoringCase(target.substr(0, 8), "https://");
}

// RFC 9112, 3: method SP request-target SP HTTP-version
std::optional<HeadFault> FaultOfRequestLine(std::string_view line, bool& http11) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Bad("expected a request line of method, target and HTTP/1.1");
  const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!IsToken(method)) return Bad("the method is no token");
  http11 = version == "HTTP/1.1";
  if (!http11 && version != "HTTP/1.0") {
    if (version.starts_with("HTTP/")) return HeadFault{505, "expected HTTP/1.1"};
    return Bad("expected a request line that ends with HTTP/1.1");
  }
  if (method == "CONNECT") return HeadFault{501, "this server is no proxy"};
  const auto visible = [](char c) {
    return !IsControl(c) && c != ' ' && static_cast<unsigned char>(c) < 0x80;
  };
  if (!std::all_of(target.begin(), target.end(), visible))
    return Bad("the target has a character that must be escaped");
  if (!target.starts_with('/') && !IsAbsolute(target) && (target != "*" || method != "OPTIONS"))
    return Bad("expected a target that starts with /");
  return std::nullopt;
}

std::optional<HeadFault> FaultOfHeader(std::string_view line, bool (&given)[std::size(kSingles)]) {
  if (line.starts_with(' ') || line.starts_with('\t')) return Bad("a header line is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Bad("a header line has no colon");
  const std::string_view name = line.substr(0, colon), value = Trim(line.substr(colon + 1));
  if (!IsToken(name)) return Bad("a header's name is no token");
  if (std::any_of(value.begin(), value.end(), [](char c) { return IsControl(c) && c != '\t'; }))
    return Bad("a header's value has a control character");
  const auto* const single =
      std::find_if(std::begin(kSingles), std::end(kSingles),
                   [&](std::string_view known) { return EqualIgnoringCase(name, known); });
  if (single == std::end(kSingles)) return std::nullopt;
  const auto which = static_cast<std::size_t>(single - std::begin(kSingles));
  if (std::exchange(given[which], true)) return Bad("there are two headers " + std::string(*single));
  if (which == kTransferEncoding && !EqualIgnoringCase(value, "chunked"))
    return HeadFault{501, "expected no Transfer-Encoding but chunked"};
  if (which == kExpect && !EqualIgnoringCase(value, "100-continue"))
    return HeadFault{417, "expected no Expect but 100-continue"};
  if (which == kHost && value.find_first_of(" \t,/@") != std::string_view::npos)
    return Bad("Host is no name of a host");
  if (which == kContentLength && (value.empty() || !std::all_of(value.begin(), value.end(), [](char c) {
                                    return c >= '0' && c <= '9';
                                  }))) {
    return Bad("Content-Length is no number");
  }
  return std::nullopt;
}

}  // namespace

HeadEnd FindHeadEnd(std::string_view bytes, std::size_t& scanned) {
  if (!bytes.empty() && !IsTokenChar(bytes.front())) return {HeadEnd::kNeverWill};
  for (std::size_t next; (next = bytes.find('\n', scanned)) != std::string_view::npos; scanned = next + 1) {
    if (next == 0 || bytes[next - 1] != '\r') return {HeadEnd::kNeverWill};
    if (next >= 3 && bytes.substr(next - 3, kEnd.size()) == kEnd) return {HeadEnd::kFound, next + 1};
  }
  scanned = bytes.size();
  return {};
}

std::optional<HeadFault> FaultOfHead(std::string_view head) {
  if (head.size() < kEnd.size() || !head.ends_with(kEnd)) return Bad("the head has no end");
  head.remove_suffix(2);  // what is left is lines
  bool http11 = false;
  if (auto fault = FaultOfRequestLine(NextLine(head), http11)) return fault;
  bool given[std::size(kSingles)] = {};
  while (!head.empty()) {
    if (auto fault = FaultOfHeader(NextLine(head), given)) return fault;
  }
  if (given[kTransferEncoding] && given[kContentLength])
    return Bad("there are both Content-Length and Transfer-Encoding");
  if (given[kTransferEncoding] && !http11) return Bad("HTTP/1.0 has no Transfer-Encoding");
  if (http11 && !given[kHost]) return Bad("there is no Host");
  return std::nullopt;
}

std::string_view PathOfTarget(std::string_view target) {
  if (!IsAbsolute(target)) return target;
  target.remove_prefix(target.find("//") + 2);
  const std::size_t path = target.find_first_of("/?#");
  return path == std::string_view::npos || target[path] != '/' ? "/" : target.substr(path);
}

}  // namespace stepwise::cds_hooks
