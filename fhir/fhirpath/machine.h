// Machine: runs one ProgramData. Internal to fhir/fhirpath.
//
// Items are pushed, not collected: a path hands each item to the next step, and a step that has enough
// (exists, first) says so by returning false, which stops everything before it. Single values take a short
// way that pushes nothing.
#ifndef STEPWISE_FHIR_FHIRPATH_MACHINE_H_
#define STEPWISE_FHIR_FHIRPATH_MACHINE_H_

#include <cstdint>
#include <string>
#include <type_traits>

#include "fhir/fhirpath/program.h"
#include "fhir/fhirpath/state.h"
#include "fhir/fhirpath/values.h"

namespace stepwise::fhirpath {

// Non-owning reference to something that takes items. Returns false for "no more".
class Sink {
 public:
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Sink>>>
  Sink(F&& f)  // NOLINT: implicit by design, like a function_ref
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, const Item& item) -> bool {
          return (*static_cast<std::remove_reference_t<F>*>(object))(item);
        }) {}
  bool operator()(const Item& item) const { return call_(object_, item); }

 private:
  void* object_;
  bool (*call_)(void*, const Item&);
};

// $this, $index and $total of the expression being evaluated.
struct Frame {
  const Item* self = nullptr;  // null: no input
  std::int64_t index = -1;
  Items total = {};
};

class Machine {
 public:
  Machine(Evaluation& evaluation, const ProgramData& program);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Pushes the items of an expression; false when the sink has enough or an error stands in state_.error.
  bool Emit(std::int32_t index, const Frame& frame, Sink out);
  bool Collect(std::int32_t index, const Frame& frame, std::vector<Item>& out);  // false on error
  // 0 none, 1 one item in *out, 2 more, -1 error.
  int One(std::int32_t index, const Frame& frame, Item* out);
  // As a criterion: kEmpty is unknown.
  Answer Truth(std::int32_t index, const Frame& frame);

 private:
  friend class Call;
  bool Failed() const { return state_.error.has_value(); }
  bool Stop(Code code, std::string message, const Expr& at);
  bool Step(const Expr& at) { return ++state_.steps < state_.next_look || Look(at); }
  bool Look(const Expr& at);  // the slow half of Step: limits of steps and time

  Answer Boolean(const Expr& e, const Frame& frame);
  Answer Logic(const Expr& e, const Frame& frame);
  Answer Compare(const Expr& e, const Frame& frame);
  Answer Membership(const Expr& e, const Frame& frame);
  Answer Exists(const Expr& e, const Frame& frame);
  int OneChild(const Expr& e, const Frame& frame, Item* out);
  // The same for a kChoiceAlternative; 2 where the input is not what the binder expected.
  int OneAlternative(const Expr& e, const Frame& frame, Item* out);
  bool Alternatives(const Expr& e, const Frame& frame, Sink out);
  Answer ItemTruth(const Item& item);
  bool EmitForm(const Expr& e, const Frame& frame, Sink out);
  bool EmitInput(const Expr& e, const Frame& frame, Sink out);
  bool EmitVariable(const Expr& e, Sink out);
  bool Children(const Expr& e, const Item& item, Sink out);
  bool DynamicChildren(const Expr& e, const Item& item, Sink out);
  TypeId ChildType(Node child, TypeId parent_type, const Element* element) const;
  bool AllChildren(const Item& item, Sink out);
  bool Descendants(const Item& item, Sink out);
  bool Arithmetic(const Expr& e, const Frame& frame, Sink out);
  bool AddValues(const Expr& e, const Item& a, const Item& b, Sink out);
  bool BundleResources(const Expr& e, const Frame& frame, Sink out);
  bool Repeat(const Expr& e, const Frame& frame, Sink out);
  bool Sort(const Expr& e, const Frame& frame, Sink out);
  bool Aggregate(const Expr& e, const Frame& frame, Sink out);
  bool TypeTest(const Expr& e, const Frame& frame, Sink out);
  bool Instance(const Expr& e, const Frame& frame, Sink out);
  bool CallRow(const Expr& e, const Frame& frame, Sink out);
  // Turns items into what a row wants; false on error, *empty when the call gives nothing.
  bool Fit(const Expr& e, Want want, std::string_view what, std::vector<Item>& items, bool* empty);
  bool IsOfType(const Item& item, TypeId type) const;
  bool Matches(const Expr& e, const Item& item) const;
  bool MatchesExactly(const Expr& e, const Item& item) const;
  std::int64_t Count(const Expr& e, const Frame& frame);

  // Why-tracking: an answer rests on these nodes.
  void Rest(const Item& item) {
    if (state_.options.track_sources && item.is_node()) state_.sources.push_back(item.node());
  }

  Evaluation& evaluation_;
  EvaluationState& state_;
  const ProgramData& program_;
  const Model& model_;
  std::vector<Items> defined_;
};

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_MACHINE_H_
