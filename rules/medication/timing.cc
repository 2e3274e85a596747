#include "rules/medication/timing.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <vector>

#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr std::int64_t kHoursPerDay = 24, kDaysPerWeek = 7, kSecondsPerHour = 3600, kSecondsPerDay = 86400;
constexpr std::int64_t kMillisPerDay = kSecondsPerDay * 1000;
constexpr auto kWeekdays = std::to_array<std::string_view>({"mon", "tue", "wed", "thu", "fri", "sat", "sun"});

// What Timing.repeat says, unread numbers left out.
struct Repeat {
  std::optional<Rational> frequency, frequency_max, period, period_max, duration, duration_max;
  std::string_view period_unit, duration_unit;
  bool has_frequency = false, has_period = false, once = false;
  int times = 0, when = 0;  // entries
  Rational when_per_day;
  std::vector<std::int64_t> seconds;  // of timeOfDay, as far as they are times
  std::bitset<kDaysPerWeek> days;
};

Repeat ReadRepeat(Node node, const DrugKnowledge& knowledge, IssueSet* issues) {
  Repeat out;
  if (!node) return out;
  for (const Node child : node.children()) {
    switch (child.name()) {
      case names::kFrequency:
        out.frequency = ReadNumber(child, issues);
        out.has_frequency = true;
        break;
      case names::kFrequencyMax:
        out.frequency_max = ReadNumber(child, issues);
        out.has_frequency = true;
        break;
      case names::kPeriod:
        out.period = ReadNumber(child, issues);
        out.has_period = true;
        break;
      case names::kPeriodMax: out.period_max = ReadNumber(child, issues); break;
      case names::kPeriodUnit: out.period_unit = child.text(); break;
      case names::kDuration: out.duration = ReadNumber(child, issues); break;
      case names::kDurationMax: out.duration_max = ReadNumber(child, issues); break;
      case names::kDurationUnit: out.duration_unit = child.text(); break;
      case names::kCount: out.once = ReadNumber(child, issues) == Rational(1); break;
      case names::kTimeOfDay: {
        ++out.times;
        const auto time = DateTime::ParseTime(child.text());
        if (time) out.seconds.push_back(time->hour * kSecondsPerHour + time->minute * 60 + time->second);
        break;
      }
      case names::kWhen: {
        ++out.when;
        const Rational* many = knowledge.FindWhenCode(child.text());
        out.when_per_day = out.when_per_day + (many == nullptr ? Rational(1) : *many);
        break;
      }
      case names::kDayOfWeek: {
        const auto day = std::ranges::find(kWeekdays, child.text());
        if (day != kWeekdays.end()) out.days.set(static_cast<std::size_t>(day - kWeekdays.begin()));
        break;
      }
      default: break;
    }
  }
  std::ranges::sort(out.seconds);
  return out;
}

// Days of a unit; nullopt when it is no unit of time.
const Rational* DaysOf(std::string_view unit, const DrugKnowledge& knowledge) {
  const UnitRow* row = unit.empty() ? nullptr : knowledge.FindUnit({}, unit);
  return row != nullptr && row->kind == UnitKind::kTime ? &row->factor : nullptr;
}

Range Ordered(Range range, IssueSet* issues) {
  if (range.high < range.low) {
    issues->Add(Issue::kRangeReversed);
    std::swap(range.low, range.high);
  }
  return range;
}

// Rule 2a: frequency (default 1) in a period; against times or events of the day where the period is a day.
void ByPeriod(const Repeat& repeat, const DrugKnowledge& knowledge, Timing* out) {
  const Rational* unit = DaysOf(repeat.period_unit, knowledge);
  if (unit == nullptr) return out->issues.Add(Issue::kPeriodMissing);
  const Rational frequency = repeat.frequency.value_or(Rational(1));
  const Rational most = repeat.frequency_max.value_or(frequency);
  const Rational longest = repeat.period_max.value_or(repeat.period.value_or(Rational()));
  if (!repeat.period || !repeat.period->IsPositive() || !longest.IsPositive() || !frequency.IsPositive())
    return;
  const Rational days = *repeat.period * *unit;
  Range per_day = Ordered({frequency / (longest * *unit), most / days}, &out->issues);
  if (days == Rational(1) && (repeat.times > 0 || repeat.when > 0)) {
    const Rational count = repeat.times > 0 ? Rational(repeat.times) : repeat.when_per_day;
    if (!(per_day == Range{count, count})) out->issues.Add(Issue::kFreqConflict);
    per_day = {Min(per_day.low, count), Max(per_day.high, count)};
  }
  if (!repeat.days.none() && !(days == Rational(1))) out->issues.Add(Issue::kWeekdayPeriod);
  out->basis = TimingBasis::kPeriod;
  out->per_day = per_day;
}

