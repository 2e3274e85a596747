#include "cds_hooks/store/key_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kMostBytes = 256;  // of a file; no form of a key is longer

tl::unexpected<Error> FailAt(Code code, std::string message, const std::string& file) {
  return Fail(code, std::move(message), SourceSpan{file, 0, 0, 0});
}

std::optional<unsigned char> Digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned char>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned char>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned char>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<Key> FromHex(std::string_view text) {
  Key key;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto high = Digit(text[2 * i]), low = Digit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    key[i] = static_cast<unsigned char>(*high << 4 | *low);
  }
  return key;
}

// 44 characters, of which the last is padding.
std::optional<Key> FromBase64(std::string_view text) {
  unsigned char out[33];
  if (text[43] != '=' || text[42] == '=') return std::nullopt;
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(out, in, static_cast<int>(text.size())) != 33) return std::nullopt;
  Key key;
  std::copy_n(out, key.size(), key.begin());
  return key;
}

}  // namespace

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<Key> ParseKey(std::string_view text) {
  if (text.size() == 32) {
    Key key;
    std::memcpy(key.data(), text.data(), key.size());
    return key;
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() == 64) return FromHex(text);
  if (text.size() == 44) return FromBase64(text);
  return std::nullopt;
}

Result<Key> ReadKeyFile(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return FailAt(Code::kNotFound, "the key file cannot be read: " + std::generic_category().message(errno),
                  file);
  }
  struct stat about {};
  char text[kMostBytes + 1];
  const bool seen = ::fstat(fd, &about) == 0;
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  if (!seen || size < 0) return FailAt(Code::kNotFound, "the key file cannot be read", file);
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return FailAt(Code::kInvalidArgument, "group or others may use this key file; chmod 600 it", file);
  }
  const auto key = ParseKey({text, static_cast<std::size_t>(size)});
  if (!key) {
    return FailAt(Code::kInvalidArgument,
                  "this is no key: expected 32 bytes, or the same as 64 hex digits or in base64", file);
  }
  return *key;
}

Result<Key> ReadOrMakeKeyFile(const std::string& file) {
  if (::access(file.c_str(), F_OK) == 0) return ReadKeyFile(file);
  Key key;
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1)
    return FailAt(Code::kInternal, "no random bytes", file);
  // Written beside and linked into its place: it is there whole, or it is another process's.
  const std::string beside = file + "." + std::to_string(::getpid());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return FailAt(Code::kUnavailable,
                  "the key file cannot be made: " + std::generic_category().message(errno), file);
  }
  const std::string text = Hex({reinterpret_cast<const char*>(key.data()), key.size()}) + "\n";
  const bool written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  const bool linked = written && (::link(beside.c_str(), file.c_str()) == 0 || errno == EEXIST);
  ::unlink(beside.c_str());
  if (!linked) return FailAt(Code::kUnavailable, "the key file cannot be written", file);
  return ReadKeyFile(file);
}

Key HmacOf(const Key& key, std::string_view text) {
  Key out;
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size) == nullptr)
    throw std::bad_alloc();
  return out;
}

}  // namespace stepwise::cds_hooks
