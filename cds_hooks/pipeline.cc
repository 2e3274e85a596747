#include "cds_hooks/pipeline.h"

#include <algorithm>
#include <utility>

#include "cds_hooks/card.h"
#include "cds_hooks/operation_outcome.h"
#include "rules/facts.h"

namespace stepwise::cds_hooks {
namespace {

Answer Refuse(std::vector<Error> errors, std::string_view hook) {
  Answer answer;
  answer.body = OperationOutcome(errors);
  answer.errors = std::move(errors);
  answer.hook = hook;
  return answer;
}

Answer Refuse(Error error, std::string_view hook) {
  return Refuse(std::vector<Error>{std::move(error)}, hook);
}

// What a server sent is used only when it can be read and is about this patient.
void CheckFetched(std::string_view patient_id, const DocumentLimits& limits, FetchedPrefetch* one) {
  if (one->json.empty() || one->json == "null") return;
  const Result<Document> document = Document::Parse(one->json, limits);
  if (document && rules::CheckPatients(*document, patient_id)) return;
  one->json.clear();
  one->why = document ? "the answer holds data of another patient" : "the answer cannot be read";
}

}  // namespace

tl::expected<Prepared, Answer> Prepare(std::string body, const HookSpec* service, const Catalog& catalog,
                                       const PipelineOptions& options) {
  const auto refuse = [](auto error, std::string_view hook) {
    return tl::unexpected(Refuse(std::move(error), hook));
  };
  Result<Document> document = Document::Parse(std::move(body), options.limits);
  if (!document) return refuse(document.error(), "");
  Prepared prepared;
  prepared.document = std::make_unique<Document>(*std::move(document));
  const Result<Request> request = ReadRequest(*prepared.document, service);
  if (!request) return refuse(request.error(), service != nullptr ? service->hook : "");
  prepared.request = *request;
  const std::string_view hook = request->hook->hook;
  prepared.entry = catalog.FindByHook(hook);
  if (prepared.entry == nullptr) {
    return refuse(
        Error{Code::kNotFound, "no pack in force has a rule for the hook " + std::string(hook), {}, "hook"},
        hook);
  }
  if (const Node authorization = prepared.document->root().Child("fhirAuthorization")) {
    prepared.access_token = request->authorization.access_token;
    prepared.document->Blank(authorization.Child("access_token"));
  }
  prepared.gaps = PrefetchGaps(prepared.request, prepared.entry->prefetch);
  return prepared;
}

void Fill(Prepared& prepared, std::vector<FetchedPrefetch> fetched, const PipelineOptions& options) {
  for (FetchedPrefetch& one : fetched) CheckFetched(prepared.request.patient_id, options.limits, &one);
  const auto values = std::count_if(fetched.begin(), fetched.end(),
                                    [](const FetchedPrefetch& one) { return !one.json.empty(); });
  if (values != 0) {
    Result<Document> document =
        Document::Parse(WithPrefetch(*prepared.document, prepared.entry->prefetch, fetched), options.limits);
    if (!document) return;
    auto filled = std::make_unique<Document>(*std::move(document));
    const Result<Request> request = ReadRequest(*filled, prepared.request.hook);
    if (!request) return;
    prepared.request = *request;
    prepared.document = std::move(filled);
    prepared.gaps = PrefetchGaps(prepared.request, prepared.entry->prefetch);
  }
  for (PrefetchGap& gap : prepared.gaps) {
    for (const FetchedPrefetch& one : fetched) {
      if (one.key == gap.needed->key && !one.why.empty()) gap.why += ", and could not be fetched: " + one.why;
    }
  }
}

Answer Evaluate(Prepared prepared, rules::Evaluator& evaluator, const DateTime& now,
                const PipelineOptions& options, const std::string& traceparent) {
  const std::string_view hook = prepared.request.hook->hook;
  if (std::vector<Error> missing = MissingPrefetch(prepared.gaps); !missing.empty()) {
    return Refuse(std::move(missing), hook);
  }
  std::string patient_id(prepared.request.patient_id);
  rules::EvaluateOptions how(options.evaluation_timeout);
  how.max_cards = options.max_cards;
  how.traceparent = traceparent;
  if (options.overrides != nullptr) how.overridden = options.overrides->Of(patient_id, now);
  Result<rules::Decision> decision = evaluator.Evaluate(*prepared.document, now, how);
  if (!decision) {
    Error error = std::move(decision.error());
    // The body was within its limits: what ran out is ours (time, steps), and may be there on another try.
    if (error.code == Code::kLimit) error.code = Code::kUnavailable;
    return Refuse(std::move(error), hook);
  }
  if (options.overrides != nullptr) {
    for (const rules::Card& card : decision->cards) options.overrides->Issued(patient_id, card, now);
  }
  Answer answer;
  answer.body = CardsJson(*decision);
  answer.decision = *std::move(decision);
  answer.hook = hook;
  answer.document = std::move(*prepared.document);
  answer.patient_id = std::move(patient_id);
  answer.evaluated = std::move(how);
  return answer;
}

Answer AnswerRequest(std::string body, const HookSpec* service, const Catalog& catalog,
                     rules::Evaluator& evaluator, const DateTime& now, const PipelineOptions& options) {
  auto prepared = Prepare(std::move(body), service, catalog, options);
  if (!prepared) return std::move(prepared.error());
  return Evaluate(*std::move(prepared), evaluator, now, options);
}

}  // namespace stepwise::cds_hooks
