// ImportPlanDefinitions: FHIR resources -> the source of a pack, and a list of everything that was not
// understood.
//
//   Result<ImportedPack> pack = ImportPlanDefinitions(resources, options, &errors);
//   pack->source          "pack.yaml", "rules/x.yaml", "valuesets/y.yaml"
//   pack->not_understood  "PlanDefinition/x.action[0].timingDateTime"  "2026-01-01"
//
// PlanDefinition: a rule for each top-level action, as rules/plan_definition.h writes it and as CDS Hooks
// services read it. Conditions in text/fhirpath become lines; a condition in CQL (or anything else) becomes a
// line `if: TODO` in a rule that is off, and the pack reader refuses to turn on such a rule or to make its
// pack active. ValueSet: enumerated codes and `is-a`; others stay out whole, since half a value set is
// another one. The pack is always a draft: what is imported has to be read by somebody. Errors (path = place
// in the resource): a value of another kind than FHIR has there, no PlanDefinition. Thread-safety: pure
// function.
#ifndef STEPWISE_RULES_PLAN_DEFINITION_IMPORT_H_
#define STEPWISE_RULES_PLAN_DEFINITION_IMPORT_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rules/archive.h"
#include "rules/json_reader.h"

namespace stepwise::rules {

struct ImportOptions {
  std::string id;       // of the pack; "" derives it from the resources
  std::string version;  // "" takes that of the resources where it is a semantic version, or 0.1.0
};

struct ImportedPack {
  std::string id;
  FileMap source;
  std::size_t rules = 0;
  std::vector<std::string> off;  // "rule x: why it is off"
  std::vector<JsonLeftover> not_understood;
};

// nullopt when any error was added.
std::optional<ImportedPack> ImportPlanDefinitions(const std::vector<nlohmann::json>& resources,
                                                  const ImportOptions& options, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PLAN_DEFINITION_IMPORT_H_
