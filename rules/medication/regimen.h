// Regimen: everything a patient takes and would take, from all active and drafted requests together.
//
//   Regimen regimen = MakeRegimen(nodes, context);
//   OmeqTotals totals = regimen.Omeq(*knowledge.FindOmeq("cdc-2022"));
//   totals.scheduled, totals.maximum, totals.partial
//
// Left out: requests that do not count (dosage.h), planned ones, an active request whose id a draft has (the
// draft is its new version), and what a counted request names as its priorPrescription. One-off doses and
// requests with a miscoded frequency add nothing. Whatever is not known makes a total a lower bound ("at
// least", partial); a total of which nothing is known is absent. An unrecognised drug makes the equivalents
// partial when it has no RxNorm or ATC code at all: it may be anything. Source: dosage.md rules 0, 7 and 9.
// Thread-safety: as ReadRequest; results are plain values.
#ifndef STEPWISE_RULES_MEDICATION_REGIMEN_H_
#define STEPWISE_RULES_MEDICATION_REGIMEN_H_

#include <optional>
#include <span>
#include <vector>

#include "rules/medication/omeq.h"

namespace stepwise::medication {

struct Total {
  std::optional<Range> amount;  // of what is known; nullopt: nothing is, though there is something
  bool partial = false;         // the amount is "at least"
};

struct OmeqTotals {
  Total scheduled;  // mg/d: basis of rescue doses and titration
  Total as_needed;  // all that may be taken as needed in a day
  Total maximum;    // scheduled plus all as needed, for safety: the high end is the largest possible
  IssueSet issues;  // NO_FACTOR
};

class Regimen {
 public:
  std::span<const RequestDose> requests() const { return requests_; }  // those that count, in input order
  std::span<const Intake> intakes() const { return intakes_; }

  // mg/d of one ingredient by all routes.
  Total ScheduledMg(const Ingredient& ingredient) const { return SumMg(ingredient, true, false); }
  Total MaximumMg(const Ingredient& ingredient) const { return SumMg(ingredient, true, true); }
  OmeqTotals Omeq(const OmeqTable& table) const;

  // Equivalent of one dose (the high end) of each as-needed opioid instruction, by the scheduled equivalent
  // (the high end). Empty when nothing is scheduled or a part of it is not known: the ratio is not defined
  // then.
  std::vector<Rational> RescueRatios(const OmeqTable& table) const;

  // Requests that share an ingredient, the release kind and being scheduled with an other one.
  std::vector<Node> Duplicates() const;
  int LadderStep() const;   // of the strongest analgesic, 0 when there is none on the ladder
  IssueSet issues() const;  // of all requests

 private:
  friend Regimen MakeRegimen(std::span<const Node> requests, const DoseContext& context);
  Total SumMg(const Ingredient& ingredient, bool scheduled, bool as_needed) const;

  std::vector<RequestDose> requests_;
  std::vector<Intake> intakes_;
  bool unknown_drug_ = false;
};

// `requests`: MedicationRequests, active and drafted; anything else is left out.
Regimen MakeRegimen(std::span<const Node> requests, const DoseContext& context);

}  // namespace stepwise::medication

#endif  // STEPWISE_RULES_MEDICATION_REGIMEN_H_
