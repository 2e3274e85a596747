#include "rules/package_signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>

#include "rules/digest.h"
#include "rules/fhir_form.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxSignatures = 64;
constexpr std::string_view kAlgorithm = "Ed25519";

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unique_ptr<BIO, FreeBio> Reader(std::string_view text) {
  return std::unique_ptr<BIO, FreeBio>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// No questions on the terminal: a key with a passphrase is refused.
int NoPassphrase(char*, int, int, void*) { return -1; }

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Json Signed(const PackageManifest& manifest) {
  return {{"digest", manifest.digest},
          {"id", manifest.id},
          {"seal", manifest.seal},
          {"version", manifest.version}};
}

struct Signature {
  std::string key_id, bytes;
};

tl::unexpected<Error> Malformed(std::string message, std::string path = {}) {
  return Fail(Code::kInvalidArgument, "the signatures file " + std::move(message), {}, std::move(path));
}

Result<std::vector<Signature>> Read(const PackageManifest& manifest, std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("signed") || !json.contains("signatures") ||
      !json["signatures"].is_array())
    return Malformed("is no JSON object with `signed` and `signatures`");
  const Json& about = json["signed"];
  for (const char* key : {"id", "version", "digest", "seal"}) {
    if (!about.is_object() || !about.contains(key) || !about[key].is_string())
      return Malformed("has no text here", std::string("signed.") + key);
  }
  if (about != Signed(manifest)) {
    return Fail(Code::kFailedPrecondition,
                "the signatures are for " + about["id"].get<std::string>() + " " +
                    about["version"].get<std::string>() + " " + about["digest"].get<std::string>() +
                    " (seal " + about["seal"].get<std::string>() + "), and the package is " + manifest.id +
                    " " + manifest.version + " " + manifest.digest + " (seal " + manifest.seal + ")");
  }
  if (json["signatures"].size() > kMaxSignatures) return Malformed("has more than 64 signatures");
  std::vector<Signature> out;
  for (const Json& entry : json["signatures"]) {
    const std::string place = "signatures[" + std::to_string(out.size()) + "]";
    for (const char* key : {"algorithm", "key-id", "signature"}) {
      if (!entry.is_object() || !entry.contains(key) || !entry[key].is_string())
        return Malformed("has no text here", place + "." + key);
    }
    if (entry["algorithm"] != kAlgorithm) return Malformed("names another algorithm than Ed25519", place);
    auto bytes = FromBase64(entry["signature"].get<std::string>());
    if (!bytes) return Malformed("has a signature that is not base64", place);
    out.push_back({entry["key-id"].get<std::string>(), std::move(*bytes)});
  }
  return out;
}

}  // namespace

Result<SigningKey> SigningKey::Parse(std::string_view pem, const std::string& name) {
  SigningKey out;
  out.name_ = name;
  EVP_PKEY* key = PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, &NoPassphrase, nullptr);
  out.is_private_ = key != nullptr;
  if (key == nullptr) key = PEM_read_bio_PUBKEY(Reader(pem).get(), nullptr, &NoPassphrase, nullptr);
  out.key_ = {key, [](void* old) { EVP_PKEY_free(static_cast<EVP_PKEY*>(old)); }};
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
    return Fail(
        Code::kInvalidArgument,
        "no Ed25519 key without passphrase in PEM form; `openssl genpkey -algorithm ed25519` makes one",
        SourceSpan{name, 0, 0, 0});
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size > 0) out.id_ = DigestOf({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return out;
}

std::string SigningKey::Sign(std::string_view bytes) const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::string out(64, '\0');
  std::size_t size = out.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, Bytes(bytes),
                     bytes.size()) != 1)
    return "";
  out.resize(size);
  return out;
}

bool SigningKey::Verify(std::string_view bytes, std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) ==
             1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size()) == 1;
}

Result<std::string> SignPackage(const PackageManifest& manifest, const SigningKey& key,
                                const std::string& key_id, std::string_view existing) {
  if (!key.is_private())
    return Fail(Code::kInvalidArgument, "signing needs a private key", SourceSpan{key.name(), 0, 0, 0});
  std::vector<Signature> all;
  if (!existing.empty()) {
    STEPWISE_ASSIGN_OR_RETURN(all, Read(manifest, existing));
  }
  const std::string name = key_id.empty() ? key.id() : key_id;
  const Json about = Signed(manifest);
  const std::string bytes = CanonicalJson(about);
  std::erase_if(all,
                [&](const Signature& one) { return one.key_id == name || key.Verify(bytes, one.bytes); });
  all.push_back({name, key.Sign(bytes)});
  if (all.size() > kMaxSignatures) return Malformed("has 64 signatures already");
  std::ranges::sort(all, {}, &Signature::key_id);
  Json list = Json::array();
  for (const Signature& one : all) {
    list.push_back({{"algorithm", kAlgorithm}, {"key-id", one.key_id}, {"signature", Base64(one.bytes)}});
  }
  const Json out = {{"signed", about}, {"signatures", std::move(list)}};
  return CanonicalJson(out) + "\n";
}

Result<std::vector<SignatureCheck>> CheckSignatures(const PackageManifest& manifest, std::string_view text,
                                                    std::span<const SigningKey> trusted) {
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<Signature> all, Read(manifest, text));
  const std::string bytes = CanonicalJson(Signed(manifest));
  std::vector<SignatureCheck> out;
  for (const Signature& one : all) {
    SignatureCheck check{one.key_id, SignatureState::kUnknownKey, ""};
    for (const SigningKey& key : trusted) {
      if (key.Verify(bytes, one.bytes)) {
        check.state = SignatureState::kGood;
        check.key_name = key.name();
      } else if (key.id() == one.key_id && check.state != SignatureState::kGood) {
        check.state = SignatureState::kBad;
      }
    }
    out.push_back(std::move(check));
  }
  return out;
}

Status RequireSignature(const PackageManifest& manifest, std::string_view text,
                        std::span<const SigningKey> trusted) {
  if (text.empty())
    return Fail(Code::kFailedPrecondition, "not signed: there is no signatures file beside it");
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<SignatureCheck> checks,
                            CheckSignatures(manifest, text, trusted));
  std::string unknown;
  bool good = false;
  for (const SignatureCheck& check : checks) {
    good = good || check.state == SignatureState::kGood;
    if (check.state == SignatureState::kBad)
      return Fail(Code::kFailedPrecondition, "the signature of key " + check.key_id + " is wrong");
    if (check.state == SignatureState::kUnknownKey) unknown += (unknown.empty() ? "" : ", ") + check.key_id;
  }
  if (good) return {};
  if (checks.empty()) return Fail(Code::kFailedPrecondition, "not signed: the signatures file lists nobody");
  return Fail(Code::kFailedPrecondition, "signed only by unknown keys (" + unknown +
                                             "); trust the key of a person you know, or ask one to sign");
}

}  // namespace stepwise::rules
