// Order, equality and boundaries of partial dates and times.
#include <algorithm>

#include "fhir/date_time.h"

namespace stepwise {
namespace {

constexpr std::int64_t kMinuteMillis = 60'000;

// Seconds and milliseconds are one precision: a decimal number of seconds.
Precision Comparable(const DateTime& value) { return std::min(value.precision, Precision::kSecond); }

// All parts in one number, greatest first: comparing two is comparing part by part.
std::uint64_t Packed(const DateTime& value) {
  std::uint64_t key = static_cast<std::uint64_t>(value.year);
  key = key << 4 | value.month;
  key = key << 5 | value.day;
  key = key << 5 | value.hour;
  key = key << 6 | value.minute;
  key = key << 6 | value.second;
  return key << 10 | value.millisecond;
}

// Bits of Packed() below the parts that `precision` writes.
int BitsBelow(Precision precision) {
  switch (precision) {
    case Precision::kYear: return 36;
    case Precision::kMonth: return 32;
    case Precision::kDay: return 27;
    case Precision::kHour: return 22;
    case Precision::kMinute: return 16;
    default: return 0;
  }
}

std::int64_t MillisOf(Precision time_precision) {
  if (time_precision == Precision::kHour) return 60 * kMinuteMillis;
  return time_precision == Precision::kMinute ? kMinuteMillis : 1;
}

// The moments [first, last] that a value with a time of day can mean; without an offset any offset can be.
struct Moments {
  std::int64_t first;
  std::int64_t last;
};
Moments Range(const DateTime& value) {
  constexpr std::int64_t kMaxOffset = 14 * 60 * kMinuteMillis;
  const std::int64_t start = value.ToUnixMillis();
  const std::int64_t slack = value.has_offset ? 0 : kMaxOffset;
  return {start - slack, start + MillisOf(Comparable(value)) - 1 + slack};
}

Precision PrecisionOf(TemporalKind kind, int digits) {
  const int date_digits = kind == TemporalKind::kTime ? digits + 8 : digits;
  switch (date_digits) {
    case 4: return Precision::kYear;
    case 6: return Precision::kMonth;
    case 8: return Precision::kDay;
    case 10: return Precision::kHour;
    case 12: return Precision::kMinute;
    case 14: return Precision::kSecond;
    default: return Precision::kMillisecond;
  }
}

bool KnownDigits(TemporalKind kind, int digits) {
  if (kind == TemporalKind::kTime) return digits == 2 || digits == 4 || digits == 6 || digits == 9;
  return digits == 17 || (digits >= 4 && digits <= 14 && digits % 2 == 0);
}

std::optional<DateTime> Boundary(const DateTime& value, int digits, bool high) {
  if (!KnownDigits(value.kind, digits)) return std::nullopt;
  const Precision wanted = PrecisionOf(value.kind, digits);
  DateTime out = value;
  // What was not written takes its extreme; what is not wanted goes back to the start of its part.
  const auto fill = [&](Precision part, int low_value, int high_value) {
    return part > wanted || !high ? low_value : high_value;
  };
  if (value.precision < Precision::kMonth)
    out.month = static_cast<std::uint8_t>(fill(Precision::kMonth, 1, 12));
  if (Precision::kMonth > wanted) out.month = 1;
  if (value.precision < Precision::kDay) {
    out.day = static_cast<std::uint8_t>(fill(Precision::kDay, 1, DaysInMonth(out.year, out.month)));
  }
  if (Precision::kDay > wanted) out.day = 1;
  if (value.precision < Precision::kHour) out.hour = static_cast<std::uint8_t>(fill(Precision::kHour, 0, 23));
  if (Precision::kHour > wanted) out.hour = 0;
  if (value.precision < Precision::kMinute)
    out.minute = static_cast<std::uint8_t>(fill(Precision::kMinute, 0, 59));
  if (Precision::kMinute > wanted) out.minute = 0;
  if (value.precision < Precision::kSecond)
    out.second = static_cast<std::uint8_t>(fill(Precision::kSecond, 0, 59));
  if (Precision::kSecond > wanted) out.second = 0;
  if (value.precision < Precision::kMillisecond) {
    out.millisecond = static_cast<std::uint16_t>(fill(Precision::kMillisecond, 0, 999));
  }
  if (Precision::kMillisecond > wanted) out.millisecond = 0;
  out.precision = wanted;
  out.fraction_digits = wanted == Precision::kMillisecond ? 3 : 0;
  if (value.kind == TemporalKind::kTime) return out;
  if (wanted < Precision::kHour) {
    out.has_offset = out.zulu = false;
    out.offset_minutes = 0;
    return out;
  }
  out.kind = TemporalKind::kDateTime;
  if (!out.has_offset) {
    out.has_offset = true;
    out.offset_minutes = static_cast<std::int16_t>(high ? -12 * 60 : 14 * 60);
  }
  return out;
}

}  // namespace

std::optional<std::strong_ordering> Compare(const DateTime& a, const DateTime& b) {
  if ((a.kind == TemporalKind::kTime) != (b.kind == TemporalKind::kTime)) return std::nullopt;
  const Precision a_precision = Comparable(a);
  const Precision b_precision = Comparable(b);
  const bool both_timed = a_precision >= Precision::kHour && b_precision >= Precision::kHour;
  const bool same_offset =
      a.has_offset == b.has_offset && (!a.has_offset || a.offset_minutes == b.offset_minutes);
  // A date without a time of day has no offset, so it compares with what the other one wrote.
  if (!both_timed || same_offset) {
    const int below = BitsBelow(std::min(a_precision, b_precision));
    const std::uint64_t left = Packed(a) >> below;
    const std::uint64_t right = Packed(b) >> below;
    if (left != right) return left <=> right;
    if (a_precision == b_precision) return std::strong_ordering::equal;
    return std::nullopt;
  }
  const Moments left = Range(a);
  const Moments right = Range(b);
  if (left.last < right.first) return std::strong_ordering::less;
  if (left.first > right.last) return std::strong_ordering::greater;
  if (a.has_offset && b.has_offset && left.first == right.first && a_precision == b_precision) {
    return std::strong_ordering::equal;
  }
  return std::nullopt;
}

std::optional<bool> Equal(const DateTime& a, const DateTime& b) {
  if ((a.kind == TemporalKind::kTime) != (b.kind == TemporalKind::kTime)) return false;
  const std::optional<std::strong_ordering> order = Compare(a, b);
  if (!order) return std::nullopt;
  return *order == std::strong_ordering::equal;
}

bool Equivalent(const DateTime& a, const DateTime& b) {
  return Comparable(a) == Comparable(b) && Equal(a, b).value_or(false);
}

std::optional<DateTime> LowBoundary(const DateTime& value, int digits) {
  return Boundary(value, digits, false);
}

std::optional<DateTime> HighBoundary(const DateTime& value, int digits) {
  return Boundary(value, digits, true);
}

int PrecisionDigits(const DateTime& value) {
  const int digits =
      value.precision == Precision::kMillisecond ? 17 : 4 + 2 * static_cast<int>(value.precision);
  return value.kind == TemporalKind::kTime ? digits - 8 : digits;
}

}  // namespace stepwise
