#include "rules/medication/dosage.h"

#include <algorithm>
#include <array>

#include "rules/medication/amount.h"
#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr auto kOrderIntents = std::to_array<std::string_view>(
    {"order", "original-order", "filler-order", "instance-order", "reflex-order"});
constexpr auto kPlannedIntents = std::to_array<std::string_view>({"proposal", "plan", "option"});

bool IsIn(std::string_view text, std::span<const std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool IsTrue(Node node) { return node && node.kind() == NodeKind::kBoolean && node.boolean(); }

// Rule 0. Absent status and intent count: suggestions and fragments leave them out.
Standing StandingOf(Node request) {
  const std::string_view status = TextOf(request, names::kStatus), intent = TextOf(request, names::kIntent);
  if (!status.empty() && status != "active" && status != "draft") return Standing::kExcluded;
  if (IsTrue(request.Child(names::kDoNotPerform))) return Standing::kExcluded;
  if (IsIn(intent, kPlannedIntents)) return Standing::kPlanned;
  return intent.empty() || IsIn(intent, kOrderIntents) ? Standing::kCounts : Standing::kExcluded;
}

// Rule 1. R4: asNeededBoolean or asNeededCodeableConcept. R5: asNeeded, asNeededFor.
bool IsAsNeeded(Node dosage) {
  return IsTrue(dosage.Child(names::kAsNeededBoolean)) || IsTrue(dosage.Child(names::kAsNeeded)) ||
         dosage.Child(names::kAsNeededCodeableConcept) || dosage.Child(names::kAsNeededFor);
}

// Of the instruction where it is coded, else of the product. What runs at a rate by no stated route is
// infused.
Route RouteOf(Node dosage, const Drug& drug, const DrugKnowledge& knowledge, AmountKind kind) {
  bool coded = false;
  if (const Node route = dosage.Child(names::kRoute)) {
    for (const Node coding : route.children()) {
      if (coding.name() != names::kCoding) continue;
      coded = true;
      const Route found = knowledge.FindRoute(TextOf(coding, names::kSystem), TextOf(coding, names::kCode));
      if (found != Route::kUnknown) return found;
    }
  }
  if (drug.route != Route::kUnknown) return drug.route;
  if (kind == AmountKind::kRate) return Route::kParenteral;
  return coded ? Route::kOther : Route::kUnknown;  // a route that no table knows has no factor
}

void ReadDosage(const Drug& drug, const DoseContext& context, Dosage* dosage) {
  const Node node = dosage->node;
  dosage->as_needed = IsAsNeeded(node);
  dosage->sequence = ReadNumber(node.Child(names::kSequence), &dosage->issues);
  dosage->route = RouteOf(node, drug, *context.knowledge, AmountKind::kDose);
  dosage->timing = ReadTiming(node.Child(names::kTiming), *context.knowledge, context.now);
  ReadAmounts(drug, context, dosage);
  if (dosage->kind == AmountKind::kPatch)
    dosage->route = Route::kTransdermal;
  else
    dosage->route = RouteOf(node, drug, *context.knowledge, dosage->kind);
  if (!dosage->as_needed) {
    const bool says = context.knowledge->SaysAsNeeded(TextOf(node, names::kText)) ||
                      context.knowledge->SaysAsNeeded(TextOf(node, names::kPatientInstruction));
    if (says) dosage->issues.Add(Issue::kTextConflict);
  }
  dosage->issues.Add(dosage->timing.issues);
  if (dosage->timing.one_off()) dosage->issues.Add(Issue::kOneOff);
}

// Rule 0, consecutive steps. Their durations follow one another; the step that contains `now` counts, else
// the one with the largest daily amount.
class Steps {
 public:
  Steps(std::vector<Dosage>* dosages, std::optional<DateTime> authored_on, const DateTime& now)
      : dosages_(*dosages), authored_on_(authored_on), now_(now) {}

  // Sets in_force of each dosage; true when the present step had to be guessed.
  bool Choose() {
    for (const Dosage& dosage : dosages_) {
      if (dosage.sequence && std::ranges::find(numbers_, *dosage.sequence) == numbers_.end())
        numbers_.push_back(*dosage.sequence);
    }
    std::ranges::sort(numbers_, [](const Rational& a, const Rational& b) { return a < b; });
    const bool steps = numbers_.size() > 1;
    std::vector<Rational> left;  // steps that may be the present one
    std::optional<Rational> present;
    int certain = 0;
    std::optional<DateTime> start = authored_on_;
    if (!steps) {
      for (Dosage& dosage : dosages_) dosage.in_force = InBounds(TimingOf(dosage), start, now_);
      return false;
    }
    for (const Rational& number : numbers_) {
      std::optional<DateTime> end;
      bool certainly = false, possible = false;
      for (Dosage& dosage : dosages_) {
        if (!dosage.sequence || !(*dosage.sequence == number)) continue;
        const Node timing = TimingOf(dosage);
        const bool begun =
            !start || Compare(*start, now_) != std::strong_ordering::greater || number == numbers_.front();
        dosage.in_force = begun && InBounds(timing, start, now_);
        possible = possible || dosage.in_force;
        certainly = certainly || (dosage.in_force && BoundsContain(timing, start, now_));
        if (!end) end = BoundsEnd(timing, start);
      }
      if (possible) left.push_back(number);
      if (certainly && certain++ == 0) present = number;
      // Without a duration nobody knows when the next step starts: its own duration counts from the order.
      start = end ? end : authored_on_;
    }
    for (Dosage& dosage : dosages_) {
      if (!dosage.sequence) dosage.in_force = InBounds(TimingOf(dosage), authored_on_, now_);
    }
    if (left.size() <= 1) return false;
    const Rational chosen = certain == 1 ? *present : Largest(left);
    for (Dosage& dosage : dosages_) {
      if (dosage.sequence && !(*dosage.sequence == chosen)) dosage.in_force = false;
    }
    return certain != 1;
  }

 private:
  static Node TimingOf(const Dosage& dosage) { return dosage.node.Child(names::kTiming); }

  // By the daily amount of the first ingredient, then by doses a day. A step that is not known is the
  // largest: it may be anything.
  Rational Largest(const std::vector<Rational>& left) const {
    Rational best = left.front();
    std::optional<Rational> best_mg, best_count;
    for (std::size_t i = 0; i < left.size(); ++i) {
      std::optional<Rational> mg = Rational(), count = Rational();
      for (const Dosage& dosage : dosages_) {
        if (!dosage.sequence || !(*dosage.sequence == left[i]) || !dosage.steady()) continue;
        const std::optional<Range>& daily = dosage.parts.front().daily_mg;
        mg = mg && daily ? std::optional(*mg + daily->high) : std::nullopt;
        count = count && dosage.timing.per_day ? std::optional(*count + dosage.timing.per_day->high)
                                               : std::nullopt;
      }
      const bool more = i == 0 || (best_mg && (!mg || *best_mg < *mg)) ||
                        (!best_mg && !mg && best_count && count && *best_count < *count);
      if (!more) continue;
      best = left[i];
      best_mg = mg;
      best_count = count;
    }
    return best;
  }

  std::vector<Dosage>& dosages_;
  std::optional<DateTime> authored_on_;
  const DateTime& now_;
  std::vector<Rational> numbers_;
};

}  // namespace

