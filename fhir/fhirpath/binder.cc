#include "fhir/fhirpath/binder.h"

#include <algorithm>
#include <limits>

#include "fhir/fhirpath/functions.h"
#include "fhir/nearest.h"
#include "fhir/quantity.h"
#include "fhir/ucum/ucum.h"

namespace stepwise::fhirpath {
namespace {

Knowledge Known(TypeId type, bool many = false) { return {.any = false, .types = {type}, .many = many}; }
Knowledge Nothing() { return {.any = false, .types = {}, .many = false}; }

void AddType(Knowledge& knowledge, TypeId type) {
  if (std::find(knowledge.types.begin(), knowledge.types.end(), type) == knowledge.types.end())
    knowledge.types.push_back(type);
}

Knowledge Either(const Knowledge& a, const Knowledge& b) {
  Knowledge result = a;
  result.any = a.any || b.any;
  result.resource = a.any && b.any ? a.resource && b.resource : a.any ? a.resource : b.resource;
  if (result.any)
    result.types.clear();
  else
    for (const TypeId type : b.types) AddType(result, type);
  result.many = a.many || b.many;
  result.ordered = a.ordered && b.ordered;
  result.unit = nullptr;
  return result;
}

bool AllOf(const Knowledge& knowledge, auto&& test) {
  return !knowledge.any && !knowledge.types.empty() &&
         std::all_of(knowledge.types.begin(), knowledge.types.end(), test);
}

bool IsBooleanType(TypeId type) { return type == types::kSystemBoolean || type == types::kBoolean; }
bool IsNumberType(TypeId type) {
  switch (type) {
    case types::kSystemInteger:
    case types::kSystemLong:
    case types::kSystemDecimal:
    case types::kInteger:
    case types::kInteger64:
    case types::kDecimal:
    case types::kPositiveInt:
    case types::kUnsignedInt: return true;
    default: return false;
  }
}
bool IsTemporalType(TypeId type) {
  switch (type) {
    case types::kSystemDate:
    case types::kSystemDateTime:
    case types::kSystemTime:
    case types::kDate:
    case types::kDateTime:
    case types::kInstant:
    case types::kTime: return true;
    default: return false;
  }
}

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

std::string Describe(const Knowledge& knowledge) {
  std::string text;
  for (const TypeId type : knowledge.types) {
    text += text.empty() ? "" : " or ";
    text += (IsSystemType(type) ? "System." : "") + std::string(TypeName(type));
  }
  return text;
}

// Two or more literals joined by '|' are several items for sure.
bool SurelyMany(const Ast& ast) {
  const auto literal = [](const Ast& a) {
    return a.kind >= AstKind::kBoolean && a.kind <= AstKind::kTemporal;
  };
  if (ast.kind != AstKind::kBinary || ast.text != "|") return false;
  const Ast& left = *ast.children[0];
  const Ast& right = *ast.children[1];
  return SurelyMany(left) || SurelyMany(right) ||
         (literal(left) && literal(right) && left.text != right.text);
}

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

// Strings that FHIRPath defines as %names.
struct Constant {
  std::string_view name, value;
};
constexpr Constant kConstants[] = {
    {"sct", "http://snomed.info/sct"}, {"loinc", "http://loinc.org"}, {"ucum", "http://unitsofmeasure.org"}};
constexpr Constant kPrefixes[] = {{"vs-", "http://hl7.org/fhir/ValueSet/"},
                                  {"ext-", "http://hl7.org/fhir/StructureDefinition/"}};

}  // namespace

Binder::Binder(const CompileOptions& options, std::string_view text)
    : options_(options), model_(Model::Get(options.version)), program_(std::make_shared<ProgramData>()) {
  program_->text = text;
  program_->version = options.version;
  program_->terminology = options.terminology;
}

Program Binder::Run(const Ast& ast) {
  BindScope scope;
  if (options_.context_type != types::kNone) {
    scope.self = IsOpen(options_.context_type) ? Knowledge{.resource = true} : Known(options_.context_type);
  }
  scope.self.many = false;
  const Bound bound = Bind(ast, scope);
  if (options_.want_boolean) WantBoolean(bound, "a criterion", ast.span);
  program_->root = bound.expr;
  program_->result = {.type = !bound.knowledge.any && bound.knowledge.types.size() == 1
                                  ? bound.knowledge.types[0]
                                  : types::kNone,
                      .many = bound.knowledge.many,
                      .ordered = bound.knowledge.ordered,
                      .resource = bound.knowledge.resource};
  std::sort(program_->variables.begin(), program_->variables.end());
  program_->variables.erase(std::unique(program_->variables.begin(), program_->variables.end()),
                            program_->variables.end());
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.error.span.line, a.error.span.column) <
           std::pair(b.error.span.line, b.error.span.column);
  });
  for (const Diagnostic& diagnostic : diagnostics_) {
    if (diagnostic.severity == Severity::kWarning) program_->warnings.push_back(diagnostic);
  }
  Program program;
  program.data_ = program_;
  return program;
}

