// Evaluator: the one seam between a CDS service and the rules, local or remote.
//
// The local one (rules/local_evaluator.h) calls the engine in this process; the remote one
// (rules/remote_evaluator.h) carries the same request bytes over gRPC. Both give the same Decision.
// Thread-safety: all methods may be called from many threads at once.
#ifndef STEPWISE_RULES_EVALUATOR_H_
#define STEPWISE_RULES_EVALUATOR_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "fhir/document.h"
#include "fhir/result.h"
#include "rules/decision.h"

namespace stepwise::rules {

// A query that a CDS client runs before it calls us (CDS Hooks 2.0, "Prefetch Template").
struct PrefetchTemplate {
  std::string key;
  std::string query;               // "Patient/{{context.patientId}}"
  bool required = true;            // absent and not obtainable: 412; otherwise what needs it is unknown
  std::vector<std::string> hooks;  // hooks whose rules read this key
};

struct PackInfo {
  PackRef ref;
  std::vector<std::string> hooks;  // hooks for which the pack has a rule that is not off
  std::vector<PrefetchTemplate> prefetch;
};

// How one request is to be evaluated. A plain time limit will do: Evaluate(request, now, seconds(2)).
struct EvaluateOptions {
  EvaluateOptions() = default;
  template <typename Number, typename Period>
  EvaluateOptions(std::chrono::duration<Number, Period> limit)  // NOLINT: meant to convert
      : timeout(std::chrono::duration_cast<std::chrono::milliseconds>(limit)) {}

  std::chrono::milliseconds timeout{0};    // 0: as long as it takes
  std::vector<OverriddenCard> overridden;  // of this patient; what they silence is in the packs
  std::size_t max_cards = 0;               // EngineOptions::max_cards
  // Digests of the versions that speak, whatever is on; empty: as activation and pins say. For replaying a
  // decision: what those require is what the loaded packs give them.
  std::vector<std::string> exact_packs;
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // `request` is a CDS Hooks request body {hook, context, prefetch, ...} that has been read into a tree.
  // Errors: kInvalidArgument (path names the place; a foreign patient's datum is one), kLimit,
  // kUnavailable (remote only).
  virtual Result<Decision> Evaluate(const Document& request, const DateTime& now,
                                    const EvaluateOptions& options) = 0;
  virtual Result<std::vector<PackInfo>> ListPacks() = 0;

  // What answers the requests of this moment, and stays as it is whatever is loaded meanwhile: a request
  // finishes on the snapshot it started with. The same object while nothing changes. nullptr: this evaluator
  // itself, which never changes.
  virtual std::shared_ptr<Evaluator> Snapshot(const DateTime& /*now*/) { return nullptr; }
  // Names what answers: "sha256:..." of the digests of packs and how each is on; "" when it never changes.
  virtual std::string digest() { return {}; }
  // Evaluates the versions that are in shadow, and counts where they differ from what was shown. For when the
  // answer is on its way; `options` are those that it was made with.
  virtual void Shadow(const Document& /*request*/, const Decision& /*shown*/,
                      const EvaluateOptions& /*options*/) {}
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_EVALUATOR_H_
