// NewPack: a first pack with one rule and its tests, which passes `pack check` and `pack test` as it is.
//
//   NewPack("org.example.my-pack", "my-pack")
//     my-pack/pack.yaml, rules/birth-date.yaml, tests/birth-date.yaml, and schema/*.json for editors
//
// The rule asks for nothing clinical on purpose: a birth date that is not recorded. Authors change it, or
// write the next one beside it. Thread-safety: pure but for writing the disk.
#ifndef STEPWISE_RULES_PACK_NEW_H_
#define STEPWISE_RULES_PACK_NEW_H_

#include <string>

#include "fhir/result.h"

namespace stepwise::rules {

// Errors: kInvalidArgument, an id that cannot be one (letters, digits, . and -), or a folder that is not
// empty; kUnavailable, the disk.
Status NewPack(const std::string& id, const std::string& dir);
// The last part of an id: the folder that `stepwise pack new` makes by default.
std::string PackFolderName(const std::string& id);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_NEW_H_
