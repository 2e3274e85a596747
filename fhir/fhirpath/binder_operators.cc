#include <algorithm>

#include "fhir/fhirpath/binder.h"
#include "fhir/ucum/ucum.h"

namespace stepwise::fhirpath {
namespace {

struct OperatorRow {
  std::string_view text;
  ExprKind kind;
};
constexpr OperatorRow kOperators[] = {{"and", ExprKind::kAnd},      {"or", ExprKind::kOr},
                                      {"xor", ExprKind::kXor},      {"implies", ExprKind::kImplies},
                                      {"=", ExprKind::kEqual},      {"!=", ExprKind::kNotEqual},
                                      {"~", ExprKind::kEquivalent}, {"!~", ExprKind::kNotEquivalent},
                                      {"<", ExprKind::kLess},       {"<=", ExprKind::kLessOrEqual},
                                      {">", ExprKind::kGreater},    {">=", ExprKind::kGreaterOrEqual},
                                      {"+", ExprKind::kAdd},        {"-", ExprKind::kSubtract},
                                      {"*", ExprKind::kMultiply},   {"/", ExprKind::kDivide},
                                      {"div", ExprKind::kDiv},      {"mod", ExprKind::kMod},
                                      {"&", ExprKind::kConcat},     {"|", ExprKind::kUnion},
                                      {"in", ExprKind::kIn},        {"contains", ExprKind::kContains}};

// Kinds of values of which none has an order with any of another: 0 for what is not told apart here. Texts
// and dates are, because a text may have been read as a date by whoever wrote it, and only the run knows.
int OrderKind(TypeId type, const Model& model) {
  if (IsNumberType(type) || type == types::kSystemQuantity || model.IsA(type, types::kQuantity)) return 1;
  if (IsBooleanType(type)) return 2;
  if (IsTemporalType(type)) return 3;
  return type == types::kSystemString || IsPrimitiveType(type) ? 4 : 0;
}

bool NeverOrdered(const Knowledge& a, const Knowledge& b, const Model& model) {
  const auto only = [&](const Knowledge& knowledge, int kind) {
    return AllOf(knowledge, [&](TypeId type) { return OrderKind(type, model) == kind; });
  };
  for (int i = 1; i <= 4; ++i) {
    for (int j = 1; j <= 4; ++j) {
      if (i != j && i + j != 3 + 4 && only(a, i) && only(b, j)) return true;
    }
  }
  return false;
}

}  // namespace

Bound Binder::BindBinary(const Ast& ast, const BindScope& scope) {
  const auto row = std::find_if(std::begin(kOperators), std::end(kOperators),
                                [&](const OperatorRow& r) { return r.text == ast.text; });
  const Ast& left_ast = *ast.children[0];
  const Ast& right_ast = *ast.children[1];
  const Bound left = Bind(left_ast, scope);
  const Bound right = Bind(right_ast, scope);
  Expr expr;
  expr.kind = row->kind;
  expr.focus = left.expr;
  expr.many = expr.kind == ExprKind::kUnion;
  expr.span = ast.span;
  SetArguments(&expr, {right.expr});
  Knowledge result = Known(types::kSystemBoolean);
  const bool arithmetic = expr.kind >= ExprKind::kAdd && expr.kind <= ExprKind::kConcat;
  const bool ordering = expr.kind >= ExprKind::kLess && expr.kind <= ExprKind::kGreaterOrEqual;
  const bool comparing = expr.kind >= ExprKind::kEqual && expr.kind <= ExprKind::kGreaterOrEqual;
  if (expr.kind == ExprKind::kUnion) {
    result = Either(left.knowledge, right.knowledge);
    result.many = true;
  } else if (arithmetic) {
    if (expr.kind == ExprKind::kConcat)
      result = Known(types::kSystemString);
    else if (AllOf(left.knowledge, IsTemporalType))
      result = left.knowledge;
    else if (AllOf(left.knowledge, IsNumberType) && AllOf(right.knowledge, IsNumberType)) {
      const bool whole = AllOf(left.knowledge, [](TypeId t) { return t == types::kSystemInteger; }) &&
                         AllOf(right.knowledge, [](TypeId t) { return t == types::kSystemInteger; });
      result = Known(whole && expr.kind != ExprKind::kDivide ? types::kSystemInteger : types::kSystemDecimal);
      if (!whole && expr.kind != ExprKind::kDivide) result = {.any = true, .many = false};
    } else {
      result = {.any = true, .many = false};
    }
    result.many = false;
    if ((expr.kind == ExprKind::kAdd || expr.kind == ExprKind::kSubtract) &&
        AllOf(left.knowledge, IsTemporalType) && AllOf(right.knowledge, IsNumberType)) {
      Complain("a number says not how long: write a duration such as 7 days", right_ast.span);
    }
  }
  if (arithmetic || ordering) {
    WantOne(left_ast, left, "the left side of '" + ast.text + "'");
    WantOne(right_ast, right, "the right side of '" + ast.text + "'");
  }
  if (ordering && NeverOrdered(left.knowledge, right.knowledge, model_)) {
    Complain(Describe(left.knowledge) + " and " + Describe(right.knowledge) +
                 " do not compare; compare values of one kind",
             ast.span);
  }
  if (comparing && left.knowledge.unit != nullptr && right.knowledge.unit != nullptr) {
    const UnitText& a = *left.knowledge.unit;
    const UnitText& b = *right.knowledge.unit;
    if (!a.calendar && !b.calendar) {
      const auto x = ucum::Parse(a.text), y = ucum::Parse(b.text);
      if (x && y && !ucum::Commensurable(*x, *y))
        Warn("'" + std::string(a.text) + "' and '" + std::string(b.text) +
                 "' measure different things: this is never known",
             ast.span);
    }
  }
  return {Add(std::move(expr)), std::move(result), scope.defined};
}

Bound Binder::BindTypeTest(const Ast& ast, ExprKind kind, Bound focus, const std::vector<std::string>& names,
                           const SourceSpan& span) {
  const TypeChoice choice = ResolveType(names, span);
  Expr expr;
  expr.kind = kind;
  expr.focus = focus.expr;
  expr.type = choice.type;
  expr.element_type = choice.also;
  expr.span = span;
  const Knowledge& from = focus.knowledge;
  const bool primitive = IsPrimitiveType(choice.type);
  if (choice.type != types::kNone && kind != ExprKind::kIs && !from.any && !from.types.empty()) {
    const bool possible = std::any_of(from.types.begin(), from.types.end(), [&](TypeId own) {
      return Related(own, choice.type) || choice.also == own ||
             (choice.also != types::kNone && Related(own, choice.also)) || IsOpen(own);
    });
    if (!possible) {
      const std::string message = Describe(from) + " is never a " + std::string(TypeName(choice.type));
      // Between primitives it is merely empty; elsewhere somebody took the wrong element.
      if (primitive || IsSystemType(choice.type))
        Warn(message, span);
      else
        Complain(message, span);
    }
  }
  if (kind == ExprKind::kOfType) {
    const Expr& child = program_->expr(focus.expr);
    if (child.kind == ExprKind::kChild && child.name == names::kResource) {
      const Expr& entry = program_->expr(child.focus);
      if (entry.kind == ExprKind::kChild && entry.name == names::kEntry && entry.type == types::kBundle &&
          !program_->expr(entry.focus).many) {
        expr.slot = kBundleResources;
      }
    } else if (child.kind == ExprKind::kChild && child.element_choice && !child.element_many) {
      for (const Element& element : model_.FindBase(child.type, child.name)) {
        if (element.type != choice.type) continue;
        expr.slot = kChoiceAlternative;
        expr.name = element.name;
      }
    }
  }
  Knowledge result;
  if (kind == ExprKind::kIs) {
    result = Known(types::kSystemBoolean);
    WantOne(ast, focus, "the input of 'is'");
  } else {
    result = choice.type == types::kNone ? Knowledge{} : IsOpen(choice.type) ? from : Known(choice.type);
    if (choice.also != types::kNone) result = {};
    result.many = kind == ExprKind::kOfType && from.many;
    result.ordered = from.ordered;
    if (kind == ExprKind::kAs && from.many && (from.any || options_.lenient)) {
      expr.slot = 1;  // filter: see Machine::TypeTest
      result.many = true;
    }
  }
  expr.many = result.many;
  return {Add(std::move(expr)), std::move(result), focus.defined};
}

Bound Binder::BindInstance(const Ast& ast, const BindScope& scope) {
  const TypeChoice choice = ResolveType(ast.type, ast.span);
  Expr expr;
  expr.kind = ExprKind::kInstance;
  expr.type = choice.type;
  expr.many = false;
  expr.span = ast.span;
  std::string names;
  std::vector<std::int32_t> values;
  for (std::size_t i = 0; i < ast.names.size(); ++i) {
    const NameId id = FindName(ast.names[i]);
    if (choice.type != types::kNone && (id == kNoName || (model_.FindBase(choice.type, id).empty() &&
                                                          model_.Find(choice.type, id) == nullptr))) {
      Complain(std::string(TypeName(choice.type)) + " has no element '" + ast.names[i] + "'",
               ast.children[i]->span);
    }
    names += ast.names[i] + "\n";
    values.push_back(Bind(*ast.children[i], scope).expr);
  }
  expr.text = Keep(std::move(names));
  SetArguments(&expr, values);
  return {Add(std::move(expr)), choice.type == types::kNone ? Knowledge{} : Known(choice.type),
          scope.defined};
}

}  // namespace stepwise::fhirpath
