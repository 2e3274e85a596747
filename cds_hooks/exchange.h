// Exchange: one request on its way to its response. It lives in the callbacks of whoever works on it.
//
//   auto exchange = std::make_shared<Exchange>(std::move(request), [](HttpResponse response) { ... });
//   exchange->Answer(JsonResponse(200, body));      // the first answer counts
//
// A request that nobody answers before the last callback lets go of it gets 500: that is a fault of ours, and
// the client should hear of it rather than wait. Thread-safety: Answer() from any thread; the members belong
// to the one that works on the request.
#ifndef STEPWISE_CDS_HOOKS_EXCHANGE_H_
#define STEPWISE_CDS_HOOKS_EXCHANGE_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cds_hooks/http_answer.h"
#include "cds_hooks/http_message.h"

namespace stepwise::cds_hooks {

class Exchange {
 public:
  using Clock = std::chrono::steady_clock;  // measures and limits; decides nothing

  // `respond` is called once.
  Exchange(HttpRequest request_in, Respond respond)
      : request(std::move(request_in)), respond_(std::move(respond)) {}
  ~Exchange() {
    if (!answered_) Answer(Refuse(Error{Code::kInternal, "", {}, ""}));
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // What the response says of an error is added to the summary.
  void Answer(HttpResponse response) noexcept {
    if (answered_.exchange(true)) return;
    summary.error = response.summary.error;
    response.summary = std::move(summary);
    respond_(std::move(response));
  }

  HttpRequest request;
  RequestSummary summary;
  std::string_view service_id;  // as the path names it
  std::string_view path;        // below the server's prefix, without query and slash at the end
  std::string trace;            // value of the header traceparent for calls that this one makes
  const Clock::time_point received = Clock::now();

 private:
  Respond respond_;
  std::atomic<bool> answered_{false};
};

using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EXCHANGE_H_
