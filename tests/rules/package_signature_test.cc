// Signatures: who signed what, and what is said when nobody, somebody else, or somebody for another package
// did.
#include "rules/package_signature.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <sstream>

#include "rules/pack_sign_command.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

using testing::HasSubstr;

struct KeyPair {
  std::string private_pem, public_pem;
};

std::string Written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

KeyPair NewKey(const char* kind = "ED25519") {
  EVP_PKEY* key = std::string_view(kind) == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                                 : EVP_PKEY_Q_keygen(nullptr, nullptr, kind);
  BIO* secret = BIO_new(BIO_s_mem());
  BIO* open = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_PUBKEY(open, key);
  EVP_PKEY_free(key);
  return {Written(secret), Written(open)};
}

SigningKey Key(const std::string& pem, const std::string& name = "key.pem") {
  auto key = SigningKey::Parse(pem, name);
  EXPECT_TRUE(key) << key.error().ToString();
  return *key;
}

std::string Complaint(const PackageManifest& manifest, const std::string& text,
                      std::span<const SigningKey> trusted) {
  const Status status = RequireSignature(manifest, text, trusted);
  return status ? "" : status.error().ToString();
}

const PackageManifest kManifest{"a", "1.0.0", "sha256:d", "sha256:s"};

TEST(PackageSignature, OfTrustedKeysIsEnough) {
  const KeyPair ours = NewKey(), theirs = NewKey();
  const SigningKey trusted[] = {Key(ours.public_pem, "ours.pem")};
  const auto one = SignPackage(kManifest, Key(ours.private_pem), "", "");
  ASSERT_TRUE(one) << one.error().ToString();
  EXPECT_EQ(Complaint(kManifest, *one, trusted), "");

  const auto two = SignPackage(kManifest, Key(theirs.private_pem), "pharmacy-2026", *one);
  ASSERT_TRUE(two) << two.error().ToString();
  EXPECT_EQ(Complaint(kManifest, *two, trusted), "");
  const auto checks = CheckSignatures(kManifest, *two, trusted);
  ASSERT_TRUE(checks);
  ASSERT_EQ(checks->size(), 2u);
  EXPECT_EQ((*checks)[0].key_id, "pharmacy-2026");
  EXPECT_EQ((*checks)[0].state, SignatureState::kUnknownKey);
  EXPECT_EQ((*checks)[1].state, SignatureState::kGood);
  EXPECT_EQ((*checks)[1].key_name, "ours.pem");
  // Ed25519 is deterministic, and signing again replaces.
  EXPECT_EQ(*SignPackage(kManifest, Key(ours.private_pem), "", *two), *two);
}

TEST(PackageSignature, SaysWhatIsWrong) {
  const KeyPair ours = NewKey(), theirs = NewKey();
  const SigningKey trusted[] = {Key(ours.public_pem)};
  const std::string text = *SignPackage(kManifest, Key(ours.private_pem), "", "");
  EXPECT_THAT(Complaint(kManifest, "", trusted), HasSubstr("not signed: there is no signatures file"));
  EXPECT_THAT(Complaint(kManifest, *SignPackage(kManifest, Key(theirs.private_pem), "x", ""), trusted),
              HasSubstr("signed only by unknown keys (x)"));
  for (std::string PackageManifest::*field :
       {&PackageManifest::id, &PackageManifest::version, &PackageManifest::digest, &PackageManifest::seal}) {
    PackageManifest other = kManifest;
    other.*field = "changed";
    EXPECT_THAT(Complaint(other, text, trusted), HasSubstr("the signatures are for a 1.0.0 sha256:d"));
  }
  std::string forged = text;
  const std::size_t at = forged.find("\"signature\":\"") + 13;
  forged[at] = forged[at] == 'A' ? 'B' : 'A';
  EXPECT_THAT(Complaint(kManifest, forged, trusted), HasSubstr("the signature of key sha256:"));
  const std::pair<const char*, const char*> rows[] = {
      {"x", "no JSON object"},
      {R"({"signed":{},"signatures":[]})", "signed.id: "},
      {R"({"signed":{"id":"a","version":"1.0.0","digest":"sha256:d","seal":"sha256:s"},"signatures":[]})",
       "lists nobody"},
      {R"({"signed":{"id":"a","version":"1.0.0","digest":"sha256:d","seal":"sha256:s"},"signatures":[7]})",
       "signatures[0].algorithm: "},
  };
  for (const auto& [bad, message] : rows)
    EXPECT_THAT(Complaint(kManifest, bad, trusted), HasSubstr(message)) << bad;
  EXPECT_THAT(SignPackage(kManifest, Key(ours.public_pem), "", "").error().message,
              HasSubstr("needs a private key"));
}

TEST(PackageSignature, TakesEd25519KeysOnly) {
  for (const std::string& pem : {NewKey("EC").private_pem, std::string("no key"), std::string()}) {
    const auto key = SigningKey::Parse(pem, "k.pem");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().ToString(), HasSubstr("k.pem: no Ed25519 key"));
  }
}

TEST(PackSignCommand, SignsAndVerifiesFiles) {
  TempDir dir;
  const std::string package = (dir.path() / "a-1.0.0.tgz").string();
  WriteFile(package, *WritePackage("a", "1.0.0", {{"pack.yaml", "x"}}, {}));
  const KeyPair key = NewKey();
  WriteFile(dir.path() / "secret.pem", key.private_pem);
  WriteFile(dir.path() / "keys/public.pem", key.public_pem);
  const std::string trusted[] = {(dir.path() / "keys").string()};
  std::ostringstream out;
  EXPECT_EQ(VerifyPack(package, trusted, out), 1);
  EXPECT_THAT(out.str(), HasSubstr("not signed"));
  EXPECT_EQ(SignPack(package, (dir.path() / "secret.pem").string(), "", out), 0) << out.str();
  EXPECT_EQ(VerifyPack(package, trusted, out), 0) << out.str();
  EXPECT_THAT(out.str(), HasSubstr("signed by " + trusted[0] + "/public.pem"));

  std::string bytes = ReadFile(package);
  bytes[bytes.find("package/other/pack.yaml\0", 0, 24) + 512] ^= 1;
  WriteFile(package, bytes);
  out.str("");
  EXPECT_EQ(VerifyPack(package, trusted, out), 1);
  EXPECT_THAT(out.str(), HasSubstr("package/other/pack.yaml: its bytes have sha256:"));
}

}  // namespace
}  // namespace stepwise::rules
