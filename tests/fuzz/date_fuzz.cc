// What parses as a date, dateTime or time prints as text that parses to the same value, equals itself and
// lies between its own boundaries.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/date_time.h"

using stepwise::DateTime;

namespace {

void Check(const std::optional<DateTime>& value, std::optional<DateTime> (*parse)(std::string_view)) {
  if (!value) return;
  const std::string text = value->ToString();
  const std::optional<DateTime> again = parse(text);
  if (!again || again->ToString() != text || !Equivalent(*value, *again)) std::abort();
  const int digits = PrecisionDigits(*value);
  const std::optional<DateTime> low = LowBoundary(*value, digits);
  const std::optional<DateTime> high = HighBoundary(*value, digits);
  if (!low || !high || Compare(*low, *high) == std::strong_ordering::greater) std::abort();
  for (int unit = 0; unit <= static_cast<int>(stepwise::CalendarUnit::kMillisecond); ++unit) {
    const auto sum = Add(*value, stepwise::Decimal(value->millisecond - 500), stepwise::CalendarUnit(unit));
    if (sum && !parse(sum->ToString())) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(DateTime::ParseDate(text), &DateTime::ParseDate);
  Check(DateTime::ParseDateTime(text), &DateTime::ParseDateTime);
  Check(DateTime::ParseTime(text), &DateTime::ParseTime);
  return 0;
}
