#include "fhir/fhirpath/machine.h"

#include <algorithm>

namespace stepwise::fhirpath {
namespace {

Answer Of(bool value) { return value ? Answer::kTrue : Answer::kFalse; }
Answer Invert(Answer answer) {
  return answer == Answer::kTrue ? Answer::kFalse : answer == Answer::kFalse ? Answer::kTrue : answer;
}

constexpr bool IsBooleanKind(ExprKind kind) {
  switch (kind) {
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kXor:
    case ExprKind::kImplies:
    case ExprKind::kEqual:
    case ExprKind::kNotEqual:
    case ExprKind::kEquivalent:
    case ExprKind::kNotEquivalent:
    case ExprKind::kLess:
    case ExprKind::kLessOrEqual:
    case ExprKind::kGreater:
    case ExprKind::kGreaterOrEqual:
    case ExprKind::kIn:
    case ExprKind::kContains:
    case ExprKind::kExists:
    case ExprKind::kAll:
    case ExprKind::kEmpty:
    case ExprKind::kNot: return true;
    default: return false;
  }
}

}  // namespace

Machine::Machine(Evaluation& evaluation, const ProgramData& program)
    : evaluation_(evaluation),
      state_(evaluation.state()),
      program_(program),
      model_(Model::Get(program.version)) {
  if (program.defined_count > 0) defined_.resize(program.defined_count);
}

Machine::~Machine() = default;

bool Machine::Stop(Code code, std::string message, const Expr& at) {
  if (!state_.error) state_.error = Error{code, std::move(message), at.span, ""};
  return false;
}

bool Machine::Look(const Expr& at) {
  const EvaluationLimits& limits = state_.options.limits;
  if (state_.steps > limits.max_steps) {
    return Stop(Code::kLimit,
                "the evaluation takes more than the limit of " + std::to_string(limits.max_steps) + " steps",
                at);
  }
  if (state_.options.clock != nullptr && state_.options.clock() > state_.deadline_ns) {
    return Stop(
        Code::kLimit,
        "the evaluation takes longer than the limit of " + std::to_string(limits.max_time.count()) + " ms",
        at);
  }
  state_.next_look = std::min(state_.steps + EvaluationState::kStepsBetweenLooks, limits.max_steps + 1);
  return true;
}

bool Machine::Collect(std::int32_t index, const Frame& frame, std::vector<Item>& out) {
  const std::size_t most = state_.options.limits.max_items;
  Emit(index, frame, [&](const Item& item) {
    if (out.size() >= most) {
      return Stop(Code::kLimit, "a collection grows past the limit of " + std::to_string(most) + " items",
                  program_.expr(index));
    }
    out.push_back(item);
    return true;
  });
  return !Failed();
}

int Machine::One(std::int32_t index, const Frame& frame, Item* out) {
  const Expr& e = program_.expr(index);
  switch (e.kind) {
    case ExprKind::kThis:
      if (frame.self == nullptr) return 0;
      *out = *frame.self;
      return 1;
    case ExprKind::kLiteral: *out = e.literal; return 1;
    case ExprKind::kNothing: return 0;
    case ExprKind::kChild:
      if (!state_.options.on_step && !program_.expr(e.focus).many) return OneChild(e, frame, out);
      break;
    case ExprKind::kOfType:
      if (!state_.options.on_step && !program_.expr(e.focus).many) {
        if (!Step(e)) return -1;
        const int count = One(e.focus, frame, out);
        if (count <= 0) return count;
        if (count == 1) return MatchesExactly(e, *out) ? 1 : 0;
      }
      break;
    default: break;
  }
  if (IsBooleanKind(e.kind) && !state_.options.on_step) {
    if (!Step(e)) return -1;
    const Answer answer = Boolean(e, frame);
    if (answer == Answer::kError) return -1;
    if (answer == Answer::kEmpty) return 0;
    *out = Item::Boolean(answer == Answer::kTrue);
    return 1;
  }
  int count = 0;
  Emit(index, frame, [&](const Item& item) {
    if (count == 0) *out = item;
    return ++count < 2;
  });
  return Failed() ? -1 : count;
}

// The type that the binder found for a child, or the one that a resource in its place claims.
inline TypeId BoundType(Node child, const Expr& e) {
  return child.resource_type() != types::kNone ? child.resource_type() : e.element_type;
}

// A step from one item needs no sink.
int Machine::OneChild(const Expr& e, const Frame& frame, Item* out) {
  if (!Step(e)) return -1;
  Item input;
  const Item* from = frame.self;
  if (program_.expr(e.focus).kind != ExprKind::kThis) {
    const int count = One(e.focus, frame, &input);
    if (count < 0) return count;
    // `many` is what the binder could prove; a plain JSON property may repeat all the same.
    if (count > 1) {
      int total = 0;
      Emit(e.focus, frame, [&](const Item& item) {
        return Children(e, item, [&](const Item& child) {
          if (total == 0) *out = child;
          return ++total < 2;
        });
      });
      return Failed() ? -1 : total;
    }
    if (count == 0) return 0;
    from = &input;
  }
  if (from == nullptr) return 0;
  if (from->is_node() && from->type() == e.type && e.type != types::kNone && !e.element_choice &&
      !e.element_many) {
    const Node child = from->node().Child(e.name);
    if (!child) return 0;
    *out = Item::Of(child, BoundType(child, e));
    return 1;
  }
  if (from->is_node() && from->type() == e.type && e.element_choice && !e.element_many) {
    for (const Node child : from->node().children()) {
      if (child.name() - e.choice_first > e.choice_last - e.choice_first) continue;
      const Element* element = model_.Find(e.type, child.name());
      if (element == nullptr || element->base != e.name) continue;
      *out = Item::Of(child, element->type);
      return 1;
    }
    return 0;
  }
  int total = 0;
  Children(e, *from, [&](const Item& child) {
    if (total == 0) *out = child;
    return ++total < 2;
  });
  return Failed() ? -1 : total;
}

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

bool Machine::Emit(std::int32_t index, const Frame& frame, Sink out) {
  const Expr& e = program_.expr(index);
  if (!Step(e)) return false;
  if (++state_.recursion > state_.options.limits.max_recursion) {
    --state_.recursion;
    return Stop(Code::kLimit,
                "the evaluation nests deeper than the limit of " +
                    std::to_string(state_.options.limits.max_recursion),
                e);
  }
  bool more;
  if (!state_.options.on_step) {
    more = EmitForm(e, frame, out);
  } else {
    Scratch items(state_);
    more = EmitForm(e, frame, [&](const Item& item) {
      items->push_back(item);
      return true;
    });
    if (!Failed()) {
      if (e.kind != ExprKind::kLiteral && e.kind != ExprKind::kThis)
        state_.options.on_step({e.span, "", items.view()});
      for (const Item& item : *items) {
        if (!(more = out(item))) break;
      }
    }
  }
  --state_.recursion;
  return more && !Failed();
}

bool Machine::EmitForm(const Expr& e, const Frame& frame, Sink out) {
  switch (e.kind) {
    case ExprKind::kNone: return Stop(Code::kInternal, "an expression without a meaning", e);
    case ExprKind::kNothing: return true;
    case ExprKind::kThis: return frame.self == nullptr || out(*frame.self);
    case ExprKind::kIndex: return frame.index < 0 || out(Item::Integer(frame.index));
    case ExprKind::kTotal:
      for (const Item& item : frame.total) {
        if (!out(item)) return false;
      }
      return true;
    case ExprKind::kLiteral: return out(e.literal);
    case ExprKind::kVariable: return EmitVariable(e, out);
    case ExprKind::kDefined: {
      const Items items = defined_[static_cast<std::size_t>(e.slot)];
      for (const Item& item : items) {
        if (!out(item)) return false;
      }
      return true;
    }
    case ExprKind::kResource: return !state_.resource || out(*state_.resource);
    case ExprKind::kRootResource: return !state_.root_resource || out(*state_.root_resource);
    case ExprKind::kContext: return !state_.context || out(*state_.context);

    case ExprKind::kChild: {
      const Expr& focus = program_.expr(e.focus);
      if (focus.kind == ExprKind::kThis) return frame.self == nullptr || Children(e, *frame.self, out);
      return Emit(e.focus, frame, [&](const Item& item) { return Children(e, item, out); });
    }
    case ExprKind::kTypeRoot:
      // `Patient.name`: the root itself when it is a Patient; a property of that name in plain JSON.
      if (frame.self == nullptr) return true;
      if (frame.self->is_node() && frame.self->type() != types::kNone) {
        return !IsOfType(*frame.self, e.type) || out(*frame.self);
      }
      return Children(e, *frame.self, out);
    case ExprKind::kIndexer: {
      Item position;
      const int count = One(program_.arg(e, 0), frame, &position);
      if (count < 0) return false;
      if (count == 0) return true;
      position = ToSystem(position, evaluation_);
      if (count > 1 || (position.kind() != ItemKind::kInteger && position.kind() != ItemKind::kLong)) {
        return Stop(Code::kSemantic, "an index must be one Integer", e);
      }
      std::int64_t left = position.integer();
      if (left < 0) return true;
      bool more = true;
      Emit(e.focus, frame, [&](const Item& item) {
        if (left-- > 0) return true;
        more = out(item);
        return false;
      });
      return more;
    }
    case ExprKind::kFirst: {
      bool more = true;
      Emit(e.focus, frame, [&](const Item& item) {
        more = out(item);
        return false;
      });
      return more;
    }
    case ExprKind::kSkip:
    case ExprKind::kTake: {
      Item number;
      const int count = One(program_.arg(e, 0), frame, &number);
      if (count < 0) return false;
      if (count == 0) return true;
      number = ToSystem(number, evaluation_);
      if (count > 1 || (number.kind() != ItemKind::kInteger && number.kind() != ItemKind::kLong)) {
        return Stop(Code::kSemantic, "skip and take want one Integer", e);
      }
      std::int64_t left = number.integer();
      if (e.kind == ExprKind::kSkip) {
        return Emit(e.focus, frame, [&](const Item& item) { return left-- > 0 || out(item); });
      }
      if (left <= 0) return true;
      bool more = true;
      Emit(e.focus, frame, [&](const Item& item) {
        more = out(item);
        return more && --left > 0;
      });
      return more;
    }
    case ExprKind::kWhere: {
      const std::int32_t criteria = program_.arg(e, 0);
      std::int64_t position = 0;
      return Emit(e.focus, frame, [&](const Item& item) {
        const std::size_t mark = state_.sources.size();
        const Frame inner{&item, position++, {}};
        const Answer holds = Truth(criteria, inner);
        if (holds == Answer::kError) return false;
        if (holds == Answer::kTrue) return out(item);
        state_.sources.resize(mark);
        return true;
      });
    }
    case ExprKind::kSelect: {
      const std::int32_t projection = program_.arg(e, 0);
      std::int64_t position = 0;
      return Emit(e.focus, frame, [&](const Item& item) {
        const Frame inner{&item, position++, {}};
        return Emit(projection, inner, out);
      });
    }
    case ExprKind::kOfType:
      if (e.slot == kBundleResources && !state_.options.on_step) return BundleResources(e, frame, out);
      return Emit(e.focus, frame, [&](const Item& item) { return !MatchesExactly(e, item) || out(item); });
    case ExprKind::kIs:
    case ExprKind::kAs: return TypeTest(e, frame, out);
    case ExprKind::kCount: {
      const std::int64_t count = Count(e, frame);
      return !Failed() && out(Item::Integer(count));
    }
    case ExprKind::kUnion: {
      ItemSet seen(evaluation_);
      const auto add = [&](const Item& item) { return !seen.Insert(item) || out(item); };
      return Emit(e.focus, frame, add) && Emit(program_.arg(e, 0), frame, add);
    }
    case ExprKind::kChildren:
      return Emit(e.focus, frame, [&](const Item& item) { return AllChildren(item, out); });
    case ExprKind::kDescendants:
      return Emit(e.focus, frame, [&](const Item& item) { return Descendants(item, out); });
    case ExprKind::kIif: {
      const Answer holds = [&] {
        if (e.focus < 0 || program_.expr(e.focus).kind == ExprKind::kThis)
          return Truth(program_.arg(e, 0), frame);
        return Answer::kEmpty;
      }();
      if (e.focus >= 0 && program_.expr(e.focus).kind != ExprKind::kThis) {
        Item item;
        const int count = One(e.focus, frame, &item);
        if (count < 0) return false;
        if (count > 1) return Stop(Code::kSemantic, "iif wants at most one input item", e);
        const Frame inner{count == 1 ? &item : nullptr, 0, {}};
        const Answer inner_holds = Truth(program_.arg(e, 0), inner);
        if (inner_holds == Answer::kError) return false;
        if (inner_holds == Answer::kTrue) return Emit(program_.arg(e, 1), inner, out);
        return e.arg_count < 3 || Emit(program_.arg(e, 2), inner, out);
      }
      if (holds == Answer::kError) return false;
      if (holds == Answer::kTrue) return Emit(program_.arg(e, 1), frame, out);
      return e.arg_count < 3 || Emit(program_.arg(e, 2), frame, out);
    }
    case ExprKind::kCoalesce: {
      for (std::uint32_t i = 0; i < e.arg_count; ++i) {
        bool any = false;
        const bool more = Emit(program_.arg(e, i), frame, [&](const Item& item) {
          any = true;
          return out(item);
        });
        if (any || Failed()) return more && !Failed();
      }
      return true;
    }
    case ExprKind::kTrace: {
      Scratch items(state_), shown(state_);
      if (!Collect(e.focus, frame, *items)) return false;
      if (state_.options.on_trace) {
        if (e.arg_count > 1) {
          for (const Item& item : *items) {
            const Frame inner{&item, 0, {}};
            if (!Collect(program_.arg(e, 1), inner, *shown)) return false;
          }
        }
        Item label;
        const int count = One(program_.arg(e, 0), frame, &label);
        if (count < 0) return false;
        const std::string name = count == 1 ? ValueText(label) : std::string();
        state_.options.on_trace({e.span, name, e.arg_count > 1 ? shown.view() : items.view()});
      }
      for (const Item& item : *items) {
        if (!out(item)) return false;
      }
      return true;
    }
    case ExprKind::kDefineVariable: {
      Scratch items(state_);
      if (!Collect(e.focus, frame, *items)) return false;
      if (e.arg_count > 1) {
        Scratch value(state_);
        if (items->empty()) {
          const Frame inner{nullptr, -1, {}};
          if (!Collect(program_.arg(e, 1), inner, *value)) return false;
        } else if (items->size() == 1) {
          const Frame inner{&items->front(), 0, {}};
          if (!Collect(program_.arg(e, 1), inner, *value)) return false;
        } else {
          for (std::size_t i = 0; i < items->size(); ++i) {
            const Frame inner{&(*items)[i], static_cast<std::int64_t>(i), {}};
            if (!Collect(program_.arg(e, 1), inner, *value)) return false;
          }
        }
        defined_[static_cast<std::size_t>(e.slot)] = evaluation_.Keep(value.view());
      } else {
        defined_[static_cast<std::size_t>(e.slot)] = evaluation_.Keep(items.view());
      }
      for (const Item& item : *items) {
        if (!out(item)) return false;
      }
      return true;
    }
    case ExprKind::kRepeat:
    case ExprKind::kRepeatAll: return Repeat(e, frame, out);
    case ExprKind::kSort: return Sort(e, frame, out);
    case ExprKind::kAggregate: return Aggregate(e, frame, out);
    case ExprKind::kInstance: return Instance(e, frame, out);
    case ExprKind::kCall: return CallRow(e, frame, out);
    case ExprKind::kNegate:
    case ExprKind::kAdd:
    case ExprKind::kSubtract:
    case ExprKind::kMultiply:
    case ExprKind::kDivide:
    case ExprKind::kDiv:
    case ExprKind::kMod:
    case ExprKind::kConcat: return Arithmetic(e, frame, out);
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kXor:
    case ExprKind::kImplies:
    case ExprKind::kEqual:
    case ExprKind::kNotEqual:
    case ExprKind::kEquivalent:
    case ExprKind::kNotEquivalent:
    case ExprKind::kLess:
    case ExprKind::kLessOrEqual:
    case ExprKind::kGreater:
    case ExprKind::kGreaterOrEqual:
    case ExprKind::kIn:
    case ExprKind::kContains:
    case ExprKind::kExists:
    case ExprKind::kAll:
    case ExprKind::kEmpty:
    case ExprKind::kNot: {
      const Answer answer = Boolean(e, frame);
      if (answer == Answer::kError) return false;
      return answer == Answer::kEmpty || out(Item::Boolean(answer == Answer::kTrue));
    }
  }
  return true;
}

std::int64_t Machine::Count(const Expr& e, const Frame& frame) {
  std::int64_t count = 0;
  Emit(e.focus, frame, [&](const Item& item) {
    ++count;
    Rest(item);
    return true;
  });
  return count;
}

bool Machine::EmitVariable(const Expr& e, Sink out) {
  if (state_.options.variables == nullptr) return Stop(Code::kInternal, "a variable without a source", e);
  Result<Items> items = state_.options.variables->Get(e.slot, evaluation_);
  if (!items) {
    if (!state_.error) state_.error = std::move(items).error();
    return false;
  }
  for (const Item& item : *items) {
    if (!out(item)) return false;
  }
  return true;
}

TypeId Machine::ChildType(Node child, TypeId parent_type, const Element* element) const {
  if (child.kind() == NodeKind::kObject && child.resource_type() != types::kNone)
    return child.resource_type();
  if (element == nullptr)
    element = parent_type == types::kNone ? nullptr : model_.Find(parent_type, child.name());
  return element == nullptr ? types::kNone : element->type;
}

bool Machine::Children(const Expr& e, const Item& item, Sink out) {
  if (!item.is_node() || item.type() != e.type || e.type == types::kNone || e.element_choice) {
    return DynamicChildren(e, item, out);
  }
  if (!Step(e)) return false;
  // The binder knew this type: one property, one type, nothing to look up.
  const Node node = item.node();
  for (Node child = node.Child(e.name); child; child = node.NextChild(e.name, child)) {
    if (!out(Item::Of(child, BoundType(child, e)))) return false;
    if (!e.element_many) return true;
  }
  return true;
}

bool Machine::DynamicChildren(const Expr& e, const Item& item, Sink out) {
  if (!Step(e)) return false;
  if (!item.is_node()) {
    if (item.kind() == ItemKind::kTypeInfo) {
      const TypeId named = static_cast<TypeId>(item.integer());
      if (e.name == names::kName) return out(Item::String(TypeName(named)));
      if (e.name == names::kNamespace) return out(Item::String(IsSystemType(named) ? "System" : "FHIR"));
      if (e.name == names::kBaseType) {
        const TypeId base = model_.Base(named);
        if (IsSystemType(named)) return out(Item::String("System.Any"));
        return base == types::kNone ||
               out(Item::String(evaluation_.KeepString("FHIR." + std::string(TypeName(base)))));
      }
    } else if (item.kind() == ItemKind::kQuantity) {
      if (e.name == names::kValue) return out(Item::Of(item.decimal()));
      if (e.name == names::kUnit) return out(Item::String(item.unit().text));
    }
    return true;
  }
  const Node node = item.node();
  if (e.element_choice && item.type() == e.type) {
    // The binder knew the choice: its alternatives have neighbouring ids.
    for (const Node child : node.children()) {
      if (child.name() - e.choice_first > e.choice_last - e.choice_first) continue;
      const Element* element = model_.Find(e.type, child.name());
      if (element == nullptr || element->base != e.name) continue;
      if (!out(Item::Of(child, ChildType(child, e.type, element)))) return false;
    }
    return true;
  }
  for (const Node child : node.children()) {
    NameId name = child.name();
    const Element* element = nullptr;
    if (e.name == kNoName) {
      if (child.name_text() != *e.text) continue;
    } else if (name != e.name) {
      // valueQuantity answers to `value` where the type says that it is a choice.
      if (ChoiceBase(name) != e.name || item.type() == types::kNone) continue;
      element = model_.Find(item.type(), name);
      if (element == nullptr || !element->is_choice || element->base != e.name) continue;
    }
    if (!out(Item::Of(child, ChildType(child, item.type(), element)))) return false;
  }
  return true;
}

bool Machine::AllChildren(const Item& item, Sink out) {
  if (!item.is_node()) return true;
  const Node node = item.node();
  for (const Node child : node.children()) {
    ++state_.steps;
    if (child.name() == names::kResourceType && node.resource_type() != types::kNone) continue;
    if (!out(Item::Of(child, ChildType(child, item.type(), nullptr)))) return false;
  }
  return true;
}

// Breadth does not matter (no order is promised), so this walks depth first with the stack of the tree's own
// depth, which the document limits.
bool Machine::Descendants(const Item& item, Sink out) {
  if (state_.steps > state_.options.limits.max_steps)
    return Stop(Code::kLimit, "the evaluation takes more steps than its limit", program_.expr(program_.root));
  return AllChildren(item, [&](const Item& child) { return out(child) && Descendants(child, out); });
}

// bundle.entry.resource.ofType(T): the document lists its resources, so no entry needs to be walked.
bool Machine::BundleResources(const Expr& e, const Frame& frame, Sink out) {
  const Expr& entry = program_.expr(program_.expr(e.focus).focus);
  Item bundle;
  const int count = One(entry.focus, frame, &bundle);
  if (count <= 0) return count == 0;
  if (count > 1 || !bundle.is_node() || bundle.type() != types::kBundle) {
    return Emit(e.focus, frame, [&](const Item& item) { return !MatchesExactly(e, item) || out(item); });
  }
  const Node container = bundle.node();
  const std::span<const std::uint32_t> resources = container.document()->resources();
  const std::uint32_t end = container.end_index();
  // A concrete resource type has no subtypes: most resources are passed over at a glance.
  const bool exact = model_.Kind(e.type) == TypeKind::kResource && !model_.IsAbstract(e.type);
  for (auto it = std::lower_bound(resources.begin(), resources.end(), container.index());
       it != resources.end() && *it < end; ++it) {
    const Node node = container.document()->node(*it);
    if ((exact && node.resource_type() != e.type) || node.name() != names::kResource) continue;
    const Node holder = container.document()->node(node.holder_index());
    if (holder.name() != names::kEntry || holder.holder_index() != container.index()) continue;
    if (!Step(e)) return false;
    const Item item = Item::Of(node, node.resource_type());
    if ((exact || MatchesExactly(e, item)) && !out(item)) return false;
  }
  return true;
}

bool Machine::IsOfType(const Item& item, TypeId type) const {
  if (type == types::kSystemAny) return true;
  if (type == types::kNone) return false;
  const TypeId own = item.type();
  if (own == type) return true;
  if (!item.is_node()) {
    return item.kind() == ItemKind::kTypeInfo &&
           (type == types::kSystemSimpleTypeInfo || type == types::kSystemClassInfo);
  }
  // Nodes of plain JSON have System types.
  if (own == types::kNone) return SystemTypeOf(item) == type;
  return !IsSystemType(type) && model_.IsA(own, type);
}

bool Machine::Matches(const Expr& e, const Item& item) const {
  return IsOfType(item, e.type) || (e.element_type != types::kNone && IsOfType(item, e.element_type));
}

// as and ofType: a code is no string here (as the official suite has it); a complex ancestor counts.
bool Machine::MatchesExactly(const Expr& e, const Item& item) const {
  return item.type() == e.type || (!IsPrimitiveType(e.type) && Matches(e, item));
}

bool Machine::TypeTest(const Expr& e, const Frame& frame, Sink out) {
  const bool is = e.kind == ExprKind::kIs;
  // `as` filters where the input's type is open (descendants().as(uri), as FHIR's own invariants use it) and
  // wants one item elsewhere.
  const bool filter = !is && program_.expr(e.focus).many && e.slot == 1;
  if (filter)
    return Emit(e.focus, frame, [&](const Item& item) { return !MatchesExactly(e, item) || out(item); });
  Item item;
  const int count = One(e.focus, frame, &item);
  if (count < 0) return false;
  if (count == 0) return true;
  if (count > 1)
    return Stop(Code::kSemantic,
                std::string(is ? "'is'" : "'as'") + " wants one item, and there are several; use ofType()",
                e);
  if (is) {
    Rest(item);
    return out(Item::Boolean(Matches(e, item)));
  }
  return !MatchesExactly(e, item) || out(item);
}

bool Machine::Repeat(const Expr& e, const Frame& frame, Sink out) {
  const bool all = e.kind == ExprKind::kRepeatAll;
  const std::int32_t projection = program_.arg(e, 0);
  Scratch queue(state_), found(state_);
  if (!Collect(e.focus, frame, *queue)) return false;
  ItemSet seen(evaluation_);
  std::size_t total = 0;
  std::int64_t position = 0;
  for (std::size_t at = 0; at < queue->size(); ++at) {
    const Item item = (*queue)[at];
    const Frame inner{&item, position++, {}};
    found->clear();
    if (!Collect(projection, inner, *found)) return false;
    for (const Item& next : *found) {
      if (!all && !seen.Insert(next)) continue;
      if (++total > state_.options.limits.max_items) {
        return Stop(Code::kLimit,
                    "repeat gives more than the limit of " + std::to_string(state_.options.limits.max_items) +
                        " items",
                    e);
      }
      queue->push_back(next);
      if (!out(next)) return false;
    }
  }
  return true;
}

bool Machine::Sort(const Expr& e, const Frame& frame, Sink out) {
  Scratch items(state_), keys(state_);
  if (!Collect(e.focus, frame, *items)) return false;
  const std::size_t width = std::max<std::size_t>(1, e.arg_count);
  // keys[i * width + k], kTypeInfo 0 standing for "no key".
  for (const Item& item : *items) {
    for (std::size_t k = 0; k < width; ++k) {
      Item key = item;
      if (e.arg_count > 0) {
        const Frame inner{&item, 0, {}};
        const int count = One(program_.arg(e, static_cast<std::uint32_t>(k)), inner, &key);
        if (count < 0) return false;
        if (count > 1) return Stop(Code::kSemantic, "a sort key must be one item", e);
        if (count == 0) key = Item::TypeInfo(types::kNone);
      }
      keys->push_back(ToSystem(key, evaluation_));
    }
  }
  Scratch order(state_);
  for (std::size_t i = 0; i < items->size(); ++i)
    order->push_back(Item::Integer(static_cast<std::int64_t>(i)));
  bool comparable = true;
  const auto before = [&](const Item& x, const Item& y) {
    for (std::size_t k = 0; k < width; ++k) {
      const Item& a = (*keys)[static_cast<std::size_t>(x.integer()) * width + k];
      const Item& b = (*keys)[static_cast<std::size_t>(y.integer()) * width + k];
      const bool none_a = a.kind() == ItemKind::kTypeInfo, none_b = b.kind() == ItemKind::kTypeInfo;
      const char direction = e.text != nullptr && k < e.text->size() ? (*e.text)[k] : 'a';
      const bool down = direction != 'a';
      if (none_a || none_b) {
        if (none_a == none_b) continue;
        // Empty is lowest: last where the key is desc. (-key negates values, and of nothing there is none.)
        return direction == 'd' ? none_b : none_a;
      }
      std::strong_ordering result = std::strong_ordering::equal;
      const Answer known = Order(a, b, evaluation_, &result);
      if (known == Answer::kError) comparable = false;
      if (known == Answer::kError || known == Answer::kEmpty || result == 0) continue;
      return down ? result > 0 : result < 0;
    }
    return false;
  };
  // A merge sort of our own: stable, in borrowed memory, and indifferent to keys whose order is not known
  // (which is no strict weak ordering, as std::sort demands).
  Scratch merged(state_);
  const std::size_t count = order->size();
  for (std::size_t run = 1; run < count; run *= 2) {
    merged->clear();
    for (std::size_t begin = 0; begin < count; begin += 2 * run) {
      const std::size_t middle = std::min(begin + run, count), end = std::min(begin + 2 * run, count);
      for (std::size_t i = begin, j = middle; i < middle || j < end;) {
        const bool right = j < end && (i == middle || before((*order)[j], (*order)[i]));
        merged->push_back((*order)[right ? j++ : i++]);
      }
    }
    std::swap(*order, *merged);
  }
  if (!comparable) return Stop(Code::kSemantic, "the sort keys do not compare with each other", e);
  for (const Item& position : *order) {
    if (!out((*items)[static_cast<std::size_t>(position.integer())])) return false;
  }
  return true;
}

bool Machine::Aggregate(const Expr& e, const Frame& frame, Sink out) {
  Scratch items(state_), total(state_), next(state_);
  if (!Collect(e.focus, frame, *items)) return false;
  if (e.arg_count > 1 && !Collect(program_.arg(e, 1), frame, *total)) return false;
  std::int64_t position = 0;
  for (const Item& item : *items) {
    const Frame inner{&item, position++, total.view()};
    next->clear();
    if (!Collect(program_.arg(e, 0), inner, *next)) return false;
    std::swap(*total, *next);
  }
  for (const Item& item : *total) {
    if (!out(item)) return false;
  }
  return true;
}

// Writes the object as JSON and reads it back, so that the rest of the engine sees an ordinary node.
bool Machine::Instance(const Expr& e, const Frame& frame, Sink out) {
  std::string json = "{";
  const bool resource = e.type != types::kNone && model_.Kind(e.type) == TypeKind::kResource;
  if (resource) json += "\"resourceType\":\"" + std::string(TypeName(e.type)) + "\"";
  const std::string_view names = e.text == nullptr ? std::string_view() : std::string_view(*e.text);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < e.arg_count; ++i) {
    const std::size_t comma = names.find('\n', at);
    const std::string name(names.substr(at, comma - at));
    at = comma + 1;
    Scratch values(state_);
    if (!Collect(program_.arg(e, i), frame, *values)) return false;
    if (values->empty()) continue;
    const NameId id = FindName(name);
    const auto elements = id == kNoName ? std::span<const Element>() : model_.FindBase(e.type, id);
    const bool many = !elements.empty() && elements[0].many;
    std::string property = name;
    if (!elements.empty() && elements[0].is_choice) {
      // value: 5 'mg' is written as valueQuantity: the value's type picks the property.
      for (const Element& element : elements) {
        if (TypeName(element.type) == TypeName(values->front().type()) ||
            element.type == values->front().type()) {
          property = NameText(element.name);
        }
      }
    }
    if (json.size() > 1) json += ",";
    json += "\"" + property + "\":";
    if (many || values->size() > 1) json += "[";
    for (std::size_t v = 0; v < values->size(); ++v) json += (v > 0 ? "," : "") + ValueJson((*values)[v]);
    if (many || values->size() > 1) json += "]";
  }
  json += "}";
  if (json.size() > state_.options.limits.max_string)
    return Stop(Code::kLimit, "the instance is larger than the limit", e);
  Result<Document> document = Document::Parse(std::move(json));
  if (!document) return Stop(Code::kSemantic, "the instance cannot be built: " + document.error().message, e);
  state_.made.push_back(std::make_unique<Document>(std::move(*document)));
  return out(Item::Of(state_.made.back()->root(), e.type));
}

}  // namespace stepwise::fhirpath
