#include "rules/medication/amount.h"

#include <array>

#include "rules/medication/quantity_reader.h"

namespace stepwise::medication {
namespace {

constexpr std::int64_t kHoursPerDay = 24, kUgPerMg = 1000;

// The doseAndRate entry that counts: the only one, the ordered one, or the first with a remark.
Node ChooseDoseAndRate(Node dosage, IssueSet* issues) {
  Node first, ordered;
  int all = 0, all_ordered = 0;
  for (const Node child : dosage.children()) {
    if (child.name() != names::kDoseAndRate || child.kind() != NodeKind::kObject) continue;
    if (all++ == 0) first = child;
    const Node type = child.Child(names::kType);
    if (!type) continue;
    for (const Node coding : type.children()) {
      if (coding.name() != names::kCoding || TextOf(coding, names::kCode) != "ordered") continue;
      if (all_ordered++ == 0) ordered = child;
      break;
    }
  }
  if (all > 1 && all_ordered != 1) issues->Add(Issue::kDoseChoice);
  return ordered ? ordered : first;
}

// Two quantities, or one that is both ends; a missing end is the other one. No value at all: kind of the
// present one.
struct QuantityRange {
  DoseQuantity low, high;
};

class AmountReader {
 public:
  AmountReader(const Drug& drug, const DoseContext& context, Dosage* dosage)
      : drug_(drug), context_(context), dosage_(dosage), issues_(&dosage->issues) {}

  void Read() {
    dosage_->parts.resize(drug_.parts.size());
    const Node entry = ChooseDoseAndRate(dosage_->node, issues_);
    Node dose, rate;
    bool dose_range = false;
    if (entry) {
      for (const Node child : entry.children()) {
        switch (child.name()) {
          case names::kDoseQuantity: dose = child; break;
          case names::kDoseRange:
            dose = child;
            dose_range = true;
            break;
          case names::kRateQuantity:
          case names::kRateRange:
          case names::kRateRatio: rate = child; break;
          default: break;
        }
      }
    }
    const bool is_patch = IsPatch();
    if (is_patch)
      dosage_->kind = AmountKind::kPatch;
    else if (rate && (!dose || !dosage_->timing.per_day))
      dosage_->kind = AmountKind::kRate;
    std::optional<QuantityRange> quantity;
    if (dose)
      quantity = dose_range ? ReadRange(dose) : Both(ReadQuantity(dose, *context_.knowledge, issues_));
    if (dosage_->kind == AmountKind::kRate)
      ReadRate(rate);
    else if (!quantity)
      issues_->Add(Issue::kDoseMissing);
    else if (is_patch)
      ReadPatches(*quantity);
    else
      ReadDoses(*quantity);
    // A cap on pieces of a patch is one on changing it, not on its rate.
    const bool capped = !is_patch && CapByPeriod();
    CheckTiming(capped);
    for (PartDose& part : dosage_->parts) {
      for (std::optional<Range>* range : {&part.dose_mg, &part.daily_mg, &part.ug_per_hour}) {
        if (!*range || !(*range)->overflowed()) continue;
        *range = std::nullopt;
        issues_->Add(Issue::kOverflow);
      }
    }
  }

 private:
  bool IsPatch() const {
    for (const DrugPart& part : drug_.parts) {
      if (part.strength.kind == StrengthKind::kPerHour) return true;
    }
    const bool transdermal =
        drug_.release == RouteName(Route::kTransdermal) || dosage_->route == Route::kTransdermal;
    return transdermal && drug_.parts.front().strength.kind == StrengthKind::kUnknown;
  }

  static QuantityRange Both(const DoseQuantity& quantity) { return {quantity, quantity}; }

  QuantityRange ReadRange(Node node) {
    const Node low_node = node.Child(names::kLow), high_node = node.Child(names::kHigh);
    QuantityRange out{ReadQuantity(low_node, *context_.knowledge, issues_),
                      ReadQuantity(high_node, *context_.knowledge, issues_)};
    if (!out.low.value) out.low = out.high;
    if (!out.high.value) out.high = out.low;
    return out;
  }

