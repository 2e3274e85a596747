// Package signatures: Ed25519, detached, in a file beside the package: a.tgz -> a.tgz.signatures.json.
//
//   {"signatures":[{"algorithm":"Ed25519","key-id":"sha256:...","signature":"<base64>"}],
//    "signed":{"digest":"sha256:...","id":"...","seal":"sha256:...","version":"1.2.0"}}
//
// Signed are the bytes of `signed` as canonical JSON. The digest is what the pack says; the seal covers every
// other file of the package too. Several people may sign. A key is named by the SHA-256 of its public half
// (SubjectPublicKeyInfo, DER) unless the signer gives another name; the name only helps to find it.
//
//   auto signatures = SignPackage(manifest, key, "", existing_text);
//   for (const SignatureCheck& check : *CheckSignatures(manifest, text, trusted)) ...
//
// Keys are PEM files (`openssl genpkey -algorithm ed25519`). Source: RFC 8032 by OpenSSL's EVP.
// Errors: kInvalidArgument (no Ed25519 key, no such JSON), kFailedPrecondition (signatures of another
// package). Thread-safety: pure functions; keys are immutable.
#ifndef STEPWISE_RULES_PACKAGE_SIGNATURE_H_
#define STEPWISE_RULES_PACKAGE_SIGNATURE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/package.h"

namespace stepwise::rules {

inline constexpr std::string_view kSignaturesSuffix = ".signatures.json";

// An Ed25519 key: public, or private with its public half.
class SigningKey {
 public:
  // Whichever the PEM text holds. `name`: of the file, for messages.
  static Result<SigningKey> Parse(std::string_view pem, const std::string& name);

  const std::string& id() const { return id_; }  // "sha256:" of the public half
  const std::string& name() const { return name_; }
  bool is_private() const { return is_private_; }
  std::string Sign(std::string_view bytes) const;  // 64 bytes; needs a private key
  bool Verify(std::string_view bytes, std::string_view signature) const;

 private:
  std::shared_ptr<void> key_;  // EVP_PKEY
  std::string id_, name_;
  bool is_private_ = false;
};

enum class SignatureState : std::uint8_t { kGood, kUnknownKey, kBad };

struct SignatureCheck {
  std::string key_id;
  SignatureState state = SignatureState::kUnknownKey;
  std::string key_name;  // of the trusted key that fits, kGood only
};

// The text of the signatures file with this signature in it. `existing`: the file as it is, or "". A
// signature of the same key takes the place of the old one.
Result<std::string> SignPackage(const PackageManifest& manifest, const SigningKey& key,
                                const std::string& key_id, std::string_view existing);

// One a signature. kFailedPrecondition: the file is about another package.
Result<std::vector<SignatureCheck>> CheckSignatures(const PackageManifest& manifest, std::string_view text,
                                                    std::span<const SigningKey> trusted);

// At least one good signature and no bad one, or an error that says what is missing. `text`: "" when there is
// no signatures file.
Status RequireSignature(const PackageManifest& manifest, std::string_view text,
                        std::span<const SigningKey> trusted);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACKAGE_SIGNATURE_H_
