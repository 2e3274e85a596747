#include "cds_hooks/pipeline.h"

#include <utility>

#include "cds_hooks/card.h"
#include "cds_hooks/operation_outcome.h"
#include "cds_hooks/prefetch.h"
#include "cds_hooks/request.h"

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

}  // namespace

Answer AnswerRequest(std::string body, const HookSpec* service, const Catalog& catalog,
                     rules::Evaluator& evaluator, const DateTime& now, const PipelineOptions& options) {
  Result<Document> document = Document::Parse(std::move(body), options.limits);
  if (!document) return Refuse(document.error(), "");
  const Result<Request> request = ReadRequest(*document, service);
  if (!request) return Refuse(request.error(), service != nullptr ? service->hook : "");
  const std::string_view hook = request->hook->hook;

  const CatalogEntry* entry = catalog.FindByHook(hook);
  if (entry == nullptr) {
    return Refuse(
        {Code::kNotFound, "no pack in force has a rule for the hook " + std::string(hook), {}, "hook"}, hook);
  }
  if (std::vector<Error> missing = MissingPrefetch(*request, entry->prefetch); !missing.empty()) {
    return Refuse(std::move(missing), hook);
  }

  rules::EvaluateOptions how(options.evaluation_timeout);
  how.max_cards = options.max_cards;
  if (options.overrides != nullptr) how.overridden = options.overrides->Of(request->patient_id, now);
  Result<rules::Decision> decision = evaluator.Evaluate(*document, now, how);
  if (!decision) {
    Error error = std::move(decision.error());
    // The body was within its limits: what ran out is ours (time, steps), and may be there on another try.
    if (error.code == Code::kLimit) error.code = Code::kUnavailable;
    return Refuse(std::move(error), hook);
  }
  if (options.overrides != nullptr) {
    for (const rules::Card& card : decision->cards) options.overrides->Issued(request->patient_id, card, now);
  }
  Answer answer;
  answer.body = CardsJson(*decision);
  answer.decision = *std::move(decision);
  answer.hook = hook;
  answer.document = *std::move(document);
  answer.evaluated = std::move(how);
  return answer;
}

}  // namespace stepwise::cds_hooks
