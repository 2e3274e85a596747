// base64url as JOSE writes it: no padding, no white space, and one text only for each sequence of bytes.
//
//   FromBase64Url("AQAB")  -> "\1\0\1"
//   FromBase64Url("AQAB=") -> nullopt;   "AR" -> nullopt, for the bits that no byte needs are not zero
//
// A second spelling of the same bytes would let a token look new that is not.
// Source: RFC 4648 section 5, RFC 7515 section 2. Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_TRUST_BASE64URL_H_
#define STEPWISE_CDS_HOOKS_TRUST_BASE64URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace stepwise::trust {

std::string ToBase64Url(std::string_view bytes);
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_BASE64URL_H_
