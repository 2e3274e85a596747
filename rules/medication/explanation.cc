#include "rules/medication/explanation.h"

#include <algorithm>
#include <array>
#include <vector>

#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr auto kBasis =
    std::to_array<std::string_view>({"", "period", "times of the day", "events of the day", "timing code",
                                     "events of the next 24 hours", "given once"});
constexpr auto kSources = std::to_array<std::string_view>(
    {"", "product table", "ingredient table", "ATC table", "Medication.ingredient"});

std::string Text(const Range& range, std::string_view unit) {
  std::string out = range.low.ToDecimalText();
  if (!(range.low == range.high)) out += " to " + range.high.ToDecimalText();
  return out + " " + std::string(unit);
}

std::string Text(const std::optional<Range>& range, std::string_view unit) {
  return range ? Text(*range, unit) : "not known";
}

std::string Text(const Total& total, std::string_view unit) {
  if (!total.amount) return "not known";
  return (total.partial ? "at least " : "") + Text(*total.amount, unit);
}

std::string StrengthText(const Strength& strength) {
  switch (strength.kind) {
    case StrengthKind::kPerPiece: return strength.value.ToDecimalText() + " mg a piece";
    case StrengthKind::kPerMl: return strength.value.ToDecimalText() + " mg/mL";
    case StrengthKind::kPerHour: return (strength.value * Rational(1000)).ToDecimalText() + " ug/h";
    case StrengthKind::kUnknown: break;
  }
  return "strength not known";
}

std::string PartName(const DrugPart& part) {
  return part.ingredient == nullptr ? "unknown ingredient" : part.ingredient->name;
}

class Writer {
 public:
  Writer(const DoseContext& context, const OmeqTable& table) : context_(context), table_(table) {}

  void Request(const RequestDose& dose) {
    const std::string_view id = TextOf(dose.request, names::kId),
                           status = TextOf(dose.request, names::kStatus);
    out_ += "MedicationRequest" + (id.empty() ? "" : "/" + std::string(id)) +
            (status.empty() ? "" : " (" + std::string(status) + ")") + "\n";
    DrugOf(dose.drug);
    for (std::size_t i = 0; i < dose.dosages.size(); ++i) Instruction(dose, i);
    if (dose.standing != Standing::kExcluded) {
      Line("doses a day", Text(dose.DosesPerDay(), "/d"));
      for (std::size_t i = 0; i < dose.drug.parts.size(); ++i)
        Line(PartName(dose.drug.parts[i]) + " a day", Text(dose.DailyMg(i), "mg/d"));
      const OmeqResult omeq = Omeq(dose, table_);
      if (dose.drug.opioid()) Equivalents(dose, omeq);
      Issues(dose.issues, omeq.issues);
    } else {
      Issues(dose.issues, {});
    }
    out_ += "\n";
  }

  void Totals(const Regimen& regimen) {
    out_ += "Regimen of " + std::to_string(regimen.requests().size()) +
            (regimen.requests().size() == 1 ? " request\n" : " requests\n");
    std::vector<const Ingredient*> seen;
    for (const Intake& intake : regimen.intakes()) {
      if (std::ranges::find(seen, intake.ingredient) != seen.end()) continue;
      seen.push_back(intake.ingredient);
      Line(intake.ingredient->name, "scheduled " + Text(regimen.ScheduledMg(*intake.ingredient), "mg/d") +
                                        ", with all as needed " +
                                        Text(regimen.MaximumMg(*intake.ingredient), "mg/d"));
    }
    const OmeqTotals totals = regimen.Omeq(table_);
    Line("equivalent", "scheduled " + Text(totals.scheduled, "mg/d") + ", with all as needed " +
                           Text(totals.maximum, "mg/d"));
    Line("table",
         table_.id() + " " + table_.version() + " (" + context_.knowledge->source() + "): " + table_.title());
    for (const Rational& ratio : regimen.RescueRatios(table_)) Line("rescue ratio", ratio.ToDecimalText());
    for (const Node node : regimen.Duplicates())
      Line("duplicate", "MedicationRequest/" + std::string(TextOf(node, names::kId)));
    Issues({}, totals.issues);
  }

