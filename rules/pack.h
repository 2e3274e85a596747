// Pack: one rule pack as its files say it, parsed and shape-checked, nothing compiled.
//
//   ReadPack (rules/pack_reader.h) -> Pack -> KnowledgeBase (rules/knowledge_base.h) -> Evaluate
//
// Plain data. Every text that is compiled or checked later is a SourceText, so that messages point into the
// file the author wrote. The format is described, key by key, in rules/pack_schema.cc.
// Thread-safety: plain values.
#ifndef STEPWISE_RULES_PACK_H_
#define STEPWISE_RULES_PACK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/table.h"
#include "rules/value_set.h"
#include "rules/version.h"
#include "rules/yaml.h"

namespace stepwise::rules {

struct Contributor {
  std::string name, contact, on;  // on: day of an endorsement
};

struct Evidence {
  std::string id, type, label, url, says;
};

// The enumerations below are in the order of the words in rules/pack_schema.cc.
enum class ParameterType : std::uint8_t { kInteger, kDecimal, kString, kBoolean };

struct PackParameter {
  std::string name;
  ParameterType type = ParameterType::kInteger;
  std::string unit;         // UCUM; a, mo, wk, d, h, min, s become calendar units; "" for plain numbers
  std::string value;        // the default, as written
  std::string min, max;     // inclusive; "" for no bound
  bool overridable = true;  // `override: none` forbids sites to change it
  std::string doc;
  SourceSpan span, value_span;
  bool usable = true;  // false: type or default could not be read, which was reported
};

struct PrefetchQuery {
  std::string key;
  std::string query;     // CDS Hooks prefetch template
  bool required = true;  // absent: the request cannot be answered; otherwise what needs it is unknown
  SourceSpan span;
};

struct NamedExpression {
  SourceText name, expression;
};

struct PackRequirement {
  std::string id;
  VersionRange range;
  SourceText text;  // as written
};

// What a line that is neither true nor false does: kSilent stops the rule, kFire lets it go on and discloses
// it.
enum class UnknownPolicy : std::uint8_t { kUnset, kSilent, kFire };

struct RuleLine {
  std::string id, text;
  SourceText expression;
  bool unless = false;
  UnknownPolicy unknown = UnknownPolicy::kUnset;
  SourceSpan span;
};

enum class RuleMode : std::uint8_t { kOn, kShadow, kOff };
enum class Indicator : std::uint8_t { kCritical, kWarning, kInfo };  // in the order cards are shown
std::string_view IndicatorName(Indicator indicator);

struct ActionSource {
  std::string type;        // create | update | delete
  SourceText description;  // template
  std::optional<YamlNode> resource;
  SourceText resource_id;  // template, delete only
  SourceSpan span;
};

struct SuggestionSource {
  SourceText label;  // template
  bool recommended = false;
  std::vector<ActionSource> actions;
};

struct OverrideReason {
  std::string code, system, display;
  SourceSpan span;  // of the code
};

struct LinkSource {
  SourceText label, url, app_context;  // templates
  std::string type;                    // absolute | smart
};

struct CardSource {
  SourceText summary, detail;  // templates
  Indicator indicator = Indicator::kInfo;
  SourceText source_label, source_url;  // templates
  std::string source_icon;
  std::string topic;      // code; "" for the rule's id
  std::string selection;  // at-most-one | any
  std::vector<SuggestionSource> suggestions;
  std::vector<OverrideReason> override_reasons;
  std::vector<LinkSource> links;
  SourceSpan span;
};

// Keeps quiet after an override (rules/suppression.h).
struct SuppressRepeat {
  std::vector<SourceText> per;  // expressions, besides the patient
  std::int64_t minutes = 0;
  SourceSpan span;
};

struct Rule {
  std::string id;    // LAD-06; what cards, decisions and tests call it
  std::string name;  // prn-only-strong-opioid; the same as id when the file gives no id
  std::string title, why;
  std::vector<SourceText> evidence;  // ids of the pack's evidence
  bool cites = true;                 // false: `evidence` is absent or empty
  std::vector<std::string> hooks;
  RuleMode mode = RuleMode::kOn;
  std::string cause;          // rules of one cause give one card, whatever packs they are in
  std::int64_t priority = 0;  // higher first
  std::optional<NamedExpression> for_each;
  std::vector<NamedExpression> lets;
  std::vector<RuleLine> lines;  // when lines, then unless lines, in the order of the file
  UnknownPolicy unknown_default = UnknownPolicy::kUnset;
  std::optional<SuppressRepeat> suppress;
  std::optional<CardSource> card;  // absent only when mode is off
  SourceSpan span;
  std::string file;
  // What could not be read may have given names, or lines: nothing is concluded from their absence.
  bool names_known = true, lines_known = true;
};

struct PackValueSet {
  std::string name;  // what expressions call it
  ValueSetSource source;
};

struct PackTable {
  std::string name;
  Table table;
};

struct Pack {
  std::string dir;  // as the user named it
  std::string id, canonical, title, status, publisher, copyright, description;
  Version version;
  bool experimental = false;
  std::int64_t precedence = 0;  // among cards of one indicator: packs with more come first, and speak first
  std::vector<std::string> fhir_versions;
  std::string effective_from, effective_to;  // YYYY-MM-DD, inclusive; "" for open
  std::string approved, next_review;
  std::vector<Contributor> authors, editors, reviewers, endorsers;
  std::vector<Evidence> evidence;
  std::vector<PackParameter> parameters;
  std::vector<PackValueSet> value_sets;
  std::vector<PackTable> tables;
  std::vector<PrefetchQuery> prefetch;
  std::vector<PackRequirement> requires_packs;
  std::vector<NamedExpression> facts;  // named facts, also for packs that require this one
  std::vector<Rule> rules;             // by file name
  std::string digest;                  // "sha256:" of what the pack says, tests and site files left out
  SourceSpan span;
  bool names_known = true;  // false: some names could not be read (see Rule::names_known)
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_H_
