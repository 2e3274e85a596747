// FHIRPath: compile once, evaluate many times.
//
//   CompileOptions options;                             // R4, strict
//   options.context_type = types::kPatient;
//   Result<Program> program = Compile("name.given.first()", options);
//   Evaluation evaluation(EvaluationOptions{.now = now});
//   Result<Items> items = evaluation.Run(*program, Item::Of(doc.root(), types::kPatient));
//
// text -> tokens -> AST with source spans -> binder (names, types, cardinality; everything that can be known
// to be wrong is reported here) -> Program, immutable and shared between threads -> Evaluation. All names are
// resolved when binding, none when evaluating. Three-valued logic: "not known" is the empty collection.
// Thread-safety: a Program is immutable. An Evaluation belongs to one thread at a time; keep one per thread
// and reuse it: after the first runs it allocates nothing.
// Source: FHIRPath N1 (2.0.0) and the STU parts of 3.0; FHIR R4 and R5 "FHIRPath" pages.
#ifndef STEPWISE_FHIR_FHIRPATH_FHIRPATH_H_
#define STEPWISE_FHIR_FHIRPATH_FHIRPATH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/fhirpath/item.h"
#include "fhir/result.h"
#include "fhir/terminology.h"

namespace stepwise::fhirpath {

struct Builtin;  // fhir/fhirpath/builtin.h: a row of the function table

// Type and cardinality of an expression, as far as the binder knows it.
struct StaticType {
  TypeId type = types::kNone;  // kNone: anything
  bool many = true;            // may have more than one item
  bool ordered = true;         // children() and descendants() give no order
  bool resource = false;       // only for kNone: some resource
};

// Names that `%name` may have besides the standard ones. Slots are numbers chosen by the owner; the
// evaluation asks for their items by slot (VariableSource).
class VariableScope {
 public:
  struct Variable {
    int slot;
    StaticType type;
  };
  virtual ~VariableScope() = default;
  virtual std::optional<Variable> Find(std::string_view name) const = 0;
  // All names, for "did you mean".
  virtual std::vector<std::string> Names() const = 0;
};

// Gives the items of a slot when an expression first needs them. An empty result is a known "nothing"; a
// source that does not know calls evaluation.MarkUnknown(reason) and returns empty.
class Evaluation;
class VariableSource {
 public:
  virtual ~VariableSource() = default;
  virtual Result<Items> Get(int slot, Evaluation& evaluation) = 0;
};

enum class Severity : std::uint8_t { kWarning, kError };
struct Diagnostic {
  Severity severity;
  Error error;
};

struct CompileOptions {
  FhirVersion version = FhirVersion::kR4;
  // Type of the item that the expression starts from; types::kNone when it is not known.
  TypeId context_type = types::kNone;
  // Lenient turns what other engines accept (Observation.valueQuantity, `as` on many items, an
  // impossible name) into warnings; strict makes it an error.
  bool lenient = false;
  const VariableScope* variables = nullptr;  // must outlive Compile only
  const Terminology* terminology = nullptr;  // must outlive the Program
  // Further functions, searched after the built-in ones; rows must outlive the Program.
  std::span<const Builtin> functions = {};
  // Where the text starts in a larger file, for spans (author-facing messages).
  SourceSpan origin = {};
  std::size_t max_length = 64 * 1024;  // bytes of expression text
  int max_depth = 256;                 // nested operators, calls and parentheses
  // Asks the result to be usable as a criterion: Boolean, or a single item (a warning if it is not Boolean).
  bool want_boolean = false;
};

struct ProgramData;

class Program {
 public:
  const std::string& text() const;
  StaticType result_type() const;
  FhirVersion version() const;
  // Slots of VariableScope that the expression can read, ascending, each once.
  std::span<const int> variables() const;
  std::span<const Diagnostic> warnings() const;
  // Indented text form of the bound program, for tests and --explain.
  std::string Dump() const;
  const ProgramData& data() const { return *data_; }

