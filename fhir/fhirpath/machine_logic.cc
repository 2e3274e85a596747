// Three-valued logic: criteria, operators that answer true or false, and comparison.
#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {
namespace {

Answer Of(bool value) { return value ? Answer::kTrue : Answer::kFalse; }
Answer Invert(Answer answer) {
  return answer == Answer::kTrue ? Answer::kFalse : answer == Answer::kFalse ? Answer::kTrue : answer;
}

}  // namespace

Answer Machine::ItemTruth(const Item& item) {
  Rest(item);
  if (item.kind() == ItemKind::kBoolean) return Of(item.boolean());
  // Singleton evaluation: one item of another type is true (FHIRPath, "Singleton Evaluation of Collections").
  if (item.is_node() && item.node().kind() == NodeKind::kBoolean) return Of(item.node().boolean());
  return Answer::kTrue;
}

Answer Machine::Truth(std::int32_t index, const Frame& frame) {
  const Expr& e = program_.expr(index);
  if (IsBooleanKind(e.kind) && !state_.options.on_step) {
    if (!Step(e)) return Answer::kError;
    return Boolean(e, frame);
  }
  Item item;
  const int count = One(index, frame, &item);
  if (count < 0) return Answer::kError;
  if (count == 0) return Answer::kEmpty;
  if (count > 1) {
    Stop(Code::kSemantic, "one true or false is needed here, and there are several items", e);
    return Answer::kError;
  }
  return ItemTruth(item);
}

Answer Machine::Boolean(const Expr& e, const Frame& frame) {
  switch (e.kind) {
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kXor:
    case ExprKind::kImplies: return Logic(e, frame);
    case ExprKind::kIn:
    case ExprKind::kContains: return Membership(e, frame);
    case ExprKind::kExists: return Exists(e, frame);
    case ExprKind::kEmpty: return Invert(Exists(e, frame));
    case ExprKind::kNot: return Invert(Truth(e.focus, frame));
    case ExprKind::kAll: {
      Answer all = Answer::kTrue;
      std::int64_t position = 0;
      const std::int32_t criteria = program_.arg(e, 0);
      Emit(e.focus, frame, [&](const Item& item) {
        const Frame inner{&item, position++, {}};
        const Answer one = Truth(criteria, inner);
        // Empty criteria do not hold: all() answers false, never unknown.
        all = one == Answer::kError ? one : one == Answer::kTrue ? all : Answer::kFalse;
        return all == Answer::kTrue;
      });
      return Failed() ? Answer::kError : all;
    }
    default: return Compare(e, frame);
  }
}

Answer Machine::Logic(const Expr& e, const Frame& frame) {
  const std::int32_t right_index = program_.arg(e, 0);
  const Answer left = Truth(e.focus, frame);
  if (left == Answer::kError) return left;
  // Short-circuit where the left side decides.
  if (e.kind == ExprKind::kAnd && left == Answer::kFalse) return left;
  if (e.kind == ExprKind::kOr && left == Answer::kTrue) return left;
  if (e.kind == ExprKind::kImplies && left == Answer::kFalse) return Answer::kTrue;
  const Answer right = Truth(right_index, frame);
  if (right == Answer::kError) return right;
  switch (e.kind) {
    case ExprKind::kAnd:
      if (right == Answer::kFalse) return right;
      return left == Answer::kTrue ? right : Answer::kEmpty;
    case ExprKind::kOr:
      if (right == Answer::kTrue) return right;
      return left == Answer::kFalse ? right : Answer::kEmpty;
    case ExprKind::kXor:
      if (left == Answer::kEmpty || right == Answer::kEmpty) return Answer::kEmpty;
      return Of(left != right);
    default:  // implies
      if (right == Answer::kTrue) return right;
      return left == Answer::kTrue ? right : Answer::kEmpty;
  }
}

