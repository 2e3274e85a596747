// Oral morphine equivalents: amounts a day by ingredient and route, and what a table makes of them.
//
//   OmeqResult result = Omeq(dose, *knowledge.FindOmeq("cdc-2022"));
//   result.mg_per_day     // {30, 90}; nullopt with issue NO_FACTOR: unknown, never 0
//
// The factor is chosen by the daily dose of the ingredient by that route, all instructions together, where a
// table has tiers. What is no opioid has no equivalent. For communicating risk: no dose for a change of
// opioid may be chosen by it. Source: the tables omeq_* of the pack; dosage.md rules 1, 6 and 7.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_MEDICATION_OMEQ_H_
#define STEPWISE_RULES_MEDICATION_OMEQ_H_

#include <optional>
#include <vector>

#include "rules/medication/dosage.h"

namespace stepwise::medication {

// Amounts of one ingredient by one route, of one or more requests.
struct Intake {
  const Ingredient* ingredient = nullptr;
  Route route = Route::kUnknown;
  struct Kind {
    bool any = false;      // some instruction of this kind
    bool partial = false;  // one of them is not known: the amounts are "at least"
    Range mg;              // a day, of those known
    Range ug_per_hour;     // the same as label rates of patches
  };
  Kind scheduled = {}, as_needed = {};
  bool patch = false;
};

// Adds the steady instructions of a request. A request whose amounts no rule may use (miscoded frequency) is
// partial.
void AddIntake(const RequestDose& dose, std::vector<Intake>* intakes);

// Equivalent of an amount; nullopt when there is no factor.
std::optional<Rational> Equivalent(const Intake& intake, const Rational& mg, const Rational& ug_per_hour,
                                   const OmeqTable& table);

struct OmeqResult {
  std::optional<Range> mg_per_day;  // nullopt: no opioid, or not known
  IssueSet issues;                  // NO_FACTOR
};

// Of one request, scheduled and as needed together; whatever is missing makes it absent. A miscoded frequency
// does not: the arithmetic of one request is shown as it is.
OmeqResult Omeq(const RequestDose& dose, const OmeqTable& table);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_OMEQ_H_
