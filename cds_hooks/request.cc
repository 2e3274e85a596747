#include "cds_hooks/request.h"

#include <cctype>
#include <string>

namespace stepwise::cds_hooks {
namespace {

tl::unexpected<Error> Wrong(std::string path, std::string message) {
  return Fail(Code::kInvalidArgument, std::move(message), {}, std::move(path));
}

std::string_view TypeOf(Node node) {
  if (node.in_array()) return "an array";
  switch (node.kind()) {
    case NodeKind::kNull: return "null";
    case NodeKind::kBoolean: return "a boolean";
    case NodeKind::kNumber: return "a number";
    case NodeKind::kString: return "a string";
    case NodeKind::kObject: return "an object";
  }
  return "something else";
}

bool IsObject(Node node) {
  return node.kind() == NodeKind::kObject && !node.in_array() && !node.is_valueless_primitive();
}

// The member `name` of `object`, which must be of the kind that `expected` says in words.
template <typename Accepts>
Result<Node> Member(Node object, const std::string& parent, std::string_view name, bool required,
                    std::string_view expected, Accepts accepts) {
  const Node member = object.Child(name);
  std::string path = parent.empty() ? std::string(name) : parent + "." + std::string(name);
  if (!member) {
    if (!required) return Node();
    return Wrong(std::move(path), "required and missing: expected " + std::string(expected));
  }
  if (accepts(member)) return member;
  std::string message = "expected " + std::string(expected);
  // The type alone may be right (an empty string, another resourceType): then repeating it says nothing.
  if (const std::string_view found = TypeOf(member); !expected.starts_with(found)) {
    message += ", found " + std::string(found);
  }
  return Wrong(std::move(path), std::move(message));
}

Result<std::string_view> String(Node object, const std::string& parent, std::string_view name,
                                bool required) {
  STEPWISE_ASSIGN_OR_RETURN(const Node node,
                            Member(object, parent, name, required, "a string that is not empty", [](Node n) {
                              return n.kind() == NodeKind::kString && !n.in_array() && !n.string().empty();
                            }));
  return node ? node.string() : std::string_view();
}

Result<Node> Object(Node object, const std::string& parent, std::string_view name, bool required) {
  return Member(object, parent, name, required, "an object", IsObject);
}

std::string_view BareId(std::string_view id) {
  constexpr std::string_view kPatient = "Patient/";
  return id.starts_with(kPatient) ? id.substr(kPatient.size()) : id;
}

// Fields of one name, with what each type asks of them. `name`: as the request writes it.
Status CheckBundle(Node context, const ContextField& field, std::string_view name) {
  STEPWISE_ASSIGN_OR_RETURN(
      const Node bundle, Member(context, "context", name, field.required, "a FHIR Bundle",
                                [](Node n) { return IsObject(n) && n.resource_type() == types::kBundle; }));
  if (!bundle) return {};
  std::size_t index = 0;
  for (const Node entry : bundle.children()) {
    if (entry.name() != names::kEntry) continue;
    const auto path = [&] {
      return "context." + std::string(name) + ".entry[" + std::to_string(index) + "]";
    };
    if (!entry.in_array()) {
      return Wrong("context." + std::string(name) + ".entry", "expected an array of objects");
    }
    if (entry.kind() != NodeKind::kObject) return Wrong(path(), "expected an object");
    if (const Node resource = entry.Child(names::kResource); resource && !IsObject(resource)) {
      return Wrong(path() + ".resource", "expected a FHIR resource, found " + std::string(TypeOf(resource)));
    }
    ++index;
  }
  return {};
}

// An array whose items are all accepted; `expected` says in words what they are.
template <typename Accepts>
Status CheckItems(Node context, const ContextField& field, std::string_view name, std::string_view expected,
                  std::string_view item_expected, Accepts accepts) {
  STEPWISE_ASSIGN_OR_RETURN(const Node first, Member(context, "context", name, field.required, expected,
                                                     [](Node n) { return n.in_array(); }));
  if (!first) return {};
  std::size_t index = 0;
  for (const Node item : context.children()) {
    if (item.name() != first.name()) continue;
    if (!accepts(item)) {
      return Wrong("context." + std::string(name) + "[" + std::to_string(index) + "]",
                   "expected " + std::string(item_expected));
    }
    ++index;
  }
  return {};
}

bool IsReference(Node node) { return node.kind() == NodeKind::kString && !node.string().empty(); }

bool IsResource(Node node) {
  if (node.kind() != NodeKind::kObject || node.is_valueless_primitive()) return false;
  if (node.Child("resourceType")) return true;
  const Node wrapped = node.Child(names::kResource);
  return wrapped && IsObject(wrapped) && wrapped.Child("resourceType");
}

Status CheckField(Node context, const ContextField& field, std::string_view name) {
  switch (field.type) {
    case FieldType::kId:
    case FieldType::kReference: {
      const Result<std::string_view> text = String(context, "context", name, field.required);
      return text ? Status() : tl::unexpected(text.error());
    }
    case FieldType::kReferences:
      return CheckItems(context, field, name, "an array of references such as \"MedicationRequest/1\"",
                        "a reference such as \"MedicationRequest/1\"", IsReference);
    case FieldType::kBundle: return CheckBundle(context, field, name);
    case FieldType::kResource: {
      const Result<Node> resource = Member(context, "context", name, field.required, "a FHIR resource",
                                           [](Node n) { return !n.in_array() && IsResource(n); });
      return resource ? Status() : tl::unexpected(resource.error());
    }
    case FieldType::kResources:
      return CheckItems(context, field, name, "an array of FHIR resources", "a FHIR resource", IsResource);
  }
  return {};
}

Status CheckContext(Node context, const HookSpec& hook) {
  for (const ContextField& field : hook.fields) {
    const bool other_name = !field.also.empty() && !context.Child(field.name) && context.Child(field.also);
    STEPWISE_RETURN_IF_ERROR(CheckField(context, field, other_name ? field.also : field.name));
  }
  return {};
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

Status ReadAuthorization(Node root, Request& request) {
  static const std::string kPath = "fhirAuthorization";
  STEPWISE_ASSIGN_OR_RETURN(const Node node, Object(root, "", kPath, false));
  if (!node) return {};
  if (request.fhir_server.empty()) {
    return Wrong("fhirServer",
                 "required with fhirAuthorization and missing: expected the base URL of the server");
  }
  FhirAuthorization& authorization = request.authorization;
  STEPWISE_ASSIGN_OR_RETURN(authorization.access_token, String(node, kPath, "access_token", true));
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view token_type, String(node, kPath, "token_type", true));
  if (!EqualIgnoringCase(token_type, "Bearer")) return Wrong(kPath + ".token_type", "expected \"Bearer\"");
  STEPWISE_RETURN_IF_ERROR(Member(node, kPath, "expires_in", true, "a whole number of seconds", [](Node n) {
    return n.kind() == NodeKind::kNumber && !n.in_array() &&
           n.text().find_first_of(".eE") == std::string_view::npos;
  }));
  STEPWISE_ASSIGN_OR_RETURN(authorization.scope, String(node, kPath, "scope", true));
  STEPWISE_ASSIGN_OR_RETURN(authorization.subject, String(node, kPath, "subject", true));
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view patient, String(node, kPath, "patient", false));
  authorization.patient = BareId(patient);
  if (!patient.empty() && authorization.patient != request.patient_id) {
    return Wrong(kPath + ".patient", "is another patient than context.patientId");
  }
  return {};
}

// A null value says "known to be empty"; the tree shows no node for it, so it needs no check.
Status CheckPrefetch(Node prefetch) {
  for (const Node value : prefetch.children()) {
    if (IsObject(value)) continue;
    return Wrong("prefetch." + std::string(value.name_text()),
                 "expected a FHIR resource or null, found " + std::string(TypeOf(value)));
  }
  return {};
}

}  // namespace

