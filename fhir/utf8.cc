#include "fhir/utf8.h"

#include <utf8proc.h>

namespace stepwise {

void AppendCodePoint(std::string* out, std::uint32_t code) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  for (utf8proc_ssize_t i = 0; i < size; ++i) *out += static_cast<char>(bytes[i]);
}

std::size_t Utf8SequenceSize(std::string_view bytes) {
  utf8proc_int32_t code = 0;
  const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                                 static_cast<utf8proc_ssize_t>(bytes.size()), &code);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = Utf8SequenceSize(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace stepwise