  // mg of one ingredient that a dose means, or an issue.
  std::optional<Rational> Milligrams(const DoseQuantity& quantity, const DrugPart& part,
                                     IssueSet* issues) const {
    const auto fail = [&](Issue issue) {
      issues->Add(issue);
      return std::nullopt;
    };
    if (!quantity.value) return issues->Has(Issue::kOverflow) ? std::nullopt : fail(Issue::kDoseMissing);
    Rational value = *quantity.value;
    if (quantity.per_ml) return fail(Issue::kUnitUnknown);
    if (quantity.per_kg) {
      if (!context_.weight_kg) return fail(Issue::kWeightMissing);
      value = value * *context_.weight_kg;
    }
    const auto times_strength = [&](StrengthKind kind) -> std::optional<Rational> {
      if (part.strength.kind != kind) return fail(Issue::kStrengthUnknown);
      return value * part.strength.value;
    };
    switch (quantity.kind) {
      case UnitKind::kMass:
        if (drug_.combination) return fail(Issue::kDoseAmbiguous);
        return value;
      case UnitKind::kVolume: return times_strength(StrengthKind::kPerMl);
      case UnitKind::kPiece: return times_strength(StrengthKind::kPerPiece);
      case UnitKind::kTime:
      case UnitKind::kWeight:
      case UnitKind::kOther: break;
    }
    return fail(Issue::kUnitUnknown);
  }

  std::optional<Range> MilligramRange(const QuantityRange& quantity, const DrugPart& part, bool rate) {
    if (quantity.low.per_day != rate || quantity.high.per_day != rate) {
      issues_->Add(quantity.low.value ? Issue::kUnitUnknown : Issue::kDoseMissing);
      return std::nullopt;
    }
    const auto low = Milligrams(quantity.low, part, issues_), high = Milligrams(quantity.high, part, issues_);
    if (!low || !high) return std::nullopt;
    if (*high < *low) {
      issues_->Add(Issue::kRangeReversed);
      return Range{*high, *low};
    }
    return Range{*low, *high};
  }

  void ReadDoses(const QuantityRange& quantity) {
    const Node cap_node = dosage_->node.Child(names::kMaxDosePerAdministration);
    DoseQuantity cap;
    if (cap_node) cap = ReadQuantity(cap_node, *context_.knowledge, issues_);
    for (std::size_t i = 0; i < drug_.parts.size(); ++i) {
      PartDose& part = dosage_->parts[i];
      part.dose_mg = MilligramRange(quantity, drug_.parts[i], false);
      if (cap_node) {
        IssueSet ignored;
        const auto most = cap.per_day ? std::nullopt : Milligrams(cap, drug_.parts[i], &ignored);
        if (!most)
          issues_->Add(Issue::kCapUnreadable);
        else if (part.dose_mg)
          part.dose_mg = Range{Min(part.dose_mg->low, *most), Min(part.dose_mg->high, *most)};
      }
      if (part.dose_mg && dosage_->timing.per_day) part.daily_mg = *dosage_->timing.per_day * *part.dose_mg;
    }
  }

  void ReadRate(Node rate) {
    QuantityRange quantity;
    if (rate.name() == names::kRateRange) {
      quantity = ReadRange(rate);
    } else if (rate.name() == names::kRateQuantity) {
      quantity = Both(ReadQuantity(rate, *context_.knowledge, issues_));
    } else {
      DoseQuantity top = ReadQuantity(rate.Child(names::kNumerator), *context_.knowledge, issues_);
      const DoseQuantity time = ReadQuantity(rate.Child(names::kDenominator), *context_.knowledge, issues_);
      const bool readable = time.value && time.value->IsPositive() && time.kind == UnitKind::kTime &&
                            !time.per_day && !top.per_day;
      if (top.value && readable) top.value = *top.value / *time.value;
      top.per_day = readable;
      quantity = Both(top);
    }
    // The part of a day that it runs: all of it, or duration x administrations.
    std::optional<Range> share = Range{Rational(1), Rational(1)};
    if (dosage_->timing.duration_days) {
      share = std::nullopt;
      if (dosage_->timing.per_day) {
        share = *dosage_->timing.duration_days * *dosage_->timing.per_day;
        share = Range{Min(share->low, Rational(1)), Min(share->high, Rational(1))};
      }
    }
    for (std::size_t i = 0; i < drug_.parts.size(); ++i) {
      const auto mg_per_day = MilligramRange(quantity, drug_.parts[i], true);
      if (mg_per_day && share) dosage_->parts[i].daily_mg = *mg_per_day * *share;
    }
  }

