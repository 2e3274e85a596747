// Engine: evaluates the rules of a knowledge base for one request after the other.
//
//   Engine engine;
//   Result<Decision> decision = engine.Evaluate(*base, request, now, {});
//
// For each rule of the hook, highest priority first, and for each item of its `for-each`: the when lines,
// then the unless lines, until one decides. Facts and lets are computed when a line first needs them, once a
// request or once an item, and what they rested on and did not know is replayed to every later line that uses
// them. A line whose evaluation touched an unknown datum is unknown whatever it computed.
//
// A rule that cannot be evaluated fails alone. The same base, request, options and now give the same
// Decision, ids included. Thread-safety: one thread at a time; keep one a thread and reuse it.
#ifndef STEPWISE_RULES_ENGINE_H_
#define STEPWISE_RULES_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/fhirpath/fhirpath.h"
#include "rules/decision.h"
#include "rules/facts.h"
#include "rules/knowledge_base.h"
#include "rules/selection.h"

namespace stepwise::rules {

// Parameter values of a site, checked against the pack's bounds: slot -> value.
struct SiteParameters {
  std::map<int, std::unique_ptr<const Constant>> values;
  std::string digest_text;  // "pack.parameter=value;..." in order, part of the decision's id
};

// `values`: parameter name -> text, for the parameters of `pack` and of the packs it requires. Errors:
// kInvalidArgument for a name nobody declares, `override: none`, a value of another type or out of bounds.
Result<SiteParameters> MakeSiteParameters(const KnowledgeBase& base,
                                          const std::map<std::string, std::string>& values);

struct EngineOptions {
  const Selection* selection = nullptr;  // of the base; nullptr: its default one. Must outlive the call
  bool all_lines = false;                // evaluate lines after the deciding one too, for explanations
  const SiteParameters* site = nullptr;  // must outlive the call
  // Receives the summary of every card that was made, before it is cut to what clients show.
  std::function<void(const CompiledRule& rule, std::string_view summary)> on_summary = {};
  std::chrono::milliseconds timeout{0};  // of the whole evaluation; 0: none. Needs the engine's clock
  std::span<const OverriddenCard> overridden =
      {};                     // cards that keep quiet for a while; must outlive the call
  std::size_t max_cards = 0;  // of a decision; 0: no limit. The last one names what is past it
};

class Engine {
 public:
  // `limits`: of each expression. `clock`: steady nanoseconds; without it nothing is limited in time.
  explicit Engine(const fhirpath::EvaluationLimits& limits = {}, std::int64_t (*clock)() = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Errors: kInvalidArgument (the request, or a foreign patient's datum in it; path), kLimit (timeout).
  Result<Decision> Evaluate(const KnowledgeBase& base, const Document& request, const DateTime& now,
                            const EngineOptions& options);

 private:
  struct Run;
  std::unique_ptr<Run> run_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ENGINE_H_
