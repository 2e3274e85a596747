#include "rules/medication/issue.h"

#include <algorithm>
#include <array>

namespace stepwise::medication {
namespace {

constexpr auto kIssues = std::to_array<IssueRow>({
    {Issue::kCapUnreadable, "CAP_UNREADABLE", false,
     "A maximum dose is given in a unit that cannot be related to this drug; the amounts are not capped by "
     "it."},
    {Issue::kCodeConflict, "CODE_CONFLICT", false,
     "The timing code and the repeat structure say different frequencies; the repeat structure counts."},
    {Issue::kCodingConflict, "CODING_CONFLICT", false,
     "The codes of the medication name different ingredients; the most specific one counts."},
    {Issue::kDoseAmbiguous, "DOSE_AMBIGUOUS", true,
     "A mass is given for a product of several ingredients: of which one is not said."},
    {Issue::kDoseChoice, "DOSE_CHOICE", false,
     "Several doses are given and none or more than one is the ordered one; the first counts, they are not "
     "added."},
    {Issue::kDoseMissing, "DOSE_MISSING", true,
     "No dose, and no rate, is given in a form that can be computed with."},
    {Issue::kDrugUnknown, "DRUG_UNKNOWN", true,
     "No code of the medication is in the drug tables; text is not read."},
    {Issue::kFreqConflict, "FREQ_CONFLICT", false,
     "The frequency a day and the times or events of the day differ; the range holds both."},
    {Issue::kImplausibleFrequency, "IMPLAUSIBLE_FREQUENCY", false,
     "More administrations a day than anybody gives, probably miscoded; left out of the totals that rules "
     "use."},
    {Issue::kNotApplicable, "NOT_APPLICABLE", true,
     "Status, intent or doNotPerform say that this is not being given; it counts nowhere."},
    {Issue::kNoDosage, "NO_DOSAGE", true, "The request has no dosage instruction."},
    {Issue::kNoFactor, "NO_FACTOR", true,
     "An opioid, or its route, has no conversion factor in the table; its oral morphine equivalent is "
     "unknown."},
    {Issue::kOneOff, "ONE_OFF", false, "Given once; left out of the daily totals."},
    {Issue::kOutOfBounds, "OUT_OF_BOUNDS", false,
     "A dosage instruction is not in force now by its bounds; it counts nowhere."},
    {Issue::kOverflow, "OVERFLOW", true,
     "A number is too large, too small or too long to compute with exactly."},
    {Issue::kPeriodMissing, "PERIOD_MISSING", true,
     "A frequency without a period (or a period without a unit) says nothing; a day is not assumed."},
    {Issue::kPlanned, "PLANNED", false,
     "The request is a proposal, plan or option: planned, not counted in the totals."},
    {Issue::kPrnUnbounded, "PRN_UNBOUNDED", true,
     "As needed with neither an interval nor a maximum: there is no largest daily dose."},
    {Issue::kRangeReversed, "RANGE_REVERSED", false,
     "A range has its ends the wrong way round; it was turned."},
    {Issue::kSequential, "SEQUENTIAL", false,
     "Consecutive steps, none of which is known to be the present one; the largest counts."},
    {Issue::kStrengthUnknown, "STRENGTH_UNKNOWN", true,
     "The dose is a number of units or a volume, and the strength of the product is not known."},
    {Issue::kTextConflict, "TEXT_CONFLICT", false,
     "The text says as needed and the coded dosage does not; the coded dosage counts."},
    {Issue::kTimingUnknown, "TIMING_UNKNOWN", true, "How often is not said in a coded form."},
    {Issue::kUnitNotUcum, "UNIT_NOT_UCUM", false,
     "A unit is not written as a UCUM code; it was understood all the same."},
    {Issue::kUnitUnknown, "UNIT_UNKNOWN", true, "A unit is of no kind that a dose of this product can have."},
    {Issue::kWeekdayPeriod, "WEEKDAY_PERIOD", false,
     "Days of the week together with a period other than a day: both thin out the doses, which is rarely "
     "meant."},
    {Issue::kWeightMissing, "WEIGHT_MISSING", true, "The dose is by body weight, and no weight is known."},
});

static_assert(kIssues.size() <= 32);
static_assert([] {
  for (std::size_t i = 0; i < kIssues.size(); ++i) {
    if (kIssues[i].issue != static_cast<Issue>(i)) return false;
  }
  return std::ranges::is_sorted(kIssues, {}, &IssueRow::code);
}());

}  // namespace

std::span<const IssueRow> Issues() { return kIssues; }

}  // namespace stepwise::medication
