// Jwt: what the token of a CDS client says, read strictly and believed not at all.
//
//   Result<Jwt> jwt = Jwt::Parse(token);
//   if (jwt && key.Fits(jwt->algorithm) && key.Verify(jwt->algorithm, jwt->signing_input, jwt->signature))
//   ...
//
// Read are compact JWS only: three parts of base64url in its one spelling, JSON without names given twice.
// Header: alg (one of four, see verifying_key.h), typ "JWT" and kid must be there, jku may; crit and jwk are
// refused, x5u and x5c ignored: a token never brings the key it is checked with. Payload: iss, aud (a string
// or several), exp, iat and jti must be there, tenant and nbf may; other claims are ignored.
// What is missing, what is true, and what the times mean now is for the authenticator.
//
// Source: CDS Hooks 2.0.1, "Trusting CDS Clients"; RFC 7515, RFC 7519. Errors: those of reason.h (kTooLarge,
// kMalformed, kBadAlgorithm), `path` such as "header.kid" or "payload.aud".
// Thread-safety: plain values.
#ifndef STEPWISE_CDS_HOOKS_TRUST_JWT_H_
#define STEPWISE_CDS_HOOKS_TRUST_JWT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/trust/verifying_key.h"
#include "fhir/result.h"

namespace stepwise::trust {

struct Jwt {
  static Result<Jwt> Parse(std::string_view token, std::size_t max_bytes = 8192);

  Algorithm algorithm = Algorithm::kES384;
  std::string kid;
  std::string jku;  // "" when absent

  std::string iss, jti;
  std::string tenant;                   // "" when absent
  std::vector<std::string> aud;         // at least one
  std::int64_t exp_ms = 0, iat_ms = 0;  // since the Unix epoch
  std::optional<std::int64_t> nbf_ms;

  std::string signing_input;  // the first two parts as written
  std::string signature;      // the third, decoded
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_JWT_H_
