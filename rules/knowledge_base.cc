#include "rules/knowledge_base.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "rules/line_checks.h"
#include "rules/pack_reader.h"
#include "rules/scope.h"

namespace stepwise::rules {

class KnowledgeBaseBuilder {
 public:
  explicit KnowledgeBaseBuilder(LoadReport* report) : base_(new KnowledgeBase()), report_(report) {}

  // Goes on whatever is wrong, so that one run finds all errors; nullptr only when the packs have no order.
  std::shared_ptr<const KnowledgeBase> Build(std::vector<Pack> packs) {
    base_->packs_ = std::move(packs);
    if (!Order()) return nullptr;
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) Open(i);
    for (const auto& scope : scopes_) scope->CompileFacts();
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) {
      for (const Rule& rule : base_->packs_[i].rules) {
        if (rule.mode != RuleMode::kOff) CompileRule(i, rule);
      }
    }
    CheckCauses();
    Index();
    return std::move(base_);
  }

 private:
  // Puts required packs before those that require them.
  bool Order() {
    const std::size_t before = report_->errors.size();
    std::vector<Pack>& packs = base_->packs_;
    std::ranges::sort(packs, {}, &Pack::id);
    for (std::size_t i = 1; i < packs.size(); ++i) {
      if (packs[i].id == packs[i - 1].id) {
        AddError(&report_->errors, packs[i].span,
                 "pack `" + packs[i].id + "` is also in " + packs[i - 1].dir);
      }
    }
    std::vector<Pack> ordered;
    while (!packs.empty() && report_->errors.size() == before) {
      const auto ready = std::ranges::find_if(packs, [&](const Pack& pack) {
        return std::ranges::all_of(pack.requires_packs, [&](const PackRequirement& requirement) {
          return std::ranges::any_of(ordered,
                                     [&](const Pack& other) { return NamesPack(other, requirement.id); });
        });
      });
      if (ready == packs.end()) {
        ExplainOrder(packs, ordered);
        break;
      }
      for (const PackRequirement& requirement : ready->requires_packs) CheckVersion(requirement, ordered);
      ordered.push_back(std::move(*ready));
      packs.erase(ready);
    }
    packs = std::move(ordered);
    return report_->errors.size() == before;
  }

  void CheckVersion(const PackRequirement& requirement, const std::vector<Pack>& known) {
    const auto other =
        std::ranges::find_if(known, [&](const Pack& pack) { return NamesPack(pack, requirement.id); });
    if (!requirement.range.Contains(other->version) && other->version != Version()) {  // 0.0.0: unreadable
      AddError(&report_->errors, requirement.text.span,
               "needs " + requirement.id + " " + requirement.text.text + ", but " + other->dir +
                   " is version " + other->version.ToString());
    }
  }

  void ExplainOrder(const std::vector<Pack>& waiting, const std::vector<Pack>& ordered) {
    for (const Pack& pack : waiting) {
      for (const PackRequirement& requirement : pack.requires_packs) {
        const auto names = [&](const Pack& other) { return NamesPack(other, requirement.id); };
        if (std::ranges::any_of(ordered, names)) continue;
        const bool circle = std::ranges::any_of(waiting, names);
        AddError(&report_->errors, requirement.text.span,
                 circle
                     ? "packs `" + pack.id + "` and `" + requirement.id + "` need each other, directly or not"
                     : "needs pack `" + requirement.id + "`, which is not here; name its folder too");
      }
    }
  }

  std::vector<std::size_t> Closure(std::size_t index) const {
    std::set<std::size_t> out;
    for (const PackRequirement& requirement : base_->packs_[index].requires_packs) {
      for (std::size_t i = 0; i < index; ++i) {
        if (!NamesPack(base_->packs_[i], requirement.id)) continue;
        out.insert(i);
        for (const std::size_t inner : Closure(i)) out.insert(inner);
      }
    }
    return {out.begin(), out.end()};
  }

  void Open(std::size_t index) {
    std::vector<const PackTerminology*> terminologies;
    std::vector<PackScope*> scopes;
    for (const std::size_t other : Closure(index)) {
      terminologies.push_back(base_->terminologies_[other].get());
      scopes.push_back(scopes_[other].get());
    }
    const Pack& pack = base_->packs_[index];
    base_->terminologies_.push_back(
        std::make_unique<PackTerminology>(pack, std::move(terminologies), &report_->errors));
    scopes_.push_back(std::make_unique<PackScope>(pack, std::move(scopes), *base_->terminologies_.back(),
                                                  &prefetch_slots_, &base_->slots_, report_));
  }

  void CompileRule(std::size_t index, const Rule& rule) {
    auto compiled = std::make_unique<CompiledRule>();
    compiled->pack = &base_->packs_[index];
    compiled->rule = &rule;
    compiled->pack_index = index;
    RuleScope scope(rule, *scopes_[index], &base_->slots_, report_);
    compiled->for_each = scope.for_each();
    compiled->first_let = scope.first_let();
    compiled->let_count = static_cast<int>(rule.lets.size());
    scope.CompileLets();
    const ExpressionCompiler& compiler = scopes_[index]->compiler();
    for (const RuleLine& line : rule.lines) {
      if (line.expression.span.line == 0) continue;  // was reported
      auto program = compiler.Compile(line.expression.text, line.expression, 0, scope, true);
      if (!program) continue;
      CheckUnknown(index, rule, line, *program);
      compiled->lines.push_back(std::move(*program));
    }
    const TemplateScope templates{
        *compiled->pack, rule,
        [&](std::string_view expression, const SourceText& whole, std::size_t offset) {
          return compiler.Compile(expression, whole, offset, scope, false);
        },
        &report_->errors};
    if (rule.card) compiled->card = CompileCard(*rule.card, templates);
    if (rule.suppress) {
      for (const SourceText& text : rule.suppress->per) {
        if (auto program = compiler.Compile(text.text, text, 0, scope, false))
          compiled->suppress_per.push_back(std::move(*program));
      }
    }
    compiled->drugs = base_->terminologies_[index]->drugs();
    compiled->suggests_drug = rule.card && SuggestsDrug(*rule.card);
    if (compiled->suggests_drug) compiled->allergies = AllergySlot(index);
    base_->rules_.push_back(std::move(compiled));
  }

  static CompiledCard CompileCard(const CardSource& card, const TemplateScope& scope) {
    CompiledCard out;
    const auto plain = [&](const SourceText& text) {
      return Template::Compile(text, TextForm::kPlain, scope);
    };
    const auto url = [&](const SourceText& text) { return Template::Compile(text, TextForm::kUrl, scope); };
    out.summary = plain(card.summary);
    out.detail = Template::Compile(card.detail, TextForm::kMarkdown, scope);
    out.source_label = plain(card.source_label);
    out.source_url = url(card.source_url);
    for (const SuggestionSource& suggestion : card.suggestions) {
      CompiledSuggestion compiled{plain(suggestion.label), {}};
      for (const ActionSource& action : suggestion.actions) {
        CompiledAction one{plain(action.description), plain(action.resource_id), std::nullopt};
        if (action.resource) one.resource = ResourceTemplate::Compile(*action.resource, scope);
        compiled.actions.push_back(std::move(one));
      }
      out.suggestions.push_back(std::move(compiled));
    }
    for (const LinkSource& link : card.links)
      out.links.push_back({plain(link.label), url(link.url), plain(link.app_context)});
    return out;
  }

  static bool SuggestsDrug(const CardSource& card) {
    const auto drug = [](const ActionSource& action) {
      if (!action.resource) return false;
      const YamlNode* type = action.resource->Find("resourceType");
      return type == nullptr || type->value.text == "MedicationRequest";  // a copy may be of one
    };
    return std::ranges::any_of(card.suggestions, [&](const SuggestionSource& suggestion) {
      return std::ranges::any_of(suggestion.actions, drug);
    });
  }

  // The query for allergies of the pack or of one that it requires; -1 if there is none.
  int AllergySlot(std::size_t index) const {
    std::vector<std::size_t> where = Closure(index);
    where.push_back(index);
    for (auto at = where.rbegin(); at != where.rend(); ++at) {
      for (const PrefetchQuery& query : base_->packs_[*at].prefetch) {
        if (query.query.starts_with("AllergyIntolerance?")) return prefetch_slots_.at(query.key);
      }
    }
    return -1;
  }

  // Absent data make a line unknown; the pack must say what that means before it can surprise anybody.
  void CheckUnknown(std::size_t index, const Rule& rule, const RuleLine& line,
                    const fhirpath::Program& program) {
    if (line.unknown != UnknownPolicy::kUnset || rule.unknown_default != UnknownPolicy::kUnset) return;
    std::set<int> seen;
    Collect(program, &seen);
    const bool reads_data = std::ranges::any_of(seen, [&](int slot) {
      return base_->slots_[static_cast<std::size_t>(slot)].kind == SlotKind::kPrefetch;
    });
    std::vector<const Pack*> required;
    for (const std::size_t other : Closure(index)) required.push_back(&base_->packs_[other]);
    if (!reads_data && !CanBeEmpty(line.expression, base_->packs_[index], required, rule)) return;
    AddError(
        &report_->warnings, line.span,
        "line `" + line.id +
            "` can be unknown when data are absent, and `unknown` says nothing about it; it will be silent. "
            "Write `unknown: { " +
            line.id + ": silent }` or `fire`");
  }

  // Slots that a program reads, also through facts and lets.
  void Collect(const fhirpath::Program& program, std::set<int>* seen) const {
    for (const int slot : program.variables()) {
      if (!seen->insert(slot).second) continue;
      const Slot& data = base_->slots_[static_cast<std::size_t>(slot)];
      if (data.program) Collect(*data.program, seen);
    }
  }

  std::set<int> SlotsOf(const CompiledRule& rule) const {
    std::set<int> seen;
    const auto all = [&](const std::vector<const fhirpath::Program*>& programs) {
      for (const fhirpath::Program* program : programs) Collect(*program, &seen);
    };
    if (rule.for_each >= 0) {
      const Slot& slot = base_->slots_[static_cast<std::size_t>(rule.for_each)];
      if (slot.program) Collect(*slot.program, &seen);
    }
    for (const fhirpath::Program& program : rule.lines) Collect(program, &seen);
    for (const fhirpath::Program& program : rule.suppress_per) Collect(program, &seen);
    if (rule.allergies >= 0) seen.insert(rule.allergies);
    const CompiledCard& card = rule.card;
    for (const Template* text : {&card.summary, &card.detail, &card.source_label, &card.source_url})
      all(text->programs());
    for (const CompiledSuggestion& suggestion : card.suggestions) {
      all(suggestion.label.programs());
      for (const CompiledAction& action : suggestion.actions) {
        all(action.description.programs());
        all(action.resource_id.programs());
        if (action.resource) all(action.resource->programs());
      }
    }
    for (const CompiledLink& link : card.links) {
      for (const Template* text : {&link.label, &link.url, &link.app_context}) all(text->programs());
    }
    return seen;
  }

  // Two rules of one id in two packs could not be told apart where a cause joins their cards.
  void CheckCauses() {
    std::map<std::string, const CompiledRule*> by_id;
    for (const auto& rule : base_->rules_) {
      const auto [at, fresh] = by_id.emplace(rule->rule->id, rule.get());
      if (!fresh && !rule->rule->cause.empty()) {
        AddError(&report_->warnings, rule->rule->span,
                 "rule id `" + rule->rule->id + "` is also used in pack " + at->second->pack->id);
      }
    }
  }

  void Index() {
    std::stable_sort(base_->rules_.begin(), base_->rules_.end(), [](const auto& a, const auto& b) {
      return std::tie(b->rule->priority, a->pack->id, a->rule->id) <
             std::tie(a->rule->priority, b->pack->id, b->rule->id);
    });
    std::vector<std::set<std::string>> hooks(base_->packs_.size());
    std::vector<std::map<std::string, std::set<std::string>>> reads(base_->packs_.size());
    for (const auto& rule : base_->rules_) {
      const std::set<int> slots = SlotsOf(*rule);
      for (const std::string& hook :
           std::set<std::string>(rule->rule->hooks.begin(), rule->rule->hooks.end())) {
        base_->by_hook_[hook].push_back(rule.get());
        hooks[rule->pack_index].insert(hook);
        for (const int slot : slots) {
          const Slot& data = base_->slots_[static_cast<std::size_t>(slot)];
          if (data.kind == SlotKind::kPrefetch) reads[rule->pack_index][data.name].insert(hook);
        }
      }
    }
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) {
      const Pack& pack = base_->packs_[i];
      PackInfo info;
      info.ref = {pack.id, pack.version.ToString(), pack.digest, pack.canonical, pack.title, pack.status};
      info.hooks.assign(hooks[i].begin(), hooks[i].end());
      for (const auto& [key, used_by] : reads[i]) {
        const PrefetchQuery* query = FindQuery(i, key);
        info.prefetch.push_back({key, query->query, query->required, {used_by.begin(), used_by.end()}});
      }
      base_->infos_.push_back(std::move(info));
    }
  }

  const PrefetchQuery* FindQuery(std::size_t index, const std::string& key) const {
    std::vector<std::size_t> where = Closure(index);
    where.push_back(index);
    for (auto at = where.rbegin(); at != where.rend(); ++at) {
      const auto& queries = base_->packs_[*at].prefetch;
      const auto found = std::ranges::find(queries, key, &PrefetchQuery::key);
      if (found != queries.end()) return &*found;
    }
    return nullptr;  // cannot happen: the key was found when compiling
  }

  std::unique_ptr<KnowledgeBase> base_;
  LoadReport* report_;
  std::vector<std::unique_ptr<PackScope>> scopes_;
  std::map<std::string, int> prefetch_slots_;
};

