// UTF-8 text: positions counted in code points (Unicode scalar values) as people and FHIRPath count them,
// and whether bytes from elsewhere are UTF-8 at all.
//
// What counts expects well-formed text: documents, expressions and packs are checked when they are read.
// Thread-safety: pure functions.
#ifndef STEPWISE_FHIR_UTF8_H_
#define STEPWISE_FHIR_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stepwise {

inline bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

inline std::size_t CountCodePoints(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += IsContinuation(byte) ? 0 : 1;
  return count;
}

// Bytes of the code point that begins at text[at]; at < text.size(). At most 4, whatever the text is.
inline std::size_t CodePointSize(std::string_view text, std::size_t at) {
  std::size_t size = 1;
  while (size < 4 && at + size < text.size() && IsContinuation(text[at + size])) ++size;
  return size;
}

// Where the code point number `index` begins; text.size() when there are fewer.
inline std::size_t CodePointOffset(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += CodePointSize(text, at);
  return at;
}

// `code` is a scalar value: at most U+10FFFF and no surrogate.
void AppendCodePoint(std::string* out, std::uint32_t code);
// Bytes of the well-formed sequence that `bytes` start with, 0 if there is none (RFC 3629, section 4).
std::size_t Utf8SequenceSize(std::string_view bytes);
bool IsUtf8(std::string_view bytes);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_UTF8_H_