  std::string Take() { return std::move(out_); }

 private:
  void Line(std::string_view name, std::string_view text) {
    out_ += "  " + std::string(name) + ": " + std::string(text) + "\n";
  }

  void DrugOf(const Drug& drug) {
    if (drug.known()) {
      std::string by = std::string(kSources[static_cast<std::size_t>(drug.source)]);
      if (!drug.code.empty())
        by = std::string(drug.system) + " " + std::string(drug.code) + ", " + by + " of " +
             context_.knowledge->source();
      Line("drug",
           (drug.name.empty() ? PartName(drug.parts.front()) : std::string(drug.name)) + " (by " + by + ")");
    } else {
      Line("drug", "not known");
    }
    for (const DrugPart& part : drug.parts) {
      Line("ingredient", PartName(part) + ", " + StrengthText(part.strength) +
                             (part.drug_class.empty() ? "" : ", " + std::string(part.drug_class)));
    }
    if (!drug.release.empty()) Line("release", drug.release);
  }

  void Instruction(const RequestDose& dose, std::size_t index) {
    const Dosage& dosage = dose.dosages[index];
    std::string text = dosage.as_needed ? "as needed" : "scheduled";
    if (!dosage.in_force) text += ", not in force now";
    if (dosage.route != Route::kUnknown) text += ", " + std::string(RouteName(dosage.route));
    if (dosage.timing.basis != TimingBasis::kNone) {
      text += ", " + (dosage.timing.per_day ? Text(*dosage.timing.per_day, "/d") + " by " : "");
      text += kBasis[static_cast<std::size_t>(dosage.timing.basis)];
    } else {
      text += ", how often is not known";
    }
    if (dosage.timing.interval_h) text += ", every " + dosage.timing.interval_h->ToDecimalText() + " h";
    if (dosage.timing.interval_h && dosage.timing.institution_specified())
      text += " (as the institution has it)";
    Line("instruction " + std::to_string(index + 1), text);
    for (std::size_t i = 0; i < dosage.parts.size(); ++i) {
      const PartDose& part = dosage.parts[i];
      std::string amount = "    " + PartName(dose.drug.parts[i]) + ": ";
      if (part.ug_per_hour)
        amount += Text(*part.ug_per_hour, "ug/h") + ", ";
      else if (dosage.kind == AmountKind::kDose)
        amount += Text(part.dose_mg, "mg a time") + ", ";
      out_ += amount + Text(part.daily_mg, "mg/d") + "\n";
    }
  }

  void Equivalents(const RequestDose& dose, const OmeqResult& omeq) {
    std::vector<Intake> intakes;
    AddIntake(dose, &intakes);
    std::string factors;
    for (const Intake& intake : intakes) {
      if (!intake.ingredient->opioid) continue;
      const Rational mg = intake.scheduled.mg.high + intake.as_needed.mg.high;
      const OmeqTable::Tier* tier = table_.Find(*intake.ingredient, intake.route, mg);
      if (tier == nullptr) continue;
      factors += (factors.empty() ? ": " : "; ") + intake.ingredient->name + " x " +
                 tier->factor.ToDecimalText() + " per " + (tier->per == OmeqTable::Per::kMg ? "mg" : "ug/h");
    }
    Line("oral morphine equivalent",
         Text(omeq.mg_per_day, "mg/d") + " (" + table_.id() + " " + table_.version() + factors + ")");
  }

  void Issues(IssueSet issues, IssueSet more) {
    issues.Add(more);
    for (const IssueRow& row : medication::Issues()) {
      if (issues.Has(row.issue)) Line("issue " + std::string(row.code), row.meaning);
    }
  }

  const DoseContext& context_;
  const OmeqTable& table_;
  std::string out_;
};

}  // namespace

std::string Explain(std::span<const Node> requests, const DoseContext& context, const OmeqTable& table) {
  Writer writer(context, table);
  for (const Node request : requests) writer.Request(ReadRequest(request, context));
  writer.Totals(MakeRegimen(requests, context));
  return writer.Take();
}

}  // namespace stepwise::medication
