#include "rules/forecast.h"

#include <algorithm>
#include <array>

namespace stepwise::rules {
namespace {

using fhirpath::Ast;
using fhirpath::AstKind;

constexpr int kMaxNames = 32;  // names inside names; a circle is reported by whoever compiles

// Functions that always give true or false.
constexpr std::string_view kTwoValued[] = {"exists",   "empty",    "all",        "allTrue",  "anyTrue",
                                           "allFalse", "anyFalse", "isDistinct", "subsetOf", "supersetOf"};
constexpr std::string_view kNeverEmpty[] = {"today", "now", "timeOfDay"};

bool Contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::uint8_t Not(std::uint8_t set) {
  return static_cast<std::uint8_t>((set & kYes ? kNo : 0) | (set & kNo ? kYes : 0) | (set & kNothing));
}

// Three-valued `and` and `or` of single outcomes; the rest follows from them.
std::uint8_t And(std::uint8_t a, std::uint8_t b) {
  if (a == kNo || b == kNo) return kNo;
  return a == kYes && b == kYes ? kYes : kNothing;
}
std::uint8_t Or(std::uint8_t a, std::uint8_t b) { return Not(And(Not(a), Not(b))); }
std::uint8_t Xor(std::uint8_t a, std::uint8_t b) {
  if (a == kNothing || b == kNothing) return kNothing;
  return a == b ? kNo : kYes;
}
std::uint8_t Implies(std::uint8_t a, std::uint8_t b) { return Or(Not(a), b); }

struct LogicRow {
  std::string_view name;
  std::uint8_t (*single)(std::uint8_t, std::uint8_t);
};
constexpr LogicRow kLogic[] = {{"and", And}, {"or", Or}, {"xor", Xor}, {"implies", Implies}};

std::uint8_t Logic(const LogicRow& row, std::uint8_t a, std::uint8_t b) {
  std::uint8_t out = 0;
  for (const std::uint8_t left : {kYes, kNo, kNothing}) {
    for (const std::uint8_t right : {kYes, kNo, kNothing}) {
      if ((a & left) != 0 && (b & right) != 0) out |= row.single(left, right);
    }
  }
  return out;
}

// Is there an x in a and a y in b with x < y, or (or_equal) x <= y?
bool SomeBelow(const Range& a, const Range& b, bool or_equal) {
  if (!a.low || !b.high || a.low->value < b.high->value) return true;
  return or_equal && a.low->value == b.high->value && !a.low->open && !b.high->open;
}

bool IsPoint(const Range& range) { return range.low && range.high && range.low->value == range.high->value; }

std::uint8_t CompareRanges(std::string_view op, const Range& a, const Range& b) {
  const auto set = [](bool yes, bool no) {
    return static_cast<std::uint8_t>((yes ? kYes : 0) | (no ? kNo : 0));
  };
  if (op == "<") return set(SomeBelow(a, b, false), SomeBelow(b, a, true));
  if (op == "<=") return set(SomeBelow(a, b, true), SomeBelow(b, a, false));
  if (op == ">") return CompareRanges("<", b, a);
  if (op == ">=") return CompareRanges("<=", b, a);
  const bool meet = SomeBelow(a, b, true) && SomeBelow(b, a, true);
  const std::uint8_t equal = set(meet, !(IsPoint(a) && IsPoint(b) && meet));
  return op == "=" ? equal : Not(equal);
}

std::optional<Limit> Combine(const std::optional<Limit>& a, const std::optional<Limit>& b, bool subtract) {
  if (!a || !b) return std::nullopt;
  const auto value = subtract ? Subtract(a->value, b->value) : Add(a->value, b->value);
  return value ? std::optional(Limit{*value, a->open || b->open}) : std::nullopt;
}

std::optional<Range> Arithmetic(std::string_view op, const Range& a, const Range& b) {
  if (op == "+" && a.unit == b.unit)
    return Range{Combine(a.low, b.low, false), Combine(a.high, b.high, false), a.unit};
  if (op == "-" && a.unit == b.unit)
    return Range{Combine(a.low, b.high, true), Combine(a.high, b.low, true), a.unit};
  if (op != "*" || !a.low || !a.high || !b.low || !b.high || (!a.unit.empty() && !b.unit.empty()))
    return std::nullopt;
  std::vector<Decimal> corners;
  for (const auto& x : {a.low, a.high}) {
    for (const auto& y : {b.low, b.high}) {
      const auto product = Multiply(x->value, y->value);
      if (!product) return std::nullopt;
      corners.push_back(*product);
    }
  }
  const auto [low, high] = std::ranges::minmax_element(corners);
  return Range{Limit{*low}, Limit{*high}, a.unit.empty() ? b.unit : a.unit};
}

std::string UnitName(std::string_view unit, bool calendar) {
  if (calendar && unit.ends_with('s')) unit.remove_suffix(1);
  return unit == "1" ? "" : std::string(unit);
}

Forecast Point(std::string_view number, std::string unit) {
  const auto value = Decimal::Parse(number);
  if (!value) return {.outcomes = kYes};
  return {.outcomes = kYes, .range = Range{Limit{*value}, Limit{*value}, std::move(unit)}};
}

Forecast OfParameter(const PackParameter& parameter) {
  if (!parameter.usable) return {};
  if (parameter.type == ParameterType::kBoolean) {
    if (parameter.overridable) return {.outcomes = kYes | kNo};
    return {.outcomes = parameter.value == "true" ? kYes : kNo};
  }
  if (parameter.type == ParameterType::kString) {
    if (parameter.overridable) return {.outcomes = kYes};
    return {.outcomes = kYes, .text = parameter.value};
  }
  const auto calendar = CalendarUcum(parameter.unit);
  const std::string unit = calendar ? std::string(CalendarName(*calendar)) : UnitName(parameter.unit, false);
  if (!parameter.overridable) return Point(parameter.value, unit);
  const auto limit = [](const std::string& text) {
    const auto value = Decimal::Parse(text);
    return value ? std::optional(Limit{*value}) : std::nullopt;
  };
  return {.outcomes = kYes, .range = Range{limit(parameter.min), limit(parameter.max), unit}};
}

std::string_view Opposite(std::string_view op) {  // what is true when `op` is false
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kPairs = {
      {{"<", ">="}, {">=", "<"}, {">", "<="}, {"<=", ">"}}};
  const auto found = std::ranges::find(kPairs, op, [](const auto& pair) { return pair.first; });
  return found == kPairs.end() ? "" : found->second;
}

std::string_view Mirrored(std::string_view op) {  // a op b is b Mirrored(op) a
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPairs = {
      {{"<", ">"}, {">", "<"}, {"<=", ">="}, {">=", "<="}, {"=", "="}}};
  const auto found = std::ranges::find(kPairs, op, [](const auto& pair) { return pair.first; });
  return found == kPairs.end() ? "" : found->second;
}

bool StartsAtName(const Ast& ast) {
  if (ast.kind == AstKind::kVariable) return true;
  const bool chain = ast.kind == AstKind::kMember || ast.kind == AstKind::kCall;
  return chain && !ast.children.empty() && ast.children[0] != nullptr && StartsAtName(*ast.children[0]);
}

}  // namespace

std::string Range::ToString() const {
  const std::string tail = unit.empty() ? "" : " " + unit;
  if (IsPoint(*this)) return low->value.ToString() + tail;
  if (!low && !high) return "any number";
  if (!high) return (low->open ? "more than " : "at least ") + low->value.ToString() + tail;
  if (!low) return (high->open ? "less than " : "at most ") + high->value.ToString() + tail;
  return low->value.ToString() + " to " + high->value.ToString() + tail;
}

Forecast Forecaster::Of(std::string_view expression, std::vector<ConstantComparison>* constants) {
  const auto ast = fhirpath::Parse(expression);
  if (!ast) return {};
  constants_ = constants;
  reads_data_ = false;
  Forecast out = Evaluate(**ast);
  out.reads_data = reads_data_;
  constants_ = nullptr;
  return out;
}

void Forecaster::Learn(std::string_view expression, bool truth, bool may_be_empty) {
  const auto ast = fhirpath::Parse(expression);
  if (!ast) return;
  if (may_be_empty) {
    learnt_[ToText(**ast)] = static_cast<std::uint8_t>((truth ? kYes : kNo) | kNothing);
  } else {
    Learn(**ast, truth);
  }
}

void Forecaster::Learn(const Ast& ast, bool truth) {
  learnt_[ToText(ast)] = truth ? kYes : kNo;
  if (ast.kind == AstKind::kCall && ast.text == "not" && ast.children.size() == 1 &&
      ast.children[0] != nullptr)
    return Learn(*ast.children[0], !truth);
  if (ast.kind != AstKind::kBinary) return;
  if (ast.text == (truth ? "and" : "or")) {
    Learn(*ast.children[0], truth);
    Learn(*ast.children[1], truth);
    return;
  }
  const std::string_view op = truth ? std::string_view(ast.text) : Opposite(ast.text);
  const Forecast left = Evaluate(*ast.children[0]), right = Evaluate(*ast.children[1]);
  if (right.range) Narrow(*ast.children[0], op, *right.range);
  if (left.range) Narrow(*ast.children[1], Mirrored(op), *left.range);
}

void Forecaster::Narrow(const Ast& ast, std::string_view op, const Range& limit) {
  if (!StartsAtName(ast)) return;
  const Forecast now = Evaluate(ast);
  if (now.range && now.range->unit != limit.unit) return;
  Range range = now.range.value_or(Range{std::nullopt, std::nullopt, limit.unit});
  const auto tighter = [](const std::optional<Limit>& old, const Limit& fresh, bool low) {
    if (!old) return true;
    if (old->value == fresh.value) return fresh.open;
    return low ? fresh.value > old->value : fresh.value < old->value;
  };
  if ((op == ">" || op == ">=" || op == "=") && limit.low) {
    const Limit low{limit.low->value, limit.low->open || op == ">"};
    if (tighter(range.low, low, true)) range.low = low;
  }
  if ((op == "<" || op == "<=" || op == "=") && limit.high) {
    const Limit high{limit.high->value, limit.high->open || op == "<"};
    if (tighter(range.high, high, false)) range.high = high;
  }
  ranges_[ToText(ast)] = range;
}

Forecast Forecaster::Evaluate(const Ast& ast) {
  if (arguments_ == 0 && depth_ == 0 && !learnt_.empty()) {
    const std::string text = ToText(ast);
    if (const auto found = ranges_.find(text); found != ranges_.end())
      return {.outcomes = kYes, .range = found->second};
    if (const auto found = learnt_.find(text); found != learnt_.end()) return {.outcomes = found->second};
  }
  switch (ast.kind) {
    case AstKind::kEmpty: return {.outcomes = kNothing};
    case AstKind::kBoolean: return {.outcomes = ast.text == "true" ? kYes : kNo};
    case AstKind::kString: return {.outcomes = kYes, .text = ast.text};
    case AstKind::kInteger:
    case AstKind::kLong:
    case AstKind::kDecimal: return Point(ast.text, "");
    case AstKind::kQuantity: return Point(ast.text, UnitName(ast.unit, ast.calendar));
    case AstKind::kTemporal: return {.outcomes = kYes};
    case AstKind::kVariable: return Name(ast.text);
    case AstKind::kMember: {
      if (ast.children.empty() || ast.children[0] == nullptr) return {};
      if (ast.children[0]->kind == AstKind::kVariable && ast.children[0]->text == "p")
        return Name("p." + ast.text);
      Evaluate(*ast.children[0]);
      return {};
    }
    case AstKind::kUnary: {
      Forecast out = Evaluate(*ast.children[0]);
      if (ast.text != "-" || !out.range) return out;
      const auto negated = [](const std::optional<Limit>& limit) {
        return limit ? std::optional(Limit{limit->value.Negated(), limit->open}) : std::nullopt;
      };
      out.range = Range{negated(out.range->high), negated(out.range->low), out.range->unit};
      return out;
    }
    case AstKind::kBinary: return Binary(ast);
    case AstKind::kCall: return Call(ast);
    case AstKind::kThis:
    case AstKind::kIndex:
    case AstKind::kTotal:
    case AstKind::kIndexer:
    case AstKind::kTypeTest:
    case AstKind::kInstance: break;
  }
  for (const auto& child : ast.children) {
    if (child != nullptr) Evaluate(*child);
  }
  return {};
}

Forecast Forecaster::Name(const std::string& name) {
  if (depth_ >= kMaxNames) return {};
  const auto named = [&](const std::vector<NamedExpression>& list) {
    const auto found =
        std::ranges::find(list, name, [](const NamedExpression& one) { return one.name.text; });
    return found == list.end() ? nullptr : &found->expression;
  };
  // A name is evaluated where it was written: a fact does not see the lets of a rule.
  const auto follow = [&](const SourceText& expression, const ForecastScope& scope) -> Forecast {
    const auto ast = fhirpath::Parse(expression.text);
    if (!ast) return {};
    const ForecastScope outer = scope_;
    auto* const constants = constants_;
    scope_ = scope;
    constants_ = nullptr;
    ++depth_;
    const Forecast out = Evaluate(**ast);
    --depth_;
    constants_ = constants;
    scope_ = outer;
    return out;
  };
  if (scope_.rule != nullptr) {
    if (const SourceText* let = named(scope_.rule->lets)) return follow(*let, scope_);
    if (scope_.rule->for_each && scope_.rule->for_each->name.text == name) return {.outcomes = kYes};
  }
  std::vector<const Pack*> packs = {scope_.pack};
  packs.insert(packs.end(), scope_.required.begin(), scope_.required.end());
  for (const Pack* pack : packs) {
    if (name.starts_with("p.")) {
      const auto found = std::ranges::find(pack->parameters, name.substr(2), &PackParameter::name);
      if (found != pack->parameters.end()) return OfParameter(*found);
    }
    if (const SourceText* fact = named(pack->facts)) return follow(*fact, {pack, scope_.required, nullptr});
  }
  reads_data_ = true;
  return {};
}

Forecast Forecaster::Binary(const Ast& ast) {
  const Forecast left = Evaluate(*ast.children[0]), right = Evaluate(*ast.children[1]);
  for (const LogicRow& row : kLogic) {
    if (row.name == ast.text) return {.outcomes = Logic(row, left.outcomes, right.outcomes)};
  }
  const bool compares = !Mirrored(ast.text).empty() || ast.text == "!=";
  const std::uint8_t nothing = (left.outcomes | right.outcomes) & kNothing;
  if (!compares) {
    Forecast out;
    if (left.range && right.range) out.range = Arithmetic(ast.text, *left.range, *right.range);
    if (out.range) out.outcomes = static_cast<std::uint8_t>(kYes | nothing);
    return out;
  }
  std::uint8_t answer = kAnyOutcome;
  std::string why;
  if (left.range && right.range && left.range->unit == right.range->unit) {
    answer = CompareRanges(ast.text, *left.range, *right.range);
    why = left.range->ToString() + " " + ast.text + " " + right.range->ToString();
  } else if (left.text && right.text && (ast.text == "=" || ast.text == "!=")) {
    answer = (*left.text == *right.text) == (ast.text == "=") ? kYes : kNo;
    why = "'" + *left.text + "' " + ast.text + " '" + *right.text + "'";
  } else {
    return {};
  }
  answer = static_cast<std::uint8_t>(answer | nothing);
  if (constants_ != nullptr && (answer == kYes || answer == kNo))
    constants_->push_back({ast.span, answer == kYes, std::move(why)});
  return {.outcomes = answer};
}

void Forecaster::EvaluateArguments(const Ast& ast) {
  ++arguments_;
  for (std::size_t i = 1; i < ast.children.size(); ++i) {
    if (ast.children[i] != nullptr) Evaluate(*ast.children[i]);
  }
  --arguments_;
}

Forecast Forecaster::Call(const Ast& ast) {
  const Ast* focus = ast.children.empty() ? nullptr : ast.children[0].get();
  if (ast.text == "iif" && focus == nullptr && ast.children.size() >= 3) {
    const Forecast condition = Evaluate(*ast.children[1]), yes = Evaluate(*ast.children[2]);
    Forecast no{.outcomes = kNothing};
    if (ast.children.size() > 3) no = Evaluate(*ast.children[3]);
    std::uint8_t outcomes = 0;
    if ((condition.outcomes & kYes) != 0) outcomes |= yes.outcomes;
    if ((condition.outcomes & (kNo | kNothing)) != 0) outcomes |= no.outcomes;
    return {.outcomes = outcomes};
  }
  const Forecast of = focus == nullptr ? Forecast{} : Evaluate(*focus);
  EvaluateArguments(ast);
  if (ast.text == "not") return {.outcomes = Not(of.outcomes)};
  if (ast.text == "exists" && ast.children.size() == 1 && (of.range || of.text)) {
    return {.outcomes = (of.outcomes & kNothing) != 0 ? std::uint8_t{kYes | kNo} : std::uint8_t{kYes}};
  }
  if (ast.text == "count") return {.outcomes = kYes, .range = Range{Limit{Decimal(0)}, std::nullopt, ""}};
  if (Contains(kTwoValued, ast.text)) return {.outcomes = kYes | kNo};
  if (Contains(kNeverEmpty, ast.text)) return {.outcomes = kYes};
  return {};
}

}  // namespace stepwise::rules
