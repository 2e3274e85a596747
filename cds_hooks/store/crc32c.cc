#include "cds_hooks/store/crc32c.h"

#include <array>

namespace stepwise::cds_hooks {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected

using Table = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Table MakeTable() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[0][byte] = crc;
  }
  for (std::size_t row = 1; row < 8; ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = table[row - 1][byte];
      table[row][byte] = (before >> 8) ^ table[0][before & 255];
    }
  }
  return table;
}
constexpr Table kTable = MakeTable();

std::uint32_t Byte(char c) { return static_cast<unsigned char>(c); }

std::uint32_t Word(const char* at) {
  return Byte(at[0]) | Byte(at[1]) << 8 | Byte(at[2]) << 16 | Byte(at[3]) << 24;
}

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint32_t low = Word(at) ^ crc, high = Word(at + 4);
    crc = kTable[7][low & 255] ^ kTable[6][(low >> 8) & 255] ^ kTable[5][(low >> 16) & 255] ^
          kTable[4][low >> 24] ^ kTable[3][high & 255] ^ kTable[2][(high >> 8) & 255] ^
          kTable[1][(high >> 16) & 255] ^ kTable[0][high >> 24];
  }
  for (; left > 0; ++at, --left) crc = (crc >> 8) ^ kTable[0][(crc ^ Byte(*at)) & 255];
  return crc ^ 0xFFFFFFFF;
}

}  // namespace stepwise::cds_hooks
