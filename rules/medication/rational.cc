#include "rules/medication/rational.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace stepwise::medication {
namespace {

constexpr int kInexactDigits = 12;

bool FitsInt64(Int128 value) {
  return value <= std::numeric_limits<std::int64_t>::max() &&
         value > std::numeric_limits<std::int64_t>::min();
}

// a, b >= 0.
Int128 Gcd(Int128 a, Int128 b) {
  if (a == 1 || b == 1) return 1;
  while (!FitsInt64(a) || !FitsInt64(b)) {
    if (b == 0) return a;
    const Int128 rest = a % b;
    a = b;
    b = rest;
  }
  return std::gcd(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b));
}

// Divisions of 128 bits are slow, and most are by 1.
Int128 Quotient(Int128 value, Int128 divisor) {
  if (divisor == 1) return value;
  if (FitsInt64(value) && FitsInt64(divisor)) {
    return static_cast<std::int64_t>(value) / static_cast<std::int64_t>(divisor);
  }
  return value / divisor;
}

Int128 Abs(Int128 value) { return value < 0 ? -value : value; }

// Power of ten, 0..38.
Int128 Ten(int exponent) {
  static constexpr auto kPowers = [] {
    std::array<Int128, 39> powers{};
    Int128 power = 1;
    for (std::size_t i = 0; i < powers.size(); ++i, power *= i < powers.size() ? 10 : 1) powers[i] = power;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

}  // namespace

Rational Rational::Make(Int128 numerator, Int128 denominator) {
  constexpr Int128 kLowest = static_cast<Int128>(1) << 127;  // has no negative
  Rational out;
  if (denominator == 0 || numerator == kLowest || denominator == kLowest) {
    out.numerator_ = 0;
    out.denominator_ = 0;
    return out;
  }
  if (denominator < 0) {
    numerator = -numerator;
    denominator = -denominator;
  }
  const Int128 common = denominator == 1 ? 1 : Gcd(Abs(numerator), denominator);
  out.numerator_ = Quotient(numerator, common);
  out.denominator_ = Quotient(denominator, common);
  return out;
}

Rational Rational::Of(const Decimal& value) { return Make(value.coefficient(), Ten(value.scale())); }

std::optional<Rational> Rational::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto top = Decimal::Parse(text.substr(0, slash));
  if (!top) return std::nullopt;
  if (slash == std::string_view::npos) return Of(*top);
  const auto bottom = Decimal::Parse(text.substr(slash + 1));
  if (!bottom || bottom->IsZero()) return std::nullopt;
  return Of(*top) / Of(*bottom);
}

Rational operator+(const Rational& a, const Rational& b) {
  if (a.denominator_ == b.denominator_) {
    Int128 sum;
    if (__builtin_add_overflow(a.numerator_, b.numerator_, &sum)) return Rational::Overflow();
    return Rational::Make(sum, a.denominator_);
  }
  if (a.overflowed() || b.overflowed()) return Rational::Overflow();
  const Int128 common = Gcd(a.denominator_, b.denominator_);
  Int128 left, right, sum, bottom;
  if (__builtin_mul_overflow(a.numerator_, b.denominator_ / common, &left) ||
      __builtin_mul_overflow(b.numerator_, a.denominator_ / common, &right) ||
      __builtin_add_overflow(left, right, &sum) ||
      __builtin_mul_overflow(a.denominator_ / common, b.denominator_, &bottom)) {
    return Rational::Overflow();
  }
  return Rational::Make(sum, bottom);
}

Rational operator-(const Rational& a, const Rational& b) {
  Rational negative = b;
  negative.numerator_ = -negative.numerator_;
  return a + negative;
}

