#include "fhir/fhirpath/functions.h"

#include <algorithm>
#include <vector>

namespace stepwise::fhirpath {
namespace {

std::vector<Builtin> Merged() {
  std::vector<Builtin> rows;
  for (const auto group : {Forms, CollectionFunctions, FhirFunctions, ConversionFunctions, StringFunctions,
                           RegexFunctions, EncodingFunctions, MathFunctions, AggregateFunctions,
                           DateTimeFunctions, BoundaryFunctions, QuantityFunctions, KeyFunctions}) {
    const std::span<const Builtin> table = group();
    rows.insert(rows.end(), table.begin(), table.end());
  }
  std::ranges::stable_sort(rows, {}, &Builtin::name);
  return rows;
}

}  // namespace

std::span<const Builtin> Builtins() {
  static const std::vector<Builtin> rows = Merged();
  return rows;
}

}  // namespace stepwise::fhirpath
