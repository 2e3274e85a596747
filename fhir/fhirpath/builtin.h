// Builtin: one row of the function table, and the call that its handler sees.
//
// A function is a row: name, parameters, result, what empty input does, handler, specification anchor. The
// evaluator checks types, takes single items out of collections and propagates empty as the row says, so
// that handlers are only the function itself. Upper floors add functions by handing more rows to Compile
// (CompileOptions::functions); the listing for people comes from the same rows.
//
//   {.name = "startsWith", .params = {{Param::kString, "prefix"}}, .param_count = 1, .input = Input::kString,
//    .result = types::kSystemString, .fn = StartsWith, .doc = "...", .spec = "fhirpath#startswith"}
#ifndef STEPWISE_FHIR_FHIRPATH_BUILTIN_H_
#define STEPWISE_FHIR_FHIRPATH_BUILTIN_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "fhir/fhirpath/fhirpath.h"

namespace stepwise::fhirpath {

// What a handler may ask of one parameter (or of the input).
enum class Want : std::uint8_t {
  kNone,
  kItems,  // the whole collection, whatever it holds
  kOne,    // a single item of any type; more is an error; empty -> empty result
  kBoolean,
  kString,
  kInteger,
  kDecimal,
  kTemporal,
  kQuantity,    // a single item, converted implicitly
  kExpression,  // not evaluated: the handler runs it per item (where, select, iif)
  kType,        // a type specifier
};

struct Parameter {
  Want want = Want::kNone;
  std::string_view name = {};
  bool optional = false;  // may be left out; an empty argument counts as left out
};

class Call;
// Pushes the result items with call.Emit(). An Error stops the whole evaluation.
using Handler = Status (*)(Call& call);

enum class ExprKind : std::uint8_t;

struct Builtin {
  std::string_view name;
  Want input = Want::kItems;
  std::array<Parameter, 3> params = {};
  TypeId result = types::kNone;  // static type of result items, kNone if it depends
  bool result_many = false;
  Handler fn = nullptr;
  std::string_view doc = {};   // one sentence for people, with the unit of the result where there is one
  std::string_view spec = {};  // where it is specified
  bool same_type = false;      // result has the input's static type (tail, abs, ...)
  bool ordered_input = false;  // means nothing on unordered input (children().skip(1))
  // Without a handler: a form that the evaluator itself runs, because it evaluates its arguments per item or
  // stops early.
  ExprKind form = {};
};

// One call of a Builtin. Views live as long as the Evaluation's results.
class Call {
 public:
  Items input() const { return input_; }
  const Item& one() const {
    return input_[0];
  }  // Want::kOne and the typed ones: the single item,
     // already converted to the System type asked for
  bool has(int index) const { return (given_ >> index & 1) != 0; }
  const Item& arg(int index) const { return args_[static_cast<std::size_t>(index)][0]; }  // single-item wants
  Items items(int index) const { return args_[static_cast<std::size_t>(index)]; }         // Want::kItems
  void Emit(const Item& item);
  void Emit(bool value) { Emit(Item::Boolean(value)); }
  // Copies `text` into the evaluation's memory.
  void EmitString(std::string_view text);
  tl::unexpected<Error> Fail(Code code, std::string message) const;  // with the call's source span
  Evaluation& evaluation() { return *evaluation_; }
  const Model& model() const { return *model_; }
  const Terminology* terminology() const { return terminology_; }
  const EvaluationLimits& limits() const;
  // memberOf('...') with a literal name: the set that the binder found, so that no name is looked up now.
  const ValueSet* bound_value_set() const;
  // Records nodes that decided the answer (Evaluation::sources).
  void Rests(Items items);

 private:
  friend class Machine;
  Evaluation* evaluation_ = nullptr;
  const Model* model_ = nullptr;
  const Terminology* terminology_ = nullptr;
  void* machine_ = nullptr;
  const void* op_ = nullptr;
  Items input_;
  std::array<Items, 3> args_;
  std::uint32_t given_ = 0;
  std::vector<Item>* out_ = nullptr;
};

// The functions of the specification, sorted by name.
std::span<const Builtin> Builtins();

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_BUILTIN_H_
