// ReadPack: pack folder or package -> Pack, with every error of every file.
//
//   Errors errors;
//   std::optional<Pack> pack = ReadPack("rules/packs/cancer-pain", &errors);
//   for (const Error& error : errors) std::cerr << error.ToString() << "\n";
//     packs/a/rules/x.yaml:7:3: unknown key `sumary` in a card; did you mean `summary`?
//
// Checks the shape of each file (keys, types, dates, versions, ids that must be unique or must exist inside
// the pack). What needs other packs or FHIRPath is checked by KnowledgeBase::Load (rules/knowledge_base.h).
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_PACK_READER_H_
#define STEPWISE_RULES_PACK_READER_H_

#include <optional>
#include <string>
#include <string_view>

#include "rules/pack.h"
#include "rules/pack_files.h"

namespace stepwise::rules {

// nullopt when any error was added. `site`: applies sites/<site>.yaml where the pack has it; all overlays are
// checked in any case.
std::optional<Pack> ReadPack(const std::string& dir, Errors* errors, const std::string& site = {});
// The same from files that were already read.
std::optional<Pack> ReadPack(PackFiles files, Errors* errors, const std::string& site = {});

// What could be read, whatever is wrong: for going on to find what else is. Its id is empty when pack.yaml
// itself could not be read.
Pack ReadPackDraft(const std::string& dir, Errors* errors, const std::string& site = {});

// rules/*.yaml, one at a time (rules/rule_reader.cc).
Rule ReadRule(const YamlNode& node, Errors* errors);

// What stands after `if:` where an imported condition still has to be translated. A rule with such a line
// stays off, and its pack is not active.
inline constexpr std::string_view kUntranslated = "TODO";

// A name that expressions can say after % or in quotes: a letter or _, then letters, digits and _.
bool IsIdentifier(std::string_view text);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_READER_H_
