#include "cds_hooks/hook_calls.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cds_hooks/http_answer.h"
#include "cds_hooks/operation_outcome.h"

namespace stepwise::cds_hooks {

namespace {

std::int64_t MicrosSince(Exchange::Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Exchange::Clock::now() - start).count();
}

// The name of a gap in metrics.
std::string_view NameOf(rules::FactState state) {
  switch (state) {
    case rules::FactState::kAbsent: return "absent";
    case rules::FactState::kFailed: return "failed";
    case rules::FactState::kPartial: return "partial";
    case rules::FactState::kKnownEmpty:
    case rules::FactState::kPresent: break;
  }
  return "supplied";
}

}  // namespace

// What the stages of one call hand on.
struct HookCalls::Call {
  ExchangePtr exchange;
  DateTime now;
  ServingPtr serving = nullptr;
  std::optional<Prepared> prepared = {};
  std::vector<FetchedPrefetch> fetched = {};
  std::vector<std::string> asked = {};  // keys that a FHIR server was asked for
};

void HookCalls::Answer(const ExchangePtr& exchange) {
  const auto call = std::make_shared<Call>(Call{exchange, clock_()});
  const Result<ServingPtr> serving = serving_.At(call->now);
  if (!serving) return exchange->Answer(Refuse(serving.error()));
  call->serving = *serving;
  const Catalog& catalog = call->serving->catalog;
  const CatalogEntry* entry = catalog.Find(exchange->service_id);
  if (entry == nullptr) return exchange->Answer(NoSuchService());
  exchange->summary.service = entry->hook->service_id;
  exchange->summary.hook = entry->hook->hook;
  if (const std::string_view fault = FaultOfForm(exchange->request); !fault.empty())
    return exchange->Answer(Refuse(415, "not-supported", fault));

  auto prepared = Prepare(std::move(exchange->request.body), entry->hook, catalog, options_.pipeline);
  if (!prepared) return Finish(call, std::move(prepared.error()));
  call->prepared = *std::move(prepared);
  if (options_.fetcher != nullptr && options_.fetcher->CanFetch(*call->prepared)) return Fetch(call);
  CountPrefetch(*call);
  Decide(call);
}

void HookCalls::Fetch(const CallPtr& call) {
  using std::chrono::milliseconds;
  const auto start = Exchange::Clock::now();
  // The rules need some of the time, too.
  const auto latest = options_.request_deadline_ms == 0
                          ? Exchange::Clock::time_point::max()
                          : call->exchange->received + milliseconds(options_.request_deadline_ms * 9 / 10);
  options_.fetcher->Fetch(*call->prepared, start, latest, call->exchange->trace,
                          [this, call, start](std::vector<FetchedPrefetch> fetched) {
                            // On the thread that waits for all other servers: nothing is worked out here.
                            call->exchange->summary.fetch_us = MicrosSince(start);
                            call->fetched = std::move(fetched);
                            CountFetched(call->fetched);
                            for (const FetchedPrefetch& one : call->fetched) call->asked.push_back(one.key);
                            const auto go_on = [this, call]() noexcept {
                              try {
                                Fill(*call->prepared, std::move(call->fetched), options_.pipeline);
                                CountPrefetch(*call);
                                Decide(call);
                              } catch (...) {
                                call->exchange->Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
                              }
                            };
                            const auto expired = [this, call] { AnswerBusy(*call->exchange, "expired"); };
                            if (!executor_.Post(go_on, expired)) AnswerBusy(*call->exchange, "queue-full");
                          });
}

void HookCalls::Decide(const CallPtr& call) {
  const auto start = Exchange::Clock::now();
  cds_hooks::Answer answer = Evaluate(*std::move(call->prepared), *call->serving->evaluator, call->now,
                                      WithinDeadline(*call->exchange), call->exchange->trace);
  call->exchange->summary.evaluate_us = MicrosSince(start);
  Finish(call, std::move(answer));
}

