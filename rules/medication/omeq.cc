#include "rules/medication/omeq.h"

#include <algorithm>

namespace stepwise::medication {
namespace {

Intake& IntakeOf(const Ingredient* ingredient, const Dosage& dosage, std::vector<Intake>* intakes) {
  const bool patch = dosage.kind == AmountKind::kPatch;
  for (Intake& intake : *intakes) {
    if (intake.ingredient == ingredient && intake.route == dosage.route && intake.patch == patch)
      return intake;
  }
  return intakes->emplace_back(Intake{.ingredient = ingredient, .route = dosage.route, .patch = patch});
}

void Add(const RequestDose& dose, bool usable, std::vector<Intake>* intakes) {
  for (const Dosage& dosage : dose.dosages) {
    if (!dosage.steady()) continue;
    for (std::size_t i = 0; i < dosage.parts.size(); ++i) {
      const Ingredient* ingredient = dose.drug.parts[i].ingredient;
      if (ingredient == nullptr) continue;
      Intake& intake = IntakeOf(ingredient, dosage, intakes);
      Intake::Kind& kind = dosage.as_needed ? intake.as_needed : intake.scheduled;
      kind.any = true;
      const PartDose& part = dosage.parts[i];
      if (!part.daily_mg || !usable) {
        kind.partial = true;
        continue;
      }
      kind.mg = kind.mg + *part.daily_mg;
      if (part.ug_per_hour) kind.ug_per_hour = kind.ug_per_hour + *part.ug_per_hour;
    }
  }
}

}  // namespace

void AddIntake(const RequestDose& dose, std::vector<Intake>* intakes) {
  Add(dose, dose.plausible(), intakes);
  if (!dose.dosages.empty()) return;
  for (const DrugPart& part : dose.drug.parts) {  // given, nobody says how
    if (part.ingredient == nullptr) continue;
    Dosage nothing;
    nothing.route = dose.drug.route;
    Intake& intake = IntakeOf(part.ingredient, nothing, intakes);
    intake.scheduled.any = intake.scheduled.partial = true;
    intake.as_needed.any = intake.as_needed.partial = true;
  }
}

std::optional<Rational> Equivalent(const Intake& intake, const Rational& mg, const Rational& ug_per_hour,
                                   const OmeqTable& table) {
  const OmeqTable::Tier* tier = table.Find(*intake.ingredient, intake.route, mg);
  if (tier == nullptr) return std::nullopt;
  if (tier->per == OmeqTable::Per::kMg) return mg * tier->factor;
  if (!intake.patch) return std::nullopt;  // the factor is for a label rate, and there is none
  return ug_per_hour * tier->factor;
}

OmeqResult Omeq(const RequestDose& dose, const OmeqTable& table) {
  OmeqResult out;
  if (dose.standing == Standing::kExcluded || !dose.drug.opioid()) return out;
  std::vector<Intake> intakes;
  Add(dose, true, &intakes);
  bool known = !intakes.empty();
  Range total;
  for (const Intake& intake : intakes) {
    if (!intake.ingredient->opioid) continue;
    const Range mg = intake.scheduled.mg + intake.as_needed.mg;
    const Range rate = intake.scheduled.ug_per_hour + intake.as_needed.ug_per_hour;
    const auto low = Equivalent(intake, mg.low, rate.low, table),
               high = Equivalent(intake, mg.high, rate.high, table);
    if (!low || !high) out.issues.Add(Issue::kNoFactor);
    known = known && low && high && !intake.scheduled.partial && !intake.as_needed.partial;
    if (known) total = total + Range{*low, *high};
  }
  if (known && total.overflowed())
    out.issues.Add(Issue::kOverflow);
  else if (known)
    out.mg_per_day = total;
  return out;
}

}  // namespace stepwise::medication
