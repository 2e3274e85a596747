#include "cds_hooks/store/sealed.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <new>

#include "rules/digest.h"

namespace stepwise::cds_hooks {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kIdSize = 8, kNonceSize = 12, kTagSize = 16;
constexpr std::size_t kHeadSize = 1 + kIdSize + kNonceSize + kTagSize;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
int Size(std::string_view text) { return static_cast<int>(text.size()); }

std::string IdOf(const Key& key) {
  rules::Sha256 hash;
  hash.Add({reinterpret_cast<const char*>(key.data()), key.size()});
  const auto digest = hash.Finish();
  return {reinterpret_cast<const char*>(digest.data()), kIdSize};
}

}  // namespace

Sealer::Sealer(std::vector<Key> keys) {
  for (const Key& key : keys) keys_.push_back({IdOf(key), key});
}

Result<Sealer> Sealer::FromFiles(std::span<const std::string> files) {
  std::vector<Key> keys;
  for (const std::string& file : files) {
    STEPWISE_ASSIGN_OR_RETURN(const Key key, ReadKeyFile(file));
    keys.push_back(key);
  }
  return Sealer(std::move(keys));
}

std::string Sealer::Seal(std::string_view about, std::string_view text) const {
  const NamedKey& named = keys_.front();
  std::string out(kHeadSize + text.size(), '\0');
  out[0] = kVersion;
  std::ranges::copy(named.id, out.begin() + 1);
  char* const nonce = out.data() + 1 + kIdSize;
  char* const tag = nonce + kNonceSize;
  char* const body = tag + kTagSize;
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  const bool good =
      context != nullptr && RAND_bytes(Bytes(nonce), kNonceSize) == 1 &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, named.key.data(), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &written, Bytes(about), Size(about)) == 1 &&
      EVP_EncryptUpdate(context.get(), Bytes(body), &written, Bytes(text), Size(text)) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Bytes(body) + written, &written) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, tag) == 1;
  if (!good) throw std::bad_alloc();  // nothing else can go wrong with these arguments
  return out;
}

Result<std::string> Sealer::Open(std::string_view about, std::string_view sealed) const {
  if (sealed.size() < kHeadSize || sealed[0] != kVersion)
    return Fail(Code::kInvalidArgument, "this is no sealed part of a record");
  const auto named = std::ranges::find(keys_, sealed.substr(1, kIdSize), &NamedKey::id);
  if (named == keys_.end()) {
    return Fail(Code::kNotFound,
                "sealed with the key " + Hex(sealed.substr(1, kIdSize)) + ", which is not among those given");
  }
  const std::string_view nonce = sealed.substr(1 + kIdSize, kNonceSize);
  std::string tag(sealed.substr(1 + kIdSize + kNonceSize, kTagSize));
  const std::string_view body = sealed.substr(kHeadSize);
  std::string out(body.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int written = 0;
  const bool good =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, named->key.data(), Bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &written, Bytes(about), Size(about)) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(out.data()), &written, Bytes(body), Size(body)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(out.data()) + written, &written) == 1;
  if (!good) return Fail(Code::kInvalidArgument, "the sealed part was changed, or is of another record");
  return out;
}

}  // namespace stepwise::cds_hooks
