// Issue: what was wrong or missing in a dosage, as a code with one sentence for people.
//
// An issue never changes a number by itself; where it makes one unknown, the number is absent. All codes are
// in one table (Issues()), which `stepwise dosage` prints from and the documentation is made from.
// Thread-safety: constant tables, plain values.
#ifndef STEPWISE_RULES_MEDICATION_ISSUE_H_
#define STEPWISE_RULES_MEDICATION_ISSUE_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace stepwise::medication {

enum class Issue : std::uint8_t {
  kCapUnreadable,
  kCodeConflict,
  kCodingConflict,
  kDoseAmbiguous,
  kDoseChoice,
  kDoseMissing,
  kDrugUnknown,
  kFreqConflict,
  kImplausibleFrequency,
  kNotApplicable,
  kNoDosage,
  kNoFactor,
  kOneOff,
  kOutOfBounds,
  kOverflow,
  kPeriodMissing,
  kPlanned,
  kPrnUnbounded,
  kRangeReversed,
  kSequential,
  kStrengthUnknown,
  kTextConflict,
  kTimingUnknown,
  kUnitNotUcum,
  kUnitUnknown,
  kWeekdayPeriod,
  kWeightMissing,
};

struct IssueRow {
  Issue issue;
  std::string_view code;     // "FREQ_CONFLICT"
  bool makes_unknown;        // an amount is absent because of it
  std::string_view meaning;  // one sentence for people
};

// Every issue, in the order of the enumeration (which is that of the codes).
std::span<const IssueRow> Issues();
inline const IssueRow& Row(Issue issue) { return Issues()[static_cast<std::size_t>(issue)]; }

// A set of issues; iterate with a loop over Issues() and Has().
class IssueSet {
 public:
  void Add(Issue issue) { bits_ |= std::uint32_t{1} << static_cast<int>(issue); }
  void Add(IssueSet other) { bits_ |= other.bits_; }
  bool Has(Issue issue) const { return (bits_ >> static_cast<int>(issue) & 1) != 0; }
  bool empty() const { return bits_ == 0; }
  friend bool operator==(IssueSet a, IssueSet b) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_ISSUE_H_
