#include "fhir/quantity.h"

#include <algorithm>
#include <array>

#include "fhir/date_time.h"
#include "fhir/ucum/ucum.h"

namespace stepwise {
namespace {

std::optional<CalendarUnit> CalendarOf(const Quantity& quantity) {
  return quantity.calendar ? CalendarKeyword(quantity.unit) : std::nullopt;
}

// A calendar year or month: no fixed number of seconds.
bool Varies(std::optional<CalendarUnit> unit) { return unit && *unit <= CalendarUnit::kMonth; }

// The unit as UCUM, "" for a calendar quantity whose keyword is none.
std::string_view UcumText(const Quantity& quantity) {
  constexpr std::array<std::string_view, 8> kCodes = {"a", "mo", "wk", "d", "h", "min", "s", "ms"};
  if (!quantity.calendar) return quantity.unit.empty() ? "1" : quantity.unit;
  const std::optional<CalendarUnit> unit = CalendarKeyword(quantity.unit);
  return unit ? kCodes[static_cast<std::size_t>(*unit)] : "";
}

bool SameUnit(const Quantity& a, const Quantity& b) {
  if (a.calendar != b.calendar) return false;
  if (a.unit == b.unit) return true;
  return a.calendar ? CalendarOf(a) && CalendarOf(a) == CalendarOf(b) : UcumText(a) == UcumText(b);
}

// A unit of the common table, or parsed into its own storage; not to be copied.
class Resolved {
 public:
  explicit Resolved(std::string_view text) : unit_(ucum::Find(text)) {
    if (unit_ != nullptr) return;
    const Result<ucum::Unit> parsed = ucum::Parse(text);
    if (!parsed) return;
    storage_ = *parsed;
    unit_ = &*storage_;
  }
  Resolved(const Resolved&) = delete;
  Resolved& operator=(const Resolved&) = delete;

  explicit operator bool() const { return unit_ != nullptr; }
  const ucum::Unit& operator*() const { return *unit_; }
  const ucum::Unit* operator->() const { return unit_; }

