// Keys, JWK Sets and signed tokens as a CDS client makes them, for tests.
//
//   TokenMaker ehr("https://ehr.example.org/");                    // an ES384 key of its own, kid "key-1"
//   WriteFile(dir / "jwks.json", ehr.JwkSetText());
//   std::string token = ehr.Token("https://cds.example.org/cds-services/pain", now.ToUnixMillis() / 1000);
//   ehr.header["jku"] = "http://127.0.0.1:1/jwks.json";            // of all tokens that follow
//   ehr.payload["tenant"] = "north";
//
// Each token has a new jti, begins now and lives for five minutes unless `payload` says otherwise.
// RSA keys are generated once in a process: making one takes long. Thread-safety: none.
#ifndef STEPWISE_TESTS_CDS_HOOKS_TOKEN_MAKER_H_
#define STEPWISE_TESTS_CDS_HOOKS_TOKEN_MAKER_H_

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cds_hooks/trust/base64url.h"
#include "cds_hooks/trust/verifying_key.h"

namespace stepwise::trust {

// A private key and what can be made with it.
class TokenKey {
 public:
  explicit TokenKey(Algorithm algorithm) : algorithm_(algorithm) {
    key_ = is_rsa() ? SharedRsaKey() : std::shared_ptr<EVP_PKEY>(EVP_EC_gen(curve()), &EVP_PKEY_free);
    EXPECT_NE(key_, nullptr);
  }

  bool is_rsa() const { return algorithm_ == Algorithm::kRS256 || algorithm_ == Algorithm::kRS384; }
  const char* curve() const { return algorithm_ == Algorithm::kES256 ? "P-256" : "P-384"; }
  Algorithm algorithm() const { return algorithm_; }

  // The public half, without alg.
  nlohmann::json Jwk(const std::string& kid) const {
    if (is_rsa()) {
      return {{"kty", "RSA"},
              {"use", "sig"},
              {"kid", kid},
              {"n", Number(OSSL_PKEY_PARAM_RSA_N, 0)},
              {"e", Number(OSSL_PKEY_PARAM_RSA_E, 0)}};
    }
    return {{"kty", "EC"},
            {"use", "sig"},
            {"kid", kid},
            {"crv", curve()},
            {"x", Number(OSSL_PKEY_PARAM_EC_PUB_X, coordinate())},
            {"y", Number(OSSL_PKEY_PARAM_EC_PUB_Y, coordinate())}};
  }

  std::string PublicPem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    const char* text = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(out.get(), &text));
    return {text, size};
  }

  // The signature as it stands in a token, before base64url. `algorithm` may be another than the key's.
  std::string Sign(std::string_view input, Algorithm algorithm) const {
    const bool sha256 = algorithm == Algorithm::kES256 || algorithm == Algorithm::kRS256;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
    std::string out(1024, '\0');
    std::size_t size = out.size();
    EXPECT_EQ(
        EVP_DigestSignInit(context.get(), nullptr, sha256 ? EVP_sha256() : EVP_sha384(), nullptr, key_.get()),
        1);
    EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                             input.size()),
              1);
    out.resize(size);
    return is_rsa() ? out : RawOf(out);
  }
  std::string Sign(std::string_view input) const { return Sign(input, algorithm_); }

 private:
  static std::shared_ptr<EVP_PKEY> SharedRsaKey() {
    static const std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
    return key;
  }

  int coordinate() const { return algorithm_ == Algorithm::kES256 ? 32 : 48; }

  // base64url of a number of the key, in `size` bytes (0: as few as it takes).
  std::string Number(const char* name, int size) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &number), 1);
    std::string out = Padded(number, size == 0 ? BN_num_bytes(number) : size);
    BN_free(number);
    return ToBase64Url(out);
  }

  static std::string Padded(const BIGNUM* number, int size) {
    std::string out(static_cast<std::size_t>(size), '\0');
    EXPECT_EQ(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), size), size);
    return out;
  }

  std::string RawOf(std::string_view der) const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string out =
        Padded(ECDSA_SIG_get0_r(pair), coordinate()) + Padded(ECDSA_SIG_get0_s(pair), coordinate());
    ECDSA_SIG_free(pair);
    return out;
  }

  Algorithm algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

// The first two parts of a token, from the texts of header and payload.
inline std::string SigningInput(std::string_view header, std::string_view payload) {
  return ToBase64Url(header) + "." + ToBase64Url(payload);
}

inline std::string SignedToken(std::string_view header, std::string_view payload, const TokenKey& key) {
  const std::string input = SigningInput(header, payload);
  return input + "." + ToBase64Url(key.Sign(input));
}

inline std::string JwkSetOf(std::initializer_list<nlohmann::json> keys) {
  nlohmann::json list = nlohmann::json::array();
  for (const nlohmann::json& key : keys) list.push_back(key);
  return nlohmann::json({{"keys", list}}).dump();
}

// A CDS client with one key.
struct TokenMaker {
  explicit TokenMaker(const std::string& iss, Algorithm algorithm = Algorithm::kES384,
                      const std::string& kid = "key-1")
      : key(algorithm),
        header({{"alg", AlgorithmName(algorithm)}, {"typ", "JWT"}, {"kid", kid}}),
        payload({{"iss", iss}}) {}

  nlohmann::json Jwk() const { return key.Jwk(header.at("kid").get<std::string>()); }
  std::string JwkSetText() const { return JwkSetOf({Jwk()}); }

  // header and payload as they are, with what is not there yet: aud, iat, exp and a new jti.
  std::string Token(const std::string& aud, std::int64_t now_s) {
    nlohmann::json claims = {
        {"aud", aud}, {"iat", now_s}, {"exp", now_s + 300}, {"jti", "jti-" + std::to_string(++made)}};
    claims.update(payload);
    return SignedToken(header.dump(), claims.dump(), key);
  }

  TokenKey key;
  nlohmann::json header, payload;
  int made = 0;
};

}  // namespace stepwise::trust

#endif  // STEPWISE_TESTS_CDS_HOOKS_TOKEN_MAKER_H_
