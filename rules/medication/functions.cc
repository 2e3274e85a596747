#include "rules/medication/functions.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fhir/fhirpath/state.h"
#include "fhir/ucum/ucum.h"
#include "rules/medication/quantity_reader.h"
#include "rules/medication/regimen.h"
#include "rules/pack_terminology.h"

namespace stepwise::medication {
namespace {

using fhirpath::Builtin;
using fhirpath::Call;
using fhirpath::Item;
using fhirpath::UnitText;
using fhirpath::Want;

constexpr UnitText kMg{"mg"}, kMgPerDay{"mg/d"}, kHours{"h"}, kUgPerHour{"ug/h"};

// What every handler starts with.
struct Asked {
  const DrugKnowledge* knowledge = nullptr;
  DoseContext context;
};

// Parameter numbers; -1: the function does not have it.
struct Places {
  int ingredient = -1, table = -1, weight = -1;
};

Result<Asked> Ask(Call& call, const Places& places) {
  const auto* terminology = dynamic_cast<const rules::PackTerminology*>(call.terminology());
  Asked out;
  out.knowledge = terminology == nullptr ? nullptr : terminology->drugs();
  if (out.knowledge == nullptr) {
    return call.Fail(Code::kSemantic,
                     "no drug tables: require a pack that has them (`ingredients`, `products`)");
  }
  fhirpath::Evaluation& evaluation = call.evaluation();
  out.context = {.knowledge = out.knowledge,
                 .references = &evaluation.state().references,
                 .now = evaluation.now(),
                 .weight_kg = std::nullopt};
  if (places.weight >= 0 && call.has(places.weight)) {
    const Item& weight = call.arg(places.weight);
    const auto unit = ucum::Parse(weight.unit().text);
    const auto kg =
        unit ? ucum::Convert(weight.decimal(), *unit, *ucum::Find("kg")) : std::optional<Decimal>();
    if (!kg) {
      return call.Fail(Code::kSemantic,
                       "weight: '" + std::string(weight.unit().text) + "' is no unit of mass");
    }
    out.context.weight_kg = Rational::Of(*kg);
  }
  call.Rests(call.input());
  return out;
}

Result<const OmeqTable*> TableOf(Call& call, const Asked& asked, int place) {
  const std::string_view id = call.has(place) ? call.arg(place).string() : std::string_view();
  const OmeqTable* table = asked.knowledge->FindOmeq(id);
  if (table != nullptr) return table;
  std::string known;
  for (const OmeqTable& one : asked.knowledge->omeq_tables()) known += " " + one.id();
  return call.Fail(Code::kSemantic, "no table `" + std::string(id) + "`; known:" + known);
}

Result<const Ingredient*> IngredientOf(Call& call, const Asked& asked, int place) {
  const std::string_view name = call.arg(place).string();
  const Ingredient* found = asked.knowledge->FindIngredient(name);
  if (found == nullptr) found = asked.knowledge->FindIngredientByName(name);
  if (found != nullptr) return found;
  return call.Fail(Code::kSemantic, "no ingredient `" + std::string(name) + "` in the drug tables");
}

// Notes why something of a request is absent.
void Note(Call& call, const RequestDose& dose, IssueSet more = {}) {
  const std::string_view id = TextOf(dose.request, names::kId);
  IssueSet issues = dose.issues;
  issues.Add(more);
  for (const IssueRow& row : Issues()) {
    if (!row.makes_unknown || !issues.Has(row.issue)) continue;
    call.evaluation().MarkUnknown("MedicationRequest" + (id.empty() ? "" : "/" + std::string(id)) + ": " +
                                  std::string(row.meaning));
  }
}

void EmitNumber(Call& call, const std::optional<Rational>& number, const UnitText* unit) {
  const auto decimal = number ? number->ToDecimal() : std::nullopt;
  if (!decimal) return;
  call.Emit(unit == nullptr ? Item::Of(decimal->Normalized()) : Item::Quantity(decimal->Normalized(), unit));
}

std::optional<Rational> End(const std::optional<Range>& range, bool high) {
  if (!range) return std::nullopt;
  return high ? range->high : range->low;
}

bool IsRequest(const Item& item) {
  return item.is_node() && item.node().kind() == NodeKind::kObject &&
         item.node().resource_type() == types::kMedicationRequest;
}

// Runs visit(dose) for each request of the input.
template <typename Visit>
void EachRequest(Call& call, const Asked& asked, Visit&& visit) {
  for (const Item& item : call.input()) {
    if (IsRequest(item)) visit(ReadRequest(item.node(), asked.context));
  }
}

Regimen RegimenOf(Call& call, const Asked& asked) {
  std::vector<Node> nodes;
  for (const Item& item : call.input()) {
    if (IsRequest(item)) nodes.push_back(item.node());
  }
  return MakeRegimen(nodes, asked.context);
}

// --- For each request ---

using Amount = std::optional<Rational> (*)(const RequestDose& dose);

// One number a request.
template <Amount amount, const UnitText* unit>
Status Number(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  EachRequest(call, asked, [&](const RequestDose& dose) {
    const auto number = amount(dose);
    if (number)
      EmitNumber(call, number, unit);
    else
      Note(call, dose);
  });
  return {};
}

template <bool high>
std::optional<Rational> DosesPerDay(const RequestDose& dose) {
  return End(dose.DosesPerDay(), high);
}

std::optional<Rational> IntervalHours(const RequestDose& dose) { return dose.IntervalHours(); }
std::optional<Rational> LabelHours(const RequestDose& dose) { return dose.drug.wear_h; }

std::optional<Rational> LargestGap(const RequestDose& dose) {
  std::optional<Rational> out;
  for (const Dosage& dosage : dose.dosages) {
    if (!dosage.steady()) continue;
    // Two instructions fill each other's gaps; how far is not known.
    if (out || !dosage.timing.largest_gap_h) return std::nullopt;
    out = dosage.timing.largest_gap_h;
  }
  return out;
}

std::optional<Rational> PatchRate(const RequestDose& dose) {
  std::optional<Rational> out;
  for (const Dosage& dosage : dose.dosages) {
    if (!dosage.steady() || dosage.kind != AmountKind::kPatch) continue;
    const auto& rate = dosage.parts.front().ug_per_hour;
    if (!rate) return std::nullopt;
    out = out ? *out + rate->high : rate->high;
  }
  return out;
}

// Which part of a drug an `ingredient` parameter means; nullopt when the drug does not have it.
Result<std::optional<std::size_t>> PartOf(Call& call, const Asked& asked, const Drug& drug) {
  if (!call.has(0)) return std::optional<std::size_t>(0);
  STEPWISE_ASSIGN_OR_RETURN(const Ingredient* ingredient, IngredientOf(call, asked, 0));
  const auto found = std::ranges::find(drug.parts, ingredient, &DrugPart::ingredient);
  if (found == drug.parts.end()) return std::optional<std::size_t>();
  return std::optional<std::size_t>(static_cast<std::size_t>(found - drug.parts.begin()));
}

template <bool high, bool daily>
Status DoseMg(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.weight = 1}));
  for (const Item& item : call.input()) {
    if (!IsRequest(item)) continue;
    const RequestDose dose = ReadRequest(item.node(), asked.context);
    STEPWISE_ASSIGN_OR_RETURN(const std::optional<std::size_t> part, PartOf(call, asked, dose.drug));
    if (!part) continue;
    if (daily) {
      const auto range = dose.DailyMg(*part);
      if (range && dose.plausible())
        EmitNumber(call, End(range, high), &kMgPerDay);
      else
        Note(call, dose);
      continue;
    }
    for (const Dosage& dosage : dose.dosages) {
      if (!dosage.in_force) continue;
      const auto& range = dosage.parts[*part].dose_mg;
      if (range)
        EmitNumber(call, End(range, high), &kMg);
      else
        Note(call, dose);
    }
  }
  return {};
}