void ByEvents(Node timing, const DateTime& now, Timing* out) {
  const std::int64_t start = now.ToUnixMillis();
  int all = 0, soon = 0;
  for (const Node child : timing.children()) {
    if (child.name() != names::kEvent) continue;
    ++all;
    const auto moment = DateTime::ParseDateTime(child.text());
    const std::int64_t at = moment ? moment->ToUnixMillis() : start - 1;
    if (at >= start && at < start + kMillisPerDay) ++soon;
  }
  if (all == 0) return;
  out->basis = TimingBasis::kEvents;
  out->per_day = Range{Rational(soon), Rational(soon)};
}

const Rational* CodeOf(Node timing, const DrugKnowledge& knowledge) {
  const Node code = timing.Child(names::kCode);
  if (!code) return nullptr;
  for (const Node coding : code.children()) {
    if (coding.name() != names::kCoding) continue;
    const Rational* found =
        knowledge.FindTimingCode(TextOf(coding, names::kSystem), TextOf(coding, names::kCode));
    if (found != nullptr) return found;
  }
  return nullptr;
}

// Longest run of days without a dose, plus one: 1 when every day has one.
std::int64_t LargestDayGap(const std::bitset<kDaysPerWeek>& days) {
  if (days.none()) return 1;
  std::int64_t largest = 0, since = 0;
  for (std::size_t i = 0; i < 2 * kDaysPerWeek; ++i) {
    ++since;
    if (!days.test(i % kDaysPerWeek)) continue;
    if (i >= kDaysPerWeek || largest > 0)
      largest = std::max(largest, since);
    else
      largest = 1;
    since = 0;
  }
  return largest;
}

void SetGaps(const Repeat& repeat, const std::optional<Range>& each_day, Timing* out) {
  if (!out->per_day || !out->per_day->high.IsPositive() || out->basis == TimingBasis::kEvents) return;
  const Rational day(kHoursPerDay);
  const Rational skipped = Rational((LargestDayGap(repeat.days) - 1) * kHoursPerDay);
  const bool timed = repeat.times > 0 && static_cast<int>(repeat.seconds.size()) == repeat.times;
  std::int64_t inside = 0,
               around = 0;  // seconds: largest gap between two times of one day, and over midnight
  if (timed) {
    for (std::size_t i = 1; i < repeat.seconds.size(); ++i)
      inside = std::max(inside, repeat.seconds[i] - repeat.seconds[i - 1]);
    around = kSecondsPerDay - repeat.seconds.back() + repeat.seconds.front();
  }
  const auto hours = [](std::int64_t seconds) { return Rational::Make(seconds, kSecondsPerHour); };
  switch (out->basis) {
    case TimingBasis::kPeriod: out->interval_h = day / out->per_day->high; break;
    case TimingBasis::kTimeOfDay:
      if (timed) out->interval_h = hours(std::max(inside, around));
      break;
    default: out->interval_h = day / each_day->high; break;
  }
  if (timed)
    out->largest_gap_h = Max(hours(inside), skipped + hours(around));
  else if (out->basis != TimingBasis::kTimeOfDay)
    out->largest_gap_h = skipped + day / each_day->low;
}

struct Bounds {
  Node period, duration;
};

