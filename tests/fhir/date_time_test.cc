#include "fhir/date_time.h"

#include <gtest/gtest.h>

#include <compare>
#include <optional>
#include <string>

namespace stepwise {
namespace {

// "T.." is a Time, "D:.." a Date, anything else a DateTime.
std::optional<DateTime> Read(const std::string& text) {
  if (text[0] == 'T') return DateTime::ParseTime(text.substr(1));
  if (text.rfind("D:", 0) == 0) return DateTime::ParseDate(text.substr(2));
  return DateTime::ParseDateTime(text);
}
DateTime V(const std::string& text) {
  const std::optional<DateTime> value = Read(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(DateTime{});
}
std::string Text(const std::optional<DateTime>& value) { return value ? value->ToString() : "none"; }
std::string Text(const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : "none"; }
char Sign(std::optional<std::strong_ordering> order) {
  if (!order) return '?';
  return *order < 0 ? '<' : *order > 0 ? '>' : '=';
}

TEST(DateTimeTest, ParsesAndPrints) {
  const char* const kSame[] = {"D:2024",
                               "D:2024-05",
                               "D:2024-05-01",
                               "D:2024-02-29",
                               "D:2000-02-29",
                               "D:0001-01-01",
                               "D:9999-12-31",
                               "2024",
                               "2024-05",
                               "2024-05-01",
                               "2024-05-01T10",
                               "2024-05-01T10:30",
                               "2024-05-01T10:30:15",
                               "2024-05-01T10:30:15.1",
                               "2024-05-01T10:30:15.12",
                               "2024-05-01T10:30:15.120",
                               "2024-05-01T10:30:15.120Z",
                               "2024-05-01T10Z",
                               "2024-05-01T10:30:15+14:00",
                               "2024-05-01T10:30:15-14:00",
                               "2024-05-01T10:30:15+00:00",
                               "2016-12-31T23:59:60Z",
                               "2024-05-01T10:30:15-05:30",
                               "T10",
                               "T10:30",
                               "T10:30:15",
                               "T10:30:15.5",
                               "T23:59:59.999",
                               "T00:00"};
  for (const std::string text : kSame) {
    std::string printed = text[0] == 'T' ? text.substr(1) : text.rfind("D:", 0) == 0 ? text.substr(2) : text;
    EXPECT_EQ(Text(Read(text)), printed);
  }
  const struct {
    std::string text;
    std::string printed;
  } kCut[] = {
      {"2024-05-01T10:30:15.123456Z", "2024-05-01T10:30:15.123Z"},
      {"2024T", "2024"},
      {"2024-05T", "2024-05"},
      {"2024-05-01T", "2024-05-01"},
      {"T10:30:15.1234567890123", "10:30:15.123"},
      {"2024-05-01T10:30:15-00:00", "2024-05-01T10:30:15+00:00"},
  };
  for (const auto& row : kCut) EXPECT_EQ(Text(Read(row.text)), row.printed) << row.text;
  const char* const kInvalid[] = {"D:",
                                  "D:24",
                                  "D:02024",
                                  "D:2024-",
                                  "D:2024-5",
                                  "D:2024-13",
                                  "D:2024-00",
                                  "D:2024-05-00",
                                  "D:2024-04-31",
                                  "D:2023-02-29",
                                  "D:1900-02-29",
                                  "D:0000-01-01",
                                  "D:2024-05-01T10:00",
                                  "D:2024-05-01 ",
                                  "D: 2024",
                                  "D:-2024",
                                  "2024-05-01T24:00",
                                  "2024-05-01T10:60",
                                  "2024-05-01T10:30:61",
                                  "2024-05-01T10:30:15.",
                                  "2024-05-01T1",
                                  "2024-05-01T10:30:15+14:01",
                                  "2024-05-01T10:30:15+15:00",
                                  "2024-05-01T10:30:15+0500",
                                  "2024-05-01T10:30:15z",
                                  "2024-05-01Z",
                                  "2024Z",
                                  "2024-05T10",
                                  "2024-05-01T10:30:15ZZ",
                                  "2024-05-01 10:30",
                                  "T",
                                  "T24",
                                  "T10:30:60",
                                  "T10:30Z",
                                  "T10:30+01:00",
                                  "T1:30",
                                  "T10:",
                                  "T10:30:15,5"};
  for (const char* text : kInvalid) EXPECT_EQ(Text(Read(text)), "none") << text;
}

TEST(DateTimeTest, Compares) {
  const struct {
    std::string a;
    char sign;
    std::string b;
  } kRows[] = {
      {"D:2024-05-01", '=', "D:2024-05-01"},
      {"D:2024-05-01", '<', "D:2024-05-02"},
      {"D:2024-05", '?', "D:2024-05-01"},
      {"D:2024-05", '<', "D:2024-06-01"},
      {"D:2024", '?', "D:2024-06"},
      {"D:2024", '>', "D:2023-12-31"},
      {"D:2024-05-01", '=', "2024-05-01"},
      {"D:2024-05-01", '?', "2024-05-01T10:00:00Z"},
      {"D:2024-05-02", '>', "2024-05-01T23:59:59-12:00"},
      {"D:2024-05-01", '<', "2024-05-02T00:00:00Z"},
      {"2024-05-01T10:00:00", '=', "2024-05-01T10:00:00.000"},
      {"2024-05-01T10:00:00", '<', "2024-05-01T10:00:00.001"},
      {"2024-05-01T10:00", '?', "2024-05-01T10:00:00"},
      {"2024-05-01T10", '?', "2024-05-01T10:00:00"},
      {"2024-05-01T10:00", '<', "2024-05-01T10:01:00"},
      // Both offsets: the same moment, written differently.
      {"2024-05-01T10:00:00+02:00", '=', "2024-05-01T08:00:00Z"},
      {"2024-05-01T00:30:00+02:00", '=', "2024-04-30T22:30:00Z"},
      {"2024-05-01T10:00:00+02:00", '<', "2024-05-01T09:00:00Z"},
      {"2024-05-01T10:00+02:00", '=', "2024-05-01T08:00Z"},
      {"2024-05-01T10:00+02:00", '?', "2024-05-01T08:00:30Z"},
      {"2024-05-01T10+02:00", '?', "2024-05-01T08:00:00Z"},
      {"2024-05-01T10+02:00", '=', "2024-05-01T08Z"},
      {"2024-05-01T10+05:30", '?', "2024-05-01T04Z"},
      {"2024-05-01T10:00:00Z", '=', "2024-05-01T10:00:00+00:00"},
      // One offset: known only beyond every offset there is.
      {"2024-05-01T10:00:00Z", '?', "2024-05-01T10:00:00"},
      {"2024-05-01T10:00:00Z", '?', "2024-05-01T23:59:59"},
      {"2024-05-01T10:00:00Z", '?', "2024-05-02T00:00:00"},
      {"2024-05-01T10:00:00Z", '<', "2024-05-02T00:00:01"},
      {"2024-05-01T10:00:00Z", '>', "2024-04-30T19:59:59"},
      {"2024-05-01T10:00:00", '<', "2024-05-03T10:00Z"},
      {"2016-12-31T23:59:60Z", '>', "2016-12-31T23:59:59Z"},
      {"2016-12-31T23:59:60Z", '<', "2017-01-01T00:00:01Z"},
      {"T10:30", '=', "T10:30"},
      {"T10:30", '?', "T10:30:00"},
      {"T10:30:00", '=', "T10:30:00.0"},
      {"T10", '<', "T11:30"},
      {"T10:30", '?', "2024-05-01T10:30"},
      {"T10", '?', "D:2024-05-01"},
  };
  for (const auto& row : kRows) {
    const DateTime a = V(row.a);
    const DateTime b = V(row.b);
    const char reverse = row.sign == '<' ? '>' : row.sign == '>' ? '<' : row.sign;
    EXPECT_EQ(Sign(Compare(a, b)), row.sign) << row.a << " " << row.b;
    EXPECT_EQ(Sign(Compare(b, a)), reverse) << row.b << " " << row.a;
    const bool kinds_differ = (row.a[0] == 'T') != (row.b[0] == 'T');
    const std::optional<bool> equal = kinds_differ      ? std::optional<bool>(false)
                                      : row.sign == '?' ? std::nullopt
                                                        : std::optional<bool>(row.sign == '=');
    EXPECT_EQ(Equal(a, b), equal) << row.a << " " << row.b;
    EXPECT_EQ(Equivalent(a, b), row.sign == '=') << row.a << " " << row.b;
  }
}

TEST(DateTimeTest, Adds) {
  using enum CalendarUnit;
  const struct {
    std::string value;
    std::string amount;
    CalendarUnit unit;
    std::string result;
  } kRows[] = {
      {"D:2024-01-31", "1", kMonth, "2024-02-29"},
      {"D:2023-01-31", "1", kMonth, "2023-02-28"},
      {"D:2024-02-29", "1", kYear, "2025-02-28"},
      {"D:2024-02-29", "4", kYear, "2028-02-29"},
      {"D:2024-03-31", "-1", kMonth, "2024-02-29"},
      {"D:2024-01-15", "-1", kMonth, "2023-12-15"},
      {"D:2024-12-31", "1", kDay, "2025-01-01"},
      {"D:2024-03-01", "-1", kDay, "2024-02-29"},
      {"D:2024-01-01", "2", kWeek, "2024-01-15"},
      {"D:2024-01-01", "25", kHour, "2024-01-02"},
      {"D:2024-01-01", "23", kHour, "2024-01-01"},
      {"D:2024-01-02", "-25", kHour, "2024-01-01"},
      {"D:2024-01-01", "1440", kMinute, "2024-01-02"},
      {"D:2024-01-01", "86400", kSecond, "2024-01-02"},
      {"D:2024-01-01", "86399.9", kSecond, "2024-01-01"},
      {"D:2024-01-01", "1.9", kDay, "2024-01-02"},
      {"D:2024-01-01", "-1.9", kDay, "2023-12-31"},
      {"D:2014", "24", kMonth, "2016"},
      {"D:2014", "23", kMonth, "2015"},
      {"D:2014", "-23", kMonth, "2013"},
      {"D:2014", "365", kDay, "2015"},
      {"D:2014", "364", kDay, "2014"},
      {"D:2014", "-364", kDay, "2014"},
      {"D:2014", "8760", kHour, "2015"},
      {"D:2014", "53", kWeek, "2015"},
      {"D:2014-03", "30", kDay, "2014-04"},
      {"D:2014-03", "29", kDay, "2014-03"},
      {"D:2014-03", "-30", kDay, "2014-02"},
      {"D:2014-03", "1", kYear, "2015-03"},
      {"2014-03", "400", kDay, "2015-04"},
      {"2024-05-01T10", "90", kMinute, "2024-05-01T11"},
      {"2024-05-01T10:00", "59", kSecond, "2024-05-01T10:00"},
      {"2024-05-01T10:00", "60", kSecond, "2024-05-01T10:01"},
      {"2024-05-01T23:30:00+02:00", "1", kHour, "2024-05-02T00:30:00+02:00"},
      {"2024-05-01T10:00:00", "1500", kMillisecond, "2024-05-01T10:00:01"},
      {"2024-05-01T10:00:00.000", "0.1", kSecond, "2024-05-01T10:00:00.100"},
      {"1973-12-25T00:00:00.000+10:00", "10", kMillisecond, "1973-12-25T00:00:00.010+10:00"},
      {"2024-05-01T10:00:00.0Z", "-1", kMillisecond, "2024-05-01T09:59:59.9Z"},
      {"2024-01-31T10:00:00Z", "1", kMonth, "2024-02-29T10:00:00Z"},
      {"2024-05-01T10:00:00Z", "1.5", kHour, "2024-05-01T11:00:00Z"},
      {"1969-12-31T23:00:00Z", "2", kHour, "1970-01-01T01:00:00Z"},
      {"T01:00:00", "2", kHour, "03:00:00"},
      {"T23:00:00", "2", kHour, "01:00:00"},
      {"T01:00:00", "50", kHour, "03:00:00"},
      {"T01:00", "-2", kHour, "23:00"},
      {"T10", "90", kMinute, "11"},
      {"T00:00:00", "-1", kSecond, "23:59:59"},
      {"T10:00", "1", kDay, "none"},
      {"T10:00", "1", kYear, "none"},
      {"D:9999-12-31", "1", kDay, "none"},
      {"D:0001-01-01", "-1", kDay, "none"},
      {"D:9999-12-31", "1", kMonth, "none"},
      {"D:0001-01-01", "-1", kYear, "none"},
      {"D:2024-01-01", "99999999999999999999999999999999999999", kSecond, "none"},
      {"D:2024-01-01", "9223372036854775807", kMonth, "none"},
      {"D:2024-01-01", "9223372036854775807", kWeek, "none"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Text(Add(V(row.value), *Decimal::Parse(row.amount), row.unit)), row.result)
        << row.value << " + " << row.amount << " " << CalendarName(row.unit);
  }
}

TEST(DateTimeTest, MeasuresDurations) {
  using enum CalendarUnit;
  const struct {
    std::string a;
    std::string b;
    CalendarUnit unit;
    std::string duration;
    std::string difference;
  } kRows[] = {
      {"D:2000-05-10", "D:2024-05-09", kYear, "23", "24"},
      {"D:2000-05-10", "D:2024-05-10", kYear, "24", "24"},
      {"D:2024-05-10", "D:2000-05-11", kYear, "-23", "-24"},
      {"D:2024-01-31", "D:2024-02-29", kMonth, "0", "1"},
      {"D:2024-01-31", "D:2024-03-01", kMonth, "1", "2"},
      {"D:2024-02-28", "D:2024-03-01", kDay, "2", "2"},
      {"D:2024-03-01", "D:2024-02-28", kDay, "-2", "-2"},
      {"D:2024-05-04", "D:2024-05-05", kWeek, "0", "1"},
      {"D:2024-05-05", "D:2024-05-11", kWeek, "0", "0"},
      {"D:2024-05-05", "D:2024-05-12", kWeek, "1", "1"},
      {"D:2014", "D:2016", kYear, "2", "2"},
      {"D:2014", "D:2016", kMonth, "none", "none"},
      {"D:2014-05", "D:2016-05-01", kDay, "none", "none"},
      {"2024-05-01T23:59:59Z", "2024-05-02T00:00:00Z", kDay, "0", "1"},
      {"2024-05-01T23:59:59Z", "2024-05-02T00:00:00Z", kHour, "0", "1"},
      {"2024-05-01T23:59:59Z", "2024-05-02T00:00:00Z", kSecond, "1", "1"},
      {"2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00Z", kHour, "2", "2"},
      {"2024-05-01T10:00:00", "2024-05-01T10:00:00Z", kHour, "none", "none"},
      {"2024-05-01T10:00:00", "2024-05-02T10:00:00Z", kDay, "1", "1"},
      {"2024-05-01T10:00:00.250", "2024-05-01T10:00:00.500", kMillisecond, "250", "250"},
      {"2024-05-01T10:00", "2024-05-01T11:00", kSecond, "none", "none"},
      {"T10:00", "T12:30", kHour, "2", "2"},
      {"T12:30", "T10:00", kHour, "-2", "-2"},
      {"T10:59", "T11:00", kHour, "0", "1"},
      {"T10:00", "T12:30", kDay, "none", "none"},
      {"T10:00", "2024-05-01T10:00", kHour, "none", "none"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Text(Duration(V(row.a), V(row.b), row.unit)), row.duration)
        << row.a << ".." << row.b << " " << CalendarName(row.unit);
    EXPECT_EQ(Text(Difference(V(row.a), V(row.b), row.unit)), row.difference)
        << row.a << ".." << row.b << " " << CalendarName(row.unit);
  }
}

TEST(DateTimeTest, Boundaries) {
  const struct {
    std::string value;
    int digits;
    std::string low;
    std::string high;
  } kRows[] = {
      {"D:2014", 6, "2014-01", "2014-12"},
      {"D:2014", 4, "2014", "2014"},
      {"D:2014-02", 8, "2014-02-01", "2014-02-28"},
      {"D:2016-02", 8, "2016-02-01", "2016-02-29"},
      {"D:2014-05-12", 6, "2014-05", "2014-05"},
      {"D:2014", 17, "2014-01-01T00:00:00.000+14:00", "2014-12-31T23:59:59.999-12:00"},
      {"2014-01-01T08", 17, "2014-01-01T08:00:00.000+14:00", "2014-01-01T08:59:59.999-12:00"},
      {"2014-01-01T08:05-05:00", 17, "2014-01-01T08:05:00.000-05:00", "2014-01-01T08:05:59.999-05:00"},
      {"2014-01-01T08:05:07Z", 12, "2014-01-01T08:05Z", "2014-01-01T08:05Z"},
      {"2014-01-01T08:05:07Z", 8, "2014-01-01", "2014-01-01"},
      {"T10:30", 9, "10:30:00.000", "10:30:59.999"},
      {"T10", 4, "10:00", "10:59"},
      {"T10:30:15", 2, "10", "10"},
      {"D:2014", 5, "none", "none"},
      {"D:2014", 18, "none", "none"},
      {"D:2014", -4, "none", "none"},
      {"D:2014", 16, "none", "none"},
      {"T10", 8, "none", "none"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Text(LowBoundary(V(row.value), row.digits)), row.low) << row.value << " " << row.digits;
    EXPECT_EQ(Text(HighBoundary(V(row.value), row.digits)), row.high) << row.value << " " << row.digits;
  }
  const struct {
    std::string value;
    int digits;
  } kDigits[] = {{"D:2014", 4},
                 {"D:2014-01", 6},
                 {"D:2014-01-05", 8},
                 {"2014-01-05T10", 10},
                 {"2014-01-05T10:30", 12},
                 {"2014-01-05T10:30:00", 14},
                 {"2014-01-05T10:30:00.0", 17},
                 {"T10", 2},
                 {"T10:30", 4},
                 {"T10:30:00", 6},
                 {"T10:30:00.000", 9}};
  for (const auto& row : kDigits) EXPECT_EQ(PrecisionDigits(V(row.value)), row.digits) << row.value;
}

TEST(DateTimeTest, UnixTime) {
  const struct {
    std::int64_t millis;
    int offset;
    std::string text;
  } kRows[] = {
      {0, 0, "1970-01-01T00:00:00.000Z"},
      {-1, 0, "1969-12-31T23:59:59.999Z"},
      {1714557600123, 120, "2024-05-01T12:00:00.123+02:00"},
      {951782400000, 0, "2000-02-29T00:00:00.000Z"},
      {1714557600000, -330, "2024-05-01T04:30:00.000-05:30"},
      {-62135596800000, 0, "0001-01-01T00:00:00.000Z"},
      {253402300799999, 0, "9999-12-31T23:59:59.999Z"},
  };
  for (const auto& row : kRows) {
    const DateTime value = DateTime::FromUnixMillis(row.millis, row.offset);
    EXPECT_EQ(value.ToString(), row.text);
    EXPECT_EQ(value.ToUnixMillis(), row.millis) << row.text;
  }
  EXPECT_EQ(DateTime::FromUnixMillis(INT64_MAX).ToString(), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(DateTime::FromUnixMillis(INT64_MIN).ToString(), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(V("D:1970-01-02").ToUnixMillis(), 86'400'000);
  for (std::int64_t day = DaysFromCivil(1, 1, 1); day <= DaysFromCivil(9999, 12, 31); day += 97) {
    const DateTime date = DateFromDays(day);
    ASSERT_EQ(DaysFromCivil(date.year, date.month, date.day), day);
  }
}

TEST(DateTimeTest, ConvertsKindsAndNames) {
  EXPECT_EQ(sizeof(DateTime), 16U);
  EXPECT_EQ(V("2024-05-01T10:00:00Z").AsDate().ToString(), "2024-05-01");
  EXPECT_EQ(V("2024-05").AsDate().ToString(), "2024-05");
  EXPECT_EQ(V("D:2024-05").AsDateTime().kind, TemporalKind::kDateTime);
  const struct {
    std::string text;
    std::optional<CalendarUnit> keyword;
    std::optional<CalendarUnit> ucum;
  } kRows[] = {{"year", CalendarUnit::kYear, std::nullopt},
               {"years", CalendarUnit::kYear, std::nullopt},
               {"months", CalendarUnit::kMonth, std::nullopt},
               {"weeks", CalendarUnit::kWeek, std::nullopt},
               {"day", CalendarUnit::kDay, std::nullopt},
               {"milliseconds", CalendarUnit::kMillisecond, std::nullopt},
               {"a", std::nullopt, CalendarUnit::kYear},
               {"mo", std::nullopt, CalendarUnit::kMonth},
               {"min", std::nullopt, CalendarUnit::kMinute},
               {"ms", std::nullopt, CalendarUnit::kMillisecond},
               {"m", std::nullopt, std::nullopt},
               {"dayss", std::nullopt, std::nullopt},
               {"", std::nullopt, std::nullopt}};
  for (const auto& row : kRows) {
    EXPECT_EQ(CalendarKeyword(row.text), row.keyword) << row.text;
    EXPECT_EQ(CalendarUcum(row.text), row.ucum) << row.text;
  }
}

}  // namespace
}  // namespace stepwise
