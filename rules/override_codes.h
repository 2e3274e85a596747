// Override reasons must mean the same in every version: clients store the code that a prescriber chose.
//
//   stepwise pack check my-pack --against my-pack-1.2.0
//
// Of each rule that both versions have: a code whose display or system changed is an error; a code that is
// gone is one unless the major version was raised, and so is a rule that is gone with its codes. Source: CDS
// Hooks 2.0 "Override reasons"; https://github.com/cds-hooks/docs/pull/513. Thread-safety: pure functions,
// but for reading the disk.
#ifndef STEPWISE_RULES_OVERRIDE_CODES_H_
#define STEPWISE_RULES_OVERRIDE_CODES_H_

#include <optional>
#include <string>
#include <vector>

#include "rules/pack.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

void CheckOverrideCodes(const Pack& before, const Pack& now, Errors* errors);

// The earlier packs at `path`: a pack folder or a folder of packs. Errors: packs that cannot be read at all;
// what else was wrong with them is passed over.
std::vector<Pack> ReadEarlier(const std::string& path, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_OVERRIDE_CODES_H_