Result<Request> ReadRequest(const Document& document, const HookSpec* service) {
  const Node root = document.root();
  if (root.kind() != NodeKind::kObject) {
    return Wrong("",
                 "expected a CDS Hooks request, which is a JSON object; found " + std::string(TypeOf(root)));
  }
  Request request;
  STEPWISE_ASSIGN_OR_RETURN(const std::string_view hook, String(root, "", "hook", true));
  request.hook = service != nullptr ? service : FindHook(hook);
  if (request.hook == nullptr) {
    std::string known;
    for (const HookSpec& spec : Hooks()) known += (known.empty() ? "" : ", ") + std::string(spec.hook);
    return Wrong("hook", "is none of the hooks answered here: " + known);
  }
  if (request.hook->hook != hook) {
    return Wrong("hook", "the service " + std::string(service->service_id) + " answers the hook " +
                             std::string(service->hook) + " only");
  }
  STEPWISE_ASSIGN_OR_RETURN(request.hook_instance, String(root, "", "hookInstance", true));
  STEPWISE_ASSIGN_OR_RETURN(request.context, Object(root, "", "context", true));
  STEPWISE_RETURN_IF_ERROR(CheckContext(request.context, *request.hook));
  request.patient_id = BareId(request.context.Child("patientId").string());
  if (request.patient_id.empty()) return Wrong("context.patientId", "expected a FHIR id after \"Patient/\"");

  STEPWISE_ASSIGN_OR_RETURN(request.fhir_server, String(root, "", "fhirServer", false));
  if (!request.fhir_server.empty() && !request.fhir_server.starts_with("https://") &&
      !request.fhir_server.starts_with("http://")) {
    return Wrong("fhirServer", "expected an absolute http or https URL");
  }
  STEPWISE_RETURN_IF_ERROR(ReadAuthorization(root, request));
  STEPWISE_ASSIGN_OR_RETURN(request.prefetch, Object(root, "", "prefetch", false));
  if (request.prefetch) STEPWISE_RETURN_IF_ERROR(CheckPrefetch(request.prefetch));
  return request;
}

}  // namespace stepwise::cds_hooks
