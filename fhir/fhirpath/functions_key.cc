// Keys that join resources with the references to them, from SQL on FHIR: "Patient/1".
#include "fhir/fhirpath/functions.h"

namespace stepwise::fhirpath {
namespace {

Status ResourceKey(Call& call) {
  if (!call.one().is_node()) return {};
  const Node node = call.one().node();
  const Node id = node.kind() == NodeKind::kObject ? node.Child(names::kId) : Node();
  if (node.resource_type() == types::kNone || !id || id.string().empty()) return {};
  return EmitText(call, std::string(TypeName(node.resource_type())) + '/' + std::string(id.string()));
}

// The "Type/id" at the end of a relative or absolute reference; empty for "#contained" and "urn:uuid:...".
std::string_view KeyOf(std::string_view reference) {
  if (const std::size_t history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  const std::size_t slash = reference.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == reference.size()) return {};
  const std::size_t before = reference.rfind('/', slash - 1);
  return before == std::string_view::npos ? reference : reference.substr(before + 1);
}

Status ReferenceKey(Call& call) {
  if (!call.one().is_node()) return {};
  const Node node = call.one().node();
  const Node reference = node.kind() == NodeKind::kObject ? node.Child(names::kReference) : Node();
  if (!reference) return {};
  const std::string_view key = KeyOf(reference.string());
  const TypeId type = FindFhirType(key.substr(0, key.find('/')));
  if (type == types::kNone) return {};
  if (call.has(0) && !call.model().IsA(type, static_cast<TypeId>(call.arg(0).integer()))) return {};
  call.Emit(Item::String(key));
  return {};
}

constexpr Builtin kRows[] = {
    {.name = "getResourceKey",
     .input = Want::kOne,
     .result = types::kSystemString,
     .fn = ResourceKey,
     .doc = "Key of a resource, equal to getReferenceKey() of the references to it.",
     .spec = "sql-on-fhir#getresourcekey"},
    {.name = "getReferenceKey",
     .input = Want::kOne,
     .params = {{{Want::kType, "resource", true}}},
     .result = types::kSystemString,
     .fn = ReferenceKey,
     .doc = "Key of the resource that a Reference names; empty when it is not of the type, if one is given.",
     .spec = "sql-on-fhir#getreferencekey"},
};

}  // namespace

std::span<const Builtin> KeyFunctions() { return kRows; }

}  // namespace stepwise::fhirpath
