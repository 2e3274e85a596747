// Math functions. Exact where decimals can be; exp, ln, log, sqrt and broken powers have 15 significant
// digits. What has no result (the square root of -1, the logarithm of 0, an overflow) is empty.
#include <cmath>
#include <optional>

#include "fhir/fhirpath/functions.h"

namespace stepwise::fhirpath {
namespace {

tl::unexpected<Error> NotANumber(const Call& call, const Item& item) {
  return call.Fail(Code::kSemantic, "a number or a quantity is needed here, not " + TypeText(item));
}

Status Abs(Call& call) {
  const Item& item = call.one();
  switch (item.kind()) {
    case ItemKind::kInteger:
      EmitInteger(call, item.integer() < 0 ? -item.integer() : item.integer());
      return {};
    case ItemKind::kLong:
      if (item.integer() == std::numeric_limits<std::int64_t>::min()) return {};
      call.Emit(Item::Long(item.integer() < 0 ? -item.integer() : item.integer()));
      return {};
    case ItemKind::kDecimal: call.Emit(Item::Of(item.decimal().Abs())); return {};
    case ItemKind::kQuantity: call.Emit(Item::Quantity(item.decimal().Abs(), &item.unit())); return {};
    default: return NotANumber(call, item);
  }
}

Decimal Truncated(const Decimal& value) { return value.Truncated(0); }
Decimal Floored(const Decimal& value) { return value.Floor(); }
Decimal Ceiled(const Decimal& value) { return value.Ceiling(); }

template <Decimal (*whole)(const Decimal&)>
Status ToWhole(Call& call) {
  const Item& item = call.one();
  switch (item.kind()) {
    case ItemKind::kInteger:
    case ItemKind::kLong: call.Emit(item); return {};
    case ItemKind::kDecimal:
      if (const std::optional<std::int64_t> value = whole(item.decimal()).ToInt64())
        EmitInteger(call, *value);
      return {};
    case ItemKind::kQuantity: call.Emit(Item::Quantity(whole(item.decimal()), &item.unit())); return {};
    default: return NotANumber(call, item);
  }
}

Status Round(Call& call) {
  const Item& item = call.one();
  const std::int64_t places = call.has(0) ? call.arg(0).integer() : 0;
  if (places < 0) {
    return call.Fail(Code::kSemantic,
                     "round(" + std::to_string(places) + "): the number of digits cannot be negative");
  }
  const int kept = static_cast<int>(std::min<std::int64_t>(places, Decimal::kMaxScale));
  switch (item.kind()) {
    case ItemKind::kInteger:
    case ItemKind::kLong: call.Emit(Item::Of(Decimal(item.integer()).Rounded(kept))); return {};
    case ItemKind::kDecimal: call.Emit(Item::Of(item.decimal().Rounded(kept))); return {};
    case ItemKind::kQuantity:
      call.Emit(Item::Quantity(item.decimal().Rounded(kept), &item.unit()));
      return {};
    default: return NotANumber(call, item);
  }
}

// NaN and infinity are no results.
Status EmitReal(Call& call, long double value) {
  if (const std::optional<Decimal> result = Decimal::FromDouble(static_cast<double>(value))) {
    call.Emit(Item::Of(*result));
  }
  return {};
}

Status Exp(Call& call) {
  return EmitReal(call, std::exp(static_cast<long double>(call.one().decimal().ToDouble())));
}

Status Ln(Call& call) {
  return EmitReal(call, std::log(static_cast<long double>(call.one().decimal().ToDouble())));
}

Status Log(Call& call) {
  const long double value = call.one().decimal().ToDouble();
  const long double base = call.arg(0).decimal().ToDouble();
  return EmitReal(call, std::log(value) / std::log(base));
}

Status Sqrt(Call& call) {
  return EmitReal(call, std::sqrt(static_cast<long double>(call.one().decimal().ToDouble())));
}

// base^exponent when every digit of it fits.
std::optional<Decimal> ExactPower(const Decimal& base, std::int64_t exponent) {
  if (exponent < 0 || base.scale() * std::min<std::int64_t>(exponent, 64) > Decimal::kMaxScale)
    return std::nullopt;
  Decimal result(1);
  Decimal square = base;
  for (std::int64_t left = exponent; left > 0; left >>= 1) {
    if ((left & 1) != 0) {
      const int scale = result.scale() + square.scale();
      const std::optional<Decimal> product = Multiply(result, square);
      if (!product || product->scale() != scale) return std::nullopt;
      result = *product;
    }
    if (left == 1) break;
    const int scale = 2 * square.scale();
    const std::optional<Decimal> product = Multiply(square, square);
    if (!product || product->scale() != scale) return std::nullopt;
    square = *product;
  }
  return result;
}

bool IsWhole(const Item& item) { return item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong; }

std::optional<Decimal> ToDecimal(const Item& item) {
  if (IsWhole(item)) return Decimal(item.integer());
  if (item.kind() == ItemKind::kDecimal) return item.decimal();
  return std::nullopt;
}

Status Power(Call& call) {
  const std::optional<Decimal> base = ToDecimal(call.one());
  const std::optional<Decimal> exponent = ToDecimal(call.arg(0));
  if (!base || !exponent) {
    return call.Fail(Code::kSemantic,
                     "power() takes numbers, not " + TypeText(base ? call.arg(0) : call.one()));
  }
  const std::optional<std::int64_t> times = exponent->ToInt64();
  const std::optional<Decimal> exact = times ? ExactPower(*base, *times) : std::nullopt;
  if (!exact) {
    return EmitReal(call, std::pow(static_cast<long double>(base->ToDouble()),
                                   static_cast<long double>(exponent->ToDouble())));
  }
  // Whole numbers stay what they were as long as they fit.
  const std::optional<std::int64_t> whole = exact->ToInt64();
  if (whole && IsWhole(call.one()) && IsWhole(call.arg(0))) {
    if (call.one().kind() == ItemKind::kLong) {
      call.Emit(Item::Long(*whole));
      return {};
    }
    if (FitsInteger(*whole)) {
      call.Emit(Item::Integer(*whole));
      return {};
    }
  }
  call.Emit(Item::Of(*exact));
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "abs",
     .input = Want::kOne,
     .fn = Abs,
     .doc = "The absolute value of a number or quantity.",
     .spec = "fhirpath#abs"},
    {.name = "ceiling",
     .input = Want::kOne,
     .fn = ToWhole<Ceiled>,
     .doc = "The first integer that is not below the number; of a quantity, in its unit.",
     .spec = "fhirpath#ceiling"},
    {.name = "exp",
     .input = Want::kDecimal,
     .result = types::kSystemDecimal,
     .fn = Exp,
     .doc = "e raised to the number.",
     .spec = "fhirpath#exp"},
    {.name = "floor",
     .input = Want::kOne,
     .fn = ToWhole<Floored>,
     .doc = "The first integer that is not above the number; of a quantity, in its unit.",
     .spec = "fhirpath#floor"},
    {.name = "ln",
     .input = Want::kDecimal,
     .result = types::kSystemDecimal,
     .fn = Ln,
     .doc = "The natural logarithm; empty for numbers that have none.",
     .spec = "fhirpath#ln"},
    {.name = "log",
     .input = Want::kDecimal,
     .params = {{{Want::kDecimal, "base"}}},
     .result = types::kSystemDecimal,
     .fn = Log,
     .doc = "The logarithm to a base; empty for numbers that have none.",
     .spec = "fhirpath#log"},
    {.name = "power",
     .input = Want::kOne,
     .params = {{{Want::kOne, "exponent"}}},
     .fn = Power,
     .doc = "The number raised to an exponent: an integer when both are and the result is; empty when there "
            "is none.",
     .spec = "fhirpath#power"},
    {.name = "round",
     .input = Want::kOne,
     .params = {{{Want::kInteger, "precision", true}}},
     .fn = Round,
     .doc = "The number or quantity rounded to so many digits after the point (0), halves away from zero.",
     .spec = "fhirpath#round"},
    {.name = "sqrt",
     .input = Want::kDecimal,
     .result = types::kSystemDecimal,
     .fn = Sqrt,
     .doc = "The square root; empty for negative numbers.",
     .spec = "fhirpath#sqrt"},
    {.name = "truncate",
     .input = Want::kOne,
     .fn = ToWhole<Truncated>,
     .doc = "The number without its fraction; of a quantity, in its unit.",
     .spec = "fhirpath#truncate"},
};

}  // namespace

std::span<const Builtin> MathFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
