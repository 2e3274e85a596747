// Why a caller is not trusted: one stable word for each reason, for logs and as the label of a metric.
//
//   return Refuse(Reason::kExpired, "payload.exp");   // Error{kInvalidArgument, "expired", path}
//   if (error.code == Code::kUnavailable) ...         // our side could not tell; worth an alarm
//
// The client is told none of it: it gets a bare 401 (CDS Hooks best practices, "Security"). `message` of such
// an Error is exactly the word and `path` names a place in a token or a key set; neither ever holds a part
// of a token. Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_TRUST_REASON_H_
#define STEPWISE_CDS_HOOKS_TRUST_REASON_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::trust {

enum class Reason : std::uint8_t {
  kNoToken,             // no Authorization header, or another scheme than Bearer
  kTooLarge,            // longer than TrustOptions::max_token_bytes
  kMalformed,           // not a signed JWT; `path` names the member that is missing or has the wrong type
  kBadAlgorithm,        // none, symmetric, unknown, or not the algorithm of the key
  kUnknownIssuer,       // iss is not configured
  kUnknownJku,          // jku is not configured for the issuer
  kExpired,             // exp has passed
  kNotYetValid,         // nbf, or iat, is in the future
  kTooLongLived,        // from iat to exp is longer than TrustOptions::max_token_age_s
  kWrongAudience,       // aud names another endpoint
  kWrongTenant,         // tenant is not among those of the issuer
  kUnknownKey,          // no key with this kid
  kBadSignature,        // the signature is not that of the key
  kReplayed,            // the token was used before
  kNoCertificate,       // no client certificate
  kUnknownCertificate,  // the subject of the client certificate is not configured
  kKeysUnavailable,     // the keys of the issuer could not be obtained (kUnavailable)
  kReplayMemoryFull,    // no place to remember one more token (kUnavailable)
};

std::string_view ReasonWord(Reason reason);      // "no-token", "expired", ...
std::span<const std::string_view> AllReasons();  // the words, in the order of the enum

tl::unexpected<Error> Refuse(Reason reason, std::string path = {});

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_REASON_H_
