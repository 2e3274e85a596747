// CheckFolders: everything that can be known to be wrong with packs before they meet a patient.
//
//   CheckReport report = CheckFolders(std::array{std::string("rules/packs")}, {});
//   report.errors() == 0
//
// Reads and compiles the packs as a service would (rules/knowledge_base.h), for each FHIR version that a pack
// names, and goes on after errors so that one run finds them all. Then what a service does not need to know:
//   never fires, constant   rules/line_checks.h        evidence         a rule that names no source
//   overlap                 rules/overlap.h            summary, HTML    rules/card_checks.h
//   override codes          rules/override_codes.h     tests            shape and names of tests/*.yaml
// Thread-safety: pure but for reading the disk.
#ifndef STEPWISE_RULES_PACK_CHECK_H_
#define STEPWISE_RULES_PACK_CHECK_H_

#include <span>
#include <string>

#include "rules/check_report.h"

namespace stepwise::rules {

struct CheckOptions {
  std::string against = {};  // earlier version: a pack folder or a folder of packs; "" for none
};

CheckReport CheckFolders(std::span<const std::string> dirs, const CheckOptions& options = {});

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_CHECK_H_
