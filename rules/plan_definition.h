// PlanDefinition: one rule as FHIR R4 has it (an event-condition-action rule), for exchange with other
// engines.
//
//   title, description       rule title and why          action.condition   when lines; unless lines negated
//   action.trigger           hooks                       action.priority    info routine, warning urgent,
//   action.dynamicValue      summary and detail                             critical stat
//   action.documentation     card source                 relatedArtifact    evidence and links
//   action.action            suggestions                 variable           let
//
// The mapping follows what CDS Hooks services make of PlanDefinitions (HAPI Clinical Reasoning). What R4 has
// no element for is in our extensions (rules/fhir_form.h), and `not-portable` says what others will not do.
// Thread-safety: pure function.
#ifndef STEPWISE_RULES_PLAN_DEFINITION_H_
#define STEPWISE_RULES_PLAN_DEFINITION_H_

#include "rules/fhir_form.h"

namespace stepwise::rules {

nlohmann::json MakePlanDefinition(const Pack& pack, const Rule& rule, const FhirForm& form);

// What a pack says about itself that each of its resources repeats: version, status, people, period.
nlohmann::json MakeMetadata(const Pack& pack);

// relatedArtifact entries of a pack's evidence.
nlohmann::json MakeEvidence(const Evidence& evidence);

std::string PlanDefinitionId(const Pack& pack, const Rule& rule);
std::string LogicLibraryId(const Pack& pack);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PLAN_DEFINITION_H_
