// The answers that HTTP itself asks for, and what a request must be like before anybody reads its body.
//
//   if (!IsPost(request)) return MethodNotAllowed("POST, OPTIONS");
//   if (std::string_view fault = FaultOfForm(request); !fault.empty()) return Refuse(415, "not-supported",
//   fault); return JsonResponse(200, body);
//
// Every refusal carries an OperationOutcome (CDS Hooks 3.0 ballot, "HTTP Status Codes"), and 503 says when to
// come back. Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_HTTP_ANSWER_H_
#define STEPWISE_CDS_HOOKS_HTTP_ANSWER_H_

#include <string>
#include <string_view>

#include "cds_hooks/http_message.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

HttpResponse JsonResponse(int status, std::string body);
HttpResponse Refuse(int status, std::string_view issue_code, std::string_view diagnostics);
HttpResponse Refuse(const Error& error);
// `outcome`: an OperationOutcome that says more than one error does.
HttpResponse Refuse(Code code, std::string outcome);
HttpResponse NoSuchService();
HttpResponse Busy();          // 503
HttpResponse Unauthorized();  // 401, without a reason: who tries keys should learn nothing
// `allow`: methods of the path, as the header Allow lists them.
HttpResponse MethodNotAllowed(std::string_view allow);
// `cors`: a browser asks, before it sends the request itself.
HttpResponse Preflight(std::string_view allow, bool cors);

bool IsPost(const HttpRequest& request);
bool IsGet(const HttpRequest& request);  // or HEAD
// Why the body cannot be read at all (its type, its encoding), or "".
std::string_view FaultOfForm(const HttpRequest& request);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HTTP_ANSWER_H_
