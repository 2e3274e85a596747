#include "cds_hooks/trust/verifying_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace stepwise::trust {
namespace {

struct AlgorithmRow {
  Algorithm algorithm;
  std::string_view name;
  const char* curve;       // nullptr: RSA
  std::size_t coordinate;  // bytes of x, y, r and s; 0: RSA
  const EVP_MD* (*digest)();
};
constexpr AlgorithmRow kAlgorithms[] = {
    {Algorithm::kES256, "ES256", "P-256", 32, &EVP_sha256},
    {Algorithm::kES384, "ES384", "P-384", 48, &EVP_sha384},
    {Algorithm::kRS256, "RS256", nullptr, 0, &EVP_sha256},
    {Algorithm::kRS384, "RS384", nullptr, 0, &EVP_sha384},
};

const AlgorithmRow& RowOf(Algorithm algorithm) { return kAlgorithms[static_cast<std::size_t>(algorithm)]; }

template <auto Free>
struct Freeing {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Number = std::unique_ptr<BIGNUM, Freeing<&BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freeing<&EVP_PKEY_CTX_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freeing<&OSSL_PARAM_free>>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number NumberOf(std::string_view big_endian) {
  return Number(BN_bin2bn(Bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

// OpenSSL keeps what went wrong in a queue of the thread, where the next caller would find it.
struct ForgetErrors {
  ~ForgetErrors() { ERR_clear_error(); }
};

// nullptr: OpenSSL does not take the parameters for a valid public key of that type.
EVP_PKEY* PublicKey(const char* type, OSSL_PARAM* params) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (check != nullptr && EVP_PKEY_public_check(check.get()) == 1) return key;
  EVP_PKEY_free(key);
  return nullptr;
}

// R and S as DER, which is how OpenSSL takes them. "": not of the right size.
std::string DerOf(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return "";
  const std::unique_ptr<ECDSA_SIG, Freeing<&ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  Number r = NumberOf(signature.substr(0, coordinate)), s = NumberOf(signature.substr(coordinate));
  if (pair == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1)
    return "";
  static_cast<void>(r.release());  // they are the pair's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

tl::unexpected<Error> Wrong(std::string_view member, std::string message) {
  return Fail(Code::kInvalidArgument, std::move(message), {}, std::string(member));
}

}  // namespace

std::optional<Algorithm> AlgorithmNamed(std::string_view name) {
  const auto* row = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                 [&](const AlgorithmRow& candidate) { return candidate.name == name; });
  if (row == std::end(kAlgorithms)) return std::nullopt;
  return row->algorithm;
}

std::string_view AlgorithmName(Algorithm algorithm) { return RowOf(algorithm).name; }

VerifyingKey::VerifyingKey(void* key, Algorithm algorithm, Algorithm second)
    : key_(key, [](void* old) { EVP_PKEY_free(static_cast<EVP_PKEY*>(old)); }),
      algorithm_(algorithm),
      second_(second) {}

Result<VerifyingKey> VerifyingKey::FromPoint(Algorithm algorithm, std::string_view x, std::string_view y) {
  const ForgetErrors forget;
  const AlgorithmRow& row = RowOf(algorithm);
  if (x.size() != row.coordinate) return Wrong("x", "not of the size of the curve");
  if (y.size() != row.coordinate) return Wrong("y", "not of the size of the curve");
  std::string point = "\x04";  // uncompressed
  point.append(x).append(y);
  std::string curve = row.curve;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), curve.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  EVP_PKEY* const key = PublicKey("EC", params);
  if (key == nullptr) return Wrong("x", "the point is not on the curve");
  return VerifyingKey(key, algorithm, algorithm);
}

Result<VerifyingKey> VerifyingKey::FromModulus(std::string_view n, std::string_view e,
                                               std::optional<Algorithm> pinned) {
  const ForgetErrors forget;
  if (n.size() > kMaxRsaBits / 8 + 1) return Wrong("n", "longer than 8192 bits");
  if (e.size() > 5) return Wrong("e", "longer than 32 bits");
  const Number modulus = NumberOf(n), exponent = NumberOf(e);
  if (modulus == nullptr || exponent == nullptr) return Wrong("n", "not a number");
  const int bits = BN_num_bits(modulus.get());
  if (bits < kMinRsaBits) return Wrong("n", "shorter than 2048 bits");
  if (bits > kMaxRsaBits) return Wrong("n", "longer than 8192 bits");
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 || BN_num_bits(exponent.get()) > 32)
    return Wrong("e", "not an odd number from 3 to 32 bits");
  const std::unique_ptr<OSSL_PARAM_BLD, Freeing<&OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
  if (build == nullptr || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return Wrong("n", "not an RSA modulus");
  const Params params(OSSL_PARAM_BLD_to_param(build.get()));
  EVP_PKEY* const key = PublicKey("RSA", params.get());
  if (key == nullptr) return Wrong("n", "not an RSA modulus");
  return VerifyingKey(key, pinned.value_or(Algorithm::kRS384), pinned.value_or(Algorithm::kRS256));
}

bool VerifyingKey::Verify(Algorithm algorithm, std::string_view signing_input,
                          std::string_view signature) const {
  if (!Fits(algorithm)) return false;
  const ForgetErrors forget;
  const AlgorithmRow& row = RowOf(algorithm);
  const std::string der = row.coordinate == 0 ? std::string(signature) : DerOf(signature, row.coordinate);
  const std::unique_ptr<EVP_MD_CTX, Freeing<&EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  return context != nullptr && !der.empty() &&
         EVP_DigestVerifyInit(context.get(), nullptr, row.digest(), nullptr,
                              static_cast<EVP_PKEY*>(key_.get())) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(der), der.size(), Bytes(signing_input),
                          signing_input.size()) == 1;
}

}  // namespace stepwise::trust
