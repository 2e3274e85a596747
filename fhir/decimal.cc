#include "fhir/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "fhir/wide_int.h"

namespace stepwise {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Decimal MakeSigned(UInt128 magnitude, bool negative, int scale) {
  const auto coefficient = static_cast<Int128>(magnitude);
  return Decimal::Make(negative ? -coefficient : coefficient, scale);
}

// The decimal magnitude / 10^scale, with as few digits cut from the fraction as make it fit; rounds once.
std::optional<Decimal> Fit(const UInt256& magnitude, bool negative, int scale) {
  if (scale <= Decimal::kMaxScale && magnitude.FitsDecimal())
    return MakeSigned(magnitude.low, negative, scale);
  // Each digit is at most 3.33 bits, so this starts at or below the first cut that can fit.
  const int excess_bits = magnitude.Width() - 127;
  int cut = std::max({scale - Decimal::kMaxScale, excess_bits > 0 ? excess_bits * 3 / 10 : 0, 0});
  for (; cut <= scale; ++cut) {
    UInt256 divisor = MultiplyWide(PowerOfTen(std::min(cut, 38)), PowerOfTen(std::clamp(cut - 38, 0, 38)));
    Division256 division = DivideWide(magnitude, divisor);
    if (division.remainder.ShiftLeft(1) >= divisor) division.quotient = division.quotient + UInt256(1);
    if (division.quotient.FitsDecimal()) return MakeSigned(division.quotient.low, negative, scale - cut);
  }
  return std::nullopt;
}

// |coefficient| * 10^places, 0 <= places <= 38.
UInt256 Scaled(const Decimal& value, int places) {
  return MultiplyWide(Magnitude(value.coefficient()), PowerOfTen(places));
}

std::optional<Decimal> AddSigned(const Decimal& a, const Decimal& b, bool negate_b) {
  const Int128 b_coefficient = negate_b ? -b.coefficient() : b.coefficient();
  if (a.scale() == b.scale()) {
    Int128 sum = 0;
    if (!__builtin_add_overflow(a.coefficient(), b_coefficient, &sum) && Magnitude(sum) < PowerOfTen(38)) {
      return Decimal::Make(sum, a.scale());
    }
  }
  const int scale = std::max(a.scale(), b.scale());
  const UInt256 left = Scaled(a, scale - a.scale());
  const UInt256 right = Scaled(b, scale - b.scale());
  const bool left_negative = a.IsNegative();
  const bool right_negative = b_coefficient < 0;
  if (left_negative == right_negative) return Fit(left + right, left_negative, scale);
  return left >= right ? Fit(left - right, left_negative, scale) : Fit(right - left, right_negative, scale);
}

}  // namespace

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  std::size_t i = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++i;
  UInt128 magnitude = 0;
  int scale = 0;
  bool fits = true;
  const auto take_digits = [&] {
    const std::size_t start = i;
    for (; i < text.size() && IsDigit(text[i]); ++i) {
      if (magnitude >= PowerOfTen(37)) fits = false;  // a 39th digit
      if (fits) magnitude = magnitude * 10 + static_cast<UInt128>(text[i] - '0');
    }
    return i - start;
  };
  if (take_digits() == 0) return std::nullopt;
  if (i < text.size() && text[i] == '.') {
    ++i;
    const std::size_t places = take_digits();
    if (places == 0 || places > 100000) return std::nullopt;
    scale = static_cast<int>(places);
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    const bool down = i < text.size() && text[i] == '-';
    if (down || (i < text.size() && text[i] == '+')) ++i;
    if (i == text.size() || !IsDigit(text[i])) return std::nullopt;
    int exponent = 0;
    for (; i < text.size() && IsDigit(text[i]); ++i)
      exponent = std::min(exponent * 10 + (text[i] - '0'), 100000);
    scale += down ? exponent : -exponent;
  }
  if (i != text.size() || !fits) return std::nullopt;
  if (magnitude == 0) return Make(0, std::clamp(scale, 0, kMaxScale));
  if (scale > kMaxScale || scale < -37) return std::nullopt;
  if (scale < 0) {
    if (magnitude >= PowerOfTen(38 + scale)) return std::nullopt;
    magnitude *= PowerOfTen(-scale);
    scale = 0;
  }
  return MakeSigned(magnitude, negative, scale);
}

