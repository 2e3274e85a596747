// Certificates made while a test runs: an authority, and what it signs.
//
//   TestAuthority authority("Test CA");
//   authority.Write(dir / "ca.pem");
//   authority.Issue("ehr.example.org", dir / "client.pem", dir / "client.key");
#ifndef STEPWISE_TESTS_CDS_HOOKS_TEST_CERTIFICATES_H_
#define STEPWISE_TESTS_CDS_HOOKS_TEST_CERTIFICATES_H_

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace stepwise::cds_hooks {

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name) : key_(MakeKey()) {
    certificate_ = MakeCertificate(name, key_, nullptr);
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  void Write(const std::filesystem::path& file) const { WriteCertificate(certificate_, file); }
  // Good for `days` from now. Names are the organisation's and its host's.
  void Issue(const std::string& name, const std::filesystem::path& certificate,
             const std::filesystem::path& key, int days = 1) const {
    EVP_PKEY* const own_key = MakeKey();
    X509* const own = MakeCertificate(name, own_key, this, days);
    WriteCertificate(own, certificate);
    std::FILE* const out = std::fopen(key.c_str(), "w");
    EXPECT_EQ(PEM_write_PrivateKey(out, own_key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    std::fclose(out);
    X509_free(own);
    EVP_PKEY_free(own_key);
  }

 private:
  static EVP_PKEY* MakeKey() { return EVP_EC_gen("P-256"); }

  static X509* MakeCertificate(const std::string& name, EVP_PKEY* key, const TestAuthority* issuer,
                               int days = 1) {
    static long serial = 1;
    X509* const made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 86'400L * days);
    X509_set_pubkey(made, key);
    X509_NAME* const subject = X509_get_subject_name(made);
    const auto add = [&](const char* field, const std::string& value) {
      X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0);
    };
    add("O", "Example, Inc.");
    add("CN", name);
    X509_set_issuer_name(made, issuer != nullptr ? X509_get_subject_name(issuer->certificate_) : subject);
    X509_EXTENSION* const constraint = X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, issuer != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    X509_add_ext(made, constraint, -1);
    X509_EXTENSION_free(constraint);
    EXPECT_NE(X509_sign(made, issuer != nullptr ? issuer->key_ : key, EVP_sha256()), 0);
    return made;
  }

  static void WriteCertificate(X509* certificate, const std::filesystem::path& file) {
    std::FILE* const out = std::fopen(file.c_str(), "w");
    EXPECT_EQ(PEM_write_X509(out, certificate), 1);
    std::fclose(out);
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

using ClientTls = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// What a client needs to trust the authority, and to show a certificate where it has one.
inline ClientTls MakeClientTls(const std::filesystem::path& authority,
                               const std::filesystem::path& certificate = {},
                               const std::filesystem::path& key = {}) {
  ClientTls tls(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_load_verify_locations(tls.get(), authority.c_str(), nullptr), 1);
  SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
  if (!certificate.empty()) {
    EXPECT_EQ(SSL_CTX_use_certificate_file(tls.get(), certificate.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(tls.get(), key.c_str(), SSL_FILETYPE_PEM), 1);
  }
  return tls;
}

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_TEST_CERTIFICATES_H_
