#include "cds_hooks/prefetch.h"

namespace stepwise::cds_hooks {
namespace {

// Nulls have a record in the tree but are skipped when walking children. Only keys that are not among the
// children get here.
bool IsNull(Node prefetch, std::string_view key) {
  const Document& document = *prefetch.document();
  const NameId name = document.FindName(key);
  if (name == kNoName) return false;
  for (std::uint32_t i = prefetch.index() + 1; i < document.node_count(); ++i) {
    const Node node = document.node(i);
    if (node.parent().index() < prefetch.index()) return false;  // past the last descendant
    if (node.kind() == NodeKind::kNull && node.name() == name && node.parent() == prefetch) return true;
  }
  return false;
}

PrefetchValue ReadBundle(Node bundle, std::string_view query) {
  bool any_resource = false, next_page = false;
  for (const Node child : bundle.children()) {
    if (child.kind() != NodeKind::kObject) continue;
    if (child.name() == names::kEntry) {
      const Node resource = child.Child(names::kResource);
      if (!resource) continue;
      if (resource.resource_type() == types::kOperationOutcome) {
        return {PrefetchState::kFailed, "the Bundle reports a failed search (it holds an OperationOutcome)"};
      }
      any_resource = true;
    } else if (child.name() == names::kLink) {
      const Node relation = child.Child(names::kRelation);
      next_page = next_page || (relation && relation.string() == "next");
    }
  }
  // A query that sets _count asks for the first page only: that one is complete.
  if (next_page && query.find("_count=") == std::string_view::npos) return {PrefetchState::kPartial, ""};
  return {any_resource ? PrefetchState::kPresent : PrefetchState::kEmpty, ""};
}

std::string Explain(const PrefetchValue& value, const rules::PrefetchTemplate& needed) {
  switch (value.state) {
    case PrefetchState::kAbsent:
      return "required and absent: the request must carry the answer to " + needed.query +
             ", or null when there is none";
    case PrefetchState::kFailed:
      return "required, and its query failed at the client: " + std::string(value.why);
    case PrefetchState::kPartial:
      return "required, and only its first page was given (the Bundle links to a next page)";
    case PrefetchState::kEmpty:
    case PrefetchState::kPresent: break;
  }
  return "";
}

}  // namespace

PrefetchValue ReadPrefetch(const Request& request, const rules::PrefetchTemplate& needed) {
  if (!request.prefetch) return {};
  const Node value = request.prefetch.Child(needed.key);
  if (!value) {
    return {IsNull(request.prefetch, needed.key) ? PrefetchState::kEmpty : PrefetchState::kAbsent, ""};
  }
  if (value.resource_type() == types::kOperationOutcome) {
    return {PrefetchState::kFailed, "an OperationOutcome was given in its place"};
  }
  if (value.resource_type() == types::kBundle) return ReadBundle(value, needed.query);
  if (value.kind() != NodeKind::kObject || value.resource_type() == types::kNone) {
    return {PrefetchState::kFailed, "what was given is not a FHIR resource (no known resourceType)"};
  }
  return {PrefetchState::kPresent, ""};
}

std::vector<Error> MissingPrefetch(const Request& request, std::span<const rules::PrefetchTemplate> templates) {
  std::vector<Error> errors;
  for (const rules::PrefetchTemplate& needed : templates) {
    if (!needed.required) continue;
    const PrefetchValue value = ReadPrefetch(request, needed);
    std::string message = Explain(value, needed);
    if (message.empty()) continue;
    errors.push_back({Code::kFailedPrecondition, std::move(message), {}, "prefetch." + needed.key});
  }
  return errors;
}

}  // namespace stepwise::cds_hooks
