// From an item to its children, and which of them are of a type.
#include <algorithm>

#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {

// A property that no FHIR version knows: its name's id is past those of the model, which must not be asked.
inline bool IsForeign(Node child) { return child.name() >= NameCount(); }

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

int Machine::OneAlternative(const Expr& e, const Frame& frame, Item* out) {
  const Expr& choice = program_.expr(e.focus);
  Item input;
  const Item* from = frame.self;
  if (program_.expr(choice.focus).kind != ExprKind::kThis) {
    const int count = One(choice.focus, frame, &input);
    if (count != 1) return count;
    from = &input;
  }
  if (from == nullptr) return 0;
  if (!from->is_node() || from->type() != choice.type) return 2;
  const Node child = from->node().Child(e.name);
  if (!child) return 0;
  *out = Item::Of(child, e.type);
  return 1;
}

bool Machine::Alternatives(const Expr& e, const Frame& frame, Sink out) {
  const Expr& choice = program_.expr(e.focus);
  return Emit(choice.focus, frame, [&](const Item& item) {
    if (item.is_node() && item.type() == choice.type) {
      const Node child = item.node().Child(e.name);
      return !child || out(Item::Of(child, e.type));
    }
    return Children(choice, item, [&](const Item& child) { return !MatchesExactly(e, child) || out(child); });
  });
}

TypeId Machine::ChildType(Node child, TypeId parent_type, const Element* element) const {
  if (child.kind() == NodeKind::kObject && child.resource_type() != types::kNone)
    return child.resource_type();
  if (element == nullptr)
    element =
        parent_type == types::kNone || IsForeign(child) ? nullptr : model_.Find(parent_type, child.name());
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
      if (item.type() == types::kNone || IsForeign(child) || ChoiceBase(name) != e.name) continue;
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

}  // namespace stepwise::fhirpath