template <bool high>
Status OmeqOf(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.table = 0, .weight = 1}));
  STEPWISE_ASSIGN_OR_RETURN(const OmeqTable* table, TableOf(call, asked, 0));
  EachRequest(call, asked, [&](const RequestDose& dose) {
    const OmeqResult result = Omeq(dose, *table);
    if (result.mg_per_day && dose.plausible())
      EmitNumber(call, End(result.mg_per_day, high), &kMgPerDay);
    else if (dose.drug.opioid() || !dose.drug.known())
      Note(call, dose, result.issues);
  });
  return {};
}

using Emitter = void (*)(Call& call, const RequestDose& dose);

// Strings and truths of each request.
template <Emitter emit>
Status Each(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  EachRequest(call, asked, [&](const RequestDose& dose) { emit(call, dose); });
  return {};
}

void EmitIsAsNeeded(Call& call, const RequestDose& dose) {
  if (!dose.dosages.empty())
    call.Emit(dose.AsNeeded());
  else
    Note(call, dose);
}

void EmitIsScheduled(Call& call, const RequestDose& dose) {
  const auto scheduled = dose.Scheduled();
  if (scheduled)
    call.Emit(*scheduled);
  else
    Note(call, dose);
}

void EmitIsOneOff(Call& call, const RequestDose& dose) {
  if (dose.dosages.empty()) return Note(call, dose);
  call.Emit(std::ranges::all_of(dose.dosages, [](const Dosage& dosage) { return dosage.timing.one_off(); }));
}

