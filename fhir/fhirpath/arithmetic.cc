// Operators + - * / div mod & and unary minus.
// Source: FHIRPath N1, "Math", "Date/Time Arithmetic"; FHIR R4 "FHIRPath" for quantities.
#include <limits>

#include "fhir/fhirpath/machine.h"
#include "fhir/quantity.h"

namespace stepwise::fhirpath {
namespace {

bool IsWhole(const Item& item) { return item.kind() == ItemKind::kInteger || item.kind() == ItemKind::kLong; }
bool IsNumber(const Item& item) { return IsWhole(item) || item.kind() == ItemKind::kDecimal; }
Decimal AsDecimal(const Item& item) { return IsWhole(item) ? Decimal(item.integer()) : item.decimal(); }
Quantity AsQuantity(const Item& item) {
  if (item.kind() != ItemKind::kQuantity) return {AsDecimal(item), "1", false};
  return {item.decimal(), item.unit().text, item.unit().calendar};
}

// Integer results that do not fit are empty (FHIRPath, "Math": overflow), Long beyond 32 bits when either is
// Long.
std::optional<Item> Whole(bool overflow, std::int64_t value, const Item& a, const Item& b) {
  if (overflow) return std::nullopt;
  if (a.kind() == ItemKind::kLong || b.kind() == ItemKind::kLong) return Item::Long(value);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return Item::Integer(value);
}

std::optional<Item> Number(ExprKind kind, const Item& a, const Item& b) {
  if (IsWhole(a) && IsWhole(b)) {
    const std::int64_t x = a.integer(), y = b.integer();
    std::int64_t r = 0;
    bool overflow = false;
    switch (kind) {
      case ExprKind::kAdd: overflow = __builtin_add_overflow(x, y, &r); return Whole(overflow, r, a, b);
      case ExprKind::kSubtract: overflow = __builtin_sub_overflow(x, y, &r); return Whole(overflow, r, a, b);
      case ExprKind::kMultiply: overflow = __builtin_mul_overflow(x, y, &r); return Whole(overflow, r, a, b);
      case ExprKind::kDiv:
        if (y == 0 || (x == std::numeric_limits<std::int64_t>::min() && y == -1)) return std::nullopt;
        return Whole(false, x / y, a, b);
      case ExprKind::kMod:
        if (y == 0) return std::nullopt;
        return Whole(false, y == -1 ? 0 : x % y, a, b);
      default: break;  // '/' is always Decimal
    }
  }
  const Decimal x = AsDecimal(a), y = AsDecimal(b);
  std::optional<Decimal> r;
  switch (kind) {
    case ExprKind::kAdd: r = Add(x, y); break;
    case ExprKind::kSubtract: r = Subtract(x, y); break;
    case ExprKind::kMultiply: r = Multiply(x, y); break;
    case ExprKind::kDivide: r = Divide(x, y); break;
    case ExprKind::kDiv: {
      const auto quotient = DivTruncate(x, y);
      if (!quotient) return std::nullopt;
      const auto whole = quotient->ToInt64();
      if (!whole || *whole < std::numeric_limits<std::int32_t>::min() ||
          *whole > std::numeric_limits<std::int32_t>::max())
        return std::nullopt;
      return Item::Integer(*whole);
    }
    case ExprKind::kMod: r = Modulo(x, y); break;
    default: return std::nullopt;
  }
  if (!r) return std::nullopt;
  return Item::Of(*r);
}

std::string_view Symbol(ExprKind kind) {
  switch (kind) {
    case ExprKind::kAdd: return "+";
    case ExprKind::kSubtract: return "-";
    case ExprKind::kMultiply: return "*";
    case ExprKind::kDivide: return "/";
    case ExprKind::kDiv: return "div";
    case ExprKind::kMod: return "mod";
    case ExprKind::kConcat: return "&";
    default: return "?";
  }
}

}  // namespace

bool Machine::Arithmetic(const Expr& e, const Frame& frame, Sink out) {
  Item a, b;
  const int count_a = One(e.focus, frame, &a);
  if (count_a < 0) return false;
  if (count_a > 1)
    return Stop(Code::kSemantic,
                std::string("the operand of '") + std::string(Symbol(e.kind)) +
                    "' must be one item, and there are several",
                e);
  if (e.kind == ExprKind::kNegate) {
    if (count_a == 0) return true;
    Rest(a);
    a = ToSystem(a, evaluation_);
    switch (a.kind()) {
      case ItemKind::kInteger: return out(Item::Integer(-a.integer()));
      case ItemKind::kLong:
        return a.integer() == std::numeric_limits<std::int64_t>::min() || out(Item::Long(-a.integer()));
      case ItemKind::kDecimal: return out(Item::Of(a.decimal().Negated()));
      case ItemKind::kQuantity: return out(Item::Quantity(a.decimal().Negated(), &a.unit()));
      default: return Stop(Code::kSemantic, "'-' wants a number, not " + TypeText(a), e);
    }
  }
  const int count_b = One(program_.arg(e, 0), frame, &b);
  if (count_b < 0) return false;
  if (count_b > 1)
    return Stop(Code::kSemantic,
                std::string("the operand of '") + std::string(Symbol(e.kind)) +
                    "' must be one item, and there are several",
                e);
  if (count_a > 0) {
    Rest(a);
    a = ToSystem(a, evaluation_);
  }
  if (count_b > 0) {
    Rest(b);
    b = ToSystem(b, evaluation_);
  }
  if (e.kind == ExprKind::kConcat) {
    // '&' counts nothing as ''.
    for (const auto& [item, count] : {std::pair(&a, count_a), std::pair(&b, count_b)}) {
      if (count > 0 && item->kind() != ItemKind::kString)
        return Stop(Code::kSemantic, "'&' wants strings, not " + TypeText(*item), e);
    }
    std::string text;
    if (count_a > 0) text += a.string();
    if (count_b > 0) text += b.string();
    if (text.size() > state_.options.limits.max_string)
      return Stop(Code::kLimit, "a string grows past its limit", e);
    return out(Item::String(evaluation_.KeepString(text)));
  }
  if (count_a == 0 || count_b == 0) return true;
  if (IsNumber(a) && IsNumber(b)) {
    const auto result = Number(e.kind, a, b);
    return !result || out(*result);
  }
  return AddValues(e, a, b, out);
}

// What is not two numbers: strings, dates with quantities, quantities.
bool Machine::AddValues(const Expr& e, const Item& a, const Item& b, Sink out) {
  const bool plus = e.kind == ExprKind::kAdd, minus = e.kind == ExprKind::kSubtract;
  if (plus && a.kind() == ItemKind::kString && b.kind() == ItemKind::kString) {
    std::string text(a.string());
    text += b.string();
    if (text.size() > state_.options.limits.max_string)
      return Stop(Code::kLimit, "a string grows past its limit", e);
    return out(Item::String(evaluation_.KeepString(text)));
  }
  if ((plus || minus) && a.kind() == ItemKind::kTemporal && b.kind() == ItemKind::kQuantity) {
    const UnitText& unit = b.unit();
    // A keyword in quotes (1 'month') is no UCUM, but cannot mean anything else.
    auto calendar = CalendarKeyword(unit.text);
    if (!calendar && !unit.calendar) calendar = CalendarUcum(unit.text);
    // 'a' and 'mo' are definite lengths that no calendar has: adding them to a date has no right answer.
    if (!unit.calendar && (unit.text == "a" || unit.text == "mo")) calendar.reset();
    if (!calendar) {
      return Stop(Code::kSemantic,
                  "a " + TypeText(a) + " takes calendar units (years, months, days, ...), not '" +
                      std::string(unit.text) + "'",
                  e);
    }
    const auto result = Add(a.temporal(), minus ? b.decimal().Negated() : b.decimal(), *calendar);
    return !result || out(Item::Of(*result));
  }
  const bool a_amount = a.kind() == ItemKind::kQuantity || IsNumber(a);
  const bool b_amount = b.kind() == ItemKind::kQuantity || IsNumber(b);
  if (a_amount && b_amount && e.kind != ExprKind::kDiv && e.kind != ExprKind::kMod) {
    const Quantity x = AsQuantity(a), y = AsQuantity(b);
    std::optional<OwnedQuantity> result;
    if (plus)
      result = Add(x, y);
    else if (minus)
      result = Subtract(x, y);
    else if (e.kind == ExprKind::kMultiply)
      result = Multiply(x, y);
    else
      result = Divide(x, y);
    return !result ||
           out(Item::Quantity(result->value, evaluation_.KeepUnit(result->unit, result->calendar)));
  }
  return Stop(Code::kSemantic,
              std::string("'") + std::string(Symbol(e.kind)) + "' does not work on " + TypeText(a) + " and " +
                  TypeText(b),
              e);
}

}  // namespace stepwise::fhirpath
