// Request: a JSON document that has been checked to be a CDS Hooks request.
//
//   Document document = *Document::Parse(std::move(body));
//   Result<Request> request = ReadRequest(document, FindService("stepwise-order-sign"));
//   request.error().ToString() -> "context.draftOrders: expected a FHIR Bundle, found a string"
//
// Checks what the service relies on and nothing else: unknown keys and `extension` are let through anywhere,
// entries of draftOrders may lack fullUrl, type or medication, hookInstance may be any text.
// Errors: kInvalidArgument, `path` naming the first wrong place ("context.draftOrders.entry[2]"); messages
// name types and expectations, never values of the request. Source: CDS Hooks 2.0.1, "Calling a CDS Service"
// and "Passing the Access Token to the CDS Service". Thread-safety: plain values; views live as long as the
// Document.
#ifndef STEPWISE_CDS_HOOKS_REQUEST_H_
#define STEPWISE_CDS_HOOKS_REQUEST_H_

#include <string_view>

#include "cds_hooks/hook.h"
#include "fhir/document.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

// fhirAuthorization. The token is a secret of one request: never stored, never logged.
struct FhirAuthorization {
  std::string_view access_token, scope, subject;
  std::string_view patient;  // bare id, or "" when not given
};

struct Request {
  const HookSpec* hook = nullptr;
  std::string_view hook_instance;
  std::string_view patient_id;   // bare: "Patient/" is cut off
  std::string_view fhir_server;  // "" when not given
  FhirAuthorization authorization;
  Node context;
  Node prefetch;  // null Node when absent
};

// `service`: what the URL names; the body's hook must be the one it advertises. nullptr: whatever hook the
// body names, as long as we answer it.
Result<Request> ReadRequest(const Document& document, const HookSpec* service);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_REQUEST_H_
