#include "rules/digest.h"

#include <openssl/evp.h>

#include <cstdint>
#include <new>

namespace stepwise::rules {
namespace {

constexpr char kHex[] = "0123456789abcdef";

EVP_MD_CTX* Context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(Context(context_), EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

Sha256::~Sha256() { EVP_MD_CTX_free(Context(context_)); }

void Sha256::Add(std::string_view bytes) { EVP_DigestUpdate(Context(context_), bytes.data(), bytes.size()); }

void Sha256::AddField(std::string_view bytes) {
  std::array<char, 8> length;
  for (std::size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>(static_cast<std::uint64_t>(bytes.size()) >> (8 * i));
  Add({length.data(), length.size()});
  Add(bytes);
}

std::array<unsigned char, 32> Sha256::Finish() {
  std::array<unsigned char, 32> out;
  unsigned int size = 0;
  EVP_DigestFinal_ex(Context(context_), out.data(), &size);
  return out;
}

std::string Sha256::Hex() {
  std::string out;
  for (const unsigned char byte : Finish()) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string DigestOf(std::string_view bytes) {
  Sha256 hash;
  hash.Add(bytes);
  return "sha256:" + hash.Hex();
}

std::string UuidOf(std::initializer_list<std::string_view> fields) {
  Sha256 hash;
  for (const std::string_view field : fields) hash.AddField(field);
  std::array<unsigned char, 32> bytes = hash.Finish();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x80);  // version 8
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);  // variant of RFC 9562
  std::string out;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 15];
  }
  return out;
}

}  // namespace stepwise::rules
