// Pipeline: from the bytes of a CDS Hooks request to the bytes of its answer, without HTTP.
//
//   bytes -> Document -> Request -> required prefetch there? -> Evaluator -> cards
//
// The service and `stepwise evaluate` both run this, so that what an author sees is what the server does.
//
//   Answer answer = AnswerRequest(std::move(body), FindService("stepwise-order-sign"), catalog, evaluator,
//   now, options); if (answer.errors.empty()) Send(200, answer.body);
//
// Errors: kSyntax, kLimit, kInvalidArgument (body), kFailedPrecondition (required prefetch, one error each),
// kUnavailable (the evaluator, or its time limit), whatever else Evaluate() says.
// Thread-safety: as the Evaluator's: may run on many threads at once.
#ifndef STEPWISE_CDS_HOOKS_PIPELINE_H_
#define STEPWISE_CDS_HOOKS_PIPELINE_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/discovery.h"
#include "cds_hooks/override_store.h"
#include "fhir/document.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

struct PipelineOptions {
  DocumentLimits limits;
  std::chrono::milliseconds evaluation_timeout{2000};
  std::size_t max_cards = 0;           // of a response; 0: no limit
  OverrideStore* overrides = nullptr;  // outlives the call; nullptr: nothing is remembered
};

struct Answer {
  std::vector<Error> errors;  // empty: `decision` and `body` are there
  rules::Decision decision;
  std::string body;                  // CDS Hooks response, or OperationOutcome
  std::string_view hook;             // static text; "" when the request did not get that far
  std::optional<Document> document;  // of the request, beside `decision`
  rules::EvaluateOptions evaluated;  // how
};

// `service`: as for ReadRequest().
Answer AnswerRequest(std::string body, const HookSpec* service, const Catalog& catalog,
                     rules::Evaluator& evaluator, const DateTime& now, const PipelineOptions& options);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PIPELINE_H_
