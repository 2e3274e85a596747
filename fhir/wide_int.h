// UInt256: the unsigned 256-bit intermediate of exact decimal and unit arithmetic.
//
// A product of two 128-bit coefficients always fits, so overflow is decided on the true result and not on
// a step towards it. Only what decimal.cc and the unit module need; not a general big integer.
// Division is by shift and subtract (one step per quotient bit): the callers divide 128 by 128 bits in the
// common case, which takes the native path.
#ifndef STEPWISE_FHIR_WIDE_INT_H_
#define STEPWISE_FHIR_WIDE_INT_H_

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "fhir/decimal.h"

namespace stepwise {

__extension__ typedef unsigned __int128 UInt128;

// |value| without the overflow that -minimum would be.
constexpr UInt128 Magnitude(Int128 value) {
  return value < 0 ? ~static_cast<UInt128>(value) + 1 : static_cast<UInt128>(value);
}

// 10^0 .. 10^38: all powers of ten that 128 bits hold.
inline constexpr std::array<UInt128, 39> kPowersOfTen = [] {
  std::array<UInt128, 39> powers{};
  UInt128 power = 1;
  for (std::size_t i = 0; i < powers.size(); ++i) {
    powers[i] = power;
    if (i + 1 < powers.size()) power *= 10;
  }
  return powers;
}();
// exponent in 0..38.
constexpr UInt128 PowerOfTen(int exponent) { return kPowersOfTen[static_cast<std::size_t>(exponent)]; }

constexpr int BitWidth(UInt128 value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return high != 0 ? 64 + static_cast<int>(std::bit_width(high))
                   : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value)));
}

struct UInt256 {
  UInt128 high = 0;
  UInt128 low = 0;

  constexpr UInt256() = default;
  constexpr UInt256(UInt128 h, UInt128 l) : high(h), low(l) {}
  constexpr explicit UInt256(UInt128 value) : low(value) {}

  constexpr bool Fits128() const { return high == 0; }
  constexpr bool FitsDecimal() const;  // 38 digits
  constexpr bool IsZero() const { return high == 0 && low == 0; }
  constexpr int Width() const { return high != 0 ? 128 + BitWidth(high) : BitWidth(low); }

  // 0 <= bits < 256.
  constexpr UInt256 ShiftLeft(int bits) const {
    if (bits == 0) return *this;
    if (bits >= 128) return {low << (bits - 128), 0};
    return {(high << bits) | (low >> (128 - bits)), low << bits};
  }
  constexpr UInt256 ShiftRight(int bits) const {
    if (bits == 0) return *this;
    if (bits >= 128) return {0, high >> (bits - 128)};
    return {high >> bits, (low >> bits) | (high << (128 - bits))};
  }

  friend constexpr bool operator==(const UInt256& a, const UInt256& b) = default;
  friend constexpr std::strong_ordering operator<=>(const UInt256& a, const UInt256& b) {
    if (a.high != b.high) return a.high < b.high ? std::strong_ordering::less : std::strong_ordering::greater;
    if (a.low != b.low) return a.low < b.low ? std::strong_ordering::less : std::strong_ordering::greater;
    return std::strong_ordering::equal;
  }
  // Modulo 2^256.
  friend constexpr UInt256 operator+(const UInt256& a, const UInt256& b) {
    const UInt128 low = a.low + b.low;
    return {a.high + b.high + (low < a.low ? 1U : 0U), low};
  }
  friend constexpr UInt256 operator-(const UInt256& a, const UInt256& b) {
    return {a.high - b.high - (a.low < b.low ? 1U : 0U), a.low - b.low};
  }
};

constexpr bool UInt256::FitsDecimal() const { return high == 0 && low < PowerOfTen(38); }

constexpr UInt256 MultiplyWide(UInt128 a, UInt128 b) {
  if (((a | b) >> 64) == 0) return UInt256(a * b);
  constexpr UInt128 kMask = ~static_cast<std::uint64_t>(0);
  const UInt128 a_low = a & kMask;
  const UInt128 a_high = a >> 64;
  const UInt128 b_low = b & kMask;
  const UInt128 b_high = b >> 64;
  const UInt128 low = a_low * b_low;
  const UInt128 cross = a_high * b_low + (low >> 64);  // cannot overflow: (2^64-1)^2 + 2^64-1 < 2^128
  const UInt128 middle = a_low * b_high + (cross & kMask);
  return {a_high * b_high + (cross >> 64) + (middle >> 64), (middle << 64) | (low & kMask)};
}

// a * b; nullopt when it does not fit 256 bits.
constexpr std::optional<UInt256> MultiplyChecked(const UInt256& a, UInt128 b) {
  const UInt256 low = MultiplyWide(a.low, b);
  const UInt256 high = MultiplyWide(a.high, b);
  const UInt128 sum = low.high + high.low;
  if (!high.Fits128() || sum < low.high) return std::nullopt;
  return UInt256(sum, low.low);
}

struct Division256 {
  UInt256 quotient;
  UInt256 remainder;
};

// divisor != 0.
constexpr Division256 DivideWide(UInt256 dividend, const UInt256& divisor) {
  if (dividend.Fits128() && divisor.Fits128()) {
    return {UInt256(dividend.low / divisor.low), UInt256(dividend.low % divisor.low)};
  }
  UInt256 quotient;
  const int shift = dividend.Width() - divisor.Width();
  if (shift < 0) return {quotient, dividend};
  UInt256 step = divisor.ShiftLeft(shift);
  for (int i = shift; i >= 0; --i) {
    if (dividend >= step) {
      dividend = dividend - step;
      quotient = quotient + UInt256(1).ShiftLeft(i);
    }
    step = step.ShiftRight(1);
  }
  return {quotient, dividend};
}

}  // namespace stepwise

#endif  // STEPWISE_FHIR_WIDE_INT_H_
