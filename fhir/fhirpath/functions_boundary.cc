// lowBoundary, highBoundary, precision: what the digits that were written leave open.
#include <optional>

#include "fhir/fhirpath/functions.h"

namespace stepwise::fhirpath {
namespace {

// Digits after the point that a decimal boundary can be asked for: 31 keeps 7 before it, 8 is what it gets
// unasked.
constexpr std::int64_t kMaxPlaces = 31;
constexpr std::int64_t kDefaultPlaces = 8;

// value -/+ half of its last digit, then the last number at or below (at or above) that with `places` digits.
std::optional<Decimal> DecimalBoundary(const Decimal& value, int places, bool high) {
  if (value.scale() >= Decimal::kMaxScale) return std::nullopt;
  const Decimal half = Decimal::Make(5, value.scale() + 1);
  const std::optional<Decimal> edge = high ? Add(value, half) : Subtract(value, half);
  if (!edge || edge->scale() != half.scale()) return std::nullopt;
  std::optional<Decimal> result = edge->Truncated(places);
  if (*result != *edge && edge->IsNegative() != high) {
    const Decimal step = Decimal::Make(1, places);
    result = high ? Add(*result, step) : Subtract(*result, step);
    if (!result) return std::nullopt;
  }
  result = result->Rounded(places);  // pads with zeros
  if (result->scale() != places) return std::nullopt;
  return result;
}

// Digits of a full value of the kind, see DateTime.h.
int FullDigits(TemporalKind kind) {
  switch (kind) {
    case TemporalKind::kDate: return 8;
    case TemporalKind::kDateTime: return 17;
    case TemporalKind::kTime: return 9;
  }
  return 0;
}

template <bool high>
Status Boundary(Call& call) {
  const Item& item = call.one();
  if (item.kind() == ItemKind::kTemporal) {
    const std::int64_t digits = call.has(0) ? call.arg(0).integer() : FullDigits(item.temporal().kind);
    if (digits < 0 || digits > FullDigits(TemporalKind::kDateTime)) return {};
    const std::optional<DateTime> value = high ? HighBoundary(item.temporal(), static_cast<int>(digits))
                                               : LowBoundary(item.temporal(), static_cast<int>(digits));
    if (value) call.Emit(Item::Of(*value));
    return {};
  }
  const std::int64_t places = call.has(0) ? call.arg(0).integer() : kDefaultPlaces;
  const bool valid = places >= 0 && places <= kMaxPlaces;
  std::optional<Decimal> value;
  switch (item.kind()) {
    case ItemKind::kInteger:
    case ItemKind::kLong:
      if (valid) value = DecimalBoundary(Decimal(item.integer()), static_cast<int>(places), high);
      break;
    case ItemKind::kDecimal:
    case ItemKind::kQuantity:
      if (valid) value = DecimalBoundary(item.decimal(), static_cast<int>(places), high);
      break;
    default:
      return call.Fail(Code::kSemantic,
                       "only numbers, quantities, dates and times have boundaries, not " + TypeText(item));
  }
  if (!value) return {};
  call.Emit(item.kind() == ItemKind::kQuantity ? Item::Quantity(*value, &item.unit()) : Item::Of(*value));
  return {};
}

Status PrecisionOf(Call& call) {
  const Item& item = call.one();
  switch (item.kind()) {
    case ItemKind::kInteger:
    case ItemKind::kLong: call.Emit(Item::Integer(0)); return {};
    case ItemKind::kDecimal:
    case ItemKind::kQuantity: call.Emit(Item::Integer(item.decimal().scale())); return {};
    case ItemKind::kTemporal: call.Emit(Item::Integer(PrecisionDigits(item.temporal()))); return {};
    default:
      return call.Fail(Code::kSemantic,
                       "only numbers, quantities, dates and times have a precision, not " + TypeText(item));
  }
}

constexpr Builtin kRows[] = {
    {.name = "lowBoundary",
     .input = Want::kOne,
     .params = {{{Want::kInteger, "precision", true}}},
     .fn = Boundary<false>,
     .doc = "The least value that the written digits allow, written with so many digits (8; dates: all).",
     .spec = "fhirpath#lowboundary"},
    {.name = "highBoundary",
     .input = Want::kOne,
     .params = {{{Want::kInteger, "precision", true}}},
     .fn = Boundary<true>,
     .doc = "The greatest value that the written digits allow, written with so many digits (8; dates: all).",
     .spec = "fhirpath#highboundary"},
    {.name = "precision",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = PrecisionOf,
     .doc =
         "Digits after the point; of a date or time, all digits written (4 for a year, 17 for milliseconds).",
     .spec = "fhirpath#precision"},
};

}  // namespace

std::span<const Builtin> BoundaryFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
