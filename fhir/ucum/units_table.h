// The UCUM unit atoms and prefixes as plain rows; units_table.cc is generated (fhir/ucum/generate.py).
//
// Rows are sorted by code (bytes) and are constants: nothing is computed at start. Case-sensitive codes only.
// Source: the tables of UCUM, https://ucum.org/ucum; notice in fhir/ucum/NOTICE.
#ifndef STEPWISE_FHIR_UCUM_UNITS_TABLE_H_
#define STEPWISE_FHIR_UCUM_UNITS_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace stepwise::ucum {

// The function between a special unit's number and its reference unit ("special units on non-ratio scales");
// kNone: a ratio scale.
enum class Special : std::uint8_t {
  kNone,
  kCelsius,
  kFahrenheit,
  kReaumur,
  kPh,
  kLn,
  kLg,
  kLgTimes2,
  kLd,
  kTanTimes100,
  kSqrt,
  kHpX,
  kHpC,
  kHpM,
  kHpQ,
};

// UCUM's base units, in the order of a dimension vector: m, s, g, rad, K, C, cd.
inline constexpr std::size_t kBaseUnits = 7;
using Dimension = std::array<std::int8_t, kBaseUnits>;

// One unit = numerator / denominator * 10^exp10 * pi^pi base units of `dimension`.
struct UnitRow {
  std::string_view code;
  std::string_view value;       // as UCUM defines it: value * definition, e.g. "254e-2" * "cm"
  std::string_view definition;  // "" for the base units
  std::uint64_t numerator;      // no factor 10
  std::uint64_t denominator;    // no factor 2, 5 or one shared with the numerator
  std::int16_t exp10;
  std::int8_t pi;
  Dimension dimension;
  bool metric;  // takes prefixes
  Special special;
  std::uint8_t arbitrary;  // 0, or the number of an arbitrary unit, the same for synonyms ([iU], [IU])
};

struct PrefixRow {
  std::string_view code;
  std::uint64_t numerator;  // 1, or the binary part of Ki, Mi, ...
  std::int16_t exp10;
};

std::span<const UnitRow> Units();
std::span<const PrefixRow> Prefixes();
std::string_view ArbitraryCode(std::uint8_t number);  // "[iU]"; "" for 0

}  // namespace stepwise::ucum

#endif  // STEPWISE_FHIR_UCUM_UNITS_TABLE_H_
