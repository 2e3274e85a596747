// Sealer: AES-256-GCM for what may hold patient data, at rest.
//
//   Result<Sealer> sealer = Sealer::FromFiles({"new.key", "old.key"});   the first seals, all open
//   std::string sealed = sealer->Seal(decision_id, response);
//   Result<std::string> response = sealer->Open(decision_id, sealed);
//
// `about` is not in the sealed bytes but must be the same when opening: a sealed part does not open under
// another record. Bytes: version 1 (1), id of the key (8: the first of its SHA-256), nonce (12, random), tag
// (16), ciphertext. Random nonces are good for 2^32 messages a key: rotate long before, say once a year.
// Errors of Open(): kNotFound when the key is not among those given; kInvalidArgument for anything that was
// changed or is no sealed part. Source: NIST SP 800-38D. Thread-safety: immutable.
#ifndef STEPWISE_CDS_HOOKS_STORE_SEALED_H_
#define STEPWISE_CDS_HOOKS_STORE_SEALED_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/store/key_file.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

class Sealer {
 public:
  explicit Sealer(std::vector<Key> keys);  // empty: seals nothing
  static Result<Sealer> FromFiles(std::span<const std::string> files);

  bool seals() const { return !keys_.empty(); }
  std::string Seal(std::string_view about, std::string_view text) const;  // only when seals()
  Result<std::string> Open(std::string_view about, std::string_view sealed) const;

 private:
  struct NamedKey {
    std::string id;
    Key key;
  };
  std::vector<NamedKey> keys_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_SEALED_H_
