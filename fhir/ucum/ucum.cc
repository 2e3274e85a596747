// From parsed terms to a canonical unit, the algebra of units, and their canonical text.
#include "fhir/ucum/ucum.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "fhir/ucum/unit_parser.h"

namespace stepwise::ucum {
namespace {

std::int8_t Clamp8(int value) { return static_cast<std::int8_t>(std::clamp(value, -128, 127)); }

// Adds number^exponent to a list sorted by number; false when there is no room.
bool AddArbitrary(std::array<ArbitraryPower, kMaxArbitrary>* list, std::uint8_t number, int exponent) {
  if (exponent == 0) return true;
  std::array<ArbitraryPower, kMaxArbitrary + 1> all{};
  std::size_t count = 0;
  bool placed = false;
  for (const ArbitraryPower& power : *list) {
    if (power.number == 0) break;
    if (!placed && power.number >= number) {
      placed = true;
      if (power.number == number) {
        const std::int8_t sum = Clamp8(power.exponent + exponent);
        if (sum != 0) all[count++] = {number, sum};
        continue;
      }
      all[count++] = {number, Clamp8(exponent)};
    }
    all[count++] = power;
  }
  if (!placed) all[count++] = {number, Clamp8(exponent)};
  if (count > kMaxArbitrary) return false;
  std::copy_n(all.begin(), kMaxArbitrary, list->begin());
  return true;
}

// The rows of the table are in normal form already.
Ratio MagnitudeOf(const UnitRow& row) { return {row.numerator, row.denominator, row.exp10, row.pi}; }

Unit FromRow(const UnitRow& row) {
  Unit unit;
  unit.magnitude = MagnitudeOf(row);
  unit.dimension = row.dimension;
  unit.special = row.special;
  if (row.arbitrary != 0) unit.arbitrary[0] = {row.arbitrary, 1};
  return unit;
}

Ratio FromPrefix(const PrefixRow& prefix) { return {prefix.numerator, 1, prefix.exp10}; }

// A factor that neither 128 bits nor a double can hold measures nothing.
Result<Unit> WithinRange(Unit unit, std::string_view text) {
  for (const Ratio* ratio : {&unit.magnitude, &unit.special_factor}) {
    if (ratio->exact || std::isnormal(ratio->inexact)) continue;
    return Fail(Code::kLimit, "the factor of this unit is too large or too small to compute with",
                {"", 1, 1, static_cast<std::uint32_t>(text.size())});
  }
  return unit;
}

// A special unit may have a prefix and whole factors, but no exponent and no other unit.
Result<Unit> EvaluateSpecial(const std::vector<Term>& terms, const Term& special, std::string_view text) {
  const auto column = static_cast<std::uint32_t>(special.text.data() - text.data() + 1);
  const SourceSpan span{"", 1, column, static_cast<std::uint32_t>(special.text.size())};
  const std::string code(special.text);
  if (special.exponent != 1) {
    return Fail(Code::kSemantic, "'" + code + "' is on a scale of its own and takes no power or division",
                span);
  }
  Unit unit = FromRow(*special.unit);
  if (special.prefix != nullptr) unit.special_factor = FromPrefix(*special.prefix);
  for (const Term& term : terms) {
    if (&term == &special || term.kind == Term::Kind::kAnnotation) continue;
    if (term.kind == Term::Kind::kAtom) {
      std::string message = "'" + code + "' is on a scale of its own and cannot be part of a product";
      if (special.unit->dimension == FindRow("K")->dimension)
        message += ": use 'K' for differences of temperature";
      return Fail(Code::kSemantic, std::move(message), span);
    }
    unit.special_factor =
        Multiply(unit.special_factor, Power(Ratio::Make(term.factor, 1, 0, 0), term.exponent));
  }
  return unit;
}

Result<Unit> Evaluate(const std::vector<Term>& terms, std::string_view text) {
  Unit total;
  for (const Term& term : terms) {
    if (term.kind == Term::Kind::kAnnotation) continue;
    if (term.kind == Term::Kind::kFactor) {
      total.magnitude = Multiply(total.magnitude, Power(Ratio::Make(term.factor, 1, 0, 0), term.exponent));
      continue;
    }
    const UnitRow& row = *term.unit;
    if (row.special != Special::kNone) return EvaluateSpecial(terms, term, text);
    Ratio magnitude = MagnitudeOf(row);
    if (term.prefix != nullptr) magnitude = Multiply(magnitude, FromPrefix(*term.prefix));
    total.magnitude =
        Multiply(total.magnitude, term.exponent == 1 ? magnitude : Power(magnitude, term.exponent));
    bool fits = row.arbitrary == 0 || AddArbitrary(&total.arbitrary, row.arbitrary, term.exponent);
    for (std::size_t i = 0; i < kBaseUnits; ++i) {
      const int exponent = total.dimension[i] + row.dimension[i] * term.exponent;
      fits = fits && exponent == Clamp8(exponent);
      total.dimension[i] = Clamp8(exponent);
    }
    if (!fits) {
      return Fail(Code::kLimit, "too high a power or too many arbitrary units",
                  {"", 1, static_cast<std::uint32_t>(term.text.data() - text.data() + 1),
                   static_cast<std::uint32_t>(term.text.size())});
    }
  }
  return WithinRange(std::move(total), text);
}

struct CommonUnit {
  std::string_view text;
  Unit unit;
};

std::vector<CommonUnit> MakeCommonUnits() {
  constexpr std::string_view kTexts[] = {"1",           "%",
                                         "mg",          "g",
                                         "ug",          "ng",
                                         "pg",          "kg",
                                         "mL",          "ml",
                                         "L",           "l",
                                         "dL",          "uL",
                                         "h",           "d",
                                         "min",         "wk",
                                         "mo",          "a",
                                         "s",           "ms",
                                         "m",           "cm",
                                         "mm",          "mg/mL",
                                         "mg/ml",       "mg/L",
                                         "mg/dL",       "g/dL",
                                         "g/L",         "ug/mL",
                                         "ug/L",        "ug/dL",
                                         "ng/mL",       "ng/L",
                                         "ng/dL",       "pg/mL",
                                         "ug/h",        "mg/h",
                                         "mg/d",        "ug/d",
                                         "g/d",         "mL/h",
                                         "mL/min",      "L/min",
                                         "mg/kg",       "ug/kg",
                                         "mg/kg/d",     "ug/kg/min",
                                         "mg/m2",       "m2",
                                         "kg/m2",       "mm[Hg]",
                                         "mmol",        "umol",
                                         "mmol/L",      "umol/L",
                                         "nmol/L",      "pmol/L",
                                         "meq",         "meq/L",
                                         "U",           "U/L",
                                         "[iU]",        "[iU]/L",
                                         "[iU]/mL",     "m[iU]/L",
                                         "u[iU]/mL",    "/min",
                                         "{beats}/min", "{score}",
                                         "{tbl}",       "Cel",
                                         "[degF]",      "[lb_av]",
                                         "[in_i]",      "10*3/uL",
                                         "10*6/uL",     "10*9/L",
                                         "10*12/L",     "mL/min/{1.73_m2}",
                                         "mosm/kg",     "fL",
                                         "pmol"};
  std::vector<CommonUnit> units;
  for (const std::string_view text : kTexts) units.push_back({text, *Parse(text)});
  std::sort(units.begin(), units.end(),
            [](const CommonUnit& a, const CommonUnit& b) { return a.text < b.text; });
  return units;
}

}  // namespace

Result<Unit> Parse(std::string_view expression, const ParseOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<Term> terms, ParseTerms(expression, options));
  return Evaluate(terms, expression);
}

