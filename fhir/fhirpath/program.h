// ProgramData: a bound expression, ready to run. Internal to fhir/fhirpath.
//
// A flat array of Exprs that name each other by index; children come before parents. Names are ids, types are
// ids, literals are Items, functions are rows. Nothing in it is FHIRPath text (but for messages), so that
// another front end can target it.
// Thread-safety: immutable once built.
#ifndef STEPWISE_FHIR_FHIRPATH_PROGRAM_H_
#define STEPWISE_FHIR_FHIRPATH_PROGRAM_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "fhir/fhirpath/builtin.h"
#include "fhir/fhirpath/fhirpath.h"
#include "fhir/fhirpath/item.h"

namespace stepwise::fhirpath {

enum class ExprKind : std::uint8_t {
  kNone,
  // Leaves.
  kThis,
  kIndex,
  kTotal,
  kLiteral,
  kNothing,
  kVariable,
  kDefined,
  kResource,
  kRootResource,
  kContext,
  // Navigation.
  kChild,
  kTypeRoot,
  kIndexer,
  // Operators.
  kNegate,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kDiv,
  kMod,
  kConcat,
  kUnion,
  kIs,
  kAs,
  // What answers true, false or unknown: operators, then forms. IsBooleanKind() rests on their standing
  // together.
  kAnd,
  kOr,
  kXor,
  kImplies,
  kEqual,
  kNotEqual,
  kEquivalent,
  kNotEquivalent,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,
  kContains,
  kExists,
  kAll,
  kEmpty,
  kNot,
  // Forms: functions that evaluate arguments themselves or stop early.
  kWhere,
  kSelect,
  kCount,
  kFirst,
  kSkip,
  kTake,
  kOfType,
  kRepeat,
  kRepeatAll,
  kSort,
  kAggregate,
  kIif,
  kCoalesce,
  kTrace,
  kDefineVariable,
  kChildren,
  kDescendants,
  kInstance,
  kCall,  // a row with a handler
};

constexpr bool IsBooleanKind(ExprKind kind) { return ExprKind::kAnd <= kind && kind <= ExprKind::kNot; }

// Expr::slot of a kOfType with a short way. Its focus is bundle.entry.resource; or it is a choice element of
// a known type, and `name` is the JSON property of the alternative (value.ofType(Quantity): valueQuantity).
inline constexpr std::int32_t kBundleResources = 2;
inline constexpr std::int32_t kChoiceAlternative = 3;

struct Expr {
  ExprKind kind = ExprKind::kNone;
  bool many = true;             // may give more than one item
  bool element_many = false;    // kChild with a bound element: the element repeats
  bool element_choice = false;  // kChild: `name` is the base of a choice
  TypeId type = types::kNone;   // kChild: input type for which `element_type` holds; type tests: the type
  TypeId element_type = types::kNone;  // kChild: type of the child when the input is of type `type`
  NameId choice_first = kNoName, choice_last = kNoName;  // element_choice: ids of its alternatives
  NameId name = kNoName;  // kChild (kNoName: a name that FHIR does not know, see `text`); kChoiceAlternative
  std::int32_t focus = -1;  // input, or left operand
  std::int32_t slot = -1;   // kVariable, kDefined, kDefineVariable; kLiteral of text
  std::uint32_t args = 0;   // first argument in ProgramData::arguments
  std::uint32_t arg_count = 0;
  const Builtin* row = nullptr;
  Item literal;
  const std::string* text =
      nullptr;  // kChild: foreign name; kTrace: label; kSort: a letter per key as in Ast::order
  const ValueSet* value_set = nullptr;  // memberOf with a literal name
  SourceSpan span;
};

struct ProgramData {
  std::string text;
  FhirVersion version = FhirVersion::kR4;
  const Terminology* terminology = nullptr;
  std::vector<Expr> exprs;
  std::vector<std::int32_t> arguments;
  std::int32_t root = -1;
  std::uint32_t defined_count = 0;  // slots of defineVariable
  StaticType result;
  std::vector<int> variables;
  std::vector<Diagnostic> warnings;
  std::deque<std::string> strings;  // literals and names; addresses are stable
  std::deque<UnitText> units;

  const Expr& expr(std::int32_t index) const { return exprs[static_cast<std::size_t>(index)]; }
  std::int32_t arg(const Expr& e, std::uint32_t i) const { return arguments[e.args + i]; }
};

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_PROGRAM_H_
