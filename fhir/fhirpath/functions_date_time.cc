// Parts of dates and times, and durations between two.
#include <optional>

#include "fhir/fhirpath/functions.h"

namespace stepwise::fhirpath {
namespace {

// The Date, DateTime or Time that `item` is, or nullptr.
const DateTime* TemporalOf(const Item& item) {
  return item.kind() == ItemKind::kTemporal ? &item.temporal() : nullptr;
}

bool HasDate(const DateTime& value) { return value.kind != TemporalKind::kTime; }

int PartOf(const DateTime& value, Precision part) {
  switch (part) {
    case Precision::kYear: return value.year;
    case Precision::kMonth: return value.month;
    case Precision::kDay: return value.day;
    case Precision::kHour: return value.hour;
    case Precision::kMinute: return value.minute;
    case Precision::kSecond: return value.second;
    case Precision::kMillisecond: return value.millisecond;
  }
  return 0;
}

// Empty for what is no date or time, or does not say this part.
template <Precision part>
Status Part(Call& call) {
  const DateTime* value = TemporalOf(call.one());
  if (value == nullptr || value->precision < part) return {};
  if (part < Precision::kHour && !HasDate(*value)) return {};
  call.Emit(Item::Integer(PartOf(*value, part)));
  return {};
}

Status TimezoneOffset(Call& call) {
  const DateTime* value = TemporalOf(call.one());
  if (value == nullptr || !value->has_offset) return {};
  const std::optional<Decimal> hours = Divide(Decimal(value->offset_minutes), Decimal(60));
  if (hours) call.Emit(Item::Of(hours->scale() == 0 ? hours->Rounded(1) : *hours));
  return {};
}

Status DateOf(Call& call) {
  const DateTime* value = TemporalOf(call.one());
  if (value != nullptr && HasDate(*value)) call.Emit(Item::Of(value->AsDate()));
  return {};
}

Status TimeOf(Call& call) {
  const DateTime* value = TemporalOf(call.one());
  if (value == nullptr || value->kind != TemporalKind::kDateTime || value->precision < Precision::kHour)
    return {};
  DateTime time;
  time.kind = TemporalKind::kTime;
  time.hour = value->hour;
  time.minute = value->minute;
  time.second = value->second;
  time.millisecond = value->millisecond;
  time.precision = value->precision;
  time.fraction_digits = value->fraction_digits;
  call.Emit(Item::Of(time));
  return {};
}

// Milliseconds of a few weeks are more than an Integer holds: those are a Long.
template <std::optional<std::int64_t> (*between)(const DateTime&, const DateTime&, CalendarUnit)>
Status Between(Call& call) {
  const DateTime& a = call.one().temporal();
  const DateTime& b = call.arg(0).temporal();
  const std::string_view name = call.arg(1).string();
  const std::optional<CalendarUnit> unit = CalendarKeyword(name);
  if (!unit) {
    return call.Fail(Code::kSemantic,
                     "'" + std::string(name) +
                         "' is none of 'year', 'month', 'week', 'day', 'hour', 'minute', 'second', "
                         "'millisecond'");
  }
  if (HasDate(a) != HasDate(b)) {
    return call.Fail(Code::kSemantic,
                     "nothing lies between " + TypeText(call.one()) + " and " + TypeText(call.arg(0)));
  }
  if (const std::optional<std::int64_t> count = between(a, b, *unit)) {
    call.Emit(FitsInteger(*count) ? Item::Integer(*count) : Item::Long(*count));
  }
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "yearOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kYear>,
     .doc = "Year of a date.",
     .spec = "fhirpath#yearof"},
    {.name = "monthOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kMonth>,
     .doc = "Month of a date, 1 to 12; empty when the date does not say it.",
     .spec = "fhirpath#monthof"},
    {.name = "dayOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kDay>,
     .doc = "Day of the month of a date, 1 to 31; empty when the date does not say it.",
     .spec = "fhirpath#dayof"},
    {.name = "hourOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kHour>,
     .doc = "Hour of a date and time, or of a time, 0 to 23, as written (not shifted to UTC).",
     .spec = "fhirpath#hourof"},
    {.name = "minuteOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kMinute>,
     .doc = "Minute of a date and time, or of a time, 0 to 59.",
     .spec = "fhirpath#minuteof"},
    {.name = "secondOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kSecond>,
     .doc = "Second of a date and time, or of a time, without its fraction.",
     .spec = "fhirpath#secondof"},
    {.name = "millisecondOf",
     .input = Want::kOne,
     .result = types::kSystemInteger,
     .fn = Part<Precision::kMillisecond>,
     .doc = "Milliseconds of a date and time, or of a time; empty when no fraction of a second is written.",
     .spec = "fhirpath#millisecondof"},
    {.name = "timezoneOffsetOf",
     .input = Want::kOne,
     .result = types::kSystemDecimal,
     .fn = TimezoneOffset,
     .doc = "Offset from UTC in hours, 5.5 for +05:30; empty when none is written.",
     .spec = "fhirpath#timezoneoffsetof"},
    {.name = "dateOf",
     .input = Want::kOne,
     .result = types::kSystemDate,
     .fn = DateOf,
     .doc = "The date of a date and time, as written.",
     .spec = "fhirpath#dateof"},
    {.name = "timeOf",
     .input = Want::kOne,
     .result = types::kSystemTime,
     .fn = TimeOf,
     .doc = "The time of day of a date and time, as written.",
     .spec = "fhirpath#timeof"},
    {.name = "duration",
     .input = Want::kTemporal,
     .params = {{{Want::kTemporal, "value"}, {Want::kString, "precision"}}},
     .fn = Between<Duration>,
     .doc = "Whole periods ('year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond') up to "
            "a value.",
     .spec = "fhirpath#duration"},
    {.name = "difference",
     .input = Want::kTemporal,
     .params = {{{Want::kTemporal, "value"}, {Want::kString, "precision"}}},
     .fn = Between<Difference>,
     .doc =
         "Boundaries of a period ('year', ..., 'millisecond'; weeks begin on Sunday) crossed up to a value.",
     .spec = "fhirpath#difference"},
};

}  // namespace

std::span<const Builtin> DateTimeFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
