// Adding calendar durations to dates and times, and the durations between two.
#include <algorithm>

#include "fhir/date_time.h"

namespace stepwise {
namespace {

constexpr std::int64_t kDayMillis = 86'400'000;

constexpr std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Milliseconds of one hour, minute, second or millisecond.
constexpr std::int64_t UnitMillis(CalendarUnit unit) {
  switch (unit) {
    case CalendarUnit::kWeek: return 7 * kDayMillis;
    case CalendarUnit::kDay: return kDayMillis;
    case CalendarUnit::kHour: return 3'600'000;
    case CalendarUnit::kMinute: return 60'000;
    case CalendarUnit::kSecond: return 1000;
    default: return 1;
  }
}

constexpr std::int64_t PrecisionMillis(Precision precision) {
  switch (precision) {
    case Precision::kHour: return 3'600'000;
    case Precision::kMinute: return 60'000;
    case Precision::kSecond: return 1000;
    case Precision::kMillisecond: return 1;
    default: return kDayMillis;
  }
}

Precision NeededPrecision(CalendarUnit unit) {
  switch (unit) {
    case CalendarUnit::kYear: return Precision::kYear;
    case CalendarUnit::kMonth: return Precision::kMonth;
    case CalendarUnit::kWeek:
    case CalendarUnit::kDay: return Precision::kDay;
    case CalendarUnit::kHour: return Precision::kHour;
    case CalendarUnit::kMinute: return Precision::kMinute;
    default: return Precision::kSecond;
  }
}

std::int64_t TimeMillis(const DateTime& value) {
  return ((value.hour * 60 + value.minute) * 60 + value.second) * std::int64_t{1000} + value.millisecond;
}

// Milliseconds since 1970-01-01T00:00 as written, whatever the offset.
std::int64_t LocalMillis(const DateTime& value) {
  if (value.kind == TemporalKind::kTime) return TimeMillis(value);
  return DaysFromCivil(value.year, value.month, value.day) * kDayMillis + TimeMillis(value);
}

void SetTime(DateTime* value, std::int64_t millis) {
  value->hour = static_cast<std::uint8_t>(millis / 3'600'000);
  value->minute = static_cast<std::uint8_t>(millis / 60'000 % 60);
  value->second = static_cast<std::uint8_t>(millis / 1000 % 60);
  value->millisecond = static_cast<std::uint16_t>(millis % 1000);
}

// Bounds on what can still be in years 1..9999: they keep the arithmetic below far from overflow.
constexpr std::int64_t kMaxMonths = 12 * 10'000;
constexpr std::int64_t kMaxMillis = 10'000 * 366 * kDayMillis;

std::optional<DateTime> AddMonths(DateTime value, std::int64_t months) {
  if (months > kMaxMonths || months < -kMaxMonths) return std::nullopt;
  const std::int64_t total = value.year * 12 + (value.month - 1) + months;
  const std::int64_t year = FloorDiv(total, 12);
  if (year < 1 || year > 9999) return std::nullopt;
  value.year = static_cast<std::int16_t>(year);
  value.month = static_cast<std::uint8_t>(total - year * 12 + 1);
  value.day = static_cast<std::uint8_t>(std::min<int>(value.day, DaysInMonth(value.year, value.month)));
  return value;
}

// `millis` is a whole number of the precision of `value`, which is a day or finer.
std::optional<DateTime> AddMillis(DateTime value, std::int64_t millis) {
  const std::int64_t sum = LocalMillis(value) + millis;
  const std::int64_t days = FloorDiv(sum, kDayMillis);
  static const std::int64_t kFirstDay = DaysFromCivil(1, 1, 1);
  static const std::int64_t kLastDay = DaysFromCivil(9999, 12, 31);
  if (days < kFirstDay || days > kLastDay) return std::nullopt;
  const DateTime date = DateFromDays(days);
  value.year = date.year;
  value.month = date.month;
  value.day = date.day;
  SetTime(&value, sum - days * kDayMillis);
  return value;
}

// b written with the offset of a, where both have one: boundaries are those of a's clock.
DateTime Aligned(const DateTime& b, const DateTime& a) {
  if (!a.has_offset || !b.has_offset || a.offset_minutes == b.offset_minutes) return b;
  const std::int64_t shift = std::int64_t{a.offset_minutes - b.offset_minutes} * 60'000;
  return AddMillis(b, shift).value_or(b);  // out of range only within hours of the ends of the calendar
}

// What both functions below ask first; with one offset missing the hours between the two are not known.
bool Measurable(const DateTime& a, const DateTime& b, CalendarUnit unit) {
  const bool time = a.kind == TemporalKind::kTime;
  if (time != (b.kind == TemporalKind::kTime)) return false;
  if (time && unit <= CalendarUnit::kDay) return false;
  const Precision needed = NeededPrecision(unit);
  if (a.precision < needed || b.precision < needed) return false;
  return a.has_offset == b.has_offset || needed < Precision::kHour;
}

}  // namespace

std::optional<DateTime> Add(const DateTime& value, const Decimal& amount, CalendarUnit unit) {
  const bool time = value.kind == TemporalKind::kTime;
  if (time && unit <= CalendarUnit::kDay) return std::nullopt;
  if (unit <= CalendarUnit::kMonth) {
    std::optional<std::int64_t> count = amount.Truncated(0).ToInt64();
    if (!count || *count > kMaxMonths || *count < -kMaxMonths) return std::nullopt;
    if (unit == CalendarUnit::kYear) return AddMonths(value, *count * 12);
    if (value.precision == Precision::kYear) *count = *count / 12 * 12;
    return AddMonths(value, *count);
  }
  // Only seconds have a fraction: the milliseconds are part of them.
  const Decimal counted = unit == CalendarUnit::kSecond ? amount : amount.Truncated(0);
  const std::optional<Decimal> product = Multiply(counted, Decimal(UnitMillis(unit)));
  const std::optional<std::int64_t> millis = product ? product->Truncated(0).ToInt64() : std::nullopt;
  if (!millis || *millis > kMaxMillis || *millis < -kMaxMillis) return std::nullopt;
  const std::int64_t step = PrecisionMillis(value.precision);
  const std::int64_t whole = *millis / step * step;
  if (time) {
    DateTime out = value;
    SetTime(&out, (TimeMillis(value) + whole % kDayMillis + kDayMillis) % kDayMillis);
    return out;
  }
  // FHIRPath: a month counts 30 days and a year 365 where the value does not say more.
  if (value.precision == Precision::kYear) return AddMonths(value, whole / kDayMillis / 365 * 12);
  if (value.precision == Precision::kMonth) return AddMonths(value, whole / kDayMillis / 30);
  return AddMillis(value, whole);
}

std::optional<std::int64_t> Duration(const DateTime& a, const DateTime& b, CalendarUnit unit) {
  if (!Measurable(a, b, unit)) return std::nullopt;
  const DateTime end = Aligned(b, a);
  if (unit > CalendarUnit::kMonth) return (LocalMillis(end) - LocalMillis(a)) / UnitMillis(unit);
  const auto rest = [](const DateTime& value) { return (value.day - 1) * kDayMillis + TimeMillis(value); };
  std::int64_t months = (end.year * 12 + end.month) - (a.year * 12 + a.month);
  // The last month counts only when its day and time of day are reached.
  if (months > 0 && rest(end) < rest(a)) --months;
  if (months < 0 && rest(end) > rest(a)) ++months;
  return unit == CalendarUnit::kYear ? months / 12 : months;
}

std::optional<std::int64_t> Difference(const DateTime& a, const DateTime& b, CalendarUnit unit) {
  if (!Measurable(a, b, unit)) return std::nullopt;
  const DateTime end = Aligned(b, a);
  if (unit == CalendarUnit::kYear) return end.year - a.year;
  if (unit == CalendarUnit::kMonth) return (end.year * 12 + end.month) - (a.year * 12 + a.month);
  // Weeks begin on Sunday; 1970-01-01 was a Thursday.
  const std::int64_t shift = unit == CalendarUnit::kWeek ? 4 * kDayMillis : 0;
  const std::int64_t length = UnitMillis(unit);
  return FloorDiv(LocalMillis(end) + shift, length) - FloorDiv(LocalMillis(a) + shift, length);
}

}  // namespace stepwise
