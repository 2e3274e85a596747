// Keys of 256 bits from files that nobody else may read.
//
//   32 bytes as they are, or as 64 hex digits, or as base64; one line feed at the end is passed over.
//   openssl rand -hex 32 > seal.key && chmod 600 seal.key
//
//   Result<Key> key = ReadKeyFile("/etc/stepwise/seal.key");
//
// Errors: kNotFound; kInvalidArgument for a file that group or others may read, and for what is no key.
// Messages name the file, never what is in it. Thread-safety: functions of the disk.
#ifndef STEPWISE_CDS_HOOKS_STORE_KEY_FILE_H_
#define STEPWISE_CDS_HOOKS_STORE_KEY_FILE_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::cds_hooks {

using Key = std::array<unsigned char, 32>;

std::optional<Key> ParseKey(std::string_view text);
Result<Key> ReadKeyFile(const std::string& file);

// The key in the file, which is made (mode 0600, random) when there is none. Of several processes that make
// it at once, all get the same.
Result<Key> ReadOrMakeKeyFile(const std::string& file);

// HMAC-SHA256 of `text`; a key for another purpose is HmacOf(key, "its name").
Key HmacOf(const Key& key, std::string_view text);
std::string Hex(std::string_view bytes);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_KEY_FILE_H_
