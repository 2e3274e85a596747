// Conversion and comparison of amounts, special units through their functions.
#include <cmath>
#include <numbers>

#include "fhir/ucum/ucum.h"

namespace stepwise::ucum {
namespace {

// A value in an interval scale is (value * special_factor + offset) references: exact, as ratios are.
std::optional<Decimal> Offset(Special special) {
  switch (special) {
    case Special::kNone: return Decimal();
    case Special::kCelsius: return Decimal::Make(27315, 2);
    case Special::kFahrenheit: return Decimal::Make(45967, 2);  // of 5/9 K
    case Special::kReaumur: return Decimal::Make(21852, 2);     // of 5/4 K: 273.15 * 4/5
    default: return std::nullopt;
  }
}

// Reference units of a value on a logarithmic, trigonometric or power scale.
double ToReference(Special special, double value) {
  switch (special) {
    case Special::kPh:
    case Special::kHpX: return std::pow(10, -value);
    case Special::kHpC: return std::pow(100, -value);
    case Special::kHpM: return std::pow(1000, -value);
    case Special::kHpQ: return std::pow(50000, -value);
    case Special::kLn: return std::exp(value);
    case Special::kLg: return std::pow(10, value);
    case Special::kLgTimes2: return std::pow(10, value / 2);
    case Special::kLd: return std::exp2(value);
    case Special::kTanTimes100: return std::atan(value / 100);
    case Special::kSqrt: return value * value;
    default: return value;
  }
}

double FromReference(Special special, double amount) {
  switch (special) {
    case Special::kPh:
    case Special::kHpX: return -std::log10(amount);
    case Special::kHpC: return -std::log10(amount) / 2;
    case Special::kHpM: return -std::log10(amount) / 3;
    case Special::kHpQ: return -std::log(amount) / std::log(50000);
    case Special::kLn: return std::log(amount);
    case Special::kLg: return std::log10(amount);
    case Special::kLgTimes2: return 2 * std::log10(amount);
    case Special::kLd: return std::log2(amount);
    case Special::kTanTimes100: return 100 * std::tan(amount);
    case Special::kSqrt: return std::sqrt(amount);
    default: return amount;
  }
}

// `value` in references of `unit`; the double path only where the function leaves no other.
std::optional<Decimal> ReferenceAmount(const Decimal& value, const Unit& unit) {
  const std::optional<Decimal> scaled =
      unit.special == Special::kNone ? value : Scale(value, unit.special_factor);
  if (!scaled) return std::nullopt;
  const std::optional<Decimal> offset = Offset(unit.special);
  if (!offset) return std::nullopt;
  return Add(*scaled, *offset);
}

std::optional<Decimal> ConvertApproximately(const Decimal& value, const Unit& from, const Unit& to) {
  const auto amount_of = [](double v, const Unit& unit) {
    const std::optional<Decimal> offset = Offset(unit.special);
    const double scaled = v * unit.special_factor.Approximate();
    return (offset ? scaled + offset->ToDouble() : ToReference(unit.special, scaled)) *
           unit.magnitude.Approximate();
  };
  const double amount = amount_of(value.ToDouble(), from) / to.magnitude.Approximate();
  const std::optional<Decimal> offset = Offset(to.special);
  const double scaled = offset ? amount - offset->ToDouble() : FromReference(to.special, amount);
  // 14 digits: the functions and the products around them may each be off in the 16th.
  return Decimal::FromDouble(scaled / to.special_factor.Approximate(), 14);
}

// Sign of a * ratio - b, exactly; nullopt where 256 bits do not decide.
std::optional<std::strong_ordering> CompareScaled(const Decimal& a, const Ratio& ratio, const Decimal& b) {
  if (a.IsZero() || b.IsZero() || a.IsNegative() != b.IsNegative()) return a <=> b;
  if (!ratio.exact || ratio.pi != 0) return std::nullopt;
  std::optional<UInt256> left = MultiplyWide(Magnitude(a.coefficient()), ratio.numerator);
  std::optional<UInt256> right = MultiplyWide(Magnitude(b.coefficient()), ratio.denominator);
  int shift =
      ratio.exp10 - a.scale() + b.scale();  // powers of ten to go to the left, or to the right if negative
  std::optional<UInt256>& side = shift > 0 ? left : right;
  for (shift = std::abs(shift); shift > 0 && side; shift -= 38)
    side = MultiplyChecked(*side, PowerOfTen(std::min(shift, 38)));
  // A side that does not fit 256 bits is greater than the other one, which does.
  if (!left || !right) {
    const bool left_greater = !left;
    return left_greater != a.IsNegative() ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  return a.IsNegative() ? *right <=> *left : *left <=> *right;
}

}  // namespace

std::optional<Decimal> Convert(const Decimal& value, const Unit& from, const Unit& to) {
  if (!Commensurable(from, to)) return std::nullopt;
  if (from == to) return value;
  const std::optional<Decimal> to_offset = Offset(to.special);
  if (!to_offset || !Offset(from.special)) return ConvertApproximately(value, from, to);
  const std::optional<Decimal> amount = ReferenceAmount(value, from);
  if (!amount) return std::nullopt;
  const Ratio ratio = Multiply(from.magnitude, Inverse(to.magnitude));
  const std::optional<Decimal> scaled = Scale(*amount, ratio);
  if (!scaled) return std::nullopt;
  if (to.special == Special::kNone) return from.special == Special::kNone ? scaled : scaled->Normalized();
  const std::optional<Decimal> shifted = Subtract(*scaled, *to_offset);
  const std::optional<Decimal> result = shifted ? Scale(*shifted, Inverse(to.special_factor)) : std::nullopt;
  return result ? std::optional<Decimal>(result->Normalized()) : std::nullopt;
}

std::optional<std::strong_ordering> Compare(const Decimal& a, const Unit& a_unit, const Decimal& b,
                                            const Unit& b_unit) {
  if (!Commensurable(a_unit, b_unit)) return std::nullopt;
  if (a_unit == b_unit) return a <=> b;
  if (Offset(a_unit.special) && Offset(b_unit.special)) {
    const std::optional<Decimal> left = ReferenceAmount(a, a_unit);
    const std::optional<Decimal> right = ReferenceAmount(b, b_unit);
    if (!left || !right) return std::nullopt;
    const Ratio ratio = Multiply(a_unit.magnitude, Inverse(b_unit.magnitude));
    if (const auto order = CompareScaled(*left, ratio, *right)) return order;
  } else {
    // A greater pH is a smaller amount: only amounts compare the same way around from both sides.
    Unit base;
    base.dimension = a_unit.dimension;
    const std::optional<Decimal> left = ConvertApproximately(a, a_unit, base);
    const std::optional<Decimal> right = ConvertApproximately(b, b_unit, base);
    if (!left || !right) return std::nullopt;
    return *left <=> *right;
  }
  const std::optional<Decimal> converted = Convert(a, a_unit, b_unit);
  if (!converted) return std::nullopt;
  return *converted <=> b;
}

std::optional<Decimal> CanonicalMagnitude(const Unit& unit) {
  if (unit.special != Special::kNone) return std::nullopt;
  return Scale(Decimal(1), unit.magnitude);
}

}  // namespace stepwise::ucum
