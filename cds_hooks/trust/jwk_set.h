// JwkSet: the public keys of a CDS client, by kid, from the text of a JWK Set.
//
//   Result<JwkSet> set =
//   JwkSet::Parse(R"({"keys":[{"kty":"EC","crv":"P-384","kid":"a","x":"...","y":"..."}]})"); if (const
//   VerifyingKey* key = set->Find(jwt.kid)) ...
//
// Kept are keys that can verify tokens: kty EC (P-256, P-384) or RSA (2048 bits or more) with a kid, whose
// use is absent or "sig", whose key_ops are absent or include "verify", and whose alg is absent or one of
// those that the key fits (of RSA keys, alg pins the algorithm). Other keys (encryption, symmetric, other
// curves, weak) are passed over, as RFC 7517 section 5 says, and listed in ignored(). Of private keys only
// the public half is looked at. An empty set is a set: its owner has withdrawn all keys.
//
// Errors: kSyntax, kLimit, or kInvalidArgument for a key that claims to be one of ours and is not, or a kid
// given twice; `path` such as "keys[2].x". Thread-safety: immutable.
#ifndef STEPWISE_CDS_HOOKS_TRUST_JWK_SET_H_
#define STEPWISE_CDS_HOOKS_TRUST_JWK_SET_H_

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/trust/verifying_key.h"
#include "fhir/result.h"

namespace stepwise::trust {

struct JwkSetLimits {
  std::size_t max_bytes = 256u << 10;  // of the text
  std::size_t max_keys = 100;          // of all kinds
};

class JwkSet {
 public:
  static Result<JwkSet> Parse(std::string_view text, const JwkSetLimits& limits = {});

  const VerifyingKey* Find(std::string_view kid) const;  // nullptr: no such key; lives as long as the set
  std::size_t size() const { return keys_.size(); }
  const std::vector<Error>& ignored() const { return ignored_; }  // which keys were passed over, and why

 private:
  std::map<std::string, VerifyingKey, std::less<>> keys_;
  std::vector<Error> ignored_;
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_JWK_SET_H_
