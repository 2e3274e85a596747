// Quantity: a decimal with a UCUM unit or a calendar duration, and FHIRPath's comparison and arithmetic on
// them.
//
//   Compare({*Decimal::Parse("4"), "g"}, {*Decimal::Parse("4040"), "mg"})   // less
//   Compare({*Decimal::Parse("1"), "g"}, {*Decimal::Parse("1"), "cm"})      // nullopt: not commensurable
//
// Quantity is a view: the unit text belongs to the document or program it came from. What computes a new unit
// returns an OwnedQuantity. Equal unit texts never parse, so that even units that are no UCUM compare with
// themselves; the commonest units are found in a table (fhir/ucum/ucum.h); only the rest is parsed.
//
// Calendar durations (flag `calendar`, unit "year", "years", ... "millisecond"): weeks and shorter are
// exactly their UCUM counterparts. A calendar year or month is no fixed time: 1 year against 1 'a' is
// unknown, but 1 year against 2 'a' is not, since a year has 365 or 366 days and a month 28 to 31. Source:
// FHIRPath N1, "Quantity", "Time-valued Quantities", "Comparison", "Math". Thread-safe: plain values.
#ifndef STEPWISE_FHIR_QUANTITY_H_
#define STEPWISE_FHIR_QUANTITY_H_

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"

namespace stepwise {

struct Quantity {
  Decimal value;
  std::string_view unit = "1";  // UCUM code, or a calendar keyword when `calendar`; "" counts as "1"
  bool calendar = false;
};

struct OwnedQuantity {
  Decimal value;
  std::string unit = "1";
  bool calendar = false;

  Quantity View() const { return {value, unit, calendar}; }
};

// nullopt: not commensurable, a unit that is no UCUM, or a calendar year or month against a definite duration
// that it may or may not reach.
std::optional<std::strong_ordering> Compare(const Quantity& a, const Quantity& b);
// FHIRPath '='; nullopt as above.
std::optional<bool> Equal(const Quantity& a, const Quantity& b);
// FHIRPath '~': converted to the coarser unit and rounded to the fewer decimal places of the two (trailing
// zeros do not count): 4 'g' ~ 4040 'mg'. Calendar durations stand for their UCUM counterparts. Not
// comparable is false.
bool Equivalent(const Quantity& a, const Quantity& b);

// Sum and difference in the finer unit of the two (1 'g' + 1 'mg' = 1001 'mg'); calendar if both are.
// nullopt: not commensurable, no UCUM, overflow, different units on scales without a ratio (Cel and K), or a
// calendar year or month with a definite duration.
std::optional<OwnedQuantity> Add(const Quantity& a, const Quantity& b);
std::optional<OwnedQuantity> Subtract(const Quantity& a, const Quantity& b);

// The unit is the product or quotient of the unit texts ("cm" * "m" = "cm.m", "g" / "m" = "g/m", "cm" / "cm"
// = "1"), calendar durations as their UCUM counterparts. nullopt: no UCUM, overflow, division by zero,
// special units (Cel) with any other than "1".
std::optional<OwnedQuantity> Multiply(const Quantity& a, const Quantity& b);
std::optional<OwnedQuantity> Divide(const Quantity& a, const Quantity& b);

// The FHIRPath literal: "4 'mg'", "1 year".
std::string ToString(const Quantity& quantity);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_QUANTITY_H_