 private:
  friend class Binder;
  std::shared_ptr<const ProgramData> data_;
};

Result<Program> Compile(std::string_view text, const CompileOptions& options = {});
// Every diagnostic, for authors: errors and warnings in text order. Fills `program` when there are no errors.
std::vector<Diagnostic> Check(std::string_view text, const CompileOptions& options,
                              std::optional<Program>* program);

struct EvaluationLimits {
  std::int64_t max_steps = 10'000'000;       // operator and item visits per Run
  int max_recursion = 512;                   // nested evaluation of expressions
  std::size_t max_items = 1'000'000;         // items of one collection
  std::size_t max_string = 8u << 20;         // bytes of one computed string
  std::size_t max_regex = 4096;              // bytes of one regular expression
  std::chrono::milliseconds max_time{2000};  // wall time per Run
};

// One step's intermediate result, when a trace is asked for.
struct TraceEvent {
  SourceSpan span;        // of the sub-expression
  std::string_view name;  // trace(name), "" for steps
  Items items;
};

struct EvaluationOptions {
  DateTime now;  // now(), today(), timeOfDay()
  EvaluationLimits limits = {};
  VariableSource* variables = nullptr;
  // Record which nodes decided (Evaluation::sources). Costs a few nanoseconds per comparison.
  bool track_sources = false;
  std::function<void(const TraceEvent&)> on_trace = {};  // trace() calls
  std::function<void(const TraceEvent&)> on_step = {};   // every sub-expression's result
  // Steady clock in nanoseconds for max_time; the evaluation itself never asks the system for the time.
  // Unset: no time limit, steps bound the run.
  std::int64_t (*clock)() = nullptr;
};

// Standard environment of a run. Unset items default to `input`.
struct Environment {
  std::optional<Item> resource;       // %resource: the resource that contains the input
  std::optional<Item> root_resource;  // %rootResource: the container of a contained resource
  std::optional<Item> context;        // %context
};

struct EvaluationState;

class Evaluation {
 public:
  explicit Evaluation(EvaluationOptions options);
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // Items stay valid until Reset(); memory grows with every Run until then. Nested Runs (from a
  // VariableSource) are welcome. Errors: kSemantic (a type only known at run time is wrong), kLimit.
  Result<Items> Run(const Program& program, const Item& input, const Environment& environment = {});
  // The same for no input at all (expressions that start from %variables).
  Result<Items> Run(const Program& program);
  // Run and read as a criterion: nullopt when empty (unknown). More than one item is an error.
  Result<std::optional<bool>> RunBoolean(const Program& program, const Item& input,
                                         const Environment& environment = {});
  Result<std::optional<bool>> RunBoolean(const Program& program);

  // Forgets all results and starts again with empty memory (capacity is kept) and another `now`.
  void Reset(const DateTime& now);
  void set_variables(VariableSource* variables);
  const DateTime& now() const;

  // --- Why: which nodes decided, and what was not known. ---
  // Nodes that were turned into an answer (counted, compared, tested for existence, looked up in a value
  // set) since the last ClearSources(); nodes that a filter dropped are not among them.
  std::span<const Node> sources() const;
  void AddSources(std::span<const Node> nodes);  // replays what a memoised variable rested on
  // Why something was not known ("prefetch 'pain' was not supplied"); kept in order, each once.
  std::span<const std::string> unknowns() const;
  void MarkUnknown(std::string_view reason);
  void ClearSources();  // sources and unknowns

  // Documents whose resources resolve() finds besides those of the input's own document.
  void AddDocument(const Document* document);
  // Items copied into memory that lives as long as the results.
  Items Keep(Items items);
  std::string_view KeepString(std::string_view text);
  const UnitText* KeepUnit(std::string_view text, bool calendar);

  EvaluationState& state() { return *state_; }

 private:
  std::unique_ptr<EvaluationState> state_;
};

// --- Output ---
// "FHIR.string", "System.Integer", "FHIR.Patient"; plain JSON nodes give System types.
std::string TypeText(const Item& item);
// Text of a value as FHIRPath toString() writes it; JSON for complex nodes.
std::string ValueText(const Item& item);
// JSON form: decimals as numbers with their scale, dates and times as strings without @, quantities as
// {"value","unit"}, complex elements as JSON, a primitive without value as null.
std::string ValueJson(const Item& item);

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_FHIRPATH_H_
