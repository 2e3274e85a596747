// The function library: what each FHIRPath function does, once the evaluator has checked and unpacked its
// input and arguments. One table a group, grouped as the specification groups them; Builtins() (builtin.h)
// is all of them, sorted by name.
//
// To add a function: write a Handler and its row in the group's file, and a case in
// tests/fhir/fhirpath_functions_test.cc. Nothing else names it.
// Internal to fhir/fhirpath.
#ifndef STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_
#define STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "fhir/fhirpath/builtin.h"

namespace stepwise::fhirpath {

std::span<const Builtin> Forms();                // where, select, iif, ...: no handler, see forms.cc
std::span<const Builtin> CollectionFunctions();  // tail, union, distinct, allTrue, ...
std::span<const Builtin> FhirFunctions();        // extension, resolve, memberOf, ...
std::span<const Builtin> ConversionFunctions();  // toInteger, convertsToInteger, ...
std::span<const Builtin> StringFunctions();      // indexOf, substring, split, ...
std::span<const Builtin> RegexFunctions();       // matches, matchesFull, replaceMatches
std::span<const Builtin> EncodingFunctions();    // encode, decode, escape, unescape
std::span<const Builtin> MathFunctions();        // abs, round, power, ...
std::span<const Builtin> AggregateFunctions();   // sum, min, max, avg
std::span<const Builtin> DateTimeFunctions();    // yearOf, duration, ...
std::span<const Builtin> BoundaryFunctions();    // lowBoundary, highBoundary, precision
std::span<const Builtin> QuantityFunctions();    // comparable
std::span<const Builtin> KeyFunctions();         // getResourceKey, getReferenceKey

// Unit of a number that becomes a Quantity.
inline constexpr UnitText kUnityUnit{"1", false};

inline bool FitsInteger(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

// An Integer has 32 bits; what overflows is empty.
inline void EmitInteger(Call& call, std::int64_t value) {
  if (FitsInteger(value)) call.Emit(Item::Integer(value));
}

// EvaluationLimits::max_string for a text of `size` bytes that is about to be made.
inline Status CheckSize(const Call& call, std::size_t size) {
  if (size <= call.limits().max_string) return {};
  return call.Fail(Code::kLimit,
                   "the text would be longer than " + std::to_string(call.limits().max_string) + " bytes");
}

inline Status EmitText(Call& call, std::string_view text) {
  STEPWISE_RETURN_IF_ERROR(CheckSize(call, text.size()));
  call.EmitString(text);
  return {};
}

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_FUNCTIONS_H_
