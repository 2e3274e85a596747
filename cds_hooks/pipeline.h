// Pipeline: from the bytes of a CDS Hooks request to the bytes of its answer, without HTTP.
//
//   bytes -> Prepare: Document, Request, gaps in its prefetch -> (Fill: what was fetched) -> Evaluate ->
//   cards
//
// The service and `stepwise evaluate` both run this, so that what an author sees is what the server does.
//
//   auto prepared = Prepare(std::move(body), FindService("stepwise-order-sign"), catalog, options);
//   if (!prepared) return Send(prepared.error());
//   Fill(*prepared, fetched, options);                                // where somebody fetched the gaps
//   Answer answer = Evaluate(*std::move(prepared), evaluator, now, options);
//   if (answer.errors.empty()) Send(200, answer.body);
//
// The access token is taken out of the document before anybody else sees it.
// Errors: kSyntax, kLimit, kInvalidArgument (body), kFailedPrecondition (required prefetch, one error each),
// kUnavailable (the evaluator, or its time limit), whatever else Evaluate() says.
// Thread-safety: as the Evaluator's: may run on many threads at once.
#ifndef STEPWISE_CDS_HOOKS_PIPELINE_H_
#define STEPWISE_CDS_HOOKS_PIPELINE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/discovery.h"
#include "cds_hooks/override_store.h"
#include "cds_hooks/prefetch.h"
#include "cds_hooks/request.h"
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
  std::optional<Document> document;  // of the request, beside `decision`; without the access token
  std::string patient_id;            // of the request, beside `decision`
  rules::EvaluateOptions evaluated;  // how
};

// A request that has been read, and what it left open.
struct Prepared {
  const CatalogEntry* entry = nullptr;  // lives as long as the catalog
  std::unique_ptr<Document> document;   // without the access token
  Request request;                      // views into the document
  std::string access_token;             // "" when none came
  std::vector<PrefetchGap> gaps;
};

// `service`: as for ReadRequest().
tl::expected<Prepared, Answer> Prepare(std::string body, const HookSpec* service, const Catalog& catalog,
                                       const PipelineOptions& options);
// Closes the gaps that were fetched, and notes on the others why they could not be. A value that cannot be
// read or holds another patient's data closes nothing. When the request has no room for the values (limits),
// it stays as it is.
void Fill(Prepared& prepared, std::vector<FetchedPrefetch> fetched, const PipelineOptions& options);
// `traceparent`: for evaluators in other processes; "" for none.
Answer Evaluate(Prepared prepared, rules::Evaluator& evaluator, const DateTime& now,
                const PipelineOptions& options, const std::string& traceparent = {});

// All of it, with the prefetch that came.
Answer AnswerRequest(std::string body, const HookSpec* service, const Catalog& catalog,
                     rules::Evaluator& evaluator, const DateTime& now, const PipelineOptions& options);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_PIPELINE_H_
