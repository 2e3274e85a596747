// What FHIR adds to FHIRPath: extensions, references, terminology, reflection.
// Source: FHIR R4 and R5 "FHIRPath" pages, "Additional functions"; FHIRPath N1 "Reflection" (STU).
#include "fhir/fhirpath/functions.h"
#include "fhir/fhirpath/machine.h"

namespace stepwise::fhirpath {
namespace {

Status Extension(Call& call) {
  const std::string_view url = call.arg(0).string();
  for (const Item& item : call.input()) {
    if (!item.is_node()) continue;
    for (const Node child : item.node().children()) {
      if (child.name() != names::kExtension) continue;
      const Node own = child.Child(names::kUrl);
      if (own && own.string() == url) call.Emit(Item::Of(child, types::kExtension));
    }
  }
  return {};
}

Status HasValueFn(Call& call) {
  const Items input = call.input();
  call.Emit(input.size() == 1 && HasValue(input[0]) &&
            (!input[0].is_node() || input[0].node().kind() != NodeKind::kObject));
  return {};
}

Status GetValue(Call& call) {
  const Items input = call.input();
  if (input.size() != 1 || !HasValue(input[0])) return {};
  if (input[0].is_node() && input[0].node().kind() == NodeKind::kObject) return {};
  call.Emit(ToSystem(input[0], call.evaluation()));
  return {};
}

Status Resolve(Call& call) {
  EvaluationState& state = call.evaluation().state();
  for (const Item& item : call.input()) {
    Node from;
    std::string_view reference;
    if (item.is_node()) {
      from = item.node();
      const Node target = from.kind() == NodeKind::kObject ? from.Child(names::kReference) : from;
      if (!target || target.kind() != NodeKind::kString) continue;
      reference = target.string();
    } else if (item.kind() == ItemKind::kString) {
      reference = item.string();
      if (state.resource && state.resource->is_node()) from = state.resource->node();
    } else {
      continue;
    }
    if (reference.starts_with('#') && !from) continue;
    if (const Node found = state.references.Resolve(reference, from)) {
      call.Emit(Item::Of(found, found.resource_type()));
    }
  }
  return {};
}

// Calls visit(system, code) for each coding that an item stands for; false when the item holds no code at
// all.
template <typename Visit>
bool Codings(const Item& item, Visit&& visit) {
  if (!item.is_node()) {
    if (item.kind() != ItemKind::kString) return false;
    visit(std::string_view(), item.string());
    return true;
  }
  const Node node = item.node();
  if (node.kind() == NodeKind::kString) {
    visit(std::string_view(), node.string());
    return true;
  }
  bool any = false;
  const auto coding = [&](Node n) {
    const Node code = n.Child(names::kCode);
    if (!code || code.kind() != NodeKind::kString) return;
    const Node system = n.Child(names::kSystem);
    visit(system ? system.string() : std::string_view(), code.string());
    any = true;
  };
  if (item.type() == types::kCodeableConcept || node.Child(names::kCoding)) {
    for (const Node child : node.children()) {
      if (child.name() == names::kCoding) coding(child);
    }
  } else {
    coding(node);
  }
  return any;
}

// In if any coding is in; out if one is of a system that the set covers and none is in; otherwise not known.
Status MemberOf(Call& call) {
  const ValueSet* set = call.bound_value_set();
  const std::string_view name = call.arg(0).string();
  if (set == nullptr && call.terminology() != nullptr) set = call.terminology()->FindValueSet(name);
  if (call.input().size() > 1)
    return call.Fail(Code::kSemantic, "memberOf() wants one item, and there are several");
  if (call.input().empty()) return {};
  if (set == nullptr) {
    call.evaluation().MarkUnknown("value set '" + std::string(name) + "' is not at hand");
    return {};
  }
  const Item& item = call.input()[0];
  // One coding in: in. Otherwise a coding that may be in leaves the answer open, whatever the others say.
  bool in = false, out = false, open = false;
  const bool coded = Codings(item, [&](std::string_view system, std::string_view code) {
    switch (set->Contains(system, code)) {
      case Membership::kIn: in = true; break;
      case Membership::kOut: out = true; break;
      case Membership::kUnknown: open = open || set->IsAbout(system); break;
    }
  });
  call.Rests(call.input());
  if (!in && (open || !out)) {
    std::string why;
    Codings(item, [&](std::string_view system, std::string_view code) {
      if (why.empty() && set->IsAbout(system) == open) why = set->WhyUnknown(system, code);
    });
    if (why.empty()) {
      why = open    ? "value set '" + std::string(name) + "' does not hold all codes of the system"
            : coded ? "no coding is of a system that value set '" + std::string(name) + "' covers"
                    : "there is no code to look for in value set '" + std::string(name) + "'";
    }
    call.evaluation().MarkUnknown(why);
    return {};
  }
  call.Emit(in);
  return {};
}

Status SubsumesEither(Call& call, const Item& ancestor, const Item& descendant) {
  if (call.terminology() == nullptr) {
    call.evaluation().MarkUnknown("no code system is at hand");
    return {};
  }
  Membership best = Membership::kOut;
  bool any = false;
  Codings(ancestor, [&](std::string_view system, std::string_view code) {
    Codings(descendant, [&](std::string_view other_system, std::string_view other) {
      if (system != other_system) return;
      any = true;
      const Membership one = call.terminology()->Subsumes(system, code, other);
      if (one == Membership::kIn) best = one;
      if (one == Membership::kUnknown && best == Membership::kOut) best = one;
    });
  });
  if (!any || best == Membership::kUnknown) {
    call.evaluation().MarkUnknown("the hierarchy of the code system is not at hand");
    return {};
  }
  call.Emit(best == Membership::kIn);
  return {};
}

Status Subsumes(Call& call) {
  if (call.input().empty() || call.items(0).empty()) return {};
  return SubsumesEither(call, call.input()[0], call.items(0)[0]);
}
Status SubsumedBy(Call& call) {
  if (call.input().empty() || call.items(0).empty()) return {};
  return SubsumesEither(call, call.items(0)[0], call.input()[0]);
}

// Base types are known; whether a resource conforms to a profile takes a validator.
Status ConformsTo(Call& call) {
  static constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";
  const std::string_view url = call.arg(0).string();
  const TypeId type = url.starts_with(kBase) ? FindFhirType(url.substr(kBase.size())) : types::kNone;
  if (type == types::kNone) {
    return call.Fail(Code::kNotFound,
                     "conformsTo() knows the base types of FHIR only, not '" + std::string(url) + "'");
  }
  const TypeId own = call.one().type();
  call.Emit(call.one().is_node() && own != types::kNone && call.model().IsA(own, type));
  return {};
}

Status Type(Call& call) {
  for (const Item& item : call.input()) {
    const TypeId type = item.is_node() && item.type() == types::kNone ? SystemTypeOf(item) : item.type();
    call.Emit(Item::TypeInfo(type));
  }
  return {};
}

Status Pathname(Call& call) {
  const bool brief = call.has(0) && call.arg(0).boolean();
  for (const Item& item : call.input()) {
    if (!item.is_node()) continue;
    const std::string path = brief ? item.node().PathInResource() : item.node().Path();
    call.EmitString(path);
  }
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "conformsTo",
     .input = Want::kOne,
     .params = {{{Want::kString, "structure", false}}},
     .result = types::kSystemBoolean,
     .fn = ConformsTo,
     .doc = "True if the item is of the base type that the URL names.",
     .spec = "fhir#conformsTo"},
    {.name = "extension",
     .params = {{{Want::kString, "url", false}}},
     .result = types::kExtension,
     .result_many = true,
     .fn = Extension,
     .doc = "The extensions with that URL.",
     .spec = "fhir#extension"},
    {.name = "getValue",
     .fn = GetValue,
     .doc = "The value of a single primitive that has one.",
     .spec = "fhir#getValue"},
    {.name = "hasValue",
     .result = types::kSystemBoolean,
     .fn = HasValueFn,
     .doc = "True if there is one primitive and it has a value, not only extensions.",
     .spec = "fhir#hasValue"},
    {.name = "memberOf",
     .params = {{{Want::kString, "valueset", false}}},
     .result = types::kSystemBoolean,
     .fn = MemberOf,
     .doc = "Whether a code, Coding or CodeableConcept is in a value set; empty where the set cannot say.",
     .spec = "fhir#memberOf"},
    {.name = "pathname",
     .params = {{{Want::kBoolean, "short", true}}},
     .result = types::kSystemString,
     .result_many = true,
     .fn = Pathname,
     .doc = "Where each node stands in its document (short: in its resource).",
     .spec = "fhirpath#pathname"},
    {.name = "resolve",
     .result_many = true,
     .fn = Resolve,
     .doc = "The resources that references lead to, as far as they are at hand.",
     .spec = "fhir#resolve"},
    {.name = "subsumedBy",
     .params = {{{Want::kItems, "code", false}}},
     .result = types::kSystemBoolean,
     .fn = SubsumedBy,
     .doc = "True if the argument's code is the same or an ancestor.",
     .spec = "fhir#subsumedBy"},
    {.name = "subsumes",
     .params = {{{Want::kItems, "code", false}}},
     .result = types::kSystemBoolean,
     .fn = Subsumes,
     .doc = "True if the code is the same as or an ancestor of the argument's.",
     .spec = "fhir#subsumes"},
    {.name = "type",
     .result_many = true,
     .fn = Type,
     .doc = "Namespace and name of each item's type.",
     .spec = "fhirpath#reflection"},
};

}  // namespace

std::span<const Builtin> FhirFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
