// Explicit conversions: toX() is the value or empty, convertsToX() whether toX() has one.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "fhir/fhirpath/date_format.h"
#include "fhir/fhirpath/functions.h"
#include "fhir/quantity.h"
#include "fhir/ucum/ucum.h"

namespace stepwise::fhirpath {
namespace {

// What one conversion makes of call.one().
using Conversion = std::optional<Item> (*)(Call& call);

template <Conversion convert>
Status To(Call& call) {
  if (const std::optional<Item> item = convert(call)) call.Emit(*item);
  return {};
}

template <Conversion convert>
Status ConvertsTo(Call& call) {
  call.Emit(convert(call).has_value());
  return {};
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<Item> ToBoolean(Call& call) {
  const Item& item = call.one();
  switch (item.kind()) {
    case ItemKind::kBoolean: return item;
    case ItemKind::kInteger:
    case ItemKind::kLong:
      if (item.integer() != 0 && item.integer() != 1) return std::nullopt;
      return Item::Boolean(item.integer() == 1);
    case ItemKind::kDecimal:
      if (item.decimal() == Decimal(1)) return Item::Boolean(true);
      if (item.decimal().IsZero()) return Item::Boolean(false);
      return std::nullopt;
    case ItemKind::kString: {
      constexpr std::array<std::string_view, 6> kTrue = {"true", "t", "yes", "y", "1", "1.0"};
      constexpr std::array<std::string_view, 6> kFalse = {"false", "f", "no", "n", "0", "0.0"};
      if (item.string().size() > 5) return std::nullopt;
      const std::string text = Lower(item.string());
      if (std::ranges::find(kTrue, text) != kTrue.end()) return Item::Boolean(true);
      if (std::ranges::find(kFalse, text) != kFalse.end()) return Item::Boolean(false);
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

// (\+|-)?\d+(\.\d+)? at the front of `text`: its length, 0 if it is not there. `fraction`: whether it has
// one.
std::size_t NumberLength(std::string_view text, bool* fraction) {
  const auto digits = [&](std::size_t at) {
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at;
  };
  const std::size_t begin = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  std::size_t end = digits(begin);
  *fraction = false;
  if (end == begin) return 0;
  if (end < text.size() && text[end] == '.' && digits(end + 1) > end + 1) {
    end = digits(end + 1);
    *fraction = true;
  }
  return end;
}

std::optional<std::int64_t> ParseWhole(std::string_view text) {
  bool fraction = false;
  if (text.empty() || NumberLength(text, &fraction) != text.size() || fraction) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;  // too large
  return value;
}

// `text` is a number by NumberLength().
std::optional<Decimal> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return Decimal::Parse(text);
}

std::optional<std::int64_t> Whole(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kBoolean: return item.boolean() ? 1 : 0;
    case ItemKind::kInteger:
    case ItemKind::kLong: return item.integer();
    case ItemKind::kString: return ParseWhole(item.string());
    default: return std::nullopt;
  }
}

std::optional<Item> ToInteger(Call& call) {
  const std::optional<std::int64_t> value = Whole(call.one());
  if (!value || !FitsInteger(*value)) return std::nullopt;
  return Item::Integer(*value);
}

std::optional<Item> ToLong(Call& call) {
  const std::optional<std::int64_t> value = Whole(call.one());
  if (!value) return std::nullopt;
  return Item::Long(*value);
}

std::optional<Decimal> DecimalOf(const Item& item) {
  switch (item.kind()) {
    case ItemKind::kBoolean: return Decimal::Make(item.boolean() ? 10 : 0, 1);
    case ItemKind::kInteger:
    case ItemKind::kLong: return Decimal(item.integer());
    case ItemKind::kDecimal: return item.decimal();
    case ItemKind::kString: {
      bool fraction = false;
      const std::string_view text = item.string();
      if (text.empty() || NumberLength(text, &fraction) != text.size()) return std::nullopt;
      return ParseNumber(text);
    }
    default: return std::nullopt;
  }
}

std::optional<Item> ToDecimal(Call& call) {
  const std::optional<Decimal> value = DecimalOf(call.one());
  if (!value) return std::nullopt;
  return Item::Of(*value);
}

bool HasText(const Item& item) {
  return item.kind() != ItemKind::kNode && item.kind() != ItemKind::kTypeInfo;
}

Status ToString(Call& call) {
  const Item& item = call.one();
  if (item.kind() == ItemKind::kString) {
    call.Emit(Item::String(item.string()));
    return {};
  }
  return HasText(item) ? EmitText(call, ValueText(item)) : Status();
}

Status ConvertsToString(Call& call) {
  call.Emit(HasText(call.one()));
  return {};
}

std::optional<Item> ToDate(Call& call) {
  const Item& item = call.one();
  if (item.kind() == ItemKind::kTemporal) {
    if (item.temporal().kind == TemporalKind::kTime) return std::nullopt;
    return Item::Of(item.temporal().AsDate());
  }
  if (item.kind() != ItemKind::kString) return std::nullopt;
  if (call.has(0)) {
    const std::optional<DateTime> value = ParseWithFormat(item.string(), call.arg(0).string());
    if (!value) return std::nullopt;
    return Item::Of(value->AsDate());
  }
  const std::optional<DateTime> value = DateTime::ParseDate(item.string());
  if (!value) return std::nullopt;
  return Item::Of(*value);
}

std::optional<Item> ToDateTime(Call& call) {
  const Item& item = call.one();
  if (item.kind() == ItemKind::kTemporal) {
    if (item.temporal().kind == TemporalKind::kTime) return std::nullopt;
    return Item::Of(item.temporal().AsDateTime());
  }
  if (item.kind() != ItemKind::kString) return std::nullopt;
  const std::optional<DateTime> value = call.has(0) ? ParseWithFormat(item.string(), call.arg(0).string())
                                                    : DateTime::ParseDateTime(item.string());
  if (!value) return std::nullopt;
  return Item::Of(*value);
}

std::optional<Item> ToTime(Call& call) {
  const Item& item = call.one();
  if (item.kind() == ItemKind::kTemporal && item.temporal().kind == TemporalKind::kTime) return item;
  if (item.kind() != ItemKind::kString) return std::nullopt;
  const std::optional<DateTime> value = DateTime::ParseTime(item.string());
  if (!value) return std::nullopt;
  return Item::Of(*value);
}

// (\+|-)?\d+(\.\d+)? and then nothing, 'a UCUM code' or a calendar keyword.
std::optional<Quantity> ParseQuantity(std::string_view text) {
  bool fraction = false;
  const std::size_t length = NumberLength(text, &fraction);
  if (length == 0) return std::nullopt;
  const std::optional<Decimal> value = ParseNumber(text.substr(0, length));
  if (!value) return std::nullopt;
  text.remove_prefix(length);
  if (text.empty()) return Quantity{*value};
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n\r\f\v"), text.size()));
  if (text.size() > 2 && text.front() == '\'' && text.find('\'', 1) == text.size() - 1) {
    return Quantity{*value, text.substr(1, text.size() - 2)};
  }
  if (text.empty()) return Quantity{*value};
  if (!CalendarKeyword(text)) return std::nullopt;
  return Quantity{*value, text, true};
}

std::optional<Quantity> QuantityOf(const Item& item) {
  if (item.kind() == ItemKind::kQuantity)
    return Quantity{item.decimal(), item.unit().text, item.unit().calendar};
  if (item.kind() == ItemKind::kString) return ParseQuantity(item.string());
  const std::optional<Decimal> value = DecimalOf(item);
  if (!value) return std::nullopt;
  return Quantity{*value};
}

// Factors between calendar durations, in milliseconds: a year counts 365 days and a month 30, but 12 months
// are a year.
std::optional<Decimal> ConvertCalendar(const Decimal& value, CalendarUnit from, CalendarUnit to) {
  constexpr std::int64_t kDay = 86'400'000;
  constexpr std::array<std::int64_t, 8> kMillis = {365 * kDay, 30 * kDay, 7 * kDay, kDay,
                                                   3'600'000,  60'000,    1000,     1};
  std::int64_t numerator = kMillis[static_cast<std::size_t>(from)];
  std::int64_t denominator = kMillis[static_cast<std::size_t>(to)];
  if (from == to) return value;
  if (from == CalendarUnit::kYear && to == CalendarUnit::kMonth) numerator = 12, denominator = 1;
  if (from == CalendarUnit::kMonth && to == CalendarUnit::kYear) numerator = 1, denominator = 12;
  if (numerator % denominator == 0) return Multiply(value, Decimal(numerator / denominator));
  const std::optional<Decimal> product = Multiply(value, Decimal(numerator));
  return product ? Divide(*product, Decimal(denominator)) : std::nullopt;
}

std::optional<Decimal> ConvertUcum(const Decimal& value, std::string_view from, std::string_view to) {
  if (from == to) return value;
  const Result<ucum::Unit> from_unit = ucum::Parse(from);
  const Result<ucum::Unit> to_unit = ucum::Parse(to);
  if (!from_unit || !to_unit) return std::nullopt;
  return ucum::Convert(value, *from_unit, *to_unit);
}

// UCUM code of the definite duration that a calendar unit stands for.
std::string_view UcumCode(CalendarUnit unit) {
  constexpr std::array<std::string_view, 8> kCodes = {"a", "mo", "wk", "d", "h", "min", "s", "ms"};
  return kCodes[static_cast<std::size_t>(unit)];
}

// The value in another unit: within the calendar, or within UCUM; from one to the other by the counterparts.
std::optional<Decimal> ConvertUnit(const Quantity& quantity, std::string_view unit) {
  const std::optional<CalendarUnit> to_keyword = CalendarKeyword(unit);
  if (!quantity.calendar) {
    return ConvertUcum(quantity.value, quantity.unit.empty() ? "1" : quantity.unit,
                       to_keyword ? UcumCode(*to_keyword) : unit);
  }
  const std::optional<CalendarUnit> from = CalendarKeyword(quantity.unit);
  if (!from) return std::nullopt;
  const std::optional<CalendarUnit> to = to_keyword ? to_keyword : CalendarUcum(unit);
  if (to) return ConvertCalendar(quantity.value, *from, *to);
  if (*from <= CalendarUnit::kMonth) return std::nullopt;  // no fixed time
  return ConvertUcum(quantity.value, UcumCode(*from), unit);
}

std::optional<Item> ToQuantity(Call& call) {
  std::optional<Quantity> quantity = QuantityOf(call.one());
  if (!quantity) return std::nullopt;
  if (call.has(0)) {
    const std::string_view unit = call.arg(0).string();
    const bool calendar = CalendarKeyword(unit).has_value();
    // A number has no unit yet: the argument says what it was meant in.
    const bool unity = !quantity->calendar && (quantity->unit == "1" || quantity->unit.empty());
    if (!unity) {
      const std::optional<Decimal> value = ConvertUnit(*quantity, unit);
      if (!value) return std::nullopt;
      quantity->value = *value;
    } else if (!calendar && !ucum::Parse(unit)) {
      return std::nullopt;
    }
    quantity->unit = unit;
    quantity->calendar = calendar;
  } else if (call.one().kind() == ItemKind::kQuantity) {
    return call.one();
  }
  if (!quantity->calendar && quantity->unit == kUnityUnit.text)
    return Item::Quantity(quantity->value, &kUnityUnit);
  return Item::Quantity(quantity->value, call.evaluation().KeepUnit(quantity->unit, quantity->calendar));
}

constexpr Parameter kFormatParameter{Want::kString, "format", true};
constexpr Parameter kUnitParameter{Want::kString, "unit", true};

constexpr Builtin kRows[] = {
    {.name = "toBoolean",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = To<ToBoolean>,
     .doc = "true for true, 1, 1.0 and 'true', 't', 'yes', 'y' in any case; false for their opposites; else "
            "empty.",
     .spec = "fhirpath#toboolean"},
    {.name = "convertsToBoolean",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToBoolean>,
     .doc = "Whether toBoolean() has a result.",
     .spec = "fhirpath#convertstoboolean"},
    {.name = "toInteger",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = To<ToInteger>,
     .doc =
         "The Integer (32 bits) of a whole number, of a text like '+1', or of a Boolean (1, 0); else empty.",
     .spec = "fhirpath#tointeger"},
    {.name = "convertsToInteger",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToInteger>,
     .doc = "Whether toInteger() has a result.",
     .spec = "fhirpath#convertstointeger"},
    {.name = "toLong",
     .input = Want::kOne,
     .result = types::kSystemLong,
     .fn = To<ToLong>,
     .doc = "The Long (64 bits) of a whole number, of a text like '+1', or of a Boolean (1, 0); else empty.",
     .spec = "fhirpath#tolong"},
    {.name = "convertsToLong",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToLong>,
     .doc = "Whether toLong() has a result.",
     .spec = "fhirpath#convertstolong"},
    {.name = "toDecimal",
     .input = Want::kOne,
     .result = types::kSystemDecimal,
     .fn = To<ToDecimal>,
     .doc = "The Decimal of a number, of a text like '-1.50' (digits kept), or of a Boolean (1.0, 0.0); else "
            "empty.",
     .spec = "fhirpath#todecimal"},
    {.name = "convertsToDecimal",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToDecimal>,
     .doc = "Whether toDecimal() has a result.",
     .spec = "fhirpath#convertstodecimal"},
    {.name = "toString",
     .input = Want::kOne,
     .result = types::kSystemString,
     .fn = ToString,
     .doc = "The text of a simple value, as precise as it is: '1.50', '2024-05', '4 \\'mg\\''; empty for "
            "complex elements.",
     .spec = "fhirpath#tostring"},
    {.name = "convertsToString",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsToString,
     .doc = "Whether toString() has a result.",
     .spec = "fhirpath#convertstostring"},
    {.name = "toDate",
     .input = Want::kOne,
     .params = {{kFormatParameter}},
     .result = types::kSystemDate,
     .fn = To<ToDate>,
     .doc = "The Date of a text (in a format like 'dd.MM.yyyy', if given) or of a DateTime, without its "
            "time; else empty.",
     .spec = "fhirpath#todate"},
    {.name = "convertsToDate",
     .input = Want::kOne,
     .params = {{kFormatParameter}},
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToDate>,
     .doc = "Whether toDate() has a result.",
     .spec = "fhirpath#convertstodate"},
    {.name = "toDateTime",
     .input = Want::kOne,
     .params = {{kFormatParameter}},
     .result = types::kSystemDateTime,
     .fn = To<ToDateTime>,
     .doc =
         "The DateTime of a text (in a format like 'dd.MM.yyyy HH:mm', if given) or of a Date; else empty.",
     .spec = "fhirpath#todatetime"},
    {.name = "convertsToDateTime",
     .input = Want::kOne,
     .params = {{kFormatParameter}},
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToDateTime>,
     .doc = "Whether toDateTime() has a result.",
     .spec = "fhirpath#convertstodatetime"},
    {.name = "toTime",
     .input = Want::kOne,
     .result = types::kSystemTime,
     .fn = To<ToTime>,
     .doc = "The Time of a text like '14:30'; else empty.",
     .spec = "fhirpath#totime"},
    {.name = "convertsToTime",
     .input = Want::kOne,
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToTime>,
     .doc = "Whether toTime() has a result.",
     .spec = "fhirpath#convertstotime"},
    {.name = "toQuantity",
     .input = Want::kOne,
     .params = {{kUnitParameter}},
     .result = types::kSystemQuantity,
     .fn = To<ToQuantity>,
     .doc = "The Quantity of a number or of a text like '4 days', converted to a unit if one is given; else "
            "empty.",
     .spec = "fhirpath#toquantity"},
    {.name = "convertsToQuantity",
     .input = Want::kOne,
     .params = {{kUnitParameter}},
     .result = types::kSystemBoolean,
     .fn = ConvertsTo<ToQuantity>,
     .doc = "Whether toQuantity() has a result.",
     .spec = "fhirpath#convertstoquantity"},
};

}  // namespace

std::span<const Builtin> ConversionFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
