// NameCache: FindName for texts that stand in a padded buffer, remembering what it found.
//
// Documents use the same few dozen property names over and over. A name's first and last eight bytes and its
// length choose a slot, without a loop and without a branch on the length; most names are known by them
// alone. It reads up to 8 bytes past the end of the text. Not thread-safe: keep one a thread.
#ifndef STEPWISE_FHIR_NAME_CACHE_H_
#define STEPWISE_FHIR_NAME_CACHE_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "fhir/model.h"

namespace stepwise {

class NameCache {
 public:
  // Id of the name, or kNoName where no FHIR version knows it (which is not remembered).
  NameId Find(std::string_view text) {
    const std::size_t size = text.size();
    const std::size_t tail = size < 8 ? 0 : size - 8;
    const std::uint64_t mask = size < 8 ? (std::uint64_t{1} << (8 * size)) - 1 : ~std::uint64_t{0};
    std::uint64_t first, last;
    std::memcpy(&first, text.data(), 8);
    std::memcpy(&last, text.data() + tail, 8);
    first &= mask;
    last &= mask;
    // Odd constants that spread the bits (from the golden ratio); the top bits are the best mixed.
    const std::uint64_t mixed = (first ^ size) * 0x9E3779B97F4A7C15u + last * 0xC2B2AE3D27D4EB4Fu;
    Slot& slot = slots_[mixed >> (64 - kBits)];
    const bool same = ((slot.first ^ first) | (slot.last ^ last) | (slot.size ^ size)) == 0;
    // What lies between the two ends of a long name.
    if (same && (size <= 16 || std::memcmp(text.data() + 8, slot.text + 8, size - 16) == 0)) return slot.name;
    return Fill(slot, text, first, last);
  }

 private:
  static constexpr int kBits = 11;
  struct Slot {
    std::uint64_t first = 0, last = 0;
    const char* text = nullptr;
    std::uint32_t size = 0;  // 0: empty, for no name is
    NameId name = kNoName;
  };

  [[gnu::noinline]] static NameId Fill(Slot& slot, std::string_view text, std::uint64_t first,
                                       std::uint64_t last) {
    const NameId name = FindName(text);
    if (name != kNoName)
      slot = {first, last, NameText(name).data(), static_cast<std::uint32_t>(text.size()), name};
    return name;
  }

  std::array<Slot, std::size_t{1} << kBits> slots_{};
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_NAME_CACHE_H_
