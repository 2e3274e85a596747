// PackItems: a pack as a flat list of named things, each saying what it means when it comes, goes or changes:
// what two versions are compared by (rules/pack_diff.h).
//
//   "rule SCH-08"                            kWhole
//   "rule SCH-08, line rescue: condition"    kWho    "%has_rescue"
//   "rule SCH-08, card: summary"             kText   "No rescue dose ..."
//
// Thread-safety: pure function.
#ifndef STEPWISE_RULES_PACK_ITEMS_H_
#define STEPWISE_RULES_PACK_ITEMS_H_

#include <cstdint>
#include <map>
#include <string>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

// How much of a version a difference needs. patch: text, links, metadata; minor: something new, or who gets
// advice; major: another class of advice, or what clients and sites rely on (inputs, override codes).
enum class Bump : std::uint8_t { kNone, kPatch, kMinor, kMajor };
std::string_view BumpName(Bump bump);  // "none", "patch", "minor", "major"

enum class ItemKind : std::uint8_t {
  kText,    // for people
  kWho,     // decides who gets advice
  kWhole,   // a rule, fact, table, value set, parameter: minor when it comes or changes, major when it goes
  kAdvice,  // what is advised
  kInput,   // what clients and sites send or rely on
  kMode,    // of a rule: minor towards being shown, major away from it
  kLow,     // lower bound of a parameter: major when it rises
  kHigh,    // upper bound: major when it falls
};

struct PackItem {
  ItemKind kind = ItemKind::kText;
  std::string value;
};

// By name; "a, b" and "a: b" are parts of "a".
using PackItems = std::map<std::string, PackItem, std::less<>>;

PackItems ListItems(const KnowledgeBase& base, const Pack& pack);

// What it needs when an item comes (`before` nullptr), goes (`after` nullptr) or changes.
Bump BumpOf(const PackItem* before, const PackItem* after);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_ITEMS_H_