const Unit* Find(std::string_view expression) {
  static const std::vector<CommonUnit> kUnits = MakeCommonUnits();
  const auto found =
      std::lower_bound(kUnits.begin(), kUnits.end(), expression,
                       [](const CommonUnit& u, std::string_view text) { return u.text < text; });
  return found != kUnits.end() && found->text == expression ? &found->unit : nullptr;
}

bool Commensurable(const Unit& a, const Unit& b) {
  return a.dimension == b.dimension && a.arbitrary == b.arbitrary;
}

std::string Canonical(const Unit& unit) {
  // By code, as bytes: capital letters first, arbitrary units with their brackets between.
  constexpr std::array<std::string_view, kBaseUnits> kCodes = {"m", "s", "g", "rad", "K", "C", "cd"};
  std::vector<std::pair<std::string_view, int>> factors;
  for (std::size_t i = 0; i < kBaseUnits; ++i) {
    if (unit.dimension[i] != 0) factors.emplace_back(kCodes[i], unit.dimension[i]);
  }
  for (const ArbitraryPower& power : unit.arbitrary) {
    if (power.number != 0) factors.emplace_back(ArbitraryCode(power.number), power.exponent);
  }
  if (factors.empty()) return "1";
  std::sort(factors.begin(), factors.end());
  std::string text;
  for (const auto& [code, exponent] : factors) {
    if (!text.empty()) text += '.';
    text += code;
    if (exponent != 1) text += std::to_string(exponent);
  }
  return text;
}

Unit Multiply(const Unit& a, const Unit& b) {
  Unit product;
  product.magnitude = Multiply(a.magnitude, b.magnitude);
  for (std::size_t i = 0; i < kBaseUnits; ++i) product.dimension[i] = Clamp8(a.dimension[i] + b.dimension[i]);
  product.arbitrary = a.arbitrary;
  for (const ArbitraryPower& power : b.arbitrary) {
    if (power.number != 0) AddArbitrary(&product.arbitrary, power.number, power.exponent);
  }
  return product;
}

Unit Divide(const Unit& a, const Unit& b) { return Multiply(a, Power(b, -1)); }

Unit Power(const Unit& a, int exponent) {
  Unit power;
  if (exponent == 0) return power;
  const int bounded = std::clamp(exponent, -128, 127);
  power.magnitude = Power(a.magnitude, bounded);
  for (std::size_t i = 0; i < kBaseUnits; ++i) power.dimension[i] = Clamp8(a.dimension[i] * bounded);
  power.arbitrary = a.arbitrary;
  for (ArbitraryPower& factor : power.arbitrary) factor.exponent = Clamp8(factor.exponent * bounded);
  return power;
}

}  // namespace stepwise::ucum
