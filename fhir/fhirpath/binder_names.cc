#include <algorithm>

#include "fhir/fhirpath/binder.h"
#include "fhir/nearest.h"

namespace stepwise::fhirpath {
namespace {

// Strings that FHIRPath defines as %names.
struct Constant {
  std::string_view name, value;
};
constexpr Constant kConstants[] = {
    {"sct", "http://snomed.info/sct"}, {"loinc", "http://loinc.org"}, {"ucum", "http://unitsofmeasure.org"}};
constexpr Constant kPrefixes[] = {{"vs-", "http://hl7.org/fhir/ValueSet/"},
                                  {"ext-", "http://hl7.org/fhir/StructureDefinition/"}};

}  // namespace

Bound Binder::BindVariable(const Ast& ast, const BindScope& scope) {
  Expr expr;
  expr.span = ast.span;
  for (const Defined* defined = scope.defined; defined != nullptr; defined = defined->before) {
    if (defined->name != ast.text) continue;
    expr.kind = ExprKind::kDefined;
    expr.slot = defined->slot;
    expr.many = defined->knowledge.many;
    return {Add(std::move(expr)), defined->knowledge, nullptr};
  }
  if (options_.variables != nullptr) {
    if (const auto variable = options_.variables->Find(ast.text)) {
      expr.kind = ExprKind::kVariable;
      expr.slot = variable->slot;
      expr.many = variable->type.many;
      program_->variables.push_back(variable->slot);
      Knowledge knowledge;
      if (variable->type.type != types::kNone && !IsOpen(variable->type.type))
        knowledge = Known(variable->type.type);
      knowledge.resource = variable->type.resource;
      knowledge.many = variable->type.many;
      knowledge.ordered = variable->type.ordered;
      return {Add(std::move(expr)), knowledge, nullptr};
    }
  }
  const auto environment = [&](ExprKind kind, Knowledge knowledge) -> Bound {
    expr.kind = kind;
    expr.many = false;
    knowledge.many = false;
    return {Add(std::move(expr)), std::move(knowledge), nullptr};
  };
  if (ast.text == "context")
    return environment(ExprKind::kContext,
                       options_.context_type == types::kNone || IsOpen(options_.context_type)
                           ? Knowledge{}
                           : Known(options_.context_type));
  if (ast.text == "resource" || ast.text == "rootResource") {
    const ExprKind kind = ast.text == "resource" ? ExprKind::kResource : ExprKind::kRootResource;
    const TypeId context = options_.context_type;
    // Plain JSON has no resource; what was given stands for it.
    if (context == types::kNone || IsSystemType(context)) return environment(kind, Knowledge{});
    // Known only when the context is itself a resource.
    const bool known =
        kind == ExprKind::kResource && !IsOpen(context) && model_.Kind(context) == TypeKind::kResource;
    return environment(kind, known ? Known(context) : Knowledge{.resource = true});
  }
  for (const Constant& constant : kConstants) {
    if (constant.name == ast.text)
      return Literal(Item::String(constant.value), types::kSystemString, ast.span);
  }
  for (const Constant& prefix : kPrefixes) {
    if (ast.text.starts_with(prefix.name)) {
      return Literal(Item::String(*Keep(std::string(prefix.value) + ast.text.substr(prefix.name.size()))),
                     types::kSystemString, ast.span);
    }
  }
  std::vector<std::string> names =
      options_.variables != nullptr ? options_.variables->Names() : std::vector<std::string>();
  for (const Defined* defined = scope.defined; defined != nullptr; defined = defined->before)
    names.push_back(defined->name);
  for (const std::string_view standard : {"resource", "rootResource", "context", "sct", "loinc", "ucum"})
    names.emplace_back(standard);
  Report(Severity::kError,
         "there is no variable %" + ast.text +
             DidYouMean(Nearest(ast.text, std::span<const std::string>(names))),
         ast.span);
  return BindLiteral(Ast{.kind = AstKind::kEmpty, .span = ast.span});
}

// %p.name is one variable when the scope knows it by that name.
bool Binder::BindDotted(const Ast& ast, const BindScope& scope, Bound* out) {
  if (options_.variables == nullptr || ast.children.empty() || ast.children[0]->kind != AstKind::kVariable)
    return false;
  const std::string name = ast.children[0]->text + "." + ast.text;
  if (!options_.variables->Find(name)) {
    if (options_.variables->Find(ast.children[0]->text)) return false;
    // %p.mispelled: say which parameter was meant, not that there is no %p.
    const auto names = options_.variables->Names();
    const std::string prefix = ast.children[0]->text + ".";
    if (std::none_of(names.begin(), names.end(), [&](const std::string& n) { return n.starts_with(prefix); }))
      return false;
    Report(Severity::kError,
           "there is no variable %" + name + DidYouMean(Nearest(name, std::span<const std::string>(names))),
           ast.span);
    *out = BindLiteral(Ast{.kind = AstKind::kEmpty, .span = ast.span});
    return true;
  }
  Ast variable;
  variable.kind = AstKind::kVariable;
  variable.text = name;
  variable.span = ast.children[0]->span;
  variable.span.length = ast.span.column + ast.span.length - variable.span.column;
  *out = BindVariable(variable, scope);
  return true;
}

void Binder::FindElements(const Knowledge& from, const Ast& ast, Expr* child, Knowledge* result) {
  const std::string& name = ast.text;
  *result = {.any = false, .types = {}, .many = from.many, .ordered = from.ordered};
  if (from.any) {
    *result = {.any = true, .many = true, .ordered = from.ordered, .resource = from.resource};
    if (from.resource &&
        (child->name == kNoName || (!SomeTypeHas(child->name) && ChoiceBase(child->name) == kNoName))) {
      Complain("no FHIR type has an element '" + name + "'", ast.span);
    }
    return;
  }
  std::vector<std::string_view> candidates;
  std::string choice_hint;
  bool found = false, unknown = false;
  for (const TypeId type : from.types) {
    if (IsOpen(type)) {
      result->any = true;
      result->many = true;
      result->resource = true;
      found = true;
      if (child->name == kNoName || (!SomeTypeHas(child->name) && ChoiceBase(child->name) == kNoName)) {
        Complain("no FHIR type has an element '" + name + "'", ast.span);
      }
      continue;
    }
    if (IsSystemType(type)) {
      const bool reflection = type == types::kSystemSimpleTypeInfo || type == types::kSystemClassInfo;
      if (reflection && (name == "name" || name == "namespace" || name == "baseType")) {
        AddType(*result, types::kSystemString);
        found = true;
      } else if (type == types::kSystemQuantity && (name == "value" || name == "unit")) {
        AddType(*result, name == "value" ? types::kSystemDecimal : types::kSystemString);
        found = true;
      } else {
        unknown = true;
      }
      continue;
    }
    const auto elements =
        child->name == kNoName ? std::span<const Element>() : model_.FindBase(type, child->name);
    if (!elements.empty()) {
      found = true;
      result->many = result->many || elements[0].many;
      for (const Element& element : elements) AddType(*result, element.type);
      if (from.types.size() == 1) {
        child->type = type;
        child->element_choice = elements[0].is_choice;
        child->choice_first = elements.front().name;
        child->choice_last = elements.back().name;
        child->element_type = elements[0].type;
        child->element_many = elements[0].many;
      }
      continue;
    }
    const Element* direct = child->name == kNoName ? nullptr : model_.Find(type, child->name);
    if (direct != nullptr) {
      found = true;
      result->many = result->many || direct->many;
      AddType(*result, direct->type);
      choice_hint =
          std::string(NameText(direct->base)) + ".ofType(" + std::string(TypeName(direct->type)) + ")";
      continue;
    }
    unknown = true;
    for (const Element& element : model_.Elements(type)) candidates.push_back(NameText(element.base));
  }
  if (!choice_hint.empty()) Complain("'" + name + "' is written " + choice_hint + " in FHIRPath", ast.span);
  if (!found && unknown) {
    Complain(Describe(from) + " has no element '" + name + "'" +
                 DidYouMean(Nearest(name, std::span<const std::string_view>(candidates))),
             ast.span);
    result->any = true;
  }
  if (result->any) result->types.clear();
  // An abstract element type (Bundle.entry.resource) says little: anything may stand there.
  for (const TypeId type : result->types) {
    if (IsOpen(type)) {
      *result = {.any = true, .many = result->many, .ordered = result->ordered, .resource = true};
      break;
    }
  }
}

Bound Binder::BindMember(const Ast& ast, const BindScope& scope) {
  if (ast.children.empty()) return BindRoot(ast, scope);
  Bound dotted;
  if (BindDotted(ast, scope, &dotted)) {
    dotted.defined = scope.defined;
    return dotted;
  }
  Bound focus = Bind(*ast.children[0], scope);
  Expr expr;
  expr.kind = ExprKind::kChild;
  expr.focus = focus.expr;
  expr.name = FindName(ast.text);
  if (expr.name == kNoName) expr.text = Keep(ast.text);
  expr.span = ast.span;
  Knowledge result;
  FindElements(focus.knowledge, ast, &expr, &result);
  expr.many = result.many;
  return {Add(std::move(expr)), std::move(result), focus.defined};
}

// A name at the start: an element of $this, or the type that $this has.
Bound Binder::BindRoot(const Ast& ast, const BindScope& scope) {
  Bound focus = BindFocus(Ast{.kind = AstKind::kThis, .span = ast.span}, scope);
  Expr expr;
  expr.focus = focus.expr;
  expr.name = FindName(ast.text);
  if (expr.name == kNoName) expr.text = Keep(ast.text);
  expr.span = ast.span;
  const TypeId type = FindFhirType(ast.text);
  const bool upper = !ast.text.empty() && ast.text[0] >= 'A' && ast.text[0] <= 'Z';
  if (upper && type != types::kNone && model_.Has(type)) {
    expr.kind = ExprKind::kTypeRoot;
    expr.type = type;
    expr.many = scope.self.any;  // a plain JSON property of that name may repeat
    Knowledge result = IsOpen(type) ? scope.self : Known(type);
    result.many = false;
    if (!scope.self.any && std::none_of(scope.self.types.begin(), scope.self.types.end(),
                                        [&](TypeId own) { return Related(own, type); })) {
      Complain("the expression starts from " + Describe(scope.self) + ", which is no " + ast.text, ast.span);
    }
    return {Add(std::move(expr)), std::move(result), scope.defined};
  }
  expr.kind = ExprKind::kChild;
  Knowledge result;
  if (!scope.has_self)
    Complain("there is no input that '" + ast.text + "' could be an element of", ast.span);
  else
    FindElements(scope.self, ast, &expr, &result);
  expr.many = result.many;
  return {Add(std::move(expr)), std::move(result), scope.defined};
}

}  // namespace stepwise::fhirpath
