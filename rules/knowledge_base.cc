#include "rules/knowledge_base.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

#include "rules/line_checks.h"
#include "rules/pack_reader.h"
#include "rules/parallel.h"
#include "rules/scope.h"
#include "rules/selection.h"

namespace stepwise::rules {

class KnowledgeBaseBuilder {
 public:
  explicit KnowledgeBaseBuilder(LoadReport* report) : base_(new KnowledgeBase()), report_(report) {}

  // Goes on whatever is wrong, so that one run finds all errors; nullptr only when the packs have no order.
  std::shared_ptr<const KnowledgeBase> Build(std::vector<Pack> packs, Together together) {
    base_->packs_ = std::move(packs);
    if (!Order()) return nullptr;
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) Open(i);
    for (const auto& scope : scopes_) scope->CompileFacts();
    CompileRules();
    CheckCauses();
    Index();
    SelectDefault();
    if (together == Together::kDefault) CheckQueries(*base_, base_->default_->packs(), &report_->errors);
    return std::move(base_);
  }

 private:
  // Puts required packs before those that require them, lower versions before higher ones.
  bool Order() {
    const std::size_t before = report_->errors.size();
    std::vector<Pack> packs = OnceEach(std::move(base_->packs_));
    base_->packs_.clear();
    std::vector<Pack>& ordered = base_->packs_;
    while (!packs.empty() && report_->errors.size() == before) {
      const auto ready = std::ranges::find_if(packs, [&](const Pack& pack) {
        return std::ranges::none_of(pack.requires_packs, [&](const PackRequirement& requirement) {
          const auto names = [&](const Pack& other) { return NamesPack(other, requirement.id); };
          return std::ranges::any_of(packs, names) || std::ranges::none_of(ordered, names);
        });
      });
      if (ready == packs.end()) {
        ExplainOrder(packs, ordered);
        break;
      }
      Versions chosen;
      if (Choose(ready->requires_packs, &chosen)) {
        std::vector<std::size_t> required;
        for (const auto& [id, index] : chosen) required.push_back(index);
        std::ranges::sort(required);
        base_->required_.push_back(std::move(required));
      } else {
        ExplainChoice(*ready);
      }
      ordered.push_back(std::move(*ready));
      packs.erase(ready);
    }
    return report_->errors.size() == before;
  }

  std::vector<Pack> OnceEach(std::vector<Pack> packs) {
    std::ranges::sort(packs, [](const Pack& a, const Pack& b) {
      return std::tie(a.id, a.version, a.dir) < std::tie(b.id, b.version, b.dir);
    });
    std::vector<Pack> out;
    for (Pack& pack : packs) {
      if (out.empty() || out.back().id != pack.id || out.back().version != pack.version) {
        out.push_back(std::move(pack));
      } else if (out.back().digest != pack.digest) {
        AddError(&report_->errors, pack.span,
                 "pack `" + pack.id + "` " + pack.version.ToString() + " is also in " + out.back().dir +
                     ", with other content (" + pack.digest + ", there " + out.back().digest +
                     "); a version never changes: raise `version`");
      }
    }
    return out;
  }

  using Versions = std::map<std::string, std::size_t>;  // pack id -> index

  // Versions for these requirements and for what they require in turn, one of each pack: the highest that
  // fit, the first requirement first. False: there are none that fit together.
  bool Choose(std::span<const PackRequirement> requirements, Versions* chosen) const {
    if (requirements.empty()) return true;
    for (std::size_t i = base_->packs_.size(); i-- > 0;) {
      const Pack& pack = base_->packs_[i];
      const bool unreadable = pack.version == Version();  // was reported
      if (!NamesPack(pack, requirements[0].id)) continue;
      if (!unreadable && !requirements[0].range.Contains(pack.version)) continue;
      Versions trial = *chosen;
      const auto take = [&](std::size_t index) {
        return trial.emplace(base_->packs_[index].id, index).first->second == index;
      };
      if (!take(i) || !std::ranges::all_of(base_->required_[i], take)) continue;
      if (!Choose(requirements.subspan(1), &trial)) continue;
      *chosen = std::move(trial);
      return true;
    }
    return false;
  }

