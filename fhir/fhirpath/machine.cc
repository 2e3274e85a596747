#include "fhir/fhirpath/machine.h"

#include <algorithm>

namespace stepwise::fhirpath {

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
        if (e.slot == kChoiceAlternative) {
          const int count = OneAlternative(e, frame, out);
          if (count < 2) return count;
        }
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
      if (e.slot == kChoiceAlternative && !state_.options.on_step) return Alternatives(e, frame, out);
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

}  // namespace stepwise::fhirpath
