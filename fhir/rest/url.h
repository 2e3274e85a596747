// Url: an absolute http or https URL, taken apart so strictly that nobody can read it another way.
//
//   Result<Url> url = ParseUrl("HTTPS://FHIR.example.org:443/r4/Patient/1");
//   url->Text() -> "https://fhir.example.org/r4/Patient/1"
//   ResolveUrl(*url, "2?x=y")->Text() -> "https://fhir.example.org/r4/Patient/2?x=y"
//
// Checks that compare URLs are only as good as the agreement of two parsers. So whatever servers, proxies and
// libraries are known to read in different ways is refused instead of mended: user information, fragments,
// backslashes, control characters, "." and ".." as segments of a path, empty segments, ";" and encoded
// slashes, dots and percent signs in a path, host names that look like numbers and are not the usual spelling
// of an address, host names beyond ASCII (write them as xn--). Only in a query other bytes are let through,
// percent-encoded.
// Errors: kInvalidArgument; messages say what is wrong and repeat nothing of the URL, which may name a
// patient. Source: RFC 3986; the WHATWG URL Standard, "Host parsing", for numbers. Thread-safety: plain
// values.
#ifndef STEPWISE_FHIR_REST_URL_H_
#define STEPWISE_FHIR_REST_URL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::rest {

inline constexpr std::size_t kMaxUrlBytes = 8192;  // as much as servers commonly take

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 address stands in brackets
  std::uint16_t port = 0;
  std::string path;   // "" or from its first "/" on
  std::string query;  // without the "?"; "" when there is none

  std::string Text() const;  // the port only where it is not the scheme's own
  bool SameOrigin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
  // Same origin, and the path is this one's or lies below it: "/r4" covers "/r4" and "/r4/Patient", not
  // "/r4evil".
  bool Covers(const Url& other) const;
};

Result<Url> ParseUrl(std::string_view text);

// What `reference` means in a document at `base`: an absolute URL, or one that begins with "//", "/" or "?",
// or a path from the last "/" of the base on. "." and ".." are refused here as well.
Result<Url> ResolveUrl(const Url& base, std::string_view reference);

// The text of a query, with the bytes that may not stand in one percent-encoded. What is encoded stays so.
Result<std::string> EncodeQuery(std::string_view text);

}  // namespace stepwise::rest

#endif  // STEPWISE_FHIR_REST_URL_H_