  void ExplainChoice(const Pack& pack) {
    const std::size_t before = report_->errors.size();
    for (const PackRequirement& requirement : pack.requires_packs) {
      Versions ignored;
      if (Choose({&requirement, 1}, &ignored)) continue;
      std::string there;
      for (const Pack& other : base_->packs_) {
        if (NamesPack(other, requirement.id))
          there += (there.empty() ? "" : " and ") + other.dir + " is version " + other.version.ToString();
      }
      AddError(&report_->errors, requirement.text.span,
               "needs " + requirement.id + " " + requirement.text.text + ", but " + there);
    }
    if (report_->errors.size() == before) {
      AddError(&report_->errors, pack.span,
               "the packs that `" + pack.id + "` " + pack.version.ToString() +
                   " needs are themselves made for different versions of one pack; widen a range in "
                   "`requires`");
    }
  }

  void ExplainOrder(const std::vector<Pack>& waiting, const std::vector<Pack>& ordered) {
    for (const Pack& pack : waiting) {
      for (const PackRequirement& requirement : pack.requires_packs) {
        const auto names = [&](const Pack& other) { return NamesPack(other, requirement.id); };
        const bool circle = std::ranges::any_of(waiting, names);
        if (!circle && std::ranges::any_of(ordered, names)) continue;
        AddError(&report_->errors, requirement.text.span,
                 circle
                     ? "packs `" + pack.id + "` and `" + requirement.id + "` need each other, directly or not"
                     : "needs pack `" + requirement.id + "`, which is not here; name its folder too");
      }
    }
  }

  void Open(std::size_t index) {
    std::vector<const PackTerminology*> terminologies;
    std::vector<PackScope*> scopes;
    for (const std::size_t other : base_->required_[index]) {
      terminologies.push_back(base_->terminologies_[other].get());
      scopes.push_back(scopes_[other].get());
    }
    const Pack& pack = base_->packs_[index];
    LoadReport* report = reports_.emplace_back(std::make_unique<LoadReport>()).get();
    base_->terminologies_.push_back(
        std::make_unique<PackTerminology>(pack, std::move(terminologies), &report->errors));
    scopes_.push_back(std::make_unique<PackScope>(pack, std::move(scopes), *base_->terminologies_.back(),
                                                  &prefetch_slots_, &base_->slots_, report));
  }