// What is left of the request's time bounds the evaluation's.
PipelineOptions HookCalls::WithinDeadline(const Exchange& exchange) const {
  PipelineOptions options = options_.pipeline;
  if (options_.request_deadline_ms == 0) return options;
  const std::int64_t left_ms = options_.request_deadline_ms - MicrosSince(exchange.received) / 1000;
  options.evaluation_timeout =
      std::min(options.evaluation_timeout, std::chrono::milliseconds(std::max<std::int64_t>(1, left_ms)));
  return options;
}

void HookCalls::CountFetched(const std::vector<FetchedPrefetch>& fetched) const {
  if (options_.metrics == nullptr) return;
  for (const FetchedPrefetch& one : fetched) {
    options_.metrics->Count(Metrics::kFhirCalls, one.json.empty()  ? "failed"
                                                 : one.why.empty() ? "found"
                                                                   : "partial");
  }
}

void HookCalls::AnswerBusy(Exchange& exchange, std::string_view reason) const {
  if (options_.metrics != nullptr) options_.metrics->Count(Metrics::kOverload, reason);
  exchange.Answer(Busy());
}

void HookCalls::CountPrefetch(const Call& call) const {
  if (options_.metrics == nullptr) return;
  const std::vector<PrefetchGap>& gaps = call.prepared->gaps;
  for (const rules::PrefetchTemplate& needed : call.prepared->entry->prefetch) {
    const auto gap =
        std::find_if(gaps.begin(), gaps.end(), [&](const PrefetchGap& one) { return one.needed == &needed; });
    const bool fetched =
        gap == gaps.end() && std::find(call.asked.begin(), call.asked.end(), needed.key) != call.asked.end();
    options_.metrics->Count(Metrics::kPrefetch, needed.key,
                            fetched             ? "fetched"
                            : gap == gaps.end() ? "supplied"
                                                : NameOf(gap->state));
  }
}

void HookCalls::Finish(const CallPtr& call, cds_hooks::Answer answer) {
  Exchange& exchange = *call->exchange;
  if (!answer.errors.empty())
    return exchange.Answer(Refuse(answer.errors.front().code, std::move(answer.body)));
  RequestSummary& summary = exchange.summary;
  summary.decision = answer.decision.id;
  summary.cards = answer.decision.cards.size();
  if (options_.metrics != nullptr) {
    for (const rules::Card& card : answer.decision.cards)
      options_.metrics->Count(Metrics::kCards, card.topic.code, card.indicator);
  }
  if (options_.recorder != nullptr) {
    const auto micros = [](std::int64_t value) {
      return static_cast<std::uint32_t>(std::max<std::int64_t>(0, value));
    };
    const bool kept = options_.recorder->Decided(
        {summary.service, answer.patient_id, answer.decision, answer.evaluated, *answer.document, answer.body,
         micros(summary.fetch_us), micros(summary.evaluate_us), micros(MicrosSince(exchange.received))});
    if (options_.metrics != nullptr) options_.metrics->Count(Metrics::kRecords, kept ? "spooled" : "lost");
  }
  HttpResponse response = JsonResponse(200, std::move(answer.body));
  response.headers.emplace_back("Cache-Control", "no-store");
  response.after = ShadowOf(call->serving, std::move(answer));
  exchange.Answer(std::move(response));
}

std::function<void()> HookCalls::ShadowOf(ServingPtr serving, cds_hooks::Answer answer) {
  return [this, serving = std::move(serving),
          answer = std::make_shared<const cds_hooks::Answer>(std::move(answer))] {
    bool tried = false;
    if (shadows_.fetch_add(1) < options_.max_shadows) {
      try {
        serving->evaluator->Shadow(*answer->document, answer->decision, answer->evaluated);
        tried = true;
      } catch (...) {  // out of memory: nobody waits for it
      }
    }
    --shadows_;
    if (!tried && options_.metrics != nullptr) options_.metrics->Count(Metrics::kShadowSkipped);
  };
}

}  // namespace stepwise::cds_hooks
