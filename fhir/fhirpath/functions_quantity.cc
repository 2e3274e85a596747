// Quantities.
#include "fhir/fhirpath/functions.h"
#include "fhir/quantity.h"

namespace stepwise::fhirpath {
namespace {

Quantity View(const Item& item) { return {item.decimal(), item.unit().text, item.unit().calendar}; }

Status Comparable(Call& call) {
  call.Emit(Compare(View(call.one()), View(call.arg(0))).has_value());
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "comparable",
     .input = Want::kQuantity,
     .params = {{{Want::kQuantity, "quantity"}}},
     .result = types::kSystemBoolean,
     .fn = Comparable,
     .doc = "Whether two quantities can be compared: their units measure the same kind of thing.",
     .spec = "fhir#comparable"},
};

}  // namespace

std::span<const Builtin> QuantityFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
