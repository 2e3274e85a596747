// Dosage arithmetic of one MedicationRequest: from what is written to amounts a day, exactly.
//
//   DoseContext context{.knowledge = &drugs, .references = &references, .now = now};
//   RequestDose dose = ReadRequest(request, context);
//   dose.DosesPerDay()          // {6, 6}
//   dose.DailyMg(0)             // of the first ingredient: {60, 60} mg/d; nullopt: not known, never 0
//   Omeq(dose, *drugs.FindOmeq("cdc-2022"))
//
// Steps, each with its issues (rules/medication/issue.h): does the request count; which drug (drug.h); how
// often (timing.h); how much a time, or at what rate, or from which patches; caps; sums. A missing operand
// makes the result absent. Instructions with different `sequence` are consecutive steps, all others are
// concurrent and add up. Requests of R4 and of R5 are read alike. Source: dosage.md rules 0 to 6.
// Thread-safety: ReadRequest may index `references` on first use, so one thread at a time for each
// References; results are plain values.
#ifndef STEPWISE_RULES_MEDICATION_DOSAGE_H_
#define STEPWISE_RULES_MEDICATION_DOSAGE_H_

#include <optional>
#include <string_view>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/document.h"
#include "rules/medication/drug.h"
#include "rules/medication/timing.h"

namespace stepwise::medication {

struct DoseContext {
  const DrugKnowledge* knowledge = nullptr;
  References* references = nullptr;  // may be null: nothing is found, contained resources neither
  DateTime now;
  std::optional<Rational> weight_kg;  // latest body weight
};

// kDose: so much a time. kRate: continuous, or for a duration. kPatch: the label rate, all day.
enum class AmountKind : std::uint8_t { kDose, kRate, kPatch };

// What one ingredient gets from one dosage instruction; in the order of Drug::parts.
struct PartDose {
  std::optional<Range> dose_mg;  // one administration; absent for rates and patches
  std::optional<Range> daily_mg;
  std::optional<Range> ug_per_hour;  // patches only
};

struct Dosage {
  Node node;
  bool as_needed = false;
  std::optional<Rational> sequence;
  bool in_force = true;  // inside its bounds, and in the step that counts
  AmountKind kind = AmountKind::kDose;
  Route route =
      Route::kUnknown;  // of the instruction, else of the product; rates by no known route: parenteral
  Timing timing;
  std::vector<PartDose> parts;
  IssueSet issues;

  // Part of the steady daily totals.
  bool steady() const { return in_force && !timing.one_off(); }
};

enum class Standing : std::uint8_t { kCounts, kPlanned, kExcluded };

struct RequestDose {
  Node request;
  Standing standing = Standing::kCounts;
  bool draft = false;
  Drug drug;
  std::vector<Dosage> dosages;
  IssueSet issues;  // all of them: of the request, its drug and its dosages in force

  bool AsNeeded() const;                  // some instruction in force (or, when none is, any) is as needed
  std::optional<bool> Scheduled() const;  // some is not; nullopt without any instruction
  // Sums over the steady instructions; nullopt when there are none or one is not known.
  std::optional<Range> DosesPerDay() const;
  std::optional<Range> DailyMg(std::size_t part) const;
  // Of the steady instructions, where they agree.
  std::optional<Rational> IntervalHours() const;
  // False: a miscoded frequency; no dose rule may use the amounts.
  bool plausible() const { return !issues.Has(Issue::kImplausibleFrequency); }
};

RequestDose ReadRequest(Node request, const DoseContext& context);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_DOSAGE_H_