Rational operator*(const Rational& a, const Rational& b) {
  if (a.overflowed() || b.overflowed()) return Rational::Overflow();
  if (a.denominator_ == 1 && b.denominator_ == 1) {
    Rational product;
    if (__builtin_mul_overflow(a.numerator_, b.numerator_, &product.numerator_)) return Rational::Overflow();
    return product;
  }
  // Crosswise first: the products are reduced already, and as small as they can be.
  const Int128 one = Gcd(Abs(a.numerator_), b.denominator_), other = Gcd(Abs(b.numerator_), a.denominator_);
  Rational out;
  if (__builtin_mul_overflow(Quotient(a.numerator_, one), Quotient(b.numerator_, other), &out.numerator_) ||
      __builtin_mul_overflow(Quotient(a.denominator_, other), Quotient(b.denominator_, one),
                             &out.denominator_)) {
    return Rational::Overflow();
  }
  return out;
}

Rational operator/(const Rational& a, const Rational& b) {
  if (b.numerator_ == 0 || b.overflowed()) return Rational::Overflow();
  Rational inverse;
  inverse.numerator_ = b.numerator_ < 0 ? -b.denominator_ : b.denominator_;
  inverse.denominator_ = Abs(b.numerator_);
  return a * inverse;
}

bool operator==(const Rational& a, const Rational& b) {
  return !a.overflowed() && a.numerator_ == b.numerator_ && a.denominator_ == b.denominator_;
}

bool operator<(const Rational& a, const Rational& b) {
  if (a.overflowed() || b.overflowed()) return false;
  Int128 left, right;
  if (!__builtin_mul_overflow(a.numerator_, b.denominator_, &left) &&
      !__builtin_mul_overflow(b.numerator_, a.denominator_, &right)) {
    return left < right;
  }
  // Whole parts, then the rests by their reciprocals, as in a continued fraction.
  Int128 an = a.numerator_, ad = a.denominator_, bn = b.numerator_, bd = b.denominator_;
  for (bool less = true;; less = !less) {
    Int128 aq = an / ad, ar = an % ad, bq = bn / bd, br = bn % bd;
    if (ar < 0) {
      ar += ad;
      --aq;
    }
    if (br < 0) {
      br += bd;
      --bq;
    }
    if (aq != bq) return less ? aq < bq : bq < aq;
    if (ar == 0 || br == 0) return less ? ar == 0 && br != 0 : br == 0 && ar != 0;
    an = ad;
    ad = ar;
    bn = bd;
    bd = br;
  }
}

std::optional<Decimal> Rational::ToDecimal() const {
  if (overflowed()) return std::nullopt;
  Int128 rest = denominator_;
  int twos = 0, fives = 0;
  while (rest % 2 == 0) rest /= 2, ++twos;
  while (rest % 5 == 0) rest /= 5, ++fives;
  const int scale = twos > fives ? twos : fives;
  if (rest == 1 && scale <= Decimal::kMaxScale) {
    Int128 coefficient;
    if (!__builtin_mul_overflow(numerator_, Ten(scale) / denominator_, &coefficient) &&
        Abs(coefficient) < Ten(38)) {
      return Decimal::Make(coefficient, scale);
    }
  }
  // Long division, digit by digit: leading zeros do not count.
  const Int128 top = Abs(numerator_);
  Int128 whole = top / denominator_, remainder = top % denominator_;
  int digits = 0, places = 0;
  for (Int128 left = whole; left > 0; left /= 10) ++digits;
  if (digits > kInexactDigits) return Decimal::FromDouble(ToDouble(), kInexactDigits);
  while (digits < kInexactDigits && places < Decimal::kMaxScale) {
    if (remainder > (static_cast<Int128>(1) << 122)) return Decimal::FromDouble(ToDouble(), kInexactDigits);
    remainder *= 10;
    whole = whole * 10 + remainder / denominator_;
    remainder %= denominator_;
    ++places;
    if (whole > 0) ++digits;
  }
  if (remainder >= denominator_ - remainder) ++whole;
  return Decimal::Make(numerator_ < 0 ? -whole : whole, places).Normalized();
}

std::string Rational::ToDecimalText() const {
  const auto decimal = ToDecimal();
  return decimal ? decimal->Normalized().ToString() : "";
}

}  // namespace stepwise::medication
