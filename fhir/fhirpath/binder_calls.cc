#include <algorithm>

#include "fhir/fhirpath/binder.h"
#include "fhir/fhirpath/functions.h"
#include "fhir/nearest.h"

namespace stepwise::fhirpath {

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

}  // namespace stepwise::fhirpath
