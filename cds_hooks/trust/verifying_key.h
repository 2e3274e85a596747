// VerifyingKey: the public half of a key that signs tokens, and the algorithms it may be used with.
//
//   Result<VerifyingKey> key = VerifyingKey::FromPoint(Algorithm::kES384, x, y);
//   if (key->Fits(jwt.algorithm) && key->Verify(jwt.algorithm, jwt.signing_input, jwt.signature)) ...
//
// The key decides the algorithm; what a token says about it must only agree. So a token cannot have an RSA
// key taken for an HMAC secret, nor a hash function swapped. There are four algorithms, all of them
// asymmetric: ES384 and RS384, which CDS Hooks recommends, and ES256 and RS256, which clients also use.
// Source: RFC 7518 sections 3.3 and 3.4, by OpenSSL's EVP. Errors: kInvalidArgument, `path` names the member
// of the JWK ("x", "n"). Thread-safety: immutable, share freely.
#ifndef STEPWISE_CDS_HOOKS_TRUST_VERIFYING_KEY_H_
#define STEPWISE_CDS_HOOKS_TRUST_VERIFYING_KEY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::trust {

enum class Algorithm : std::uint8_t { kES256, kES384, kRS256, kRS384 };

// By its exact name: "none", "HS384" and "es384" are none of them.
std::optional<Algorithm> AlgorithmNamed(std::string_view name);
std::string_view AlgorithmName(Algorithm algorithm);

// Bits of an RSA modulus. Shorter ones are weak; longer ones make one token cost too much.
inline constexpr int kMinRsaBits = 2048, kMaxRsaBits = 8192;

class VerifyingKey {
 public:
  // An EC key on the curve of the algorithm (kES256: P-256, kES384: P-384). Big-endian coordinates of exactly
  // the curve's size; the point must lie on the curve.
  static Result<VerifyingKey> FromPoint(Algorithm algorithm, std::string_view x, std::string_view y);
  // An RSA key: big-endian modulus and exponent. `pinned`: for this algorithm only (kRS256 or kRS384).
  static Result<VerifyingKey> FromModulus(std::string_view n, std::string_view e,
                                          std::optional<Algorithm> pinned);

  bool Fits(Algorithm algorithm) const { return algorithm == algorithm_ || algorithm == second_; }
  // `signature` as a token carries it: R and S side by side for ES*, one number as long as the modulus for
  // RS*. False for an algorithm that does not fit.
  bool Verify(Algorithm algorithm, std::string_view signing_input, std::string_view signature) const;

 private:
  VerifyingKey(void* key, Algorithm algorithm, Algorithm second);

  std::shared_ptr<void> key_;     // EVP_PKEY
  Algorithm algorithm_, second_;  // the two of an RSA key that is not pinned; else the same twice
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_VERIFYING_KEY_H_