RequestDose ReadRequest(Node request, const DoseContext& context) {
  RequestDose out;
  out.request = request;
  out.standing = StandingOf(request);
  out.draft = TextOf(request, names::kStatus) == "draft";
  out.drug = IdentifyDrug(request, *context.knowledge, context.references);
  out.issues = out.drug.issues;
  for (const Node child : request.children()) {
    if (child.name() != names::kDosageInstruction || child.kind() != NodeKind::kObject) continue;
    Dosage& dosage = out.dosages.emplace_back();
    dosage.node = child;
    ReadDosage(out.drug, context, &dosage);
  }
  std::optional<DateTime> authored_on;
  if (const Node authored = request.Child(names::kAuthoredOn))
    authored_on = DateTime::ParseDateTime(authored.text());
  if (Steps(&out.dosages, authored_on, context.now).Choose()) out.issues.Add(Issue::kSequential);
  bool any = false;
  for (const Dosage& dosage : out.dosages) {
    if (!dosage.in_force) continue;
    any = true;
    out.issues.Add(dosage.issues);
  }
  if (out.dosages.empty())
    out.issues.Add(Issue::kNoDosage);
  else if (!any)
    out.issues.Add(Issue::kOutOfBounds);
  if (out.standing == Standing::kPlanned) out.issues.Add(Issue::kPlanned);
  if (out.standing == Standing::kExcluded) out.issues.Add(Issue::kNotApplicable);
  return out;
}

bool RequestDose::AsNeeded() const {
  const bool any = std::ranges::any_of(dosages, &Dosage::in_force);
  return std::ranges::any_of(
      dosages, [&](const Dosage& dosage) { return dosage.as_needed && (dosage.in_force || !any); });
}

std::optional<bool> RequestDose::Scheduled() const {
  if (dosages.empty()) return std::nullopt;
  const bool any = std::ranges::any_of(dosages, &Dosage::in_force);
  return std::ranges::any_of(
      dosages, [&](const Dosage& dosage) { return !dosage.as_needed && (dosage.in_force || !any); });
}

namespace {

template <typename Amount>
std::optional<Range> Sum(const RequestDose& dose, Amount&& amount) {
  std::optional<Range> sum;
  if (dose.standing == Standing::kExcluded) return sum;
  for (const Dosage& dosage : dose.dosages) {
    if (!dosage.steady()) continue;
    const std::optional<Range>& one = amount(dosage);
    if (!one) return std::nullopt;
    sum = sum ? *sum + *one : *one;
  }
  if (sum && sum->overflowed()) return std::nullopt;
  return sum;
}

}  // namespace

std::optional<Range> RequestDose::DosesPerDay() const {
  return Sum(*this,
             [](const Dosage& dosage) -> const std::optional<Range>& { return dosage.timing.per_day; });
}

std::optional<Range> RequestDose::DailyMg(std::size_t part) const {
  return Sum(*this, [part](const Dosage& dosage) -> const std::optional<Range>& {
    return dosage.parts[part].daily_mg;
  });
}

std::optional<Rational> RequestDose::IntervalHours() const {
  std::optional<Rational> out;
  if (standing == Standing::kExcluded) return out;
  for (const Dosage& dosage : dosages) {
    if (!dosage.steady()) continue;
    if (!dosage.timing.interval_h || (out && !(*out == *dosage.timing.interval_h))) return std::nullopt;
    out = dosage.timing.interval_h;
  }
  return out;
}

}  // namespace stepwise::medication
