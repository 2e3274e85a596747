// SHA-256 digests, and ids derived from them: what names packs, requests and decisions.
//
//   Sha256 hash;
//   hash.Add("a");
//   hash.Hex() == "ca978112..."
//
// Thread-safety: a Sha256 belongs to one thread; the functions are pure.
#ifndef STEPWISE_RULES_DIGEST_H_
#define STEPWISE_RULES_DIGEST_H_

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

namespace stepwise::rules {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::string_view bytes);
  // With its length in front, so that ("ab","c") and ("a","bc") differ.
  void AddField(std::string_view bytes);
  std::array<unsigned char, 32> Finish();
  std::string Hex();  // 64 lower-case digits

 private:
  void* context_;  // EVP_MD_CTX
};

// "sha256:" and 64 hex digits.
std::string DigestOf(std::string_view bytes);
// A UUID (RFC 9562 version 8: custom) made of the first 122 free bits of a hash. The same fields give the
// same id.
std::string UuidOf(std::initializer_list<std::string_view> fields);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_DIGEST_H_
