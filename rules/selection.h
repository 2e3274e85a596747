// Selection: the versions of packs that answer together, indexed by hook.
//
// A knowledge base holds every version of every pack that is loaded; a selection says which of them speak.
// What those require comes along: it contributes facts and value sets, never rules.
//
//   Selection selection(*base, {3, 7});                 indices into base->packs()
//   for (const CompiledRule* rule : selection.For("order-sign").rules) ...
//
// Made once and used by many requests, so that a request costs nothing for packs that have no rule for its
// hook. Thread-safety: immutable; the base outlives it.
#ifndef STEPWISE_RULES_SELECTION_H_
#define STEPWISE_RULES_SELECTION_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

class Selection {
 public:
  struct Hook {
    std::vector<const CompiledRule*> rules;  // that are not off, higher priority first
    std::vector<PackRef> packs;              // that have one of these rules, and what they require
    std::string digests;                     // of `packs`, part of a decision's id
  };

  // `packs`: indices into base.packs(). `shown`: false for versions in shadow, whose cards nobody sees.
  Selection(const KnowledgeBase& base, std::vector<std::size_t> packs, bool shown = true);

  const Hook& For(std::string_view hook) const;
  // The selected packs and what they require, as in base.packs(); required ones have no hooks here.
  std::vector<PackInfo> infos() const;
  std::span<const std::size_t> packs() const { return packs_; }
  bool shown() const { return shown_; }

 private:
  const KnowledgeBase& base_;
  std::vector<std::size_t> packs_;  // ascending, each once
  bool shown_;
  std::map<std::string, Hook, std::less<>> hooks_;
};

// The default selection with this one of base.packs() in the place of other versions of its pack.
Selection SelectionWith(const KnowledgeBase& base, const Pack& pack);

// Indices of `packs` and of all that they require, ascending.
std::vector<std::size_t> WithRequired(const KnowledgeBase& base, std::span<const std::size_t> packs);

// One prefetch key is one query for all versions that may answer together: what they disagree on is added to
// `errors`.
void CheckQueries(const KnowledgeBase& base, std::span<const std::size_t> packs, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SELECTION_H_
