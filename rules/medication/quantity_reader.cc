#include "rules/medication/quantity_reader.h"

#include "fhir/ucum/ucum.h"

namespace stepwise::medication {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";

// The whole unit by UCUM: mass or volume by its own scale, anything else that measures is kOther.
UnitRow ByUcum(std::string_view code) {
  UnitRow out{UnitKind::kPiece, Rational(1), true};
  const ucum::Unit* known = ucum::Find(code);
  const auto parsed = known != nullptr ? Result<ucum::Unit>(*known) : ucum::Parse(code);
  if (!parsed || (parsed->dimension == ucum::Dimension{} && parsed->special == ucum::Special::kNone &&
                  parsed->arbitrary == ucum::Unit{}.arbitrary)) {
    // No unit, or a pure number: {tbl}, TAB, 1. A percentage or a mol is a pure number too, but no count.
    const bool counts = !parsed || ucum::CanonicalMagnitude(*parsed) == Decimal(1);
    if (!counts) out.kind = UnitKind::kOther;
    return out;
  }
  out.kind = UnitKind::kOther;
  const auto convert = [&](std::string_view to, UnitKind kind) {
    if (!ucum::Commensurable(*parsed, *ucum::Find(to))) return;
    const auto factor = ucum::Convert(Decimal(1), *parsed, *ucum::Find(to));
    if (factor) out = {kind, Rational::Of(*factor), true};
  };
  convert("mg", UnitKind::kMass);
  convert("mL", UnitKind::kVolume);
  return out;
}

UnitRow FindUnit(std::string_view system, std::string_view code, const DrugKnowledge& knowledge) {
  if (code.empty() || code == "1" || code.front() == '{') return {UnitKind::kPiece, Rational(1), true};
  if (const UnitRow* row = knowledge.FindUnit(system, code)) return *row;
  if (!system.empty() && system != kUcum) return {UnitKind::kPiece, Rational(1), true};
  return ByUcum(code);
}

}  // namespace

std::string_view TextOf(Node node, NameId child) {
  const Node found = node ? node.Child(child) : Node();
  return found ? found.text() : std::string_view();
}

std::optional<Rational> ReadNumber(Node number, IssueSet* issues) {
  if (!number || number.kind() != NodeKind::kNumber) return std::nullopt;
  const auto decimal = Decimal::Parse(number.text());
  const Rational value = decimal ? Rational::Of(*decimal) : Rational::Overflow();
  if (value.overflowed()) issues->Add(Issue::kOverflow);
  if (value.overflowed() || value < Rational(0)) return std::nullopt;
  return value;
}

DoseQuantity ReadQuantity(Node quantity, const DrugKnowledge& knowledge, IssueSet* issues) {
  DoseQuantity out;
  if (!quantity) return out;
  Node value, code_node, unit_node, system_node;
  for (const Node child : quantity.children()) {
    switch (child.name()) {
      case names::kValue: value = child; break;
      case names::kCode: code_node = child; break;
      case names::kUnit: unit_node = child; break;
      case names::kSystem: system_node = child; break;
      default: break;
    }
  }
  out.value = ReadNumber(value, issues);
  std::string_view code = code_node ? code_node.string() : std::string_view();
  std::string_view system = system_node ? system_node.string() : std::string_view();
  if (code.empty() && unit_node) {
    code = unit_node.string();
    system = {};
    const std::string_view first = code.substr(0, code.find('/'));
    if (knowledge.FindUnit({}, first) == nullptr) code = {};
    if (!code.empty()) issues->Add(Issue::kUnitNotUcum);
  }
  // "{tbl}/d" has a slash and "mg{total}" a brace; only what is outside braces counts.
  const std::size_t slash = code.find('/');
  UnitRow unit = FindUnit(system, code.substr(0, slash), knowledge);
  if (!unit.ucum) issues->Add(Issue::kUnitNotUcum);
  out.kind = unit.kind;
  Rational factor = unit.factor;
  for (std::size_t at = slash; at != std::string_view::npos;) {
    const std::size_t next = code.find('/', at + 1);
    const std::string_view part = code.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    at = next;
    const UnitRow below = FindUnit(system, part, knowledge);
    if (!below.ucum) issues->Add(Issue::kUnitNotUcum);
    if (below.kind == UnitKind::kWeight && !out.per_kg) {
      out.per_kg = true;
    } else if (below.kind == UnitKind::kTime && !out.per_day) {
      out.per_day = true;
      factor = factor / below.factor;
    } else if (below.kind == UnitKind::kVolume && !out.per_ml) {
      out.per_ml = true;
      factor = factor / below.factor;
    } else if (below.kind != UnitKind::kPiece) {
      out.kind = UnitKind::kOther;
    }
  }
  if (out.value) {
    out.value = *out.value * factor;
    if (out.value->overflowed()) {
      issues->Add(Issue::kOverflow);
      out.value = std::nullopt;
    }
  }
  return out;
}

}  // namespace stepwise::medication
