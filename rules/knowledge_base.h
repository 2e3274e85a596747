// KnowledgeBase: packs that were read together, resolved and compiled: the immutable snapshot that every
// request reads.
//
//   LoadReport report;
//   std::shared_ptr<const KnowledgeBase> base = KnowledgeBase::LoadFolders(dirs, &report);
//   if (base == nullptr) ...  // report.errors says all that is wrong; nothing is half loaded
//   for (const CompiledRule* rule : base->RulesFor("order-sign")) ...
//
// Several versions of a pack may be there, side by side: each has its own rules, facts and parameters, and is
// compiled against the highest versions that fit what it requires. Which of them answer a request is said by
// a Selection (rules/selection.h).
//
// All names are resolved here. What an expression can name lives in numbered slots: the request (prefetch,
// context), constants (parameters, pack.version), facts of packs, and for each rule its for-each item and its
// lets. The engine (rules/engine.h) keeps one memo a slot.
// Thread-safety: immutable; share it.
#ifndef STEPWISE_RULES_KNOWLEDGE_BASE_H_
#define STEPWISE_RULES_KNOWLEDGE_BASE_H_

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/fhirpath/fhirpath.h"
#include "rules/evaluator.h"
#include "rules/pack.h"
#include "rules/pack_terminology.h"
#include "rules/parameter.h"
#include "rules/resource_template.h"

namespace stepwise::rules {

enum class SlotKind : std::uint8_t { kContext, kNow, kPrefetch, kConstant, kFact, kForEach, kLet };

struct Slot {
  SlotKind kind = SlotKind::kContext;
  std::string name;  // without %: "meds", "p.persistent_days"
  fhirpath::StaticType type;
  std::string query;                         // kPrefetch
  std::optional<fhirpath::Program> program;  // kFact, kLet; kForEach: what gives the items
  std::unique_ptr<const Constant> constant;  // kConstant
  const PackParameter* parameter = nullptr;  // kConstant: of %p.<name>
  std::string pack;                          // kConstant, kFact: whose
  const SourceText* source = nullptr;        // kFact, kLet, kForEach: where `program` was written
};

struct CompiledAction {
  Template description, resource_id;
  std::optional<ResourceTemplate> resource;
};

struct CompiledSuggestion {
  Template label;
  std::vector<CompiledAction> actions;
};

struct CompiledLink {
  Template label, url, app_context;
};

struct CompiledCard {  // the same order as in CardSource
  Template summary, detail, source_label, source_url;
  std::vector<CompiledSuggestion> suggestions;
  std::vector<CompiledLink> links;
};

struct CompiledRule {
  const Pack* pack = nullptr;
  const Rule* rule = nullptr;
  std::size_t pack_index = 0;
  int for_each = -1;                                 // slot, or -1
  int first_let = 0, let_count = 0;                  // slots
  std::vector<fhirpath::Program> lines;              // as Rule::lines
  std::vector<fhirpath::Program> suppress_per;       // as Rule::suppress->per
  bool suggests_drug = false;                        // some action may create or update a MedicationRequest
  int allergies = -1;                                // slot of an AllergyIntolerance query, for such rules
  const medication::DrugKnowledge* drugs = nullptr;  // of the pack or one that it requires; nullptr: none
  CompiledCard card;
};

// Higher priority first, then by pack, rule and version.
bool SpeaksFirst(const CompiledRule* a, const CompiledRule* b);

struct LoadReport {
  Errors errors;    // any: nothing was loaded
  Errors warnings;  // loads, and the author should look
};

// What is checked to agree on its prefetch queries: the default selection, or nothing because the caller
// makes selections of its own and checks those (CheckQueries).
enum class Together : std::uint8_t { kDefault, kCallerChecks };

class Selection;

class KnowledgeBase {
 public:
  ~KnowledgeBase();
  using HookRules = std::map<std::string, std::vector<const CompiledRule*>, std::less<>>;

  // Each is a pack (folder or package), holds packs, or holds folders of packs (one a version, say). A
  // required pack that is in none of them is looked for beside the pack that requires it. nullptr when
  // report->errors is not empty. `site`: applies each pack's sites/<site>.yaml, where it has one.
  static std::shared_ptr<const KnowledgeBase> LoadFolders(std::span<const std::string> dirs,
                                                          LoadReport* report, const std::string& site = {},
                                                          Together together = Together::kDefault);
  // A version that is given twice is taken once; with another digest it is an error.
  static std::shared_ptr<const KnowledgeBase> Load(std::vector<Pack> packs, LoadReport* report,
                                                   Together together = Together::kDefault);
  // As far as it goes, errors or not, for checks that need more than one file: never evaluate one with
  // errors. nullptr when the packs have no order (one is missing, or two need each other).
  static std::shared_ptr<const KnowledgeBase> LoadDraft(std::vector<Pack> packs, LoadReport* report,
                                                        Together together = Together::kDefault);

  std::span<const std::unique_ptr<CompiledRule>> rules() const { return rules_; }
  std::span<const Slot> slots() const { return slots_; }
  std::span<const Pack> packs() const { return packs_; }  // what is required comes first
  const PackTerminology& terminology(std::size_t pack_index) const { return *terminologies_[pack_index]; }
  std::span<const PackInfo> infos() const { return infos_; }  // as packs()
  // By index into packs(): the rules that are not off, and all packs that it requires, ascending.
  const HookRules& RulesOf(std::size_t pack) const { return by_hook_[pack]; }
  std::span<const std::size_t> required(std::size_t pack) const { return required_[pack]; }

  // Of every pack the highest version that is not retired: what answers when nobody selects.
  const Selection& default_selection() const { return *default_; }
  std::span<const CompiledRule* const> RulesFor(std::string_view hook) const;
  // Highest version of the pack by id or by the last part of its id ("analgesics" of
  // "org.example.analgesics"); nullptr if none.
  const Pack* FindPack(std::string_view id) const;

 private:
  friend class KnowledgeBaseBuilder;
  KnowledgeBase();

  std::vector<Pack> packs_;
  std::vector<std::unique_ptr<PackTerminology>> terminologies_;  // as packs_
  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<CompiledRule>> rules_;
  std::vector<HookRules> by_hook_;                  // as packs_
  std::vector<std::vector<std::size_t>> required_;  // as packs_
  std::vector<PackInfo> infos_;
  std::unique_ptr<const Selection> default_;
};

// The packs in the folders, and those that they require and that lie beside them, with whatever is wrong in
// `errors`; nullopt when one of them could not be read at all.
std::optional<std::vector<Pack>> ReadFolders(std::span<const std::string> dirs, Errors* errors,
                                             const std::string& site = {});

// Does `id` name this pack: the id itself or its last dotted part?
bool NamesPack(const Pack& pack, std::string_view id);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_KNOWLEDGE_BASE_H_
