// Decision: everything that one evaluation said, and why.
//
//   request + packs in force + now -> Decision { cards, outcome of every line, packs used }
//
// A Decision is plain data: it holds no view into the request, crosses gRPC as a typed message and is what a
// decision record stores. The same request, packs and `now` give the same Decision, byte for byte, ids
// included.
#ifndef STEPWISE_RULES_DECISION_H_
#define STEPWISE_RULES_DECISION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/date_time.h"

namespace stepwise::rules {

enum class Outcome : std::uint8_t { kFalse, kTrue, kUnknown };
std::string_view OutcomeName(Outcome outcome);  // "false", "true", "unknown"

// A resource that decided a line.
struct Source {
  std::string reference;  // "Observation/s1", or "#/context/draftOrders/entry/0/resource" when it has no id
  std::string path;       // element inside it: "Observation.value"
};

// One when/unless line of a rule.
struct LineOutcome {
  std::string id;
  std::string text;                     // as the author wrote it for readers
  bool unless = false;                  // true silences the rule
  bool evaluated = false;               // false: an earlier line had already decided
  Outcome outcome = Outcome::kUnknown;  // meaningful when evaluated
  std::vector<Source> sources;          // resources that the answer rests on, in order of use
  std::string reason;                   // of kUnknown: which datum was missing; "" otherwise
};

enum class RuleStatus : std::uint8_t {
  kFired,       // gave a card
  kStopped,     // a when line was not met, or an unless line was: see stopped_by
  kAbsorbed,    // fired, and another rule of the same cause gave the card: see absorbed_by
  kShadow,      // would have fired; the pack or the site shows no card for it
  kFailed,      // could not be evaluated: see error. Other rules are not affected.
  kSuppressed,  // fired, and its card was overridden not long ago: see note
  kFolded,      // fired past the most cards of a response: only named in the last card
};
inline constexpr std::string_view kRuleStatusNames[] = {  // in the order of RuleStatus
    "fired", "stopped", "absorbed", "shadow", "failed", "suppressed", "folded"};
constexpr std::string_view RuleStatusName(RuleStatus status) {
  return kRuleStatusNames[static_cast<std::size_t>(status)];
}
// Did every line let it through, whoever gave the card? Not those that were overridden.
bool HasFired(RuleStatus status);

struct RuleOutcome {
  std::string pack;     // pack id
  std::string rule;     // rule id, such as LAD-06
  std::string subject;  // reference of the for-each item, "" for rules without for-each
  RuleStatus status = RuleStatus::kStopped;
  std::string stopped_by;   // line id
  std::string absorbed_by;  // rule id
  std::string error;
  std::string note;  // why a rule that fired shows no card, or what its for-each did not find
  std::vector<LineOutcome> lines;
};

struct Coding {
  std::string system, code, display;
};

struct Action {
  std::string type;  // create | update | delete
  std::string description;
  std::string resource;     // FHIR JSON; create and update
  std::string resource_id;  // relative reference; delete
};

struct Suggestion {
  std::string label;
  std::string uuid;
  bool recommended = false;
  std::vector<Action> actions;
};

struct Link {
  std::string label, url, type, app_context;  // type: absolute | smart
};

// An advisory card with CDS Hooks 2.0 content, not yet JSON.
struct Card {
  std::string uuid;
  std::string summary;    // at most 139 code points, cut at a word
  std::string detail;     // GitHub-flavoured Markdown without HTML
  std::string indicator;  // info | warning | critical
  std::string source_label, source_url, source_icon;
  Coding topic;  // {pack canonical, rule id, rule title}
  std::vector<Suggestion> suggestions;
  std::string selection_behavior;  // at-most-one | any; "" without suggestions
  std::vector<Coding> override_reasons;
  std::vector<Link> links;
  std::string pack, version, digest;  // the pack that spoke
  std::string subject;                // reference of the order it is about, or ""
  std::vector<std::string> absorbed;  // ids of the rules of the same cause that this card speaks for
  std::string suppression_key;        // what an override of it keeps quiet (rules/suppression.h), or ""
};

// An override that a clinician has given: of the card with this suppression key, at that time.
struct OverriddenCard {
  std::string key;
  DateTime at;
};

struct PackRef {
  std::string id, version, digest, canonical, title, status;  // digest: "sha256:" + 64 hex digits
};

struct Decision {
  std::string id;  // UUID derived from input digest, pack digests and now
  DateTime now;
  std::string hook;
  std::string input_digest;  // "sha256:..." of the request bytes
  std::vector<PackRef> packs;
  std::vector<Card> cards;  // critical before warning before info, then by rule priority
  std::vector<RuleOutcome> rules;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_DECISION_H_