std::optional<Decimal> Decimal::FromDouble(double value, int digits) {
  if (!std::isfinite(value)) return std::nullopt;
  if (value == 0) return Decimal();
  digits = std::clamp(digits, 1, 38);
  std::array<char, 64> buffer{};
  const auto print = [&](int precision) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific, precision - 1);
    return std::string_view(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  };
  const std::string_view text = print(digits);
  const std::string_view tail = text.substr(text.find('e') + 1);
  int exponent = 0;
  std::from_chars(tail.data() + (tail[0] == '+' ? 1 : 0), tail.data() + tail.size(), exponent);
  if (exponent < -kMaxScale) return Decimal();  // less than one unit of the last place there is
  const std::optional<Decimal> parsed = Parse(print(std::min(digits, kMaxScale + exponent + 1)));
  if (!parsed) return std::nullopt;
  return parsed->Normalized();
}

bool Decimal::IsInteger() const {
  return scale_ == 0 || coefficient() % static_cast<Int128>(PowerOfTen(scale_)) == 0;
}

std::optional<std::int64_t> Decimal::ToInt64() const {
  const auto unit = static_cast<Int128>(PowerOfTen(scale_));
  const Int128 whole = coefficient() / unit;
  if (whole * unit != coefficient() || whole < INT64_MIN || whole > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

double Decimal::ToDouble() const {
  // Both operands are exact doubles, so the one division rounds correctly; 10^22 is the last exact power.
  constexpr UInt128 kExact = static_cast<UInt128>(1) << 53;
  if (scale_ <= 22 && Magnitude(coefficient()) <= kExact) {
    return static_cast<double>(static_cast<std::int64_t>(coefficient())) /
           static_cast<double>(PowerOfTen(scale_));
  }
  const std::string text = ToString();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string Decimal::ToString() const {
  std::array<char, 48> buffer{};
  std::size_t at = buffer.size();
  UInt128 rest = Magnitude(coefficient());
  int places = 0;
  do {
    if (places == scale_ && places > 0) buffer[--at] = '.';
    // Below 2^64 the native division is an order of magnitude faster.
    if ((rest >> 64) == 0) {
      const auto small = static_cast<std::uint64_t>(rest);
      buffer[--at] = static_cast<char>('0' + small % 10);
      rest = small / 10;
    } else {
      buffer[--at] = static_cast<char>('0' + static_cast<int>(rest % 10));
      rest /= 10;
    }
    ++places;
  } while (rest != 0 || places <= scale_);
  if (IsNegative()) buffer[--at] = '-';
  return std::string(buffer.data() + at, buffer.size() - at);
}

Decimal Decimal::Normalized() const {
  Int128 coefficient = this->coefficient();
  int scale = scale_;
  if (coefficient == 0) return Decimal();
  if (coefficient >= INT64_MIN && coefficient <= INT64_MAX) {  // the native division is much faster
    auto small = static_cast<std::int64_t>(coefficient);
    for (; scale > 0 && small % 10 == 0; --scale) small /= 10;
    return Make(small, scale);
  }
  while (scale > 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
  }
  return Make(coefficient, scale);
}

Decimal Decimal::Negated() const { return Make(-coefficient(), scale_); }

Decimal Decimal::Abs() const { return IsNegative() ? Negated() : *this; }

std::optional<Decimal> Add(const Decimal& a, const Decimal& b) { return AddSigned(a, b, false); }

std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b) { return AddSigned(a, b, true); }

std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  return Fit(MultiplyWide(Magnitude(a.coefficient()), Magnitude(b.coefficient())),
             a.IsNegative() != b.IsNegative(), a.scale() + b.scale());
}

std::optional<Decimal> Divide(const Decimal& a, const Decimal& b) {
  if (b.IsZero()) return std::nullopt;
  const UInt128 dividend = Magnitude(a.coefficient());
  const UInt128 divisor = Magnitude(b.coefficient());
  for (int places = Decimal::kDivisionScale; places >= 0; --places) {
    const int shift = places + b.scale() - a.scale();  // -38..54: dividend * 10^shift / divisor
    const std::optional<UInt256> top = MultiplyChecked(
        MultiplyWide(dividend, PowerOfTen(std::clamp(shift, 0, 38))), PowerOfTen(std::max(shift - 38, 0)));
    if (!top) continue;  // then the quotient has no room for this many places either
    const UInt256 bottom = MultiplyWide(divisor, PowerOfTen(std::clamp(-shift, 0, 38)));
    Division256 division = DivideWide(*top, bottom);
    // remainder >= bottom - remainder is 2 * remainder >= bottom without the carry.
    if (division.remainder >= bottom - division.remainder) division.quotient = division.quotient + UInt256(1);
    if (!division.quotient.FitsDecimal()) continue;
    return MakeSigned(division.quotient.low, a.IsNegative() != b.IsNegative(), places).Normalized();
  }
  return std::nullopt;
}

std::optional<Decimal> DivTruncate(const Decimal& a, const Decimal& b) {
  if (b.IsZero()) return std::nullopt;
  const int scale = std::max(a.scale(), b.scale());
  const Division256 division = DivideWide(Scaled(a, scale - a.scale()), Scaled(b, scale - b.scale()));
  if (!division.quotient.FitsDecimal()) return std::nullopt;
  return MakeSigned(division.quotient.low, a.IsNegative() != b.IsNegative(), 0);
}

std::optional<Decimal> Modulo(const Decimal& a, const Decimal& b) {
  if (b.IsZero()) return std::nullopt;
  const int scale = std::max(a.scale(), b.scale());
  const Division256 division = DivideWide(Scaled(a, scale - a.scale()), Scaled(b, scale - b.scale()));
  return Fit(division.remainder, a.IsNegative(), scale);
}

Decimal Decimal::Rounded(int places) const {
  places = std::clamp(places, 0, kMaxScale);
  if (places >= scale_) {
    for (int to = places; to > scale_; --to) {
      const UInt256 widened = Scaled(*this, to - scale_);
      if (widened.FitsDecimal()) return MakeSigned(widened.low, IsNegative(), to);
    }
    return *this;
  }
  const auto unit = static_cast<Int128>(PowerOfTen(scale_ - places));
  Int128 quotient = coefficient() / unit;
  const UInt128 remainder = Magnitude(coefficient() % unit);
  if (remainder >= static_cast<UInt128>(unit) - remainder) quotient += IsNegative() ? -1 : 1;
  return Make(quotient, places);
}

Decimal Decimal::Truncated(int places) const {
  places = std::clamp(places, 0, kMaxScale);
  if (places >= scale_) return *this;
  return Make(coefficient() / static_cast<Int128>(PowerOfTen(scale_ - places)), places);
}

Decimal Decimal::Floor() const {
  const auto unit = static_cast<Int128>(PowerOfTen(scale_));
  const Int128 whole = coefficient() / unit;
  return Make(IsNegative() && coefficient() % unit != 0 ? whole - 1 : whole, 0);
}

Decimal Decimal::Ceiling() const {
  const auto unit = static_cast<Int128>(PowerOfTen(scale_));
  const Int128 whole = coefficient() / unit;
  return Make(!IsNegative() && coefficient() % unit != 0 ? whole + 1 : whole, 0);
}

bool operator==(const Decimal& a, const Decimal& b) {
  if (a.scale_ == b.scale_) return a.low_ == b.low_ && a.high_ == b.high_;
  return (a <=> b) == std::strong_ordering::equal;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const Int128 left = a.coefficient();
  const Int128 right = b.coefficient();
  if (a.scale_ != b.scale_ && left != 0 && right != 0 && (left < 0) == (right < 0)) {
    const int scale = std::max(a.scale_, b.scale_);
    const UInt256 left_scaled = Scaled(a, scale - a.scale_);
    const UInt256 right_scaled = Scaled(b, scale - b.scale_);
    return left < 0 ? right_scaled <=> left_scaled : left_scaled <=> right_scaled;
  }
  // One scale, or a zero or a sign that decides by itself.
  if (left < right) return std::strong_ordering::less;
  return left > right ? std::strong_ordering::greater : std::strong_ordering::equal;
}

}  // namespace stepwise
