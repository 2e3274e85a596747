// Binder: gives every name of an Ast its meaning and infers type and cardinality. Internal to fhir/fhirpath.
//
// All that can be known to be wrong before there is data is reported here: unknown elements with the nearest
// right name, impossible casts, criteria that are no Boolean, order asked of what has none, several items
// where one is needed, units that do not compare. What cannot be known (plain JSON, abstract types) is left
// to the run.
//
// In four files: binder.cc (a whole expression, literals, types), binder_names.cc (elements and variables),
// binder_operators.cc, binder_calls.cc (functions and their arguments).
#ifndef STEPWISE_FHIR_FHIRPATH_BINDER_H_
#define STEPWISE_FHIR_FHIRPATH_BINDER_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fhir/fhirpath/ast.h"
#include "fhir/fhirpath/knowledge.h"
#include "fhir/fhirpath/program.h"

namespace stepwise::fhirpath {

// Variables bound by defineVariable() earlier in the chain; a list that shares its tail.
struct Defined {
  std::string name;
  int slot;
  Knowledge knowledge;
  const Defined* before;
};

struct BindScope {
  Knowledge self = {};
  bool has_self = true;
  bool iterates = false;  // $index and a fresh $this
  const Knowledge* total = nullptr;
  const Defined* defined = nullptr;
};

struct Bound {
  std::int32_t expr = -1;
  Knowledge knowledge = {};
  const Defined* defined = nullptr;  // scope for what follows in the chain
};

class Binder {
 public:
  Binder(const CompileOptions& options, std::string_view text);
  // Binds a whole expression; diagnostics() says what is wrong. The program is usable when no diagnostic is
  // an error.
  Program Run(const Ast& ast);
  std::vector<Diagnostic>& diagnostics() { return diagnostics_; }

 private:
  Bound Bind(const Ast& ast, const BindScope& scope);
  Bound BindFocus(const Ast& ast, const BindScope& scope);
  Bound BindLiteral(const Ast& ast);
  Bound BindVariable(const Ast& ast, const BindScope& scope);
  bool BindDotted(const Ast& ast, const BindScope& scope, Bound* out);
  Bound BindMember(const Ast& ast, const BindScope& scope);
  Bound BindRoot(const Ast& ast, const BindScope& scope);
  Bound BindBinary(const Ast& ast, const BindScope& scope);
  Bound BindTypeTest(const Ast& ast, ExprKind kind, Bound focus, const std::vector<std::string>& type,
                     const SourceSpan& span);
  Bound BindCall(const Ast& ast, const BindScope& scope);
  Bound BindForm(const Ast& ast, const Builtin& row, Bound focus, const BindScope& scope);
  Bound BindRow(const Ast& ast, const Builtin& row, Bound focus, const BindScope& scope);
  Bound BindInstance(const Ast& ast, const BindScope& scope);
  void FindElements(const Knowledge& from, const Ast& ast, Expr* child, Knowledge* result);

  std::int32_t Add(Expr expr);
  void SetArguments(Expr* expr, const std::vector<std::int32_t>& arguments);
  const std::string* Keep(std::string text);
  Bound Literal(const Item& item, TypeId type, const SourceSpan& span);

  void Report(Severity severity, std::string message, const SourceSpan& span);
  // An error, or a warning where lenient.
  void Complain(std::string message, const SourceSpan& span);
  void Warn(std::string message, const SourceSpan& span) {
    Report(Severity::kWarning, std::move(message), span);
  }
  void WantBoolean(const Bound& bound, std::string_view where, const SourceSpan& span);
  void WantOrder(const Bound& focus, std::string_view function, const SourceSpan& span);
  void WantOne(const Ast& ast, const Bound& bound, std::string_view where);
  static bool SurelyMany(const Ast& ast);

  struct TypeChoice {
    TypeId type = types::kNone;
    TypeId also = types::kNone;  // Quantity without a name space: FHIR's or System's
  };
  TypeChoice ResolveType(const std::vector<std::string>& names, const SourceSpan& span);
  bool Related(TypeId a, TypeId b) const;
  bool IsOpen(TypeId type) const;  // abstract: subtypes have more elements
  bool SomeTypeHas(NameId base) const;
  const Builtin* FindRow(std::string_view name) const;

  const CompileOptions& options_;
  const Model& model_;
  std::shared_ptr<ProgramData> program_;
  std::vector<Diagnostic> diagnostics_;
  std::deque<Defined> defined_;
  bool quiet_ = false;  // a trial run: no diagnostics
};

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_BINDER_H_