  void ReadPatches(const QuantityRange& quantity) {
    for (std::size_t i = 0; i < drug_.parts.size(); ++i) {
      PartDose& part = dosage_->parts[i];
      const Strength& strength = drug_.parts[i].strength;
      if (!quantity.low.value) {
        issues_->Add(Issue::kDoseMissing);
      } else if (quantity.low.kind == UnitKind::kMass && quantity.low.per_day && quantity.high.per_day) {
        part.daily_mg = MilligramRange(quantity, drug_.parts[i], true);  // "25 ug/h": the rate itself
      } else if (quantity.low.kind != UnitKind::kPiece || quantity.low.per_day || quantity.low.per_kg) {
        issues_->Add(Issue::kUnitUnknown);
      } else if (strength.kind != StrengthKind::kPerHour) {
        issues_->Add(Issue::kStrengthUnknown);
      } else {
        part.daily_mg =
            Range{*quantity.low.value, *quantity.high.value} * (strength.value * Rational(kHoursPerDay));
      }
      if (part.daily_mg) part.ug_per_hour = *part.daily_mg * Rational::Make(kUgPerMg, kHoursPerDay);
    }
  }

  // Caps the daily amounts; true when there is a readable cap on the first ingredient.
  bool CapByPeriod() {
    bool capped = false;
    for (const Node ratio : dosage_->node.children()) {
      if (ratio.name() != names::kMaxDosePerPeriod || ratio.kind() != NodeKind::kObject) continue;
      const DoseQuantity most = ReadQuantity(ratio.Child(names::kNumerator), *context_.knowledge, issues_);
      const DoseQuantity time = ReadQuantity(ratio.Child(names::kDenominator), *context_.knowledge, issues_);
      const bool readable = time.value && time.value->IsPositive() && time.kind == UnitKind::kTime &&
                            !time.per_day && !most.per_day;
      for (std::size_t i = 0; i < drug_.parts.size(); ++i) {
        IssueSet ignored;
        const auto mg = readable ? Milligrams(most, drug_.parts[i], &ignored) : std::nullopt;
        if (!mg) {
          issues_->Add(Issue::kCapUnreadable);
          continue;
        }
        if (i == 0) capped = true;
        const Rational daily = *mg / *time.value;
        std::optional<Range>& range = dosage_->parts[i].daily_mg;
        if (range) range = Range{Min(range->low, daily), Min(range->high, daily)};
        // As needed without an interval: the cap is all that bounds it.
        else if (dosage_->as_needed && dosage_->timing.basis == TimingBasis::kNone)
          range = Range{daily, daily};
      }
    }
    return capped;
  }

  void CheckTiming(bool capped) {
    const Timing& timing = dosage_->timing;
    if (timing.per_day) {
      const Rational* most = context_.knowledge->max_doses_per_day();
      const bool by_time = dosage_->kind == AmountKind::kDose && dosage_->route != Route::kTransdermal &&
                           dosage_->route != Route::kTopical && dosage_->route != Route::kOther;
      if (by_time && most != nullptr && timing.per_day->high > *most)
        issues_->Add(Issue::kImplausibleFrequency);
      return;
    }
    if (timing.one_off()) return;
    if (dosage_->kind == AmountKind::kRate && !timing.duration_days) return;  // continuous
    if (dosage_->as_needed && dosage_->kind != AmountKind::kPatch) {
      if (!capped) issues_->Add(Issue::kPrnUnbounded);
    } else if (!timing.issues.Has(Issue::kPeriodMissing) && !timing.issues.Has(Issue::kOverflow)) {
      issues_->Add(Issue::kTimingUnknown);
    }
  }

  const Drug& drug_;
  const DoseContext& context_;
  Dosage* dosage_;
  IssueSet* issues_;
};

}  // namespace

void ReadAmounts(const Drug& drug, const DoseContext& context, Dosage* dosage) {
  AmountReader(drug, context, dosage).Read();
}

}  // namespace stepwise::medication