 private:
  const ucum::Unit* unit_;
  std::optional<ucum::Unit> storage_;
};

// Calendar years and months in months.
std::optional<Decimal> Months(const Quantity& quantity, CalendarUnit unit) {
  return Multiply(quantity.value, Decimal(unit == CalendarUnit::kYear ? 12 : 1));
}

// A calendar amount of years or months against a definite duration: known only where every length agrees.
std::optional<std::strong_ordering> CompareVarying(const Quantity& varying, CalendarUnit unit,
                                                   const Quantity& definite) {
  const Resolved resolved(UcumText(definite));
  if (!resolved) return std::nullopt;
  const bool year = unit == CalendarUnit::kYear;
  std::array<std::optional<std::strong_ordering>, 2> orders;
  for (std::size_t i = 0; i < 2; ++i) {
    const int length = i == 0 ? (year ? 365 : 28) : (year ? 366 : 31);
    const std::optional<Decimal> days = Multiply(varying.value, Decimal(length));
    if (!days) return std::nullopt;
    orders[i] = ucum::Compare(*days, *ucum::Find("d"), definite.value, *resolved);
  }
  return orders[0] == orders[1] ? orders[0] : std::nullopt;
}

std::optional<OwnedQuantity> Sum(const Quantity& a, const Quantity& b, bool subtract) {
  const auto combine = [&](const std::optional<Decimal>& left, const std::optional<Decimal>& right,
                           std::string_view unit, bool calendar) -> std::optional<OwnedQuantity> {
    if (!left || !right) return std::nullopt;
    const std::optional<Decimal> sum = subtract ? Subtract(*left, *right) : Add(*left, *right);
    if (!sum) return std::nullopt;
    return OwnedQuantity{*sum, std::string(unit), calendar};
  };
  if (SameUnit(a, b)) return combine(a.value, b.value, a.unit.empty() ? "1" : a.unit, a.calendar);
  const std::optional<CalendarUnit> a_unit = CalendarOf(a);
  const std::optional<CalendarUnit> b_unit = CalendarOf(b);
  if (Varies(a_unit) && Varies(b_unit))
    return combine(Months(a, *a_unit), Months(b, *b_unit), "months", true);
  if (Varies(a_unit) || Varies(b_unit)) return std::nullopt;
  const Resolved left(UcumText(a));
  const Resolved right(UcumText(b));
  if (!left || !right || left->special != ucum::Special::kNone || right->special != ucum::Special::kNone) {
    return std::nullopt;
  }
  const bool to_left = left->magnitude.Approximate() <= right->magnitude.Approximate();
  const bool calendar = a.calendar && b.calendar;
  const Quantity& finer = to_left ? a : b;
  const std::string_view unit = calendar ? finer.unit : UcumText(finer);
  if (to_left) return combine(a.value, ucum::Convert(b.value, *right, *left), unit, calendar);
  return combine(ucum::Convert(a.value, *left, *right), b.value, unit, calendar);
}

std::optional<OwnedQuantity> Product(const std::optional<Decimal>& value, std::string unit) {
  if (!value || unit.empty()) return std::nullopt;
  return OwnedQuantity{*value, std::move(unit), false};
}

}  // namespace

std::optional<std::strong_ordering> Compare(const Quantity& a, const Quantity& b) {
  if (SameUnit(a, b)) return a.value <=> b.value;
  const std::optional<CalendarUnit> a_unit = CalendarOf(a);
  const std::optional<CalendarUnit> b_unit = CalendarOf(b);
  if (Varies(a_unit) && Varies(b_unit)) {
    const std::optional<Decimal> left = Months(a, *a_unit);
    const std::optional<Decimal> right = Months(b, *b_unit);
    if (!left || !right) return std::nullopt;
    return *left <=> *right;
  }
  if (Varies(a_unit)) return CompareVarying(a, *a_unit, b);
  if (Varies(b_unit)) {
    const auto order = CompareVarying(b, *b_unit, a);
    if (!order) return std::nullopt;
    return 0 <=> *order;
  }
  const Resolved left(UcumText(a));
  if (!left) return std::nullopt;
  const Resolved right(UcumText(b));
  if (!right) return std::nullopt;
  return ucum::Compare(a.value, *left, b.value, *right);
}

std::optional<bool> Equal(const Quantity& a, const Quantity& b) {
  const std::optional<std::strong_ordering> order = Compare(a, b);
  if (!order) return std::nullopt;
  return *order == std::strong_ordering::equal;
}

bool Equivalent(const Quantity& a, const Quantity& b) {
  std::optional<Decimal> left = a.value;
  std::optional<Decimal> right = b.value;
  if (!SameUnit(a, b) && UcumText(a) != UcumText(b)) {
    const Resolved left_unit(UcumText(a));
    const Resolved right_unit(UcumText(b));
    if (!left_unit || !right_unit) return false;
    if (left_unit->magnitude.Approximate() >= right_unit->magnitude.Approximate()) {
      right = ucum::Convert(b.value, *right_unit, *left_unit);
    } else {
      left = ucum::Convert(a.value, *left_unit, *right_unit);
    }
    if (!left || !right) return false;
  }
  const int places = std::min(left->Normalized().scale(), right->Normalized().scale());
  return left->Rounded(places) == right->Rounded(places);
}

std::optional<OwnedQuantity> Add(const Quantity& a, const Quantity& b) { return Sum(a, b, false); }

std::optional<OwnedQuantity> Subtract(const Quantity& a, const Quantity& b) { return Sum(a, b, true); }

std::optional<OwnedQuantity> Multiply(const Quantity& a, const Quantity& b) {
  return Product(Multiply(a.value, b.value), ucum::UnitProductText(UcumText(a), UcumText(b)));
}

std::optional<OwnedQuantity> Divide(const Quantity& a, const Quantity& b) {
  return Product(Divide(a.value, b.value), ucum::UnitQuotientText(UcumText(a), UcumText(b)));
}

std::string ToString(const Quantity& quantity) {
  std::string text = quantity.value.ToString();
  text += ' ';
  if (quantity.calendar) return text.append(quantity.unit);
  return text.append("'").append(quantity.unit.empty() ? "1" : quantity.unit).append("'");
}

}  // namespace stepwise