  // Packs side by side: each rule writes into slots that are set aside for it, and reads facts that are done.
  void CompileRules() {
    std::vector<std::vector<std::unique_ptr<CompiledRule>>> rules(base_->packs_.size());
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) {
      for (const Rule& rule : base_->packs_[i].rules) {
        if (rule.mode == RuleMode::kOff) continue;
        auto compiled = std::make_unique<CompiledRule>();
        compiled->pack = &base_->packs_[i];
        compiled->rule = &rule;
        compiled->pack_index = i;
        compiled->first_let = static_cast<int>(base_->slots_.size());
        base_->slots_.resize(base_->slots_.size() + RuleScope::SlotCount(rule));
        rules[i].push_back(std::move(compiled));
      }
    }
    ForEachIndex(rules.size(), [&](std::size_t i) {
      for (const auto& rule : rules[i]) CompileRule(rule.get(), reports_[i].get());
    });
    for (std::size_t i = 0; i < rules.size(); ++i) {
      std::ranges::move(rules[i], std::back_inserter(base_->rules_));
      std::ranges::move(reports_[i]->errors, std::back_inserter(report_->errors));
      std::ranges::move(reports_[i]->warnings, std::back_inserter(report_->warnings));
    }
  }

  // first_let: the first of the rule's slots.
  void CompileRule(CompiledRule* compiled, LoadReport* report) const {
    const std::size_t index = compiled->pack_index;
    const Rule& rule = *compiled->rule;
    RuleScope scope(rule, *scopes_[index], static_cast<std::size_t>(compiled->first_let), &base_->slots_,
                    report);
    compiled->for_each = scope.for_each();
    compiled->first_let = scope.first_let();
    compiled->let_count = static_cast<int>(rule.lets.size());
    scope.CompileLets();
    const ExpressionCompiler& compiler = scopes_[index]->compiler();
    for (const RuleLine& line : rule.lines) {
      if (line.expression.span.line == 0) continue;  // was reported
      auto program = compiler.Compile(line.expression.text, line.expression, 0, scope, true);
      if (!program) continue;
      CheckUnknown(index, rule, line, *program, report);
      compiled->lines.push_back(std::move(*program));
    }
    const TemplateScope templates{
        *compiled->pack, rule,
        [&](std::string_view expression, const SourceText& whole, std::size_t offset) {
          return compiler.Compile(expression, whole, offset, scope, false);
        },
        &report->errors};
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
    std::vector<std::size_t> where = base_->required_[index];
    where.push_back(index);
    for (auto at = where.rbegin(); at != where.rend(); ++at) {
      for (const PrefetchQuery& query : base_->packs_[*at].prefetch) {
        if (query.query.starts_with("AllergyIntolerance?"))
          return prefetch_slots_.at({query.key, query.query});
      }
    }
    return -1;
  }

  // Absent data make a line unknown; the pack must say what that means before it can surprise anybody.
  void CheckUnknown(std::size_t index, const Rule& rule, const RuleLine& line,
                    const fhirpath::Program& program, LoadReport* report) const {
    if (line.unknown != UnknownPolicy::kUnset || rule.unknown_default != UnknownPolicy::kUnset) return;
    std::set<int> seen;
    Collect(program, &seen);
    const bool reads_data = std::ranges::any_of(seen, [&](int slot) {
      return base_->slots_[static_cast<std::size_t>(slot)].kind == SlotKind::kPrefetch;
    });
    std::vector<const Pack*> required;
    for (const std::size_t other : base_->required_[index]) required.push_back(&base_->packs_[other]);
    if (!reads_data && !CanBeEmpty(line.expression, base_->packs_[index], required, rule)) return;
    AddError(
        &report->warnings, line.span,
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
      if (!fresh && !rule->rule->cause.empty() && rule->pack->id != at->second->pack->id) {
        AddError(&report_->warnings, rule->rule->span,
                 "rule id `" + rule->rule->id + "` is also used in pack " + at->second->pack->id);
      }
    }
  }

  void Index() {
    std::ranges::stable_sort(base_->rules_, SpeaksFirst, &std::unique_ptr<CompiledRule>::get);
    base_->by_hook_.resize(base_->packs_.size());
    std::vector<std::set<std::string>> hooks(base_->packs_.size());
    std::vector<std::map<std::string, std::set<std::string>>> reads(base_->packs_.size());
    for (const auto& rule : base_->rules_) {
      const std::set<int> slots = SlotsOf(*rule);
      for (const std::string& hook :
           std::set<std::string>(rule->rule->hooks.begin(), rule->rule->hooks.end())) {
        base_->by_hook_[rule->pack_index][hook].push_back(rule.get());
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

  // Packs are sorted by version inside an id, so the last one that is not retired is the highest.
  void SelectDefault() {
    std::map<std::string_view, std::size_t> highest;
    for (std::size_t i = 0; i < base_->packs_.size(); ++i) {
      const Pack& pack = base_->packs_[i];
      if (pack.status != "retired" || !highest.contains(pack.id)) highest[pack.id] = i;
    }
    std::vector<std::size_t> packs;
    for (const auto& [id, index] : highest) packs.push_back(index);
    base_->default_ = std::make_unique<Selection>(*base_, std::move(packs));
  }

  const PrefetchQuery* FindQuery(std::size_t index, const std::string& key) const {
    std::vector<std::size_t> where = base_->required_[index];
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
  std::vector<std::unique_ptr<LoadReport>> reports_;  // as packs
  std::vector<std::unique_ptr<PackScope>> scopes_;    // as packs
  PrefetchSlots prefetch_slots_;
};

namespace {

// Pack beside `dir` with the highest version that fits, else with any version; "" if none. Only pack.yaml
// is looked at.
std::string FindBeside(const std::string& dir, const PackRequirement& requirement) {
  std::error_code code;
  const auto parent = std::filesystem::canonical(dir, code).parent_path();
  if (code) return "";
  std::string best;
  std::optional<Version> best_version;
  for (const std::string& candidate : FindPackDirs(parent.string())) {
    Errors ignored;
    const PackFiles files = PackFiles::Open(candidate, &ignored);
    const std::string* text = files.Find("pack.yaml");
    const auto tree = text == nullptr ? Result<YamlNode>() : ParseYaml(*text);
    const YamlNode* name = tree ? tree->Find("id") : nullptr;
    const YamlNode* version = tree ? tree->Find("version") : nullptr;
    if (name == nullptr) continue;
    Pack pack;
    pack.id = name->value.text;
    if (!NamesPack(pack, requirement.id)) continue;
    const auto parsed = version == nullptr ? std::nullopt : Version::Parse(version->value.text);
    const bool fits = parsed && requirement.range.Contains(*parsed);
    if (best.empty() || (fits && (!best_version || *best_version < *parsed))) best = candidate;
    if (fits && best == candidate) best_version = parsed;
  }
  return best;
}

// The packs in a folder, or in its folders.
std::vector<std::string> FindPacksBelow(const std::string& dir) {
  std::vector<std::string> out = FindPackDirs(dir);
  if (out.size() == 1 && out[0] == dir) return out;
  std::error_code code;
  for (std::filesystem::directory_iterator at(dir, code), end; !code && at != end; at.increment(code)) {
    const std::string below = at->path().string();
    if (!at->is_directory() || std::ranges::find(out, below) != out.end()) continue;
    std::ranges::copy(FindPackDirs(below), std::back_inserter(out));
  }
  std::ranges::sort(out);
  return out;
}

// With whatever is wrong in `errors`. False: one of them could not be read at all.
bool ReadPacks(const std::vector<std::string>& dirs, const std::string& site, std::vector<Pack>* packs,
               Errors* errors) {
  struct Part {
    Pack pack;
    Errors errors;
  };
  std::vector<Part> parts(dirs.size());
  ForEachIndex(dirs.size(),
               [&](std::size_t i) { parts[i].pack = ReadPackDraft(dirs[i], &parts[i].errors, site); });
  bool all = true;
  for (Part& part : parts) {
    all = all && !part.pack.id.empty();
    packs->push_back(std::move(part.pack));
    std::ranges::move(part.errors, std::back_inserter(*errors));
  }
  return all;
}

}  // namespace

bool SpeaksFirst(const CompiledRule* a, const CompiledRule* b) {
  return std::tie(b->rule->priority, a->pack->id, a->rule->id, a->pack->version) <
         std::tie(a->rule->priority, b->pack->id, b->rule->id, b->pack->version);
}

KnowledgeBase::KnowledgeBase() = default;
KnowledgeBase::~KnowledgeBase() = default;

bool NamesPack(const Pack& pack, std::string_view id) {
  if (pack.id == id) return true;
  const std::size_t point = pack.id.rfind('.');
  return point != std::string::npos && std::string_view(pack.id).substr(point + 1) == id;
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::Load(std::vector<Pack> packs, LoadReport* report,
                                                         Together together) {
  auto base = LoadDraft(std::move(packs), report, together);
  return report->errors.empty() ? std::move(base) : nullptr;
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::LoadDraft(std::vector<Pack> packs, LoadReport* report,
                                                              Together together) {
  return KnowledgeBaseBuilder(report).Build(std::move(packs), together);
}

std::shared_ptr<const KnowledgeBase> KnowledgeBase::LoadFolders(std::span<const std::string> dirs,
                                                                LoadReport* report, const std::string& site,
                                                                Together together) {
  auto packs = ReadFolders(dirs, &report->errors, site);
  return packs ? Load(std::move(*packs), report, together) : nullptr;
}

std::optional<std::vector<Pack>> ReadFolders(std::span<const std::string> dirs, Errors* errors,
                                             const std::string& site) {
  bool all = true;
  std::vector<Pack> packs;
  std::vector<std::string> queue;
  for (const std::string& dir : dirs) {
    const std::vector<std::string> found = FindPacksBelow(dir);
    if (found.empty())
      AddError(errors, {.file = dir},
               "neither a pack (a folder with pack.yaml, or a .tgz) nor a folder of packs", Code::kNotFound);
    all = all && !found.empty();
    std::ranges::copy(found, std::back_inserter(queue));
  }
  std::set<std::string> seen;
  while (!queue.empty()) {
    std::error_code code;
    std::erase_if(queue, [&](const std::string& dir) {
      return !seen.insert(std::filesystem::weakly_canonical(dir, code).string()).second;
    });
    all = ReadPacks(std::exchange(queue, {}), site, &packs, errors) && all;
    for (const Pack& pack : packs) {  // all that was named is read: what is required and still missing?
      for (const PackRequirement& requirement : pack.requires_packs) {
        const auto fits = [&](const Pack& other) {
          return NamesPack(other, requirement.id) && requirement.range.Contains(other.version);
        };
        if (std::ranges::any_of(packs, fits)) continue;
        const std::string beside = FindBeside(pack.dir, requirement);
        const bool known = seen.contains(std::filesystem::weakly_canonical(beside, code).string());
        if (!beside.empty() && !known) queue.push_back(beside);
      }
    }
  }
  if (!all) return std::nullopt;
  return packs;
}

std::span<const CompiledRule* const> KnowledgeBase::RulesFor(std::string_view hook) const {
  return default_->For(hook).rules;
}

const Pack* KnowledgeBase::FindPack(std::string_view id) const {
  const Pack* highest = nullptr;
  for (const Pack& pack : packs_) {
    if (NamesPack(pack, id)) highest = &pack;
  }
  return highest;
}

}  // namespace stepwise::rules