namespace {

// Pack beside `dir` whose pack.yaml has that id; "" if none. Only pack.yaml is looked at.
std::string FindBeside(const std::string& dir, const std::string& id) {
  std::error_code code;
  const auto parent = std::filesystem::canonical(dir, code).parent_path();
  if (code) return "";
  for (const std::string& candidate : FindPackDirs(parent.string())) {
    Errors ignored;
    const PackFiles files = PackFiles::Open(candidate, &ignored);
    const std::string* text = files.Find("pack.yaml");
    const auto tree = text == nullptr ? Result<YamlNode>() : ParseYaml(*text);
    const YamlNode* name = tree ? tree->Find("id") : nullptr;
    if (name == nullptr) continue;
    Pack pack;
    pack.id = name->value.text;
    if (NamesPack(pack, id)) return candidate;
  }
  return "";
}

}  // namespace

bool NamesPack(const Pack& pack, std::string_view id) {
  if (pack.id == id) return true;
  const std::size_t point = pack.id.rfind('.');
  return point != std::string::npos && std::string_view(pack.id).substr(point + 1) == id;
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::Load(std::vector<Pack> packs, LoadReport* report) {
  auto base = LoadDraft(std::move(packs), report);
  return report->errors.empty() ? std::move(base) : nullptr;
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::LoadDraft(std::vector<Pack> packs, LoadReport* report) {
  return KnowledgeBaseBuilder(report).Build(std::move(packs));
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::LoadFolders(std::span<const std::string> dirs,
                                                                LoadReport* report, const std::string& site) {
  auto packs = ReadFolders(dirs, &report->errors, site);
  return packs ? Load(std::move(*packs), report) : nullptr;
}

std::optional<std::vector<Pack>> ReadFolders(std::span<const std::string> dirs, Errors* errors,
                                             const std::string& site) {
  bool all = true;
  std::vector<Pack> packs;
  std::vector<std::string> queue;
  for (const std::string& dir : dirs) {
    const std::vector<std::string> found = FindPackDirs(dir);
    if (found.empty())
      AddError(errors, {.file = dir},
               "neither a pack (a folder with pack.yaml, or a .tgz) nor a folder of packs", Code::kNotFound);
    all = all && !found.empty();
    std::ranges::copy(found, std::back_inserter(queue));
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    std::error_code code;
    if (seen.insert(std::filesystem::weakly_canonical(queue[i], code).string()).second) {
      Pack pack = ReadPackDraft(queue[i], errors, site);
      all = all && !pack.id.empty();
      packs.push_back(std::move(pack));
    }
    if (i + 1 < queue.size()) continue;
    for (const Pack& pack : packs) {  // all that was named is read: what is required and still missing?
      for (const PackRequirement& requirement : pack.requires_packs) {
        const auto names = [&](const Pack& other) { return NamesPack(other, requirement.id); };
        if (std::ranges::any_of(packs, names)) continue;
        const std::string beside = FindBeside(pack.dir, requirement.id);
        if (!beside.empty() && std::ranges::find(queue, beside) == queue.end()) queue.push_back(beside);
      }
    }
  }
  if (!all) return std::nullopt;
  return packs;
}

std::span<const CompiledRule* const> KnowledgeBase::RulesFor(std::string_view hook) const {
  const auto found = by_hook_.find(hook);
  if (found == by_hook_.end()) return {};
  return found->second;
}

const Pack* KnowledgeBase::FindPack(std::string_view id) const {
  const auto found = std::ranges::find_if(packs_, [&](const Pack& pack) { return NamesPack(pack, id); });
  return found == packs_.end() ? nullptr : &*found;
}

}  // namespace stepwise::rules
