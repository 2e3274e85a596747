// The grammar of UCUM expressions: text to a flat list of atoms with exponents. Internal to fhir/ucum.
#ifndef STEPWISE_FHIR_UCUM_UNIT_PARSER_H_
#define STEPWISE_FHIR_UCUM_UNIT_PARSER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/ucum/ucum.h"

namespace stepwise::ucum {

// One component of a product, divisions turned into negative exponents, parentheses dissolved.
struct Term {
  enum class Kind : std::uint8_t { kAtom, kFactor, kAnnotation };
  Kind kind = Kind::kAtom;
  std::string_view text;  // "mmol", "1000", "{tbl}"; part of the text that was parsed
  int exponent = 1;
  const UnitRow* unit = nullptr;      // kAtom
  const PrefixRow* prefix = nullptr;  // kAtom, or null
  std::uint64_t factor = 1;           // kFactor, not 0
};

Result<std::vector<Term>> ParseTerms(std::string_view expression, const ParseOptions& options = {});

// Row of a code, or null.
const UnitRow* FindRow(std::string_view code);
// An atom with or without prefix; false when there is none.
bool FindAtom(std::string_view text, const UnitRow** unit, const PrefixRow** prefix);

// What a writer of `text`, an unknown atom, may have meant, or "".
std::string Suggestion(std::string_view text);

}  // namespace stepwise::ucum

#endif  // STEPWISE_FHIR_UCUM_UNIT_PARSER_H_