void EmitIsPeriodBased(Call& call, const RequestDose& dose) {
  if (dose.dosages.empty()) return Note(call, dose);
  call.Emit(std::ranges::all_of(
      dose.dosages, [](const Dosage& dosage) { return dosage.timing.basis == TimingBasis::kPeriod; }));
}

void EmitIngredients(Call& call, const RequestDose& dose) {
  for (const DrugPart& part : dose.drug.parts) {
    if (part.ingredient != nullptr)
      call.EmitString(part.ingredient->name);
    else
      Note(call, dose);
  }
}

void EmitIngredientCodes(Call& call, const RequestDose& dose) {
  for (const DrugPart& part : dose.drug.parts) {
    if (part.ingredient != nullptr && !part.ingredient->rxcui.empty())
      call.EmitString(part.ingredient->rxcui);
  }
}

void EmitReleaseKind(Call& call, const RequestDose& dose) {
  if (!dose.drug.release.empty()) call.EmitString(dose.drug.release);
}

void EmitRouteKind(Call& call, const RequestDose& dose) {
  for (const Dosage& dosage : dose.dosages) {
    if (!dosage.in_force || dosage.route == Route::kUnknown) continue;
    return call.EmitString(RouteName(dosage.route));
  }
  if (dose.dosages.empty() && dose.drug.route != Route::kUnknown) call.EmitString(RouteName(dose.drug.route));
}

Status AnalgesicClass(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  std::vector<std::string> seen;
  EachRequest(call, asked, [&](const RequestDose& dose) {
    if (!dose.drug.known()) Note(call, dose);
    for (const DrugPart& part : dose.drug.parts) {
      if (!part.analgesic || std::ranges::find(seen, part.drug_class) != seen.end()) continue;
      seen.emplace_back(part.drug_class);
      call.EmitString(part.drug_class);
    }
  });
  return {};
}

Status DosageIssues(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  IssueSet issues;
  EachRequest(call, asked, [&](const RequestDose& dose) {
    issues.Add(dose.issues);
    const OmeqTable* table = asked.knowledge->FindOmeq("");
    if (table != nullptr) issues.Add(Omeq(dose, *table).issues);
  });
  for (const IssueRow& row : Issues()) {
    if (issues.Has(row.issue)) call.Emit(Item::String(row.code));
  }
  return {};
}

// --- Of the regimen ---

Status LadderStep(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  const int step = RegimenOf(call, asked).LadderStep();
  if (step > 0) call.Emit(Item::Integer(step));
  return {};
}

Status Duplicates(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {}));
  for (const Node node : RegimenOf(call, asked).Duplicates())
    call.Emit(Item::Of(node, types::kMedicationRequest));
  return {};
}