std::int32_t Binder::Add(Expr expr) {
  program_->exprs.push_back(std::move(expr));
  return static_cast<std::int32_t>(program_->exprs.size() - 1);
}

void Binder::SetArguments(Expr* expr, const std::vector<std::int32_t>& arguments) {
  expr->args = static_cast<std::uint32_t>(program_->arguments.size());
  expr->arg_count = static_cast<std::uint32_t>(arguments.size());
  program_->arguments.insert(program_->arguments.end(), arguments.begin(), arguments.end());
}

const std::string* Binder::Keep(std::string text) { return &program_->strings.emplace_back(std::move(text)); }

void Binder::Report(Severity severity, std::string message, const SourceSpan& span) {
  if (!quiet_) diagnostics_.push_back({severity, Error{Code::kSemantic, std::move(message), span, ""}});
}
void Binder::Complain(std::string message, const SourceSpan& span) {
  Report(options_.lenient ? Severity::kWarning : Severity::kError, std::move(message), span);
}

void Binder::WantBoolean(const Bound& bound, std::string_view where, const SourceSpan& span) {
  if (bound.knowledge.any || bound.knowledge.types.empty()) return;
  if (std::none_of(bound.knowledge.types.begin(), bound.knowledge.types.end(), IsBooleanType)) {
    Complain(std::string(where) + " must be true or false, and this is " + Describe(bound.knowledge) +
                 "; did you mean .exists()?",
             span);
  }
}

void Binder::WantOrder(const Bound& focus, std::string_view function, const SourceSpan& span) {
  if (!focus.knowledge.ordered)
    Complain(std::string(function) + " asks for an order, and children() and descendants() have none", span);
}

void Binder::WantOne(const Ast& ast, const Bound& bound, std::string_view where) {
  if (SurelyMany(ast))
    Warn(std::string(where) + " must be one item, and these are several", ast.span);
  else if (bound.knowledge.many && !bound.knowledge.any && !bound.knowledge.types.empty()) {
    Warn(std::string(where) + " must be one item, and there may be several; use first(), single() or where()",
         ast.span);
  }
}

bool Binder::Related(TypeId a, TypeId b) const { return model_.IsA(a, b) || model_.IsA(b, a); }
bool Binder::IsOpen(TypeId type) const { return !IsSystemType(type) && model_.IsAbstract(type); }

bool Binder::SomeTypeHas(NameId base) const {
  for (const TypeId type : model_.Types()) {
    if (!model_.FindBase(type, base).empty()) return true;
  }
  return false;
}

