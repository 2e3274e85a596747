#include "fhir/ucum/ratio.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>
#include <utility>

namespace stepwise::ucum {
namespace {

constexpr int kSignificant = 28;   // digits of a rounded result
constexpr int kWorking = 36;       // digits of a step towards one
constexpr int kMaxExponent = 250;  // beyond every unit; an exact factor is then also a finite double
constexpr int kMaxPi = 30;

UInt128 Gcd(UInt128 a, UInt128 b) {
  if (a == 1 || b == 1) return 1;
  if (((a | b) >> 64) == 0) return std::gcd(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b));
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

// Divides by a small divisor where it goes without remainder; 64 bits, the usual case, are much faster.
bool TakeFactor(UInt128* value, std::uint64_t divisor) {
  if ((*value >> 64) == 0) {
    const auto small = static_cast<std::uint64_t>(*value);
    if (small % divisor != 0) return false;
    *value = small / divisor;
    return true;
  }
  if (*value % divisor != 0) return false;
  *value /= divisor;
  return true;
}

// An unsigned decimal digits * 10^exponent with more room than a Decimal.
struct Wide {
  UInt256 digits;
  int exponent = 0;
};

int DigitCount(const UInt256& value) {
  if (value.IsZero()) return 1;
  UInt256 rest = value;
  int digits = 0;
  while (!rest.Fits128()) {
    rest = DivideWide(rest, UInt256(PowerOfTen(19))).quotient;
    digits += 19;
  }
  int low = 1;
  while (low < 39 && rest.low >= PowerOfTen(low)) ++low;
  return digits + low;
}

// Half away from zero to at most `count` digits; count <= 38.
Wide Round(const Wide& value, int count) {
  const int cut = DigitCount(value.digits) - count;
  if (cut <= 0) return value;
  const UInt256 unit = MultiplyWide(PowerOfTen(std::min(cut, 38)), PowerOfTen(std::max(cut - 38, 0)));
  Division256 division = DivideWide(value.digits, unit);
  if (division.remainder >= unit - division.remainder) division.quotient = division.quotient + UInt256(1);
  return {division.quotient, value.exponent + cut};
}

Wide WithoutTrailingZeros(Wide value) {
  while (!value.digits.IsZero()) {
    const Division256 division = DivideWide(value.digits, UInt256(10));
    if (!division.remainder.IsZero()) break;
    value = {division.quotient, value.exponent + 1};
  }
  return value;
}

// The decimal, or nullopt when it needs more than 38 digits or 38 places.
std::optional<Decimal> Exactly(const Wide& value, bool negative) {
  if (!value.digits.FitsDecimal() || value.exponent < -Decimal::kMaxScale) return std::nullopt;
  UInt128 digits = value.digits.low;
  if (value.exponent > 0) {
    if (value.exponent > 38 || DigitCount(value.digits) + value.exponent > 38) return std::nullopt;
    digits *= PowerOfTen(value.exponent);
  }
  const auto coefficient = static_cast<Int128>(digits);
  return Decimal::Make(negative ? -coefficient : coefficient, std::max(-value.exponent, 0));
}

std::optional<Decimal> Rounded(const Wide& value, bool negative) {
  Wide rounded = Round(value, kSignificant);
  const int places_over = -rounded.exponent - Decimal::kMaxScale;
  if (places_over > 0) {
    const int keep = DigitCount(rounded.digits) - places_over;
    if (keep < 1) return std::nullopt;
    rounded = Round(rounded, keep);
  }
  return Exactly(WithoutTrailingZeros(rounded), negative);
}

// value * numerator / denominator, the quotient with at least kWorking digits when it does not end.
struct Quotient {
  Wide value;
  bool exact;
};
Quotient MultiplyDivide(const Decimal& value, const Ratio& ratio) {
  Wide top{MultiplyWide(Magnitude(value.coefficient()), ratio.numerator), ratio.exp10 - value.scale()};
  if (ratio.denominator == 1) return {top, true};
  const UInt256 divisor(ratio.denominator);
  // The denominator has no factor 2 or 5: if it does not divide now, no power of ten makes it.
  const Division256 now = DivideWide(top.digits, divisor);
  if (now.remainder.IsZero()) return {{now.quotient, top.exponent}, true};
  while (DigitCount(top.digits) - DigitCount(divisor) <= kWorking) {
    const std::optional<UInt256> more = MultiplyChecked(top.digits, PowerOfTen(10));
    if (!more) break;
    top = {*more, top.exponent - 10};
  }
  return {{DivideWide(top.digits, divisor).quotient, top.exponent}, false};
}

constexpr UInt128 kPiDigits =
    static_cast<UInt128>(3141592653589793238) * PowerOfTen(18) + 462643383279502884U;
constexpr int kPiExponent = -36;

Wide TimesPi(Wide value, int power) {
  for (; power > 0; --power) {
    value = Round(value, kWorking);
    value = {MultiplyWide(value.digits.low, kPiDigits), value.exponent + kPiExponent};
  }
  for (; power < 0; ++power) {
    value = Round(value, kWorking);
    const Wide top{MultiplyWide(value.digits.low, PowerOfTen(38)), value.exponent - 38};
    // Up to 36 + 38 digits over 37: at least kWorking are left once the value itself has its digits.
    const int widen = std::max(0, kWorking - DigitCount(value.digits));
    const UInt256 widened = MultiplyChecked(top.digits, PowerOfTen(widen)).value_or(top.digits);
    value = {DivideWide(widened, UInt256(kPiDigits)).quotient, top.exponent - widen - kPiExponent};
  }
  return value;
}

}  // namespace

Ratio Ratio::Make(UInt128 numerator, UInt128 denominator, int exp10, int pi) {
  const UInt128 common = Gcd(numerator, denominator);
  Ratio ratio{numerator / common, denominator / common, exp10, pi, 0, true};
  for (const auto& [prime, other] : {std::pair<unsigned, unsigned>{2, 5}, {5, 2}}) {
    while (ratio.exact && ratio.denominator != 1 && TakeFactor(&ratio.denominator, prime)) {
      ratio.exact = !__builtin_mul_overflow(ratio.numerator, static_cast<UInt128>(other), &ratio.numerator);
      --ratio.exp10;
    }
  }
  while (ratio.exact && TakeFactor(&ratio.numerator, 10)) ++ratio.exp10;
  if (std::abs(ratio.exp10) > kMaxExponent || std::abs(ratio.pi) > kMaxPi) ratio.exact = false;
  return ratio;
}

double Ratio::Approximate() const {
  if (!exact) return inexact;
  const double quotient = static_cast<double>(numerator) / static_cast<double>(denominator);
  return quotient * std::pow(10.0, exp10) * (pi == 0 ? 1.0 : std::pow(std::numbers::pi, pi));
}

Ratio Multiply(const Ratio& a, const Ratio& b) {
  const auto inexact = [&] { return Ratio{1, 1, 0, 0, a.Approximate() * b.Approximate(), false}; };
  if (!a.exact || !b.exact) return inexact();
  const bool powers_of_ten = (a.numerator | a.denominator | b.numerator | b.denominator) == 1;
  if (powers_of_ten && std::abs(a.exp10 + b.exp10) <= kMaxExponent && std::abs(a.pi + b.pi) <= kMaxPi) {
    return {1, 1, a.exp10 + b.exp10, a.pi + b.pi};
  }
  // Crosswise first: what remains shares nothing, so an overflow is real.
  const UInt128 left = Gcd(a.numerator, b.denominator);
  const UInt128 right = Gcd(b.numerator, a.denominator);
  UInt128 numerator = 0;
  UInt128 denominator = 0;
  if (__builtin_mul_overflow(a.numerator / left, b.numerator / right, &numerator) ||
      __builtin_mul_overflow(a.denominator / right, b.denominator / left, &denominator)) {
    return inexact();
  }
  const Ratio product = Ratio::Make(numerator, denominator, a.exp10 + b.exp10, a.pi + b.pi);
  return product.exact ? product : inexact();
}

Ratio Inverse(const Ratio& a) {
  const auto inexact = [&] { return Ratio{1, 1, 0, 0, 1 / a.Approximate(), false}; };
  if (!a.exact) return inexact();
  if ((a.numerator | a.denominator) == 1) return {1, 1, -a.exp10, -a.pi};
  const Ratio inverse = Ratio::Make(a.denominator, a.numerator, -a.exp10, -a.pi);
  return inverse.exact ? inverse : inexact();
}

Ratio Power(const Ratio& a, int exponent) {
  Ratio base = exponent < 0 ? Inverse(a) : a;
  Ratio result;
  for (unsigned rest = static_cast<unsigned>(std::abs(exponent)); rest != 0; rest >>= 1) {
    if (rest & 1) result = Multiply(result, base);
    if (rest > 1) base = Multiply(base, base);
  }
  return result;
}

std::optional<Decimal> Scale(const Decimal& value, const Ratio& ratio) {
  if (value.IsZero()) return value;
  if (!ratio.exact) return Decimal::FromDouble(value.ToDouble() * ratio.inexact);
  const bool negative = value.IsNegative();
  const Quotient quotient = MultiplyDivide(value, ratio);
  if (ratio.pi != 0) return Rounded(TimesPi(quotient.value, ratio.pi), negative);
  if (quotient.exact) {
    // A power of ten only moves the point, so the digits stay as written: 90 mg/dL is 0.90 g/L.
    const bool moves_point = ratio.numerator == 1 && ratio.denominator == 1;
    const auto exact = moves_point ? Exactly(quotient.value, negative) : std::nullopt;
    if (exact) return exact;
    if (const auto shortest = Exactly(WithoutTrailingZeros(quotient.value), negative)) return shortest;
  }
  return Rounded(quotient.value, negative);
}

}  // namespace stepwise::ucum
