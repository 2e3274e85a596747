// Whatever bytes arrive as a token, they are read or refused for a reason, and nothing verifies but what was
// signed. The bytes are tried as they are, and as the two JSON texts of a token, a line each.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cds_hooks/trust/base64url.h"
#include "cds_hooks/trust/jwk_set.h"
#include "cds_hooks/trust/jwt.h"
#include "cds_hooks/trust/reason.h"

namespace {

using namespace stepwise::trust;

// The one token that was ever signed with this key, whose private half nobody has kept.
constexpr std::string_view kKeys =
    R"({"keys":[{"crv":"P-256","kid":"k","kty":"EC","use":"sig",)"
    R"("x":"wqcXcbU9Gn41ncUjrNxJ6GfQUYKM5V6XDC-ZazoowCk","y":"gL2EiZZAQbQtT5SvfCFgRMGy4oH3a7sXdCOJ436f3Qo"}]})";
constexpr std::string_view kToken =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwczovL2Nkcy5leGFtcGxlLm9yZy9jZHMtc"
    "2VydmljZXMvcGFpbiIsImV4cCI6MTc5Njg5MzUwMCwiaWF0IjoxNzk2ODkzMjAwLCJpc3MiOiJodHRwczovL2Voci5leGFtcGxlL"
    "m9yZy8iLCJqdGkiOiJqdGktMSJ9.4D10Sy8cQg5qwtHOiuANweVB3KgJxRQOJ_-YfHvJeQO5ksjipAbYAs29kHjgq21NMK1HPzrc"
    "YqXHAVjrRhWXig";

void Try(std::string_view token, const VerifyingKey& key) {
  const stepwise::Result<Jwt> jwt = Jwt::Parse(token);
  if (!jwt) {
    const auto words = AllReasons();
    if (std::find(words.begin(), words.end(), jwt.error().message) == words.end()) std::abort();
    if (token == kToken) std::abort();
    return;
  }
  if (jwt->kid.empty() || jwt->iss.empty() || jwt->jti.empty() || jwt->aud.empty()) std::abort();
  if (!token.starts_with(jwt->signing_input + ".")) std::abort();
  if (ToBase64Url(jwt->signature) != token.substr(jwt->signing_input.size() + 1)) std::abort();
  const bool verified =
      key.Fits(jwt->algorithm) && key.Verify(jwt->algorithm, jwt->signing_input, jwt->signature);
  // (R, -S) is a signature of the same text: of ECDSA the text is bound, not the signature.
  if (verified && !kToken.starts_with(jwt->signing_input + ".")) std::abort();
  if (token == kToken && !verified) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const stepwise::Result<JwkSet> keys = JwkSet::Parse(kKeys);
  const VerifyingKey& key = *keys->Find("k");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try(bytes, key);
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  const std::string_view payload = bytes.substr(std::min(line + 1, bytes.size()));
  Try(ToBase64Url(bytes.substr(0, line)) + "." + ToBase64Url(payload) +
          std::string(kToken.substr(kToken.rfind('.'))),
      key);
  return 0;
}