Answer Machine::Compare(const Expr& e, const Frame& frame) {
  const Expr& l = program_.expr(e.focus);
  const Expr& r = program_.expr(program_.arg(e, 0));
  const bool ordering = e.kind >= ExprKind::kLess && e.kind <= ExprKind::kGreaterOrEqual;
  Item a, b;
  if (ordering || (!l.many && !r.many)) {
    const int count_a = One(e.focus, frame, &a);
    if (count_a < 0) return Answer::kError;
    const bool equivalence = e.kind == ExprKind::kEquivalent || e.kind == ExprKind::kNotEquivalent;
    if (count_a == 0 && !equivalence) return Answer::kEmpty;
    const int count_b = One(program_.arg(e, 0), frame, &b);
    if (count_b < 0) return Answer::kError;
    if (count_b == 0 && !equivalence) return Answer::kEmpty;
    if (ordering && (count_a > 1 || count_b > 1)) {
      Stop(Code::kSemantic, "comparing needs one item on each side, and there are several", e);
      return Answer::kError;
    }
    Rest(a);
    Rest(b);
    if (equivalence && (count_a == 0 || count_b == 0)) {
      return Of((count_a == count_b) == (e.kind == ExprKind::kEquivalent));
    }
  }
  switch (e.kind) {
    case ExprKind::kEqual:
    case ExprKind::kNotEqual:
    case ExprKind::kEquivalent:
    case ExprKind::kNotEquivalent: {
      Answer answer;
      const bool equality = e.kind == ExprKind::kEqual || e.kind == ExprKind::kNotEqual;
      if (!l.many && !r.many) {
        answer = equality ? Equal(a, b, evaluation_) : Of(Equivalent(a, b, evaluation_));
      } else {
        Scratch left(state_), right(state_);
        if (!Collect(e.focus, frame, *left) || !Collect(program_.arg(e, 0), frame, *right))
          return Answer::kError;
        if (left->size() <= 4)
          for (const Item& item : *left) Rest(item);
        if (right->size() <= 4)
          for (const Item& item : *right) Rest(item);
        answer = equality ? EqualItems(left.view(), right.view(), evaluation_)
                          : Of(EquivalentItems(left.view(), right.view(), evaluation_));
      }
      return e.kind == ExprKind::kNotEqual || e.kind == ExprKind::kNotEquivalent ? Invert(answer) : answer;
    }
    default: break;
  }
  std::strong_ordering order = std::strong_ordering::equal;
  const Answer known = Order(a, b, evaluation_, &order);
  if (known == Answer::kError) {
    Stop(Code::kSemantic, TypeText(a) + " and " + TypeText(b) + " do not compare", e);
    return known;
  }
  if (known == Answer::kEmpty) return known;
  switch (e.kind) {
    case ExprKind::kLess: return Of(order < 0);
    case ExprKind::kLessOrEqual: return Of(order <= 0);
    case ExprKind::kGreater: return Of(order > 0);
    default: return Of(order >= 0);
  }
}

// left in right; right contains left.
Answer Machine::Membership(const Expr& e, const Frame& frame) {
  const bool in = e.kind == ExprKind::kIn;
  const std::int32_t needle_index = in ? e.focus : program_.arg(e, 0);
  const std::int32_t haystack = in ? program_.arg(e, 0) : e.focus;
  Item needle;
  const int count = One(needle_index, frame, &needle);
  if (count < 0) return Answer::kError;
  if (count == 0) return Answer::kEmpty;
  if (count > 1) {
    Stop(Code::kSemantic,
         std::string(in ? "the left side of 'in'" : "the right side of 'contains'") + " must be one item", e);
    return Answer::kError;
  }
  Rest(needle);
  bool found = false;
  Emit(haystack, frame, [&](const Item& item) {
    found = Equal(needle, item, evaluation_) == Answer::kTrue;
    if (found) Rest(item);
    return !found;
  });
  return Failed() ? Answer::kError : Of(found);
}

Answer Machine::Exists(const Expr& e, const Frame& frame) {
  bool found = false;
  if (e.arg_count == 0) {
    Emit(e.focus, frame, [&](const Item& item) {
      found = true;
      Rest(item);
      return false;
    });
    return Failed() ? Answer::kError : Of(found);
  }
  const std::int32_t criteria = program_.arg(e, 0);
  std::int64_t position = 0;
  Emit(e.focus, frame, [&](const Item& item) {
    const std::size_t mark = state_.sources.size();
    const Frame inner{&item, position++, {}};
    const Answer holds = Truth(criteria, inner);
    if (holds == Answer::kError) return false;
    found = holds == Answer::kTrue;
    if (found)
      Rest(item);
    else
      state_.sources.resize(mark);
    return !found;
  });
  return Failed() ? Answer::kError : Of(found);
}

}  // namespace stepwise::fhirpath
