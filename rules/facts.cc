#include "rules/facts.h"

#include <algorithm>
#include <vector>

namespace stepwise::rules {
namespace {

bool HasOutcome(Node bundle) {
  for (const Node entry : bundle.children()) {
    if (entry.name() != names::kEntry) continue;
    const Node resource = entry.Child(names::kResource);
    if (resource && resource.resource_type() == types::kOperationOutcome) return true;
  }
  return false;
}

bool HasNextPage(Node bundle) {
  for (const Node link : bundle.children()) {
    if (link.name() != names::kLink) continue;
    const Node relation = link.Child(names::kRelation);
    if (relation && relation.string() == "next") return true;
  }
  return false;
}

// Id of the Patient that a reference names: relative, absolute, with or without a version; "" for others.
std::string_view PatientOf(std::string_view reference) {
  if (const std::size_t history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  constexpr std::string_view kName = "Patient/";
  const std::size_t at = reference.rfind(kName);
  if (at == std::string_view::npos || (at > 0 && reference[at - 1] != '/')) return "";
  const std::string_view id = reference.substr(at + kName.size());
  return id.find('/') == std::string_view::npos ? id : "";
}

bool IsContained(Node resource) { return resource.name() == names::kContained; }

Status CheckPatient(Node resource, std::string_view patient_id) {
  if (IsContained(resource)) return {};
  // Neither id is repeated: messages end up in logs of others.
  const auto fail = [&](Node place) -> Status {
    return Fail(Code::kInvalidArgument,
                "belongs to another patient than context.patientId names; nothing was evaluated", {},
                place.Path());
  };
  if (resource.resource_type() == types::kPatient) {
    const Node id = resource.Child(names::kId);
    if (id && id.string() != patient_id) return fail(resource);
    return {};
  }
  for (const NameId name : {names::kSubject, names::kPatient}) {
    const Node subject = resource.Child(name);
    if (!subject || subject.kind() != NodeKind::kObject) continue;
    const Node reference = subject.Child(names::kReference);
    if (!reference) continue;
    const std::string_view other = PatientOf(reference.string());
    if (!other.empty() && other != patient_id) return fail(subject);
  }
  return {};
}

}  // namespace

std::string_view BareId(std::string_view patient) {
  constexpr std::string_view kPrefix = "Patient/";
  return patient.starts_with(kPrefix) ? patient.substr(kPrefix.size()) : patient;
}

Fact Facts::Read(std::string_view key, std::string_view query) const {
  const std::string name = "prefetch `" + std::string(key) + "`";
  if (!prefetch) return {FactState::kAbsent, {}, name + " was not supplied"};
  const Node node = prefetch.Child(key);
  if (!node) {
    if (prefetch.NullChild(key)) return {FactState::kKnownEmpty, {}, ""};
    return {FactState::kAbsent, {}, name + " was not supplied"};
  }
  const TypeId type = node.kind() == NodeKind::kObject ? node.resource_type() : types::kNone;
  if (type == types::kNone) return {FactState::kFailed, node, name + " is no FHIR resource"};
  if (type == types::kOperationOutcome)
    return {FactState::kFailed, node, name + " failed (OperationOutcome)"};
  if (type != types::kBundle) return {FactState::kPresent, node, ""};
  if (HasOutcome(node))
    return {FactState::kFailed, node, name + " failed in part (OperationOutcome in the Bundle)"};
  if (HasNextPage(node) && query.find("_count=") == std::string_view::npos) {
    return {FactState::kPartial, node, name + " is incomplete (the Bundle has a next page)"};
  }
  return {node.Child(names::kEntry) ? FactState::kPresent : FactState::kKnownEmpty, node, ""};
}

Result<Facts> ReadFacts(const Document& request) {
  Facts facts;
  const Node root = request.root();
  const auto text = [](Node parent, std::string_view name) {
    const Node node = parent && parent.kind() == NodeKind::kObject ? parent.Child(name) : Node();
    return node && node.kind() == NodeKind::kString ? node.string() : std::string_view();
  };
  if (!root || root.kind() != NodeKind::kObject)
    return Fail(Code::kInvalidArgument, "a CDS Hooks request is a JSON object");
  facts.hook = text(root, "hook");
  if (facts.hook.empty()) return Fail(Code::kInvalidArgument, "the request names no hook", {}, "hook");
  facts.context = root.Child("context");
  if (!facts.context || facts.context.kind() != NodeKind::kObject) {
    return Fail(Code::kInvalidArgument, "the request has no context", {}, "context");
  }
  facts.patient_id = BareId(text(facts.context, "patientId"));
  if (facts.patient_id.empty())
    return Fail(Code::kInvalidArgument, "the request names no patient", {}, "context.patientId");
  const Node prefetch = root.Child("prefetch");
  if (prefetch && prefetch.kind() == NodeKind::kObject) facts.prefetch = prefetch;
  STEPWISE_RETURN_IF_ERROR(CheckPatients(request, facts.patient_id));
  return facts;
}

Status CheckPatients(const Document& document, std::string_view patient_id) {
  for (const std::uint32_t index : document.resources()) {
    STEPWISE_RETURN_IF_ERROR(CheckPatient(document.node(index), patient_id));
  }
  return {};
}

std::string ReferenceOf(Node resource) {
  if (!resource) return "";
  const Node id = resource.Child(names::kId);
  if (resource.resource_type() != types::kNone && id && id.kind() == NodeKind::kString &&
      !IsContained(resource)) {
    return std::string(TypeName(resource.resource_type())) + "/" + std::string(id.string());
  }
  // JSON pointer as a URI fragment, from the root down.
  std::vector<std::string> steps;
  for (Node node = resource; node.parent(); node = node.parent()) {
    std::string step(node.name_text());
    if (node.in_array()) {
      std::size_t index = 0;
      for (const Node sibling : node.parent().children()) {
        if (sibling == node) break;
        index += sibling.name() == node.name();
      }
      step += "/" + std::to_string(index);
    }
    steps.push_back(std::move(step));
  }
  std::string out = "#";
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) out += "/" + *step;
  return out;
}

}  // namespace stepwise::rules
