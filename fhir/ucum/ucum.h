// UCUM units: parse a unit expression, ask whether two units measure the same kind of thing, convert exactly.
//
//   STEPWISE_ASSIGN_OR_RETURN(ucum::Unit from, ucum::Parse("mg/dL"));
//   STEPWISE_ASSIGN_OR_RETURN(ucum::Unit to, ucum::Parse("g/L"));
//   ucum::Convert(*Decimal::Parse("90"), from, to)   -> 0.90
//
// Case-sensitive codes, the full expression grammar: `.`, `/`, exponents, parentheses, a leading `/`,
// integer factors, 10* and 10^, prefixes, annotations. Beyond the grammar an annotation may follow a factor
// or a parenthesis too ("/100{WBCs}" is in wide use). Annotations have no meaning: "mg{total}" is "mg",
// "{tbl}" is the unity. As UCUM has it, mol is a pure number (6.02...e23), so "mol" and "1" are
// commensurable.
//
// No state but constant tables and the common units below, which are built once: every function may be called
// from any thread. Source: UCUM, https://ucum.org/ucum; table notice in fhir/ucum/NOTICE.
#ifndef STEPWISE_FHIR_UCUM_UCUM_H_
#define STEPWISE_FHIR_UCUM_UCUM_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"
#include "fhir/result.h"
#include "fhir/ucum/ratio.h"
#include "fhir/ucum/units_table.h"

namespace stepwise::ucum {

struct ParseOptions {
  std::size_t max_length = 256;  // bytes
  int max_depth = 32;            // parentheses
};

// Different arbitrary units ([iU], [CFU], ...) in one expression; no unit in use has more than two.
inline constexpr std::size_t kMaxArbitrary = 4;

// An arbitrary unit measures by its own procedure and converts to nothing but itself.
struct ArbitraryPower {
  std::uint8_t number = 0;  // of units_table.h, 0: unused
  std::int8_t exponent = 0;
  friend bool operator==(const ArbitraryPower& a, const ArbitraryPower& b) = default;
};

// A unit in canonical form. Where `special` is set, a value v in the unit is f(magnitude of the reference
// unit) and v * special_factor goes through that function (dB: 1/10).
struct Unit {
  Ratio magnitude;        // in base units
  Dimension dimension{};  // exponents of m, s, g, rad, K, C, cd
  Special special = Special::kNone;
  Ratio special_factor;
  std::array<ArbitraryPower, kMaxArbitrary> arbitrary{};  // by number, unused ones last

  friend bool operator==(const Unit& a, const Unit& b) = default;
};

// Errors: kSyntax (does not follow the grammar), kSemantic (unknown unit, a prefix where none may be, a
// special unit inside a product), kLimit (longer or deeper than the options say, a power above 99, a
// factor of more than 18 digits, a unit beyond the range of a double). The span has line 1, the column in
// `expression` and the length of the offending part.
Result<Unit> Parse(std::string_view expression, const ParseOptions& options = {});

// One of the ~80 commonest clinical units by its exact text, or null: no parsing, no allocation. The unit
// lives as long as the program.
const Unit* Find(std::string_view expression);

// The same dimension and the same arbitrary units.
bool Commensurable(const Unit& a, const Unit& b);

// `value` in `from`, expressed in `to`. Exact when the result is a finite decimal of at most 38 digits, else
// rounded to 28 significant digits; through a logarithm, power or tangent 14. nullopt: not commensurable, out
// of range, or no such value (pH of a negative concentration).
std::optional<Decimal> Convert(const Decimal& value, const Unit& from, const Unit& to);

// Order of two amounts, without the rounding that Convert may need: 1 [in_us] against 1 [in_i], 1/3 of
// something. nullopt: not commensurable or not convertible.
std::optional<std::strong_ordering> Compare(const Decimal& a, const Unit& a_unit, const Decimal& b,
                                            const Unit& b_unit);

// The base units of a unit as an expression, by code: "g.m-3", "[iU].m-3", "1". Of a special unit, those of
// its reference.
std::string Canonical(const Unit& unit);

// One `unit` in Canonical(unit) units, exact or rounded as Convert does: 1 for g, 1000 for kg. nullopt for
// special units on a scale without ratio, and out of range.
std::optional<Decimal> CanonicalMagnitude(const Unit& unit);

// Special units stand alone: a product or power with one counts its reference (Cel as K). Exponents beyond
// -128..127 stop there.
Unit Multiply(const Unit& a, const Unit& b);
Unit Divide(const Unit& a, const Unit& b);
Unit Power(const Unit& a, int exponent);

// A UCUM expression for the product or quotient of two unit texts: "m", "m" -> "m2"; "g", "m" -> "g/m";
// "cm", "cm" -> "1". Equal atoms are collected, nothing is converted ("cm" and "m" stay "cm.m"); annotations
// of units are dropped. "" when either does not parse or the result is no valid unit (a product with Cel).
std::string UnitProductText(std::string_view a, std::string_view b);
std::string UnitQuotientText(std::string_view a, std::string_view b);

}  // namespace stepwise::ucum

#endif  // STEPWISE_FHIR_UCUM_UCUM_H_
