#include "rules/medication/regimen.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

// "…/MedicationRequest/m1/_history/2" -> "m1"; "" when it is no reference to a MedicationRequest by id.
std::string_view RequestId(std::string_view reference) {
  reference = reference.substr(0, reference.find("/_history/"));
  const std::size_t slash = reference.rfind('/');
  if (slash == std::string_view::npos || !reference.substr(0, slash).ends_with("MedicationRequest"))
    return "";
  return reference.substr(slash + 1);
}

void Include(Total* total, const Intake::Kind& kind, const std::optional<Range>& amount) {
  if (!kind.any) return;
  total->partial = total->partial || kind.partial || !amount;
  if (amount && (!kind.partial || kind.mg.high.IsPositive()))
    total->amount = total->amount ? *total->amount + *amount : *amount;
}

// Nothing there is a known 0; something there of which nothing is known is not.
void Close(Total* total) {
  if (!total->amount && !total->partial) total->amount = Range{};
  if (total->amount && total->amount->overflowed()) *total = {.amount = std::nullopt, .partial = true};
}

}  // namespace

Regimen MakeRegimen(std::span<const Node> requests, const DoseContext& context) {
  Regimen out;
  std::vector<RequestDose> all;
  std::unordered_map<std::string_view, std::size_t> by_id;  // index into all
  for (const Node node : requests) {
    if (!node || node.kind() != NodeKind::kObject || node.resource_type() != types::kMedicationRequest)
      continue;
    RequestDose dose = ReadRequest(node, context);
    if (dose.standing != Standing::kCounts) continue;
    const std::string_view id = TextOf(node, names::kId);
    const auto [at, fresh] = id.empty() ? std::pair(by_id.end(), true) : by_id.emplace(id, all.size());
    if (fresh)
      all.push_back(std::move(dose));
    else if (dose.draft && !all[at->second].draft)
      all[at->second] = std::move(dose);
  }
  std::unordered_set<std::string_view> replaced;
  for (const RequestDose& dose : all) {
    const std::string_view prior =
        RequestId(TextOf(dose.request.Child(names::kPriorPrescription), names::kReference));
    if (!prior.empty() && prior != TextOf(dose.request, names::kId)) replaced.insert(prior);
  }
  for (RequestDose& dose : all) {
    const std::string_view id = TextOf(dose.request, names::kId);
    if (!id.empty() && replaced.contains(id)) continue;
    AddIntake(dose, &out.intakes_);
    out.unknown_drug_ = out.unknown_drug_ || (!dose.drug.known() && !dose.drug.coded);
    out.requests_.push_back(std::move(dose));
  }
  return out;
}

Total Regimen::SumMg(const Ingredient& ingredient, bool scheduled, bool as_needed) const {
  Total total;
  for (const Intake& intake : intakes_) {
    if (intake.ingredient != &ingredient) continue;
    if (scheduled) Include(&total, intake.scheduled, intake.scheduled.mg);
    if (as_needed) Include(&total, intake.as_needed, intake.as_needed.mg);
  }
  Close(&total);
  return total;
}

OmeqTotals Regimen::Omeq(const OmeqTable& table) const {
  OmeqTotals out;
  for (const Intake& intake : intakes_) {
    if (!intake.ingredient->opioid) continue;
    const auto range = [&](const Range& mg, const Range& rate) -> std::optional<Range> {
      const auto low = Equivalent(intake, mg.low, rate.low, table),
                 high = Equivalent(intake, mg.high, rate.high, table);
      if (!low || !high) {
        out.issues.Add(Issue::kNoFactor);
        return std::nullopt;
      }
      return Range{*low, *high};
    };
    const Intake::Kind &one = intake.scheduled, &other = intake.as_needed;
    const Intake::Kind both{one.any || other.any, one.partial || other.partial, one.mg + other.mg,
                            one.ug_per_hour + other.ug_per_hour};
    Include(&out.scheduled, one, range(one.mg, one.ug_per_hour));
    Include(&out.as_needed, other, range(other.mg, other.ug_per_hour));
    Include(&out.maximum, both, range(both.mg, both.ug_per_hour));
  }
  for (Total* total : {&out.scheduled, &out.as_needed, &out.maximum}) {
    total->partial = total->partial || unknown_drug_;
    Close(total);
  }
  return out;
}

std::vector<Rational> Regimen::RescueRatios(const OmeqTable& table) const {
  std::vector<Rational> out;
  const Total scheduled = Omeq(table).scheduled;
  if (scheduled.partial || !scheduled.amount || !scheduled.amount->high.IsPositive()) return out;
  for (const RequestDose& dose : requests_) {
    for (const Dosage& dosage : dose.dosages) {
      if (!dosage.in_force || !dosage.as_needed || !dose.drug.opioid()) continue;
      Rational equivalent;
      bool known = true;
      for (std::size_t i = 0; i < dosage.parts.size(); ++i) {
        const Ingredient* ingredient = dose.drug.parts[i].ingredient;
        if (ingredient == nullptr || !ingredient->opioid) continue;
        const Intake one{
            .ingredient = ingredient, .route = dosage.route, .patch = dosage.kind == AmountKind::kPatch};
        const auto& mg = dosage.parts[i].dose_mg;
        const auto part = mg ? Equivalent(one, mg->high, Rational(), table) : std::nullopt;
        known = known && part;
        if (part) equivalent = equivalent + *part;
      }
      const Rational ratio = equivalent / scheduled.amount->high;
      if (known && !ratio.overflowed()) out.push_back(ratio);
    }
  }
  return out;
}

std::vector<Node> Regimen::Duplicates() const {
  std::vector<Node> out;
  const auto same = [](const RequestDose& a, const RequestDose& b) {
    if (a.Scheduled() != true || b.Scheduled() != true || a.drug.release != b.drug.release) return false;
    return std::ranges::any_of(a.drug.parts, [&](const DrugPart& part) {
      return part.ingredient != nullptr &&
             std::ranges::find(b.drug.parts, part.ingredient, &DrugPart::ingredient) != b.drug.parts.end();
    });
  };
  for (const RequestDose& dose : requests_) {
    const bool twice = std::ranges::any_of(
        requests_, [&](const RequestDose& other) { return &other != &dose && same(dose, other); });
    if (twice) out.push_back(dose.request);
  }
  return out;
}

int Regimen::LadderStep() const {
  int step = 0;
  for (const RequestDose& dose : requests_) {
    for (const DrugPart& part : dose.drug.parts) {
      if (part.ingredient != nullptr && part.analgesic) step = std::max(step, part.ingredient->ladder_step);
    }
  }
  return step;
}

IssueSet Regimen::issues() const {
  IssueSet out;
  for (const RequestDose& dose : requests_) out.Add(dose.issues);
  return out;
}

}  // namespace stepwise::medication