Bounds FindBounds(Node timing) {
  Bounds out;
  const Node repeat = timing ? timing.Child(names::kRepeat) : Node();
  if (!repeat) return out;
  out.period = repeat.Child(names::kBoundsPeriod);
  out.duration = repeat.Child(names::kBoundsDuration);
  if (const Node range = repeat.Child(names::kBoundsRange); range && !out.duration)
    out.duration = range.Child(names::kHigh);
  return out;
}

std::optional<std::strong_ordering> CompareTo(Node moment, const DateTime& now) {
  const auto value = moment ? DateTime::ParseDateTime(moment.text()) : std::nullopt;
  return value ? Compare(*value, now) : std::nullopt;
}

}  // namespace

Timing ReadTiming(Node timing, const DrugKnowledge& knowledge, const DateTime& now) {
  Timing out;
  if (!timing) return out;
  const Repeat repeat = ReadRepeat(timing.Child(names::kRepeat), knowledge, &out.issues);
  if (repeat.has_period) {
    ByPeriod(repeat, knowledge, &out);
  } else if (repeat.times > 0) {
    out.basis = TimingBasis::kTimeOfDay;
    out.per_day = Range{Rational(repeat.times), Rational(repeat.times)};
  } else if (repeat.when > 0) {
    out.basis = TimingBasis::kWhen;
    out.per_day = Range{repeat.when_per_day, repeat.when_per_day};
  }
  if (const Rational* code = CodeOf(timing, knowledge)) {
    const Range coded{*code, *code};
    if (!out.per_day) {
      out.basis = TimingBasis::kCode;
      out.per_day = coded;
    } else if (!(*out.per_day == coded)) {
      out.issues.Add(Issue::kCodeConflict);
    }
  }
  if (!out.per_day && !repeat.has_period) {
    ByEvents(timing, now, &out);
    if (!out.per_day && repeat.once) out.basis = TimingBasis::kOnce;
    if (out.basis == TimingBasis::kNone && repeat.has_frequency) out.issues.Add(Issue::kPeriodMissing);
  }
  const std::optional<Range> each_day = out.per_day;
  if (out.per_day && !repeat.days.none()) {
    out.per_day = *out.per_day * Rational::Make(static_cast<std::int64_t>(repeat.days.count()), kDaysPerWeek);
  }
  if (out.per_day && out.per_day->overflowed()) {
    out.issues.Add(Issue::kOverflow);
    out.per_day = std::nullopt;
  }
  SetGaps(repeat, each_day, &out);
  if (const Rational* unit = repeat.duration ? DaysOf(repeat.duration_unit, knowledge) : nullptr) {
    out.duration_days = Ordered(
        {*repeat.duration * *unit, repeat.duration_max.value_or(*repeat.duration) * *unit}, &out.issues);
  }
  return out;
}

std::optional<DateTime> BoundsEnd(Node timing, const std::optional<DateTime>& start) {
  const Node duration = FindBounds(timing).duration;
  if (!duration || !start) return std::nullopt;
  const auto value = Decimal::Parse(TextOf(duration, names::kValue));
  std::string_view code = TextOf(duration, names::kCode);
  if (code.empty()) code = TextOf(duration, names::kUnit);
  auto unit = CalendarUcum(code);
  if (!unit) unit = CalendarKeyword(code);
  if (!value || !unit) return std::nullopt;
  return Add(*start, *value, *unit);
}

bool InBounds(Node timing, const std::optional<DateTime>& start, const DateTime& now) {
  const Bounds bounds = FindBounds(timing);
  if (bounds.period) {
    if (CompareTo(bounds.period.Child(names::kStart), now) == std::strong_ordering::greater) return false;
    if (CompareTo(bounds.period.Child(names::kEnd), now) == std::strong_ordering::less) return false;
  }
  if (const auto end = BoundsEnd(timing, start)) {
    const auto order = Compare(*end, now);
    if (order == std::strong_ordering::less || order == std::strong_ordering::equal) return false;
  }
  return true;
}

bool BoundsContain(Node timing, const std::optional<DateTime>& start, const DateTime& now) {
  const Bounds bounds = FindBounds(timing);
  const bool said = bounds.period || BoundsEnd(timing, start);
  return said && InBounds(timing, start, now);
}

}  // namespace stepwise::medication