void NoteAll(Call& call, const Regimen& regimen, IssueSet more) {
  for (const RequestDose& dose : regimen.requests()) {
    if (dose.drug.opioid() || !dose.drug.known()) Note(call, dose);
  }
  for (const IssueRow& row : Issues()) {
    if (row.makes_unknown && more.Has(row.issue)) call.evaluation().MarkUnknown(row.meaning);
  }
}

enum class Of : std::uint8_t { kScheduledLow, kScheduled, kAsNeeded, kMaximum };

template <Of of>
Status RegimenOmeq(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.table = 0, .weight = 1}));
  STEPWISE_ASSIGN_OR_RETURN(const OmeqTable* table, TableOf(call, asked, 0));
  const Regimen regimen = RegimenOf(call, asked);
  const OmeqTotals totals = regimen.Omeq(*table);
  const Total& total = of == Of::kMaximum    ? totals.maximum
                       : of == Of::kAsNeeded ? totals.as_needed
                                             : totals.scheduled;
  if (total.partial) NoteAll(call, regimen, totals.issues);
  EmitNumber(call, End(total.amount, of != Of::kScheduledLow), &kMgPerDay);
  return {};
}

Status IsPartial(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.table = 0, .weight = 1}));
  STEPWISE_ASSIGN_OR_RETURN(const OmeqTable* table, TableOf(call, asked, 0));
  const OmeqTotals totals = RegimenOf(call, asked).Omeq(*table);
  call.Emit(totals.scheduled.partial || totals.maximum.partial);
  return {};
}

Status RescueRatio(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.table = 0, .weight = 1}));
  STEPWISE_ASSIGN_OR_RETURN(const OmeqTable* table, TableOf(call, asked, 0));
  for (const Rational& ratio : RegimenOf(call, asked).RescueRatios(*table)) EmitNumber(call, ratio, nullptr);
  return {};
}

template <bool maximum>
Status RegimenMg(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.ingredient = 0, .weight = 1}));
  STEPWISE_ASSIGN_OR_RETURN(const Ingredient* ingredient, IngredientOf(call, asked, 0));
  const Regimen regimen = RegimenOf(call, asked);
  const Total total = maximum ? regimen.MaximumMg(*ingredient) : regimen.ScheduledMg(*ingredient);
  if (total.partial) {
    for (const RequestDose& dose : regimen.requests()) {
      if (std::ranges::find(dose.drug.parts, ingredient, &DrugPart::ingredient) != dose.drug.parts.end())
        Note(call, dose);
    }
  }
  EmitNumber(call, End(total.amount, true), &kMgPerDay);
  return {};
}

Status OmeqTableName(Call& call) {
  STEPWISE_ASSIGN_OR_RETURN(const Asked asked, Ask(call, {.table = 0}));
  STEPWISE_ASSIGN_OR_RETURN(const OmeqTable* table, TableOf(call, asked, 0));
  call.EmitString(table->id() + " " + table->version());
  return {};
}

constexpr fhirpath::Parameter kIngredient{Want::kString, "ingredient"},
    kAnyIngredient{Want::kString, "ingredient", true}, kTable{Want::kString, "table", true},
    kWeight{Want::kQuantity, "weight", true};
constexpr std::string_view kSpec = "rules/medication/functions.h";
constexpr TypeId kQuantityType = types::kSystemQuantity;

