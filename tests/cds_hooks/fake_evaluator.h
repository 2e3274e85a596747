// An Evaluator that answers from memory, for tests of the floor above the rules.
//
//   FakeEvaluator evaluator;
//   evaluator.decision.cards.push_back(FullCard());           // what every evaluation gives
//   evaluator.error = Error{Code::kUnavailable, "no peer"};   // or fails with
//
// Thread-safety: Evaluate() and ListPacks() may be called concurrently; set the members before.
#ifndef STEPWISE_TESTS_CDS_HOOKS_FAKE_EVALUATOR_H_
#define STEPWISE_TESTS_CDS_HOOKS_FAKE_EVALUATOR_H_

#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "rules/evaluator.h"

namespace stepwise {

class FakeEvaluator : public rules::Evaluator {
 public:
  FakeEvaluator() {
    packs.push_back(
        {{"org.example.pain", "1.2.0", "sha256:00", "https://example.org/pain", "Pain", "active"},
         {"patient-view", "order-select", "order-sign"},
         {{"meds", "MedicationRequest?patient={{context.patientId}}&status=active", true, {"order-sign"}},
          {"patient", "Patient/{{context.patientId}}", false, {"order-sign", "patient-view"}}}});
    decision.id = "6a0f4d6e-0000-5000-8000-000000000001";
    decision.hook = "order-sign";
  }

  Result<rules::Decision> Evaluate(const Document&, const DateTime& now,
                                   const rules::EvaluateOptions& options) override {
    ++evaluations;
    {
      const std::scoped_lock lock(mutex);
      last_options = options;
    }
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    if (throws) throw std::runtime_error("a fault");
    if (error) return tl::unexpected(*error);
    rules::Decision result = decision;
    result.now = now;
    return result;
  }

  Result<std::vector<rules::PackInfo>> ListPacks() override {
    if (list_error) return tl::unexpected(*list_error);
    return packs;
  }

  std::vector<rules::PackInfo> packs;
  rules::Decision decision;
  std::optional<Error> error, list_error;
  bool throws = false;
  std::chrono::milliseconds delay{0};
  std::atomic<int> evaluations = 0;
  std::mutex mutex;
  rules::EvaluateOptions last_options;  // guarded by mutex
};

// A request that the service answers with the decision's cards.
inline std::string OrderSignRequest() {
  return R"({"hook":"order-sign","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",)"
         R"("context":{"userId":"Practitioner/1","patientId":"p1",)"
         R"("draftOrders":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest"}}]}},)"
         R"("prefetch":{"meds":null}})";
}

// Every member of a card, with a number whose zeros matter and text that needs escapes.
inline rules::Card FullCard() {
  rules::Card card;
  card.uuid = "6a0f4d6e-0000-5000-8000-000000000002";
  card.summary = "Persistent pain: \"morphine\" is PRN only";
  card.detail = "**Why**\n\n- 5 mg \xE2\x89\xA0 5.0 mg";
  card.indicator = "warning";
  card.source_label = "Cancer pain 1.2.0";
  card.source_url = "https://example.org/pain";
  card.topic = {"https://example.org/pain", "LAD-06", "Scheduled dosing"};
  card.suggestions.push_back(
      {"Add a scheduled order",
       "6a0f4d6e-0000-5000-8000-000000000003",
       true,
       {{"create", "Scheduled morphine", R"({"resourceType":"MedicationRequest","dose":{"value":1.50}})", ""},
        {"delete", "Remove the PRN order", "", "MedicationRequest/o1"}}});
  card.selection_behavior = "at-most-one";
  card.override_reasons.push_back({"https://example.org/override", "titrating", "Still titrating"});
  card.links.push_back({"Evidence", "https://example.org/evidence", "absolute", "ignored"});
  card.pack = "org.example.pain";
  card.version = "1.2.0";
  card.digest = "sha256:00";
  card.absorbed = {"LAD-07"};
  return card;
}

}  // namespace stepwise

#endif  // STEPWISE_TESTS_CDS_HOOKS_FAKE_EVALUATOR_H_
