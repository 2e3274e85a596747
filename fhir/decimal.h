// Decimal: an exact decimal number that remembers the scale it was written with.
//
// FHIR decimals are not doubles: 1.50 and 1.5 are equal but not the same, and the difference is clinical
// precision. Value = coefficient / 10^scale with a signed 128-bit coefficient of at most 38 digits.
//
//   Decimal a = *Decimal::Parse("1.50");   // a.scale() == 2, a.ToString() == "1.50"
//   a == *Decimal::Parse("1.5")            // true: comparison ignores trailing zeros
//
// Arithmetic is exact whenever the result fits the coefficient. When it does not, Add, Subtract and Multiply
// give up digits after the point, as few as possible, the last one rounded half away from zero (as IEEE
// decimal128 does at 34 digits): a product of three quotients has 48 places and must not become "unknown".
// nullopt means that the integer part itself does not fit, or a division by zero. 24 bytes, trivially
// copyable, thread-safe as any plain value.
// Source: FHIRPath N1, "Decimal"; FHIR R4 datatypes, decimal ("precision ... has meaning").
#ifndef STEPWISE_FHIR_DECIMAL_H_
#define STEPWISE_FHIR_DECIMAL_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepwise {

__extension__ typedef __int128 Int128;  // -Wpedantic: GCC and clang both have it on the targets we build for

class Decimal {
 public:
  // Digits after the point that Divide and the transcendental functions give at most (trailing zeros cut).
  static constexpr int kDivisionScale = 16;
  static constexpr int kMaxScale = 38;

  constexpr Decimal() = default;
  constexpr explicit Decimal(std::int64_t value)
      : low_(static_cast<std::uint64_t>(value)), high_(value < 0 ? -1 : 0) {}
  // coefficient / 10^scale; 0 <= scale <= kMaxScale, |coefficient| < 10^38 (every function here keeps to it,
  // so that what prints parses again).
  static constexpr Decimal Make(Int128 coefficient, int scale) {
    Decimal d;
    d.low_ = static_cast<std::uint64_t>(coefficient);
    d.high_ = static_cast<std::int64_t>(coefficient >> 64);
    d.scale_ = scale;
    return d;
  }
  // JSON / FHIRPath number text: -?digits[.digits][(e|E)[+-]digits]. nullopt when it is no number or does
  // not fit (more than 38 significant digits, or places after the point). "1e3" has scale 0, "1.50" scale 2,
  // "15e-1" scale 1. No "+", no blanks, no bare "." or trailing ".".
  static std::optional<Decimal> Parse(std::string_view text);
  // Nearest decimal to `value` with at most `digits` (1..38) significant digits and kMaxScale places, without
  // trailing zeros; nullopt for NaN, infinities and what does not fit.
  static std::optional<Decimal> FromDouble(double value, int digits = 15);

  constexpr Int128 coefficient() const {
    return static_cast<Int128>(high_) * (static_cast<Int128>(1) << 64) + static_cast<Int128>(low_);
  }
  constexpr int scale() const { return scale_; }  // digits after the point, as written or computed
  bool IsZero() const { return low_ == 0 && high_ == 0; }
  bool IsNegative() const { return high_ < 0; }
  bool IsInteger() const;                       // 2.00 is
  std::optional<std::int64_t> ToInt64() const;  // nullopt when it has a fraction or does not fit
  double ToDouble() const;                      // nearest
  std::string ToString() const;                 // keeps the scale: "1.50"
  Decimal Normalized() const;                   // without trailing zeros: scale as small as possible

  Decimal Negated() const;
  Decimal Abs() const;
  friend std::optional<Decimal> Add(const Decimal& a, const Decimal& b);       // scale = max of both
  friend std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);  // scale = max of both
  friend std::optional<Decimal> Multiply(const Decimal& a,
                                         const Decimal& b);  // scale = sum, cut if it must be
  // Rounded half away from zero to kDivisionScale places when not exact; nullopt when b is 0. A quotient too
  // large for that many places gets fewer.
  friend std::optional<Decimal> Divide(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> DivTruncate(const Decimal& a, const Decimal& b);  // FHIRPath div, scale 0
  friend std::optional<Decimal> Modulo(const Decimal& a, const Decimal& b);       // sign of a (FHIRPath mod)

  // places outside 0..kMaxScale count as the nearer of the two. Rounded to more places than fit keeps what
  // fits.
  Decimal Rounded(int places) const;    // half away from zero, scale = places (as FHIRPath round())
  Decimal Truncated(int places) const;  // toward zero, scale = min(scale, places)
  Decimal Floor() const;                // scale 0
  Decimal Ceiling() const;              // scale 0

  // Numeric: 1.50 == 1.5.
  friend bool operator==(const Decimal& a, const Decimal& b);
  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

 private:
  std::uint64_t low_ = 0;  // two halves, not one __int128, so that the class aligns to 8 bytes
  std::int64_t high_ = 0;
  std::int32_t scale_ = 0;
};

std::optional<Decimal> Add(const Decimal& a, const Decimal& b);
std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);
std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);
std::optional<Decimal> Divide(const Decimal& a, const Decimal& b);
std::optional<Decimal> DivTruncate(const Decimal& a, const Decimal& b);
std::optional<Decimal> Modulo(const Decimal& a, const Decimal& b);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_DECIMAL_H_
