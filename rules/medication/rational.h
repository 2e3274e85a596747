// Rational: exact fractions for dose arithmetic, so that 1/7 of a day and 0.1 mg/kg stay what they are.
//
//   Rational third = Rational(1) / Rational(3);
//   (third * Rational(24)).ToDecimalText()      // "8"
//   third.ToDecimalText()                       // "0.333333333333": 12 significant digits when not finite
//
// Numerator and denominator are reduced 128-bit integers, the denominator is positive. What does not fit, and
// a division by zero, is no number: overflowed() is true, everything computed from it is no number either,
// and it is neither equal to nor less than anything. Whoever publishes a result turns it into "absent" with
// an issue. Nothing is rounded before it is printed. Thread-safety: plain values.
#ifndef STEPWISE_RULES_MEDICATION_RATIONAL_H_
#define STEPWISE_RULES_MEDICATION_RATIONAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"

namespace stepwise::medication {

class Rational {
 public:
  constexpr Rational() = default;  // 0
  constexpr explicit Rational(std::int64_t value) : numerator_(value) {}
  static Rational Make(Int128 numerator, Int128 denominator);
  static Rational Overflow() { return Make(0, 0); }
  static Rational Of(const Decimal& value);
  // "0.15", "1/30" (two decimals with a slash); nullopt when it is neither.
  static std::optional<Rational> Parse(std::string_view text);

  bool overflowed() const { return denominator_ == 0; }
  bool IsZero() const { return numerator_ == 0 && denominator_ != 0; }
  bool IsPositive() const { return numerator_ > 0 && denominator_ != 0; }
  Int128 numerator() const { return numerator_; }
  Int128 denominator() const { return denominator_; }

  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend Rational operator/(const Rational& a, const Rational& b);
  friend bool operator==(const Rational& a, const Rational& b);
  friend bool operator<(const Rational& a, const Rational& b);
  friend bool operator>(const Rational& a, const Rational& b) { return b < a; }

  // Exact when the decimal is finite and fits, else to 12 significant digits, half away from zero. nullopt
  // when overflowed.
  std::optional<Decimal> ToDecimal() const;
  std::string ToDecimalText() const;  // the same as shortest plain digits, "" when overflowed
  double ToDouble() const { return static_cast<double>(numerator_) / static_cast<double>(denominator_); }

 private:
  Int128 numerator_ = 0;
  Int128 denominator_ = 1;
};

inline const Rational& Min(const Rational& a, const Rational& b) { return b < a ? b : a; }
inline const Rational& Max(const Rational& a, const Rational& b) { return a < b ? b : a; }

// Both ends belong to it. The unit is in the name of what holds the range.
struct Range {
  Rational low, high;
  friend bool operator==(const Range& a, const Range& b) = default;
  bool overflowed() const { return low.overflowed() || high.overflowed(); }
};
inline Range operator+(const Range& a, const Range& b) { return {a.low + b.low, a.high + b.high}; }
inline Range operator*(const Range& a, const Range& b) { return {a.low * b.low, a.high * b.high}; }
inline Range operator*(const Range& a, const Rational& b) { return {a.low * b, a.high * b}; }
inline Range operator/(const Range& a, const Rational& b) { return {a.low / b, a.high / b}; }

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_RATIONAL_H_
