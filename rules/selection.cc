#include "rules/selection.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace stepwise::rules {

Selection::Selection(const KnowledgeBase& base, std::vector<std::size_t> packs, bool shown)
    : base_(base), packs_(std::move(packs)), shown_(shown) {
  std::ranges::sort(packs_);
  packs_.erase(std::unique(packs_.begin(), packs_.end()), packs_.end());
  std::map<std::string, std::vector<std::size_t>> speakers;
  for (const std::size_t pack : packs_) {
    for (const auto& [hook, rules] : base.RulesOf(pack)) {
      Hook& own = hooks_[hook];
      own.rules.insert(own.rules.end(), rules.begin(), rules.end());
      speakers[hook].push_back(pack);
    }
  }
  for (auto& [hook, own] : hooks_) {
    std::ranges::stable_sort(own.rules, SpeaksFirst);
    for (const std::size_t pack : WithRequired(base, speakers[hook])) {
      own.packs.push_back(base.infos()[pack].ref);
      own.digests += own.packs.back().digest + ";";
    }
  }
}

const Selection::Hook& Selection::For(std::string_view hook) const {
  static const Hook kNone;
  const auto found = hooks_.find(hook);
  return found == hooks_.end() ? kNone : found->second;
}

std::vector<PackInfo> Selection::infos() const {
  std::vector<PackInfo> out;
  for (const std::size_t pack : WithRequired(base_, packs_)) {
    out.push_back(base_.infos()[pack]);
    if (std::ranges::binary_search(packs_, pack)) continue;
    out.back().hooks.clear();
    out.back().prefetch.clear();
  }
  return out;
}

Selection SelectionWith(const KnowledgeBase& base, const Pack& pack) {
  const auto own = base.default_selection().packs();
  std::vector<std::size_t> packs(own.begin(), own.end());
  std::erase_if(packs, [&](std::size_t index) { return base.packs()[index].id == pack.id; });
  packs.push_back(static_cast<std::size_t>(&pack - base.packs().data()));
  return {base, std::move(packs)};
}

std::vector<std::size_t> WithRequired(const KnowledgeBase& base, std::span<const std::size_t> packs) {
  std::set<std::size_t> out(packs.begin(), packs.end());
  for (const std::size_t pack : packs) {
    const auto required = base.required(pack);
    out.insert(required.begin(), required.end());
  }
  return {out.begin(), out.end()};
}

void CheckQueries(const KnowledgeBase& base, std::span<const std::size_t> packs, Errors* errors) {
  std::map<std::string_view, std::pair<const PrefetchQuery*, const Pack*>> seen;
  for (const std::size_t index : WithRequired(base, packs)) {
    const Pack& pack = base.packs()[index];
    for (const PrefetchQuery& query : pack.prefetch) {
      const auto [at, fresh] = seen.try_emplace(query.key, &query, &pack);
      const auto [other, owner] = at->second;
      if (fresh || other->query == query.query) continue;
      AddError(errors, query.span,
               "prefetch key `" + query.key + "` is another query in pack " + owner->id + " " +
                   owner->version.ToString() + ": `" + other->query +
                   "`; one key means one query for all that answer together, choose another key");
    }
  }
}

}  // namespace stepwise::rules
