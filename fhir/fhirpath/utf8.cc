#include "fhir/fhirpath/utf8.h"

#include <utf8proc.h>

namespace stepwise::fhirpath {

void AppendCodePoint(std::string* out, std::uint32_t code) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  for (utf8proc_ssize_t i = 0; i < size; ++i) *out += static_cast<char>(bytes[i]);
}

bool IsUtf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
  auto left = static_cast<utf8proc_ssize_t>(bytes.size());
  while (left > 0) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code);
    if (size <= 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

}  // namespace stepwise::fhirpath
