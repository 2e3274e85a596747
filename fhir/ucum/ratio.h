// Ratio: an exact positive factor numerator / denominator * 10^exp10 * pi^pi, as long as 128 bits hold it.
//
// Normal form: the denominator has no factor 2 or 5, the numerator no factor 10, and they share none, so that
// equal factors have equal fields and a factor is a finite decimal exactly when denominator == 1 and pi == 0.
// What does not fit is `exact` = false and only the nearest double.
#ifndef STEPWISE_FHIR_UCUM_RATIO_H_
#define STEPWISE_FHIR_UCUM_RATIO_H_

#include <cstdint>
#include <optional>

#include "fhir/decimal.h"
#include "fhir/wide_int.h"

namespace stepwise::ucum {

struct Ratio {
  UInt128 numerator = 1;
  UInt128 denominator = 1;
  std::int32_t exp10 = 0;
  std::int32_t pi = 0;
  double inexact = 0;  // the factor where !exact
  bool exact = true;

  // numerator, denominator > 0, in any form.
  static Ratio Make(UInt128 numerator, UInt128 denominator, int exp10, int pi);
  double Approximate() const;

  friend bool operator==(const Ratio& a, const Ratio& b) = default;
};

Ratio Multiply(const Ratio& a, const Ratio& b);
Ratio Inverse(const Ratio& a);
Ratio Power(const Ratio& a, int exponent);

// value * ratio. Exact when the result is a finite decimal of at most 38 digits and 38 places, else rounded
// half away from zero to 28 significant digits (15 where the ratio is not exact) and at most 38 places.
// nullopt when the integer part does not fit, or when a value that is not 0 would become 0.
std::optional<Decimal> Scale(const Decimal& value, const Ratio& ratio);

}  // namespace stepwise::ucum

#endif  // STEPWISE_FHIR_UCUM_RATIO_H_