const Builtin* Binder::FindRow(std::string_view name) const {
  const auto rows = Builtins();
  const auto it = std::lower_bound(rows.begin(), rows.end(), name,
                                   [](const Builtin& row, std::string_view n) { return row.name < n; });
  if (it != rows.end() && it->name == name) return &*it;
  for (const Builtin& row : options_.functions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Binder::TypeChoice Binder::ResolveType(const std::vector<std::string>& names, const SourceSpan& span) {
  TypeChoice choice;
  const std::string& name = names.back();
  const bool system = names.size() == 2 && names[0] == "System";
  const bool fhir = names.size() == 2 && names[0] == "FHIR";
  if (names.size() > 2 || (names.size() == 2 && !system && !fhir)) {
    // A backbone type is named by its path: Patient.contact.
    std::string path;
    for (const std::string& part : names) path += (path.empty() ? "" : ".") + part;
    choice.type = FindFhirType(path);
  } else {
    if (!system) choice.type = FindFhirType(name);
    if (choice.type != types::kNone && !model_.Has(choice.type)) choice.type = types::kNone;
    const TypeId system_type = fhir ? types::kNone : FindSystemType(name);
    if (choice.type == types::kNone)
      choice.type = system_type;
    else if (system_type != types::kNone)
      choice.also = system_type;
  }
  if (choice.type == types::kNone) {
    std::vector<std::string_view> candidates;
    for (const TypeId type : model_.Types()) candidates.push_back(TypeName(type));
    for (TypeId type = types::kSystemAny; type < types::kBoolean; ++type)
      candidates.push_back(TypeName(type));
    // Not leniently: a type that does not exist can only be a mistake. (A name in System is merely no type of
    // anything: System.Patient.)
    Report(system ? Severity::kWarning : Severity::kError,
           (system ? "System" : "FHIR ") + std::string(system ? "" : FhirVersionText(options_.version)) +
               " has no type '" + name + "'" +
               DidYouMean(Nearest(name, std::span<const std::string_view>(candidates))),
           span);
  }
  return choice;
}

Bound Binder::Literal(const Item& item, TypeId type, const SourceSpan& span) {
  Expr expr;
  expr.kind = ExprKind::kLiteral;
  expr.literal = item;
  expr.many = false;
  expr.span = span;
  return {Add(std::move(expr)), Known(type), nullptr};
}

Bound Binder::BindLiteral(const Ast& ast) {
  switch (ast.kind) {
    case AstKind::kBoolean:
      return Literal(Item::Boolean(ast.text == "true"), types::kSystemBoolean, ast.span);
    case AstKind::kString: return Literal(Item::String(*Keep(ast.text)), types::kSystemString, ast.span);
    case AstKind::kInteger:
    case AstKind::kLong: {
      const auto decimal = Decimal::Parse(ast.text);
      const auto value = decimal ? decimal->ToInt64() : std::nullopt;
      const bool is_long = ast.kind == AstKind::kLong;
      if (!value || (!is_long && *value > std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1)) {
        if (!is_long && decimal) return Literal(Item::Of(*decimal), types::kSystemDecimal, ast.span);
        Report(Severity::kError, "the number " + ast.text + " does not fit", ast.span);
        return Literal(Item::Integer(0), types::kSystemInteger, ast.span);
      }
      return is_long ? Literal(Item::Long(*value), types::kSystemLong, ast.span)
                     : Literal(Item::Integer(*value), types::kSystemInteger, ast.span);
    }
    case AstKind::kDecimal: {
      const auto value = Decimal::Parse(ast.text);
      if (!value) Report(Severity::kError, "the number " + ast.text + " has more digits than fit", ast.span);
      return Literal(Item::Of(value.value_or(Decimal())), types::kSystemDecimal, ast.span);
    }
    case AstKind::kTemporal: {
      const Item item = Item::Of(ast.temporal);
      return Literal(item, item.type(), ast.span);
    }
    case AstKind::kQuantity: {
      const auto value = Decimal::Parse(ast.text);
      if (!value) Report(Severity::kError, "the number " + ast.text + " has more digits than fit", ast.span);
      const UnitText& unit = program_->units.emplace_back(UnitText{*Keep(ast.unit), ast.calendar});
      if (!ast.calendar) {
        if (const auto parsed = ucum::Parse(ast.unit); !parsed)
          Warn("'" + ast.unit + "' is no UCUM unit: " + parsed.error().message, ast.span);
      }
      Bound bound =
          Literal(Item::Quantity(value.value_or(Decimal()), &unit), types::kSystemQuantity, ast.span);
      bound.knowledge.unit = &unit;
      return bound;
    }
    default: break;
  }
  Expr expr;
  expr.kind = ExprKind::kNothing;
  expr.many = false;
  expr.span = ast.span;
  return {Add(std::move(expr)), Nothing(), nullptr};
}

Bound Binder::Bind(const Ast& ast, const BindScope& scope) {
  Bound bound;
  switch (ast.kind) {
    case AstKind::kEmpty:
    case AstKind::kBoolean:
    case AstKind::kString:
    case AstKind::kInteger:
    case AstKind::kLong:
    case AstKind::kDecimal:
    case AstKind::kTemporal:
    case AstKind::kQuantity: bound = BindLiteral(ast); break;
    case AstKind::kThis: {
      Expr expr;
      expr.kind = ExprKind::kThis;
      expr.many = false;
      expr.span = ast.span;
      bound = {Add(std::move(expr)), scope.self, nullptr};
      break;
    }
    case AstKind::kIndex: {
      Expr expr;
      expr.kind = ExprKind::kIndex;
      expr.many = false;
      expr.span = ast.span;
      bound = {Add(std::move(expr)), Known(types::kSystemInteger), nullptr};
      break;
    }
    case AstKind::kTotal: {
      Expr expr;
      expr.kind = ExprKind::kTotal;
      expr.span = ast.span;
      if (scope.total == nullptr) Complain("$total means something inside aggregate() only", ast.span);
      bound = {Add(std::move(expr)), scope.total != nullptr ? *scope.total : Knowledge{}, nullptr};
      break;
    }
    case AstKind::kVariable: bound = BindVariable(ast, scope); break;
    case AstKind::kMember: return BindMember(ast, scope);
    case AstKind::kCall: return BindCall(ast, scope);
    case AstKind::kIndexer: {
      bound = Bind(*ast.children[0], scope);
      WantOrder(bound, "an index", ast.span);
      const Bound index = Bind(*ast.children[1], scope);
      Expr expr;
      expr.kind = ExprKind::kIndexer;
      expr.focus = bound.expr;
      expr.many = false;
      expr.span = ast.span;
      SetArguments(&expr, {index.expr});
      bound.expr = Add(std::move(expr));
      bound.knowledge.many = false;
      return bound;
    }
    case AstKind::kUnary: {
      bound = Bind(*ast.children[0], scope);
      if (ast.text == "-") {
        Expr expr;
        expr.kind = ExprKind::kNegate;
        expr.focus = bound.expr;
        expr.many = false;
        expr.span = ast.span;
        bound.expr = Add(std::move(expr));
        bound.knowledge.many = false;
      }
      break;
    }
    case AstKind::kBinary: bound = BindBinary(ast, scope); break;
    case AstKind::kTypeTest: {
      Bound focus = Bind(*ast.children[0], scope);
      bound = BindTypeTest(*ast.children[0], ast.text == "is" ? ExprKind::kIs : ExprKind::kAs,
                           std::move(focus), ast.type, ast.span);
      break;
    }
    case AstKind::kInstance: bound = BindInstance(ast, scope); break;
  }
  bound.defined = scope.defined;
  return bound;
}

// The input of a step: the written focus, or $this.
Bound Binder::BindFocus(const Ast& ast, const BindScope& scope) {
  if (!ast.children.empty() && ast.children[0] != nullptr) return Bind(*ast.children[0], scope);
  Expr expr;
  expr.kind = ExprKind::kThis;
  expr.many = false;
  expr.span = ast.span;
  return {Add(std::move(expr)), scope.self, scope.defined};
}

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
    const Expr& resource = program_->expr(focus.expr);
    if (resource.kind == ExprKind::kChild && resource.name == names::kResource) {
      const Expr& entry = program_->expr(resource.focus);
      if (entry.kind == ExprKind::kChild && entry.name == names::kEntry && entry.type == types::kBundle &&
          !program_->expr(entry.focus).many) {
        expr.slot = kBundleResources;
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

Bound Binder::BindCall(const Ast& ast, const BindScope& scope) {
  const Builtin* row = FindRow(ast.text);
  Bound focus = BindFocus(ast, scope);
  if (row == nullptr) {
    std::vector<std::string_view> candidates;
    for (const Builtin& builtin : Builtins()) candidates.push_back(builtin.name);
    for (const Builtin& builtin : options_.functions) candidates.push_back(builtin.name);
    Report(Severity::kError,
           "there is no function " + ast.text + "()" +
               DidYouMean(Nearest(ast.text, std::span<const std::string_view>(candidates))),
           ast.span);
    Bound nothing = BindLiteral(Ast{.kind = AstKind::kEmpty, .span = ast.span});
    nothing.knowledge = {};
    nothing.defined = focus.defined;
    return nothing;
  }
  // Arguments: at least the required ones, at most all (coalesce and sort take any number).
  const std::size_t given = ast.children.size() - 1;
  std::size_t least = 0, most = 0;
  for (const Parameter& parameter : row->params) {
    if (parameter.want == Want::kNone) break;
    ++most;
    if (!parameter.optional) ++least;
  }
  const bool open = row->form == ExprKind::kCoalesce || row->form == ExprKind::kSort;
  if (given < least || (given > most && !open)) {
    Report(
        Severity::kError,
        ast.text + "() takes " +
            (least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most)) +
            " argument" + (most == 1 ? "" : "s") + ", not " + std::to_string(given),
        ast.span);
    Bound nothing = BindLiteral(Ast{.kind = AstKind::kEmpty, .span = ast.span});
    nothing.knowledge = {};
    nothing.defined = focus.defined;
    return nothing;
  }
  if (row->ordered_input) WantOrder(focus, ast.text + "()", ast.span);
  return row->fn == nullptr ? BindForm(ast, *row, std::move(focus), scope)
                            : BindRow(ast, *row, std::move(focus), scope);
}

namespace {

// The names of `a.b` when the tree is nothing but names; empty otherwise.
std::vector<std::string> QualifiedName(const Ast& ast) {
  if (ast.kind == AstKind::kString) return {};
  if (ast.kind != AstKind::kMember) return {};
  if (ast.children.empty()) return {ast.text};
  std::vector<std::string> names = QualifiedName(*ast.children[0]);
  if (!names.empty()) names.push_back(ast.text);
  return names;
}

}  // namespace

Bound Binder::BindForm(const Ast& ast, const Builtin& row, Bound focus, const BindScope& scope) {
  Expr expr;
  expr.kind = row.form;
  expr.focus = focus.expr;
  expr.row = &row;
  expr.span = ast.span;
  BindScope item;  // arguments that are evaluated per item
  item.self = focus.knowledge;
  item.self.many = false;
  item.self.ordered = true;
  item.iterates = true;
  item.total = scope.total;
  item.defined = focus.defined;
  BindScope outer = scope;
  outer.defined = focus.defined;
  const auto argument = [&](std::size_t i) -> const Ast& { return *ast.children[i + 1]; };
  const std::size_t given = ast.children.size() - 1;
  Knowledge result = row.same_type                ? focus.knowledge
                     : row.result != types::kNone ? Known(row.result)
                                                  : Knowledge{};
  const Defined* defined = focus.defined;
  std::vector<std::int32_t> arguments;
  switch (row.form) {
    case ExprKind::kIs:
    case ExprKind::kAs:
    case ExprKind::kOfType: {
      const std::vector<std::string> names = QualifiedName(argument(0));
      if (names.empty()) {
        Report(Severity::kError, ast.text + "() wants a type name such as Quantity or System.String",
               argument(0).span);
        return focus;
      }
      const Ast none;
      return BindTypeTest(ast.children[0] ? *ast.children[0] : none, row.form, std::move(focus), names,
                          argument(0).span);
    }
    case ExprKind::kWhere:
    case ExprKind::kExists:
    case ExprKind::kAll:
      if (given > 0) {
        const Bound criteria = Bind(argument(0), item);
        WantBoolean(criteria, "the criterion of " + ast.text + "()", argument(0).span);
        arguments.push_back(criteria.expr);
      }
      break;
    case ExprKind::kSelect: {
      const Bound projection = Bind(argument(0), item);
      arguments.push_back(projection.expr);
      result = projection.knowledge;
      result.many = focus.knowledge.many || projection.knowledge.many;
      result.ordered = focus.knowledge.ordered && projection.knowledge.ordered;
      result.unit = nullptr;
      break;
    }
    case ExprKind::kRepeat:
    case ExprKind::kRepeatAll: {
      // What the projection gives is projected again: bind once to learn the types, then for both.
      const std::size_t exprs = program_->exprs.size(), args = program_->arguments.size(),
                        variables = program_->variables.size();
      const bool was_quiet = quiet_;
      quiet_ = true;
      const Knowledge once = Bind(argument(0), item).knowledge;
      quiet_ = was_quiet;
      program_->exprs.resize(exprs);
      program_->arguments.resize(args);
      program_->variables.resize(variables);
      item.self = Either(item.self, once);
      item.self.many = false;
      item.self.ordered = true;
      const Bound projection = Bind(argument(0), item);
      arguments.push_back(projection.expr);
      result = Either(projection.knowledge, once);
      result.many = true;
      result.ordered = false;
      break;
    }
    case ExprKind::kSort: {
      for (std::size_t i = 0; i < given; ++i) arguments.push_back(Bind(argument(i), item).expr);
      expr.text = Keep(ast.order);
      result.ordered = true;
      break;
    }
    case ExprKind::kAggregate: {
      Knowledge total;
      if (given > 1) {
        const Bound init = Bind(argument(1), outer);
        total = {};
        item.total = &total;
        const Bound aggregator = Bind(argument(0), item);
        arguments = {aggregator.expr, init.expr};
        result = Either(aggregator.knowledge, init.knowledge);
      } else {
        item.total = &total;
        const Bound aggregator = Bind(argument(0), item);
        arguments = {aggregator.expr};
        result = aggregator.knowledge;
      }
      result.unit = nullptr;
      break;
    }
    case ExprKind::kIif: {
      // The input becomes $this of the branches; without one they see the outer $this.
      BindScope branch = ast.children[0] == nullptr ? outer : item;
      const Bound criterion = Bind(argument(0), branch);
      WantBoolean(criterion, "the criterion of iif()", argument(0).span);
      if (SurelyMany(argument(0)))
        Complain("the criterion of iif() must be one item, and these are several", argument(0).span);
      else
        WantOne(argument(0), criterion, "the criterion of iif()");
      if (ast.children[0] != nullptr) WantOne(*ast.children[0], focus, "the input of iif()");
      const Bound yes = Bind(argument(1), branch);
      arguments = {criterion.expr, yes.expr};
      result = yes.knowledge;
      if (given > 2) {
        const Bound no = Bind(argument(2), branch);
        arguments.push_back(no.expr);
        result = Either(yes.knowledge, no.knowledge);
      }
      result.unit = nullptr;
      break;
    }
    case ExprKind::kCoalesce: {
      for (std::size_t i = 0; i < given; ++i) {
        const Bound value = Bind(argument(i), outer);
        arguments.push_back(value.expr);
        result = i == 0 ? value.knowledge : Either(result, value.knowledge);
      }
      result.unit = nullptr;
      break;
    }
    case ExprKind::kSkip:
    case ExprKind::kTake: arguments.push_back(Bind(argument(0), outer).expr); break;
    case ExprKind::kFirst: result.many = false; break;
    case ExprKind::kNot:
      if (ast.children[0] != nullptr) WantOne(*ast.children[0], focus, "the input of not()");
      break;
    case ExprKind::kTrace:
      arguments.push_back(Bind(argument(0), outer).expr);
      if (given > 1) arguments.push_back(Bind(argument(1), item).expr);
      break;
    case ExprKind::kDefineVariable: {
      if (argument(0).kind != AstKind::kString) {
        Report(Severity::kError, "defineVariable() wants its name as a string literal", argument(0).span);
        return focus;
      }
      const std::string& name = argument(0).text;
      bool taken = name == "context" || name == "resource" || name == "rootResource" || name == "sct" ||
                   name == "loinc" || name == "ucum";
      for (const Defined* d = focus.defined; d != nullptr; d = d->before) taken = taken || d->name == name;
      if (options_.variables != nullptr && options_.variables->Find(name)) taken = true;
      if (taken) Report(Severity::kError, "%" + name + " is already defined", argument(0).span);
      arguments.push_back(Bind(argument(0), outer).expr);
      Knowledge value = focus.knowledge;
      if (given > 1) {
        const Bound bound = Bind(argument(1), item);
        arguments.push_back(bound.expr);
        value = bound.knowledge;
        value.many = value.many || focus.knowledge.many;
      }
      expr.slot = static_cast<std::int32_t>(program_->defined_count++);
      defined = &defined_.emplace_back(Defined{name, expr.slot, std::move(value), focus.defined});
      break;
    }
    case ExprKind::kChildren:
    case ExprKind::kDescendants:
      result = {.any = true,
                .many = true,
                .ordered = false,
                .resource = !focus.knowledge.any || focus.knowledge.resource};
      break;
    default: break;
  }
  expr.many = result.many;
  SetArguments(&expr, arguments);
  return {Add(std::move(expr)), std::move(result), defined};
}

Bound Binder::BindRow(const Ast& ast, const Builtin& row, Bound focus, const BindScope& scope) {
  Expr expr;
  expr.kind = ExprKind::kCall;
  expr.focus = focus.expr;
  expr.row = &row;
  expr.span = ast.span;
  const bool typed = row.input >= Want::kBoolean && row.input <= Want::kQuantity;
  if (typed || row.input == Want::kOne) {
    if (ast.children[0] != nullptr) WantOne(*ast.children[0], focus, "the input of " + ast.text + "()");
  }
  // A complex element has no value that a string or number function could take.
  if (typed && AllOf(focus.knowledge, [&](TypeId type) {
        return !IsSystemType(type) && !IsPrimitiveType(type) && !IsOpen(type) &&
               !(row.input == Want::kQuantity && model_.IsA(type, types::kQuantity));
      })) {
    Complain(ast.text + "() does not work on " + Describe(focus.knowledge), ast.span);
  }
  BindScope outer = scope;
  outer.defined = focus.defined;
  std::vector<std::int32_t> arguments;
  for (std::size_t i = 0; i + 1 < ast.children.size(); ++i) {
    const Ast& argument = *ast.children[i + 1];
    if (row.params[i].want == Want::kType) {
      const std::vector<std::string> names = QualifiedName(argument);
      const TypeChoice choice = names.empty() ? TypeChoice{} : ResolveType(names, argument.span);
      if (names.empty()) Report(Severity::kError, ast.text + "() wants a type name", argument.span);
      arguments.push_back(Literal(Item::TypeInfo(choice.type), types::kSystemClassInfo, argument.span).expr);
      continue;
    }
    const Bound bound = Bind(argument, outer);
    if (row.params[i].want != Want::kItems) WantOne(argument, bound, "the argument of " + ast.text + "()");
    arguments.push_back(bound.expr);
  }
  if (row.name == "memberOf" && options_.terminology != nullptr &&
      ast.children[1]->kind == AstKind::kString) {
    expr.value_set = options_.terminology->FindValueSet(ast.children[1]->text);
    if (expr.value_set == nullptr)
      Complain("there is no value set '" + ast.children[1]->text + "'", ast.children[1]->span);
  }
  Knowledge result = row.same_type                ? focus.knowledge
                     : row.result != types::kNone ? Known(row.result)
                                                  : Knowledge{};
  result.many = row.result_many && (row.same_type ? focus.knowledge.many : true);
  if (row.name == "union" || row.name == "combine") result.many = true;
  if (row.name == "type")
    result = {.any = false, .types = {types::kSystemClassInfo}, .many = focus.knowledge.many};
  if (row.name == "resolve") result = {.any = true, .many = focus.knowledge.many, .resource = true};
  result.unit = nullptr;
  expr.many = result.many;
  SetArguments(&expr, arguments);
  return {Add(std::move(expr)), std::move(result), focus.defined};
}

// --- Public face ---

const std::string& Program::text() const { return data_->text; }
StaticType Program::result_type() const { return data_->result; }
FhirVersion Program::version() const { return data_->version; }
std::span<const int> Program::variables() const { return data_->variables; }
std::span<const Diagnostic> Program::warnings() const { return data_->warnings; }

std::vector<Diagnostic> Check(std::string_view text, const CompileOptions& options,
                              std::optional<Program>* program) {
  const ParseOptions parse{options.max_length, options.max_depth, options.origin};
  auto ast = Parse(text, parse);
  if (!ast) return {{Severity::kError, std::move(ast).error()}};
  Binder binder(options, text);
  Program bound = binder.Run(**ast);
  std::vector<Diagnostic> diagnostics = std::move(binder.diagnostics());
  const bool good = std::none_of(diagnostics.begin(), diagnostics.end(),
                                 [](const Diagnostic& d) { return d.severity == Severity::kError; });
  if (good && program != nullptr) *program = std::move(bound);
  return diagnostics;
}

Result<Program> Compile(std::string_view text, const CompileOptions& options) {
  std::optional<Program> program;
  for (Diagnostic& diagnostic : Check(text, options, &program)) {
    if (diagnostic.severity == Severity::kError) return tl::unexpected(std::move(diagnostic.error));
  }
  return *std::move(program);
}

}  // namespace stepwise::fhirpath
