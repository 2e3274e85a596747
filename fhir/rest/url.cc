#include "fhir/rest/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace stepwise::rest {
namespace {

constexpr std::string_view kPathCharacters = "-._~!$&'()*+,=:@/%";  // besides letters and digits; not ";"
constexpr std::string_view kQueryCharacters = "-._~!$&'()*+,;=:@/?%";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// std::tolower would ask the locale.
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return Lower(c); });
  return out;
}

tl::unexpected<Error> Wrong(std::string_view what) {
  return Fail(Code::kInvalidArgument, "the URL " + std::string(what));
}

std::uint16_t OwnPort(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

// Every "%" begins two hexadecimal digits.
bool IsWellEncoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !IsHexDigit(text[at + 1]) || !IsHexDigit(text[at + 2])) return false;
  }
  return true;
}

Status CheckPath(std::string_view path) {
  for (const char c : path) {
    if (!IsAlphanumeric(c) && kPathCharacters.find(c) == std::string_view::npos)
      return Wrong("has a character in its path that may not stand there");
  }
  if (!IsWellEncoded(path)) return Wrong("has a '%' in its path without two hexadecimal digits");
  const std::string lower = Lower(path);
  for (const std::string_view trick : {"%2f", "%5c", "%2e", "%25", "%3b", "%0", "%1", "%7f"}) {
    if (lower.find(trick) != std::string::npos)
      return Wrong("encodes a slash, dot, percent sign, semicolon or control character in its path");
  }
  if (path.find("//") != std::string_view::npos) return Wrong("has an empty segment in its path");
  for (std::size_t at = 0; at < path.size();) {  // `at` is a "/"
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = path.substr(at + 1, end - at - 1);
    if (segment == "." || segment == "..") return Wrong("has '.' or '..' as a segment of its path");
    at = end;
  }
  return {};
}

// An address in its usual spelling, or a DNS name.
Result<std::string> ReadHost(std::string_view text) {
  std::string host = Lower(text);
  if (host.starts_with('[')) {
    in6_addr address;
    const std::string inside = host.substr(1, host.size() < 2 ? 0 : host.size() - 2);
    // inet_pton() reads up to the first NUL only.
    const bool whole = host.ends_with(']') && inside.find('\0') == std::string::npos;
    if (!whole || ::inet_pton(AF_INET6, inside.c_str(), &address) != 1)
      return Wrong("names a host in brackets that is no IPv6 address");
    char usual[INET6_ADDRSTRLEN];
    return "[" + std::string(::inet_ntop(AF_INET6, &address, usual, sizeof usual)) + "]";
  }
  if (host.empty()) return Wrong("names no host");
  std::string_view last;
  for (std::size_t at = 0; at <= host.size();) {
    const std::size_t end = std::min(host.find('.', at), host.size());
    const std::string_view label = std::string_view(host).substr(at, end - at);
    if (label.empty() || label.size() > 63) return Wrong("names a host with an empty or overlong label");
    if (label.front() == '-' || label.back() == '-')
      return Wrong("names a host whose label has '-' at an end");
    for (const char c : label) {
      if (!IsAlphanumeric(c) && c != '-' && c != '_')
        return Wrong("names a host with a character other than letters, digits, '-' and '_'");
    }
    last = label;
    at = end + 1;
  }
  if (host.size() > 253) return Wrong("names an overlong host");
  // "127.1", "0x7f000001" and "2130706433" are spellings of 127.0.0.1 to many libraries.
  const bool number = std::all_of(last.begin(), last.end(), IsDigit) || last.starts_with("0x");
  in_addr address;
  if (number && ::inet_pton(AF_INET, host.c_str(), &address) != 1)
    return Wrong("names a host that looks like a number; write an IPv4 address as a.b.c.d");
  return host;
}

}  // namespace

std::string Url::Text() const {
  std::string out = scheme + "://" + host;
  if (port != OwnPort(scheme)) out += ":" + std::to_string(port);
  out += path;
  if (!query.empty()) out += (path.empty() ? "/?" : "?") + query;
  return out;
}

bool Url::Covers(const Url& other) const {
  if (!SameOrigin(other)) return false;
  std::string_view prefix = path;
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::string_view rest = other.path;
  return rest.starts_with(prefix) && (rest.size() == prefix.size() || rest[prefix.size()] == '/');
}

Result<std::string> EncodeQuery(std::string_view text) {
  if (!IsWellEncoded(text)) return Wrong("has a '%' in its query without two hexadecimal digits");
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return Wrong("has a control character in its query");
    if (c == '\\' || c == '#') return Wrong("has a backslash or a fragment");
    if (IsAlphanumeric(c) || kQueryCharacters.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Result<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return Wrong("is longer than " + std::to_string(kMaxUrlBytes) + " bytes");
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Wrong("is not absolute; it begins with http:// or https://");
  url.scheme = Lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return Wrong("has a scheme other than http and https");
  std::string_view rest = text.substr(colon + 3);

  const std::size_t authority_end = std::min(rest.find_first_of("/?#\\"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  if (authority.find('@') != std::string_view::npos) return Wrong("has user information");
  const std::size_t port_at = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  url.port = OwnPort(url.scheme);
  if (port_at != std::string_view::npos) {
    const std::string_view digits = authority.substr(port_at + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535)
      return Wrong("has a port that is no number from 1 to 65535");
    url.port = static_cast<std::uint16_t>(port);
    authority = authority.substr(0, port_at);
  }
  STEPWISE_ASSIGN_OR_RETURN(url.host, ReadHost(authority));

  const std::size_t question = rest.find('?');
  url.path = rest.substr(0, question);
  STEPWISE_RETURN_IF_ERROR(CheckPath(url.path));
  if (question != std::string_view::npos) {
    STEPWISE_ASSIGN_OR_RETURN(url.query, EncodeQuery(rest.substr(question + 1)));
  }
  return url;
}

Result<Url> ResolveUrl(const Url& base, std::string_view reference) {
  const std::size_t special = reference.find_first_of(":/?#");
  if (special != std::string_view::npos && reference[special] == ':') return ParseUrl(reference);
  Url origin = base;
  origin.query.clear();
  if (reference.starts_with("//")) return ParseUrl(base.scheme + ":" + std::string(reference));
  if (reference.starts_with('?')) return ParseUrl(origin.Text() + std::string(reference));
  if (reference.starts_with('/')) {
    origin.path.clear();
  } else {
    origin.path.erase(std::min(origin.path.rfind('/') + 1, origin.path.size()));
    if (origin.path.empty()) origin.path = "/";
  }
  return ParseUrl(origin.Text() + std::string(reference));
}

}  // namespace stepwise::rest
