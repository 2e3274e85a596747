// sum, min, max, avg over all items of the input.
#include <compare>
#include <optional>

#include "fhir/fhirpath/functions.h"
#include "fhir/fhirpath/values.h"
#include "fhir/quantity.h"

namespace stepwise::fhirpath {
namespace {

tl::unexpected<Error> CannotMix(const Call& call, std::string_view what, const Item& a, const Item& b) {
  return call.Fail(Code::kSemantic, "the " + std::string(what) + " of " + TypeText(a) + " and " +
                                        TypeText(b) + " is not defined");
}

// Numbers add up to the widest of their types; quantities, in a common unit, to a quantity.
enum class Sort : std::uint8_t { kInteger, kLong, kDecimal, kQuantity, kOther };
Sort SortOf(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kInteger: return Sort::kInteger;
    case ItemKind::kLong: return Sort::kLong;
    case ItemKind::kDecimal: return Sort::kDecimal;
    case ItemKind::kQuantity: return Sort::kQuantity;
    default: return Sort::kOther;
  }
}

struct Total {
  Sort sort = Sort::kInteger;
  std::int64_t count = 0;
  std::optional<OwnedQuantity> value;  // nullopt: overflow, or units without a sum
};

OwnedQuantity QuantityOf(const Item& item, Sort sort) {
  if (sort == Sort::kQuantity) return {item.decimal(), std::string(item.unit().text), item.unit().calendar};
  return {sort == Sort::kDecimal ? item.decimal() : Decimal(item.integer())};
}

// Elements without a value count for nothing.
Result<Total> AddUp(Call& call, std::string_view what) {
  call.Rests(call.input());
  Total total;
  Item first;
  for (const Item& raw : call.input()) {
    const Item item = ToSystem(raw, call.evaluation());
    if (item.is_node() && !HasValue(item)) continue;
    const Sort sort = SortOf(item);
    if (sort == Sort::kOther) {
      return call.Fail(Code::kSemantic,
                       "the " + std::string(what) + " is of numbers or quantities, not " + TypeText(raw));
    }
    const OwnedQuantity value = QuantityOf(item, sort);
    if (total.count++ == 0) {
      first = item;
      total.sort = sort;
      total.value = value;
      continue;
    }
    if ((sort == Sort::kQuantity) != (total.sort == Sort::kQuantity))
      return CannotMix(call, what, first, item);
    total.sort = std::max(total.sort, sort);
    if (!total.value) continue;  // later items must still be of the right type
    if (sort == Sort::kQuantity) {
      total.value = Add(total.value->View(), value.View());
    } else if (const std::optional<Decimal> sum = Add(total.value->value, value.value)) {
      total.value->value = *sum;
    } else {
      total.value.reset();
    }
  }
  return total;
}

void EmitQuantity(Call& call, const Decimal& value, const OwnedQuantity& like) {
  call.Emit(Item::Quantity(value, call.evaluation().KeepUnit(like.unit, like.calendar)));
}

Status Sum(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Total total, AddUp(call, "sum"));
  if (!total.value) return {};
  const Decimal& value = total.value->value;
  switch (total.sort) {
    case Sort::kInteger:
      if (const std::optional<std::int64_t> whole = value.ToInt64()) EmitInteger(call, *whole);
      return {};
    case Sort::kLong:
      if (const std::optional<std::int64_t> whole = value.ToInt64()) call.Emit(Item::Long(*whole));
      return {};
    case Sort::kDecimal: call.Emit(Item::Of(value)); return {};
    case Sort::kQuantity: EmitQuantity(call, value, *total.value); return {};
    case Sort::kOther: return {};
  }
  return {};
}

Status Average(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Total total, AddUp(call, "average"));
  if (!total.value) return {};
  const std::optional<Decimal> average = Divide(total.value->value, Decimal(total.count));
  if (!average) return {};
  if (total.sort == Sort::kQuantity) {
    EmitQuantity(call, *average, *total.value);
  } else {
    call.Emit(Item::Of(*average));
  }
  return {};
}

// The least item (sign -1) or the greatest (sign 1); empty when two of them do not say which is less.
template <int sign>
Status Extreme(Call& call) {
  constexpr std::string_view kWhat = sign < 0 ? "minimum" : "maximum";
  call.Rests(call.input());
  std::optional<Item> best;
  bool known = true;
  for (const Item& raw : call.input()) {
    const Item item = ToSystem(raw, call.evaluation());
    if (item.is_node() && !HasValue(item)) continue;
    if (item.is_node() || item.kind() == ItemKind::kBoolean || item.kind() == ItemKind::kTypeInfo) {
      return call.Fail(Code::kSemantic, "the " + std::string(kWhat) +
                                            " is of numbers, quantities, texts, dates or times, not " +
                                            TypeText(raw));
    }
    if (!best) {
      best = item;
      continue;
    }
    std::strong_ordering order = std::strong_ordering::equal;
    const Answer answer = Order(item, *best, call.evaluation(), &order);
    if (answer == Answer::kError) return CannotMix(call, kWhat, *best, item);
    if (answer == Answer::kEmpty) {
      known = false;
    } else if (sign < 0 ? order < 0 : order > 0) {
      best = item;
    }
  }
  if (best && known) call.Emit(*best);
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "sum",
     .input = Want::kItems,
     .fn = Sum,
     .doc = "Sum of numbers, or of quantities in a common unit; empty for no items.",
     .spec = "fhirpath#sum"},
    {.name = "min",
     .input = Want::kItems,
     .fn = Extreme<-1>,
     .doc = "The least of numbers, quantities, texts, dates or times; empty when that is not known.",
     .spec = "fhirpath#min"},
    {.name = "max",
     .input = Want::kItems,
     .fn = Extreme<1>,
     .doc = "The greatest of numbers, quantities, texts, dates or times; empty when that is not known.",
     .spec = "fhirpath#max"},
    {.name = "avg",
     .input = Want::kItems,
     .fn = Average,
     .doc = "Mean of numbers, as a Decimal, or of quantities in a common unit; empty for no items.",
     .spec = "fhirpath#avg"},
};

}  // namespace

std::span<const Builtin> AggregateFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
