// Prefetch templates: FHIR queries with places for what a request says, kept to what CDS Hooks asks clients
// to understand.
//
//   Result<ParsedTemplate> meds =
//   ParseTemplate("MedicationRequest?patient={{context.patientId}}&status=active"); meds->resource_type ==
//   "MedicationRequest", meds->tokens[0].name == "context.patientId" CheckTokens(*meds,
//   *FindHook("order-sign"))     // ok: order-sign has context.patientId Resolve(*meds, request) ->
//   "MedicationRequest?patient=p1&status=active"
//
// A template is an instance read (Patient/{{context.patientId}}, or one token that is a whole reference), or
// a search of one type by references, tokens (by value or :in), dates (eq, lt, gt, ge, le), _count and _sort.
// No other modifier or prefix, no chaining, no _include, no $operation. Kinds of parameters are told by their
// form: there is no table here of what each resource can be searched by, so the name of a string parameter
// passes.
//
// Resolve() writes only FHIR ids and references into a query, whatever the request says: no value of a
// request can add a parameter or leave the path. Nothing is fetched here. Errors: ParseTemplate kSyntax and
// kSemantic, span = place in the template, line 1; CheckTokens kSemantic; Resolve kFailedPrecondition where a
// token has no value, kInvalidArgument where the value is no id or reference, path = the place in the
// request, and never the value. Source: CDS Hooks 2.0.1, "Prefetch tokens" and "Prefetch query restrictions".
// Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_PREFETCH_TEMPLATE_H_
#define STEPWISE_CDS_HOOKS_PREFETCH_TEMPLATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/hook.h"
#include "cds_hooks/request.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

enum class TemplateKind : std::uint8_t {
  kRead,       // Type/id
  kReference,  // {{token}}, which stands for Type/id
  kSearch,     // Type?name=value&...
};

// "{{name}}", spaces allowed inside the braces: `length` bytes of the template from `begin`.
struct TemplateToken {
  std::string name;
  std::size_t begin, length;
};

struct TemplateParameter {
  std::string name, modifier;  // modifier: "in" or ""
  std::string value;           // as written, tokens included
};

struct ParsedTemplate {
  std::string text;
  TemplateKind kind = TemplateKind::kRead;
  std::string resource_type;  // "" of kReference
  std::vector<TemplateToken> tokens;
  std::vector<TemplateParameter> parameters;  // of kSearch
};

Result<ParsedTemplate> ParseTemplate(std::string_view text);

// Does each token name what a request of this hook can say, an id or a reference as its place needs: a
// root-level primitive field of the context, or the id of the user by type (userPractitionerId, ...)?
Status CheckTokens(const ParsedTemplate& parsed, const HookSpec& hook);

// For a template whose tokens have been checked against the request's hook: the query to send, relative to
// the base URL of the FHIR server, percent-encoded.
Result<std::string> Resolve(const ParsedTemplate& parsed, const Request& request);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PREFETCH_TEMPLATE_H_