constexpr auto kFunctions = std::to_array<Builtin>({
    {.name = "analgesicClass",
     .result = types::kSystemString,
     .result_many = true,
     .fn = AnalgesicClass,
     .doc = "Classes of the analgesic ingredients (strong-opioid, weak-opioid, nsaid, ...), each once.",
     .spec = kSpec},
    {.name = "asNeededOmeq",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .fn = RegimenOmeq<Of::kAsNeeded>,
     .doc = "Regimen: oral morphine equivalent of all that may be taken as needed in a day, in 'mg/d'; of "
            "what is known "
            "(see isPartial()).",
     .spec = kSpec},
    {.name = "dailyDoseMgHigh",
     .params = {{kAnyIngredient, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = DoseMg<true, true>,
     .doc = "Largest daily dose of each request in 'mg/d', of the ingredient or else of the opioid, the "
            "first analgesic, the "
            "first ingredient. Empty when not known, and for miscoded frequencies.",
     .spec = kSpec},
    {.name = "dailyDoseMgLow",
     .params = {{kAnyIngredient, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = DoseMg<false, true>,
     .doc = "Smallest daily dose of each request in 'mg/d'; see dailyDoseMgHigh().",
     .spec = kSpec},
    {.name = "dosageIssues",
     .result = types::kSystemString,
     .result_many = true,
     .fn = DosageIssues,
     .doc =
         "Codes of what is wrong or missing in the dosages (FREQ_CONFLICT, TIMING_UNKNOWN, ...), each once.",
     .spec = kSpec},
    {.name = "doseMgHigh",
     .params = {{kAnyIngredient, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = DoseMg<true, false>,
     .doc = "Largest single dose of each instruction in 'mg'; empty for rates and patches.",
     .spec = kSpec},
    {.name = "doseMgLow",
     .params = {{kAnyIngredient, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = DoseMg<false, false>,
     .doc = "Smallest single dose of each instruction in 'mg'; empty for rates and patches.",
     .spec = kSpec},
    {.name = "dosesPerDayHigh",
     .result = types::kSystemDecimal,
     .result_many = true,
     .fn = Number<DosesPerDay<true>, nullptr>,
     .doc = "Most administrations a day of each request.",
     .spec = kSpec},
    {.name = "dosesPerDayLow",
     .result = types::kSystemDecimal,
     .result_many = true,
     .fn = Number<DosesPerDay<false>, nullptr>,
     .doc = "Fewest administrations a day of each request.",
     .spec = kSpec},
    {.name = "duplicates",
     .result = types::kMedicationRequest,
     .result_many = true,
     .fn = Duplicates,
     .doc = "Regimen: scheduled requests that share an ingredient and the release kind with another "
            "scheduled one.",
     .spec = kSpec},
    {.name = "ingredientCodes",
     .result = types::kSystemString,
     .result_many = true,
     .fn = Each<EmitIngredientCodes>,
     .doc = "RxNorm codes of the ingredients, as far as they are known.",
     .spec = kSpec},
    {.name = "ingredients",
     .result = types::kSystemString,
     .result_many = true,
     .fn = Each<EmitIngredients>,
     .doc = "Names of the ingredients as in ingredients.csv; a combination product has several.",
     .spec = kSpec},
    {.name = "intervalHours",
     .result = kQuantityType,
     .result_many = true,
     .fn = Number<IntervalHours, &kHours>,
     .doc = "Nominal interval of each request in 'h': the shorter end of a range, the largest gap of times "
            "of the day, 24 / n "
            "for codes.",
     .spec = kSpec},
    {.name = "isAsNeeded",
     .result = types::kSystemBoolean,
     .result_many = true,
     .fn = Each<EmitIsAsNeeded>,
     .doc = "Whether some instruction of the request is as needed.",
     .spec = kSpec},
    {.name = "isOneOff",
     .result = types::kSystemBoolean,
     .result_many = true,
     .fn = Each<EmitIsOneOff>,
     .doc = "Whether the request is for a single administration.",
     .spec = kSpec},
    {.name = "isPartial",
     .params = {{kTable, kWeight}},
     .result = types::kSystemBoolean,
     .fn = IsPartial,
     .doc =
         "Regimen: whether the oral morphine equivalents are \"at least\", because something is not known.",
     .spec = kSpec},
    {.name = "isPeriodBased",
     .result = types::kSystemBoolean,
     .result_many = true,
     .fn = Each<EmitIsPeriodBased>,
     .doc = "Whether the interval is ordered in hours or days, and not by a code or events of the day.",
     .spec = kSpec},
    {.name = "isScheduled",
     .result = types::kSystemBoolean,
     .result_many = true,
     .fn = Each<EmitIsScheduled>,
     .doc = "Whether some instruction of the request is not as needed; empty without any instruction.",
     .spec = kSpec},
    {.name = "labelHours",
     .result = kQuantityType,
     .result_many = true,
     .fn = Number<LabelHours, &kHours>,
     .doc = "How long one piece of the product is made to last, in 'h': 12 or 24 for modified release, the "
            "wear time of a patch.",
     .spec = kSpec},
    {.name = "ladderStep",
     .result = types::kSystemInteger,
     .fn = LadderStep,
     .doc = "Regimen: step of its strongest analgesic, 1 to 3; empty when none is on the ladder.",
     .spec = kSpec},
    {.name = "largestGap",
     .result = kQuantityType,
     .result_many = true,
     .fn = Number<LargestGap, &kHours>,
     .doc = "Longest time without a dose that the timing allows, in 'h', days of the week included.",
     .spec = kSpec},
    {.name = "maximumDailyMg",
     .params = {{kIngredient, kWeight}},
     .result = kQuantityType,
     .fn = RegimenMg<true>,
     .doc = "Regimen: mg/d of an ingredient by all requests, scheduled and all as needed; of what is known.",
     .spec = kSpec},
    {.name = "maximumOmeq",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .fn = RegimenOmeq<Of::kMaximum>,
     .doc = "Regimen: oral morphine equivalent in 'mg/d' of all scheduled and as-needed doses, for safety; "
            "of what is known "
            "(see isPartial()).",
     .spec = kSpec},
    {.name = "omeqHigh",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = OmeqOf<true>,
     .doc = "Largest oral morphine equivalent of each request in 'mg/d'; empty when there is no factor.",
     .spec = kSpec},
    {.name = "omeqLow",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .result_many = true,
     .fn = OmeqOf<false>,
     .doc = "Smallest oral morphine equivalent of each request in 'mg/d'; empty when there is no factor.",
     .spec = kSpec},
    {.name = "omeqTable",
     .params = {{kTable}},
     .result = types::kSystemString,
     .fn = OmeqTableName,
     .doc = "Id and version of the table of oral morphine equivalents, to print beside its numbers.",
     .spec = kSpec},
    {.name = "patchRate",
     .result = kQuantityType,
     .result_many = true,
     .fn = Number<PatchRate, &kUgPerHour>,
     .doc = "Label rate of all patches of each request together, in 'ug/h'.",
     .spec = kSpec},
    {.name = "releaseKind",
     .result = types::kSystemString,
     .result_many = true,
     .fn = Each<EmitReleaseKind>,
     .doc = "Release of the product: immediate, modified, transdermal, transmucosal, parenteral, ...; empty "
            "when not known.",
     .spec = kSpec},
    {.name = "rescueRatio",
     .params = {{kTable, kWeight}},
     .result = types::kSystemDecimal,
     .result_many = true,
     .fn = RescueRatio,
     .doc = "Regimen: equivalent of one dose of each as-needed opioid by the scheduled daily equivalent; "
            "empty when nothing is "
            "scheduled or part of it is not known.",
     .spec = kSpec},
    {.name = "routeKind",
     .result = types::kSystemString,
     .result_many = true,
     .fn = Each<EmitRouteKind>,
     .doc = "Route of each request: oral, transdermal, parenteral, neuraxial, transmucosal, rectal, topical, "
            "other.",
     .spec = kSpec},
    {.name = "scheduledDailyMg",
     .params = {{kIngredient, kWeight}},
     .result = kQuantityType,
     .fn = RegimenMg<false>,
     .doc = "Regimen: mg/d of an ingredient by all scheduled requests; of what is known.",
     .spec = kSpec},
    {.name = "scheduledOmeq",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .fn = RegimenOmeq<Of::kScheduled>,
     .doc = "Regimen: largest oral morphine equivalent of the scheduled doses in 'mg/d'; of what is known "
            "(see isPartial()).",
     .spec = kSpec},
    {.name = "scheduledOmeqLow",
     .params = {{kTable, kWeight}},
     .result = kQuantityType,
     .fn = RegimenOmeq<Of::kScheduledLow>,
     .doc = "Regimen: smallest oral morphine equivalent of the scheduled doses in 'mg/d'; of what is known.",
     .spec = kSpec},
});
static_assert(std::ranges::is_sorted(kFunctions, {}, &Builtin::name));

}  // namespace

std::span<const Builtin> MedicationFunctions() { return kFunctions; }

}  // namespace stepwise::medication
