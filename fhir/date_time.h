// DateTime: a FHIR/FHIRPath Date, DateTime or Time with partial precision and an optional zone offset.
//
// One 16-byte value type for the three: `kind` says which. What was not written is not known: 2024-05 is
// not 2024-05-01, and comparing the two gives "unknown", not an answer.
//
//   DateTime a = *DateTime::ParseDateTime("2024-05-01T10:00:00+02:00");
//   DateTime b = *DateTime::ParseDate("2024-05");
//   Compare(a, b) -> nullopt                      // the month is equal, the day of b is not known
//
// Calendar: proleptic Gregorian, years 0001..9999. A second 60 (leap second) is valid in a DateTime, is kept
// as written and counts as the first second of the next minute where a moment is computed. Sources: FHIRPath
// N1 "Date", "DateTime", "Time", "Date/Time Arithmetic", "Comparison"; FHIR R4 datatypes (dateTime, date,
// time, instant).
#ifndef STEPWISE_FHIR_DATE_TIME_H_
#define STEPWISE_FHIR_DATE_TIME_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/decimal.h"

namespace stepwise {

enum class TemporalKind : std::uint8_t { kDate, kDateTime, kTime };
// Seconds and milliseconds count as one precision when comparing; kMillisecond remembers that digits were
// written so that output is faithful.
enum class Precision : std::uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kMillisecond };
enum class CalendarUnit : std::uint8_t { kYear, kMonth, kWeek, kDay, kHour, kMinute, kSecond, kMillisecond };

struct DateTime {
  std::int16_t year = 1;
  std::uint8_t month = 1, day = 1, hour = 0, minute = 0, second = 0;
  TemporalKind kind = TemporalKind::kDateTime;
  std::uint16_t millisecond = 0;
  std::int16_t offset_minutes = 0;  // meaningful only when has_offset
  Precision precision = Precision::kDay;
  bool has_offset = false;
  bool zulu = false;  // written as "Z", so that output is "Z" and not "+00:00"
  // Digits of the fraction as written (0..9). More than 3 are cut, from the value and from what prints.
  std::uint8_t fraction_digits = 0;

  // Each accepts exactly the FHIRPath literal text without '@' (a time without 'T'), FHIR primitives
  // included (instant = dateTime with offset). nullopt: not that kind of text, or no such day.
  static std::optional<DateTime> ParseDate(std::string_view text);  // YYYY[-MM[-DD]]
  // YYYY[-MM[-DD]][T] or YYYY-MM-DDThh[:mm[:ss[.f+]]][Z|+-hh:mm], offset within 14:00.
  static std::optional<DateTime> ParseDateTime(std::string_view text);
  static std::optional<DateTime> ParseTime(std::string_view text);  // hh[:mm[:ss[.f+]]]
  // Instant from Unix time, shown with the given offset ("Z" for 0); precision milliseconds. Moments outside
  // the calendar give its first or last.
  static DateTime FromUnixMillis(std::int64_t millis, int offset_minutes = 0);

  std::string ToString()
      const;  // as written: precision, fraction digits and offset kept; no '@', no leading 'T'
  // Milliseconds since the Unix epoch of the earliest moment this value can mean, offset applied (values
  // without an offset count as UTC). Not for kTime.
  std::int64_t ToUnixMillis() const;

  DateTime AsDateTime() const;  // Date -> DateTime of the same precision
  DateTime AsDate() const;      // DateTime -> Date (time and offset dropped)
};

int DaysInMonth(int year, int month);
std::int64_t DaysFromCivil(int year, int month, int day);  // days since 1970-01-01
DateTime DateFromDays(std::int64_t days);                  // the inverse: a Date; days within the calendar

// FHIRPath comparison. nullopt = not known (equal as far as both say, and one says more; or one has an
// offset and the other has not and a time-of-day decides; or kinds that do not compare).
// A Date compares with a DateTime as a DateTime of its precision. Offsets count only when both say a time of
// day: a plain date compares with the date that the other one wrote. With one offset missing the answer is
// the one that every offset -14:00..+14:00 gives, or nullopt.
std::optional<std::strong_ordering> Compare(const DateTime& a, const DateTime& b);
// FHIRPath '='. As Compare()==equal, but two different kinds Time/non-Time give false.
std::optional<bool> Equal(const DateTime& a, const DateTime& b);
// FHIRPath '~': same precision and equal; never unknown.
bool Equivalent(const DateTime& a, const DateTime& b);

// value + amount units, by calendar rules: end-of-month clamps (Jan 31 + 1 month = Feb 28/29), a fraction
// of anything above seconds is dropped, precision and offset of `value` are kept; a unit finer than the
// precision adds whole units of the precision only, towards zero, a month as 30 and a year as 365 days
// (@2014 + 364 days = @2014, @2014 + 365 days = @2015). Time wraps around midnight. nullopt: out of range, or
// a unit the kind cannot take (a Time plus days).
std::optional<DateTime> Add(const DateTime& value, const Decimal& amount, CalendarUnit unit);

// Whole periods / boundaries crossed between two values, negative when b is before a (FHIRPath STU
// duration(), difference()). Boundaries are those of a's clock; weeks begin on Sunday. nullopt when either
// lacks the precision for the unit, when only one has an offset and the unit is an hour or finer, for a Time
// with a non-Time, and for a Time in days or more.
std::optional<std::int64_t> Duration(const DateTime& a, const DateTime& b, CalendarUnit unit);
std::optional<std::int64_t> Difference(const DateTime& a, const DateTime& b, CalendarUnit unit);

// Earliest / latest value that the written precision allows, written with `digits` digits: 4 year, 6 month,
// 8 day, 10 hour, 12 minute, 14 second, 17 millisecond for dates; 2, 4, 6, 9 for times (FHIRPath
// precision()). A DateTime without offset gets +14:00 (low) or -12:00 (high) once a time-of-day is written; a
// Date becomes a DateTime then. Fewer digits than were written cut the value. nullopt for digits that are
// none of these.
std::optional<DateTime> LowBoundary(const DateTime& value, int digits);
std::optional<DateTime> HighBoundary(const DateTime& value, int digits);
int PrecisionDigits(const DateTime& value);

// Calendar keyword ("day", "days") or definite UCUM code that FHIRPath lets stand for one
// ("a" -> year, "mo", "wk", "d", "h", "min", "s", "ms").
std::optional<CalendarUnit> CalendarKeyword(std::string_view keyword);
std::optional<CalendarUnit> CalendarUcum(std::string_view code);
std::string_view CalendarName(CalendarUnit unit);  // "year", singular

}  // namespace stepwise

#endif  // STEPWISE_FHIR_DATE_TIME_H_
