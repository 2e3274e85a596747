// Timing: how often a dosage is given, from Dosage.timing (R4 and R5 have the same shape).
//
//   Timing timing = ReadTiming(dosage.Child(names::kTiming), knowledge, now);
//   timing.per_day    // 1 every 4-6 h: {4, 6}
//
// The first that is there decides: period, timeOfDay, when, the timing code, events of the next 24 hours, a
// count of one. Where period and times of the day (or code and repeat) disagree, an issue says so. Days of
// the week multiply by n/7. A frequency without a period says nothing (PERIOD_MISSING). Numbers for codes and
// units come from the tables. Source: dosage.md rules 2 and 8. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_MEDICATION_TIMING_H_
#define STEPWISE_RULES_MEDICATION_TIMING_H_

#include <optional>

#include "fhir/date_time.h"
#include "fhir/document.h"
#include "rules/medication/drug_knowledge.h"
#include "rules/medication/issue.h"

namespace stepwise::medication {

enum class TimingBasis : std::uint8_t { kNone, kPeriod, kTimeOfDay, kWhen, kCode, kEvents, kOnce };

struct Timing {
  TimingBasis basis = TimingBasis::kNone;
  std::optional<Range> per_day;  // administrations a day; absent: not known, or given once
  // Nominal hours between two administrations: 24 / per_day (of the shorter where it is a range) for periods,
  // the largest circular gap for times of the day, 24 / n for codes and events of the day; absent for the
  // rest.
  std::optional<Rational> interval_h;
  // Longest hours without a dose that the timing allows, days of the week included.
  std::optional<Rational> largest_gap_h;
  std::optional<Range> duration_days;  // repeat.duration and durationMax
  IssueSet issues;

  bool one_off() const { return basis == TimingBasis::kOnce; }
  // The interval is what the institution makes of "twice a day"; no rule may hold it to the hour.
  bool institution_specified() const { return basis == TimingBasis::kCode || basis == TimingBasis::kWhen; }
};

// A null node gives a Timing that knows nothing.
Timing ReadTiming(Node timing, const DrugKnowledge& knowledge, const DateTime& now);

// Whether a dosage is in force at `now` by repeat.bounds[x]: false only when it certainly is not. A
// boundsDuration (of a boundsRange its high end) runs from `start`, and counts only where that is known.
bool InBounds(Node timing, const std::optional<DateTime>& start, const DateTime& now);

// Whether the bounds say that `now` is inside, not just that nothing speaks against it.
bool BoundsContain(Node timing, const std::optional<DateTime>& start, const DateTime& now);

// End of a boundsDuration that starts then; nullopt when the timing has none.
std::optional<DateTime> BoundsEnd(Node timing, const std::optional<DateTime>& start);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_TIMING_H_
