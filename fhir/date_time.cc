// Parsing, printing and the calendar; comparison and arithmetic have their own files.
#include "fhir/date_time.h"

#include <algorithm>
#include <array>

namespace stepwise {
namespace {

constexpr std::int64_t kDayMillis = 86'400'000;
constexpr int kMaxOffsetMinutes = 14 * 60;

// Takes characters from the front of a text; every reader returns false without a value on a mismatch.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool AtEnd() const { return at_ == text_.size(); }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Exactly `count` digits with a value in low..high.
  bool Number(std::size_t count, int low, int high, int* value) {
    if (text_.size() - at_ < count) return false;
    int number = 0;
    for (std::size_t i = at_; i < at_ + count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      number = number * 10 + (text_[i] - '0');
    }
    if (number < low || number > high) return false;
    at_ += count;
    *value = number;
    return true;
  }
  bool Byte(std::size_t count, int low, int high, std::uint8_t* value) {
    int number = 0;
    if (!Number(count, low, high, &number)) return false;
    *value = static_cast<std::uint8_t>(number);
    return true;
  }
  // One or more digits after the point: the first three are the milliseconds.
  bool Fraction(DateTime* value) {
    int millis = 0;
    int digits = 0;
    for (; !AtEnd() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits) {
      if (digits < 3) millis = millis * 10 + (text_[at_] - '0');
    }
    if (digits == 0) return false;
    for (int i = digits; i < 3; ++i) millis *= 10;
    value->millisecond = static_cast<std::uint16_t>(millis);
    value->fraction_digits = static_cast<std::uint8_t>(std::min(digits, 9));
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// YYYY[-MM[-DD]]
bool TakeDate(Cursor* cursor, DateTime* value) {
  int year = 0;
  if (!cursor->Number(4, 1, 9999, &year)) return false;
  value->year = static_cast<std::int16_t>(year);
  value->precision = Precision::kYear;
  if (!cursor->Take('-')) return true;
  if (!cursor->Byte(2, 1, 12, &value->month)) return false;
  value->precision = Precision::kMonth;
  if (!cursor->Take('-')) return true;
  value->precision = Precision::kDay;
  return cursor->Byte(2, 1, DaysInMonth(year, value->month), &value->day);
}

// hh[:mm[:ss[.f+]]]
bool TakeTime(Cursor* cursor, int last_second, DateTime* value) {
  if (!cursor->Byte(2, 0, 23, &value->hour)) return false;
  value->precision = Precision::kHour;
  if (!cursor->Take(':')) return true;
  if (!cursor->Byte(2, 0, 59, &value->minute)) return false;
  value->precision = Precision::kMinute;
  if (!cursor->Take(':')) return true;
  if (!cursor->Byte(2, 0, last_second, &value->second)) return false;
  value->precision = Precision::kSecond;
  if (!cursor->Take('.')) return true;
  value->precision = Precision::kMillisecond;
  return cursor->Fraction(value);
}

// [Z|+-hh:mm]
bool TakeOffset(Cursor* cursor, DateTime* value) {
  if (cursor->Take('Z')) {
    value->has_offset = value->zulu = true;
    return true;
  }
  const bool west = cursor->Take('-');
  if (!west && !cursor->Take('+')) return true;
  int hours = 0;
  int minutes = 0;
  if (!cursor->Number(2, 0, 14, &hours) || !cursor->Take(':') || !cursor->Number(2, 0, 59, &minutes))
    return false;
  const int offset = hours * 60 + minutes;
  if (offset > kMaxOffsetMinutes) return false;
  value->has_offset = true;
  value->offset_minutes = static_cast<std::int16_t>(west ? -offset : offset);
  return true;
}

void AppendPadded(std::string* out, int value, int width) {
  std::array<char, 8> digits{};
  for (int i = width - 1; i >= 0; --i, value /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out->append(digits.data(), static_cast<std::size_t>(width));
}

struct UnitName {
  CalendarUnit unit;
  std::string_view keyword;
  std::string_view ucum;
};
constexpr std::array<UnitName, 8> kUnitNames = {{{CalendarUnit::kYear, "year", "a"},
                                                 {CalendarUnit::kMonth, "month", "mo"},
                                                 {CalendarUnit::kWeek, "week", "wk"},
                                                 {CalendarUnit::kDay, "day", "d"},
                                                 {CalendarUnit::kHour, "hour", "h"},
                                                 {CalendarUnit::kMinute, "minute", "min"},
                                                 {CalendarUnit::kSecond, "second", "s"},
                                                 {CalendarUnit::kMillisecond, "millisecond", "ms"}}};

}  // namespace

std::optional<DateTime> DateTime::ParseDate(std::string_view text) {
  DateTime value;
  value.kind = TemporalKind::kDate;
  Cursor cursor(text);
  if (!TakeDate(&cursor, &value) || !cursor.AtEnd()) return std::nullopt;
  return value;
}

std::optional<DateTime> DateTime::ParseDateTime(std::string_view text) {
  DateTime value;
  Cursor cursor(text);
  if (!TakeDate(&cursor, &value)) return std::nullopt;
  if (cursor.Take('T') && !cursor.AtEnd()) {
    if (value.precision != Precision::kDay) return std::nullopt;
    if (!TakeTime(&cursor, 60, &value) || !TakeOffset(&cursor, &value)) return std::nullopt;
  }
  if (!cursor.AtEnd()) return std::nullopt;
  return value;
}

std::optional<DateTime> DateTime::ParseTime(std::string_view text) {
  DateTime value;
  value.kind = TemporalKind::kTime;
  Cursor cursor(text);
  if (!TakeTime(&cursor, 59, &value) || !cursor.AtEnd()) return std::nullopt;
  return value;
}

std::string DateTime::ToString() const {
  std::string out;
  out.reserve(32);
  if (kind != TemporalKind::kTime) {
    AppendPadded(&out, year, 4);
    if (precision >= Precision::kMonth) AppendPadded(&(out += '-'), month, 2);
    if (precision >= Precision::kDay) AppendPadded(&(out += '-'), day, 2);
    if (precision >= Precision::kHour) out += 'T';
  }
  if (precision >= Precision::kHour) AppendPadded(&out, hour, 2);
  if (precision >= Precision::kMinute) AppendPadded(&(out += ':'), minute, 2);
  if (precision >= Precision::kSecond) AppendPadded(&(out += ':'), second, 2);
  if (precision == Precision::kMillisecond) {
    out += '.';
    const int digits = std::clamp<int>(fraction_digits, 1, 3);
    AppendPadded(&out, digits == 3 ? millisecond : millisecond / (digits == 2 ? 10 : 100), digits);
  }
  if (!has_offset) return out;
  if (zulu) return out += 'Z';
  const int minutes = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  AppendPadded(&(out += offset_minutes < 0 ? '-' : '+'), minutes / 60, 2);
  AppendPadded(&(out += ':'), minutes % 60, 2);
  return out;
}

DateTime DateTime::FromUnixMillis(std::int64_t millis, int offset_minutes) {
  offset_minutes = std::clamp(offset_minutes, -kMaxOffsetMinutes, kMaxOffsetMinutes);
  static const std::int64_t kFirst = DaysFromCivil(1, 1, 1) * kDayMillis;
  static const std::int64_t kLast = DaysFromCivil(9999, 12, 31) * kDayMillis + kDayMillis - 1;
  const std::int64_t shift = std::int64_t{offset_minutes} * 60'000;
  const std::int64_t local = std::clamp(millis, kFirst - shift, kLast - shift) + shift;
  const std::int64_t days = (local < 0 ? local - kDayMillis + 1 : local) / kDayMillis;
  const auto time = static_cast<int>(local - days * kDayMillis);
  DateTime value = DateFromDays(days);
  value.kind = TemporalKind::kDateTime;
  value.precision = Precision::kMillisecond;
  value.fraction_digits = 3;
  value.has_offset = true;
  value.zulu = offset_minutes == 0;
  value.offset_minutes = static_cast<std::int16_t>(offset_minutes);
  value.hour = static_cast<std::uint8_t>(time / 3'600'000);
  value.minute = static_cast<std::uint8_t>(time / 60'000 % 60);
  value.second = static_cast<std::uint8_t>(time / 1000 % 60);
  value.millisecond = static_cast<std::uint16_t>(time % 1000);
  return value;
}

std::int64_t DateTime::ToUnixMillis() const {
  const std::int64_t time = ((hour * 60 + minute) * 60 + second) * std::int64_t{1000} + millisecond;
  if (kind == TemporalKind::kTime) return time;
  return DaysFromCivil(year, month, day) * kDayMillis + time -
         (has_offset ? std::int64_t{offset_minutes} * 60'000 : 0);
}

DateTime DateTime::AsDateTime() const {
  DateTime value = *this;
  if (kind == TemporalKind::kDate) value.kind = TemporalKind::kDateTime;
  return value;
}

DateTime DateTime::AsDate() const {
  if (kind == TemporalKind::kTime) return *this;
  DateTime value;
  value.kind = TemporalKind::kDate;
  value.year = year;
  value.month = month;
  value.day = day;
  value.precision = std::min(precision, Precision::kDay);
  return value;
}

int DaysInMonth(int year, int month) {
  constexpr std::array<std::uint8_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) return 0;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

// Both directions count in 400-year eras of 146097 days that begin on 1 March, so that the leap day is the
// last of its year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", public domain).
std::int64_t DaysFromCivil(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

DateTime DateFromDays(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  DateTime value;
  value.kind = TemporalKind::kDate;
  value.year = static_cast<std::int16_t>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  value.month = static_cast<std::uint8_t>(month);
  value.day = static_cast<std::uint8_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  value.precision = Precision::kDay;
  return value;
}

std::optional<CalendarUnit> CalendarKeyword(std::string_view keyword) {
  for (const UnitName& name : kUnitNames) {
    if (keyword.substr(0, name.keyword.size()) != name.keyword) continue;
    const std::string_view rest = keyword.substr(name.keyword.size());
    if (rest.empty() || rest == "s") return name.unit;
  }
  return std::nullopt;
}

std::optional<CalendarUnit> CalendarUcum(std::string_view code) {
  for (const UnitName& name : kUnitNames) {
    if (code == name.ucum) return name.unit;
  }
  return std::nullopt;
}

std::string_view CalendarName(CalendarUnit unit) {
  return kUnitNames[static_cast<std::size_t>(unit)].keyword;
}

}  // namespace stepwise
