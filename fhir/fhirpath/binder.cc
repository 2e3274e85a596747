#include "fhir/fhirpath/binder.h"

#include <algorithm>
#include <limits>

#include "fhir/fhirpath/functions.h"
#include "fhir/nearest.h"
#include "fhir/quantity.h"
#include "fhir/ucum/ucum.h"

namespace stepwise::fhirpath {

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

// Two or more literals joined by '|' are several items for sure.
bool Binder::SurelyMany(const Ast& ast) {
  const auto literal = [](const Ast& a) {
    return IsLiteral(a.kind) && a.kind != AstKind::kQuantity;  // 1 'g' | 1000 'mg' is one
  };
  if (ast.kind != AstKind::kBinary || ast.text != "|") return false;
  const Ast& left = *ast.children[0];
  const Ast& right = *ast.children[1];
  return SurelyMany(left) || SurelyMany(right) ||
         (literal(left) && literal(right) && left.text != right.text);
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

}  // namespace stepwise::fhirpath
