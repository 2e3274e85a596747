// HookCalls: answers POST /cds-services/{id}: one call of a hook, from its body to its cards.
//
//   HookCalls calls(options, serving, clock, executor);
//   calls.Answer(exchange);          // on a thread of the executor; the exchange is answered then or later
//
//   read -> gaps in the prefetch -> fetched where that is possible -> evaluated -> recorded -> answered
//        -> versions in shadow
//
// Thread-safety: all methods from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_HOOK_CALLS_H_
#define STEPWISE_CDS_HOOKS_HOOK_CALLS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "cds_hooks/exchange.h"
#include "cds_hooks/executor.h"
#include "cds_hooks/metrics.h"
#include "cds_hooks/pipeline.h"
#include "cds_hooks/prefetch_fetcher.h"
#include "cds_hooks/serving.h"
#include "cds_hooks/store/recorder.h"
#include "fhir/date_time.h"

namespace stepwise::cds_hooks {

// What the pointers point to outlives the calls; nullptr: that part is not there.
struct HookCallOptions {
  PipelineOptions pipeline;
  std::int64_t request_deadline_ms = 0;  // from the request's last byte to its answer; 0: none
  std::size_t max_shadows = 4;           // requests at once that versions in shadow are tried for
  const PrefetchFetcher* fetcher = nullptr;
  Recorder* recorder = nullptr;
  Metrics* metrics = nullptr;
};

class HookCalls {
 public:
  using Clock = std::function<DateTime()>;  // called once per evaluation

  // `serving` and `executor` outlive this.
  HookCalls(const HookCallOptions& options, ServingSource& serving, Clock clock, Executor& executor)
      : options_(options), serving_(serving), clock_(std::move(clock)), executor_(executor) {}

  void Answer(const ExchangePtr& exchange);
  // 503, counted. `reason`: "queue-full", "expired".
  void AnswerBusy(Exchange& exchange, std::string_view reason) const;

 private:
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  void Fetch(const CallPtr& call);
  void Decide(const CallPtr& call);
  void Finish(const CallPtr& call, cds_hooks::Answer answer);
  void CountPrefetch(const Call& call) const;
  void CountFetched(const std::vector<FetchedPrefetch>& fetched) const;
  PipelineOptions WithinDeadline(const Exchange& exchange) const;
  std::function<void()> ShadowOf(ServingPtr serving, cds_hooks::Answer answer);

  const HookCallOptions options_;
  ServingSource& serving_;
  const Clock clock_;
  Executor& executor_;
  std::atomic<std::size_t> shadows_{0};  // running
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HOOK_CALLS_H_
