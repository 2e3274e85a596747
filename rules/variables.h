// Variables: the memo of one request: what each slot of a knowledge base gives, computed once.
//
// FHIRPath asks for a slot the first time an expression needs it. A prefetch key that is absent, failed or
// partial marks the running expression as unknown; what a fact or let rested on and did not know is kept with
// its items and replayed each time it is used. Lets and the for-each item are forgotten from item to item.
// Thread-safety: one thread at a time.
#ifndef STEPWISE_RULES_VARIABLES_H_
#define STEPWISE_RULES_VARIABLES_H_

#include <optional>
#include <string>
#include <vector>

#include "rules/engine.h"
#include "rules/source_names.h"

namespace stepwise::rules {

class Variables final : public fhirpath::VariableSource {
 public:
  // `names` must outlive this; it weeds out repeated sources.
  explicit Variables(SourceNames& names) : names_(names) {}
  // Starts a request. All arguments outlive it.
  void Begin(const KnowledgeBase* base, const Facts* facts, const SiteParameters* site);
  // Starts a for-each item of a rule (or the rule itself, without item).
  void BeginItem(const CompiledRule& rule, fhirpath::Items item);

  Result<fhirpath::Items> Get(int slot, fhirpath::Evaluation& evaluation) override;

  // The error of a run that failed, where the author wrote what failed: in `text`, or in the fact or let
  // inside which it happened. Forgets the failure.
  Error Placed(Error error, const SourceText& text);

  const fhirpath::Item& context() const { return context_; }
  const fhirpath::Environment& environment() const { return environment_; }

 private:
  enum class State : std::uint8_t { kNew, kRunning, kDone };
  struct Memo {
    std::uint64_t request = 0;  // of another request than the present one: forgotten
    State state = State::kNew;
    fhirpath::Items items;
    std::vector<Node> sources;
    std::vector<std::string> unknowns;
  };
  Memo& MemoOf(int slot);
  static void Forget(Memo& memo);
  Result<fhirpath::Items> Compute(const Slot& slot, Memo& memo, fhirpath::Evaluation& evaluation);
  fhirpath::Items ReadPrefetch(const Slot& slot, Memo& memo, fhirpath::Evaluation& evaluation) const;

  SourceNames& names_;
  const KnowledgeBase* base_ = nullptr;
  const Facts* facts_ = nullptr;
  const SiteParameters* site_ = nullptr;
  fhirpath::Item context_;
  fhirpath::Environment environment_;
  std::vector<Memo> memos_;
  std::uint64_t request_ = 0;     // counts requests, so that a request touches only the slots it uses
  std::optional<Error> failure_;  // of the innermost fact or let, with its place
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_VARIABLES_H_
