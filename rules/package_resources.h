// PackResources: the FHIR R4 form of a pack, which travels in its package beside the source.
//
//   package.json              name, version, canonical, FHIR versions, what it depends on
//   .index.json               the resources by file name
//   ImplementationGuide       pack.yaml
//   Library  <id>-manifest    asset-collection: required packs and value sets, each with its version
//   Library  <id>-logic       logic-library: named facts as FHIRPath, parameters, prefetch
//   PlanDefinition            one a rule (rules/plan_definition.h)
//   ValueSet                  one a value set, its codes frozen as tables and includes gave them
//
// Source: FHIR R4 4.0.1; packages: https://hl7.org/fhir/packages.html. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_PACKAGE_RESOURCES_H_
#define STEPWISE_RULES_PACKAGE_RESOURCES_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rules/archive.h"
#include "rules/knowledge_base.h"
#include "rules/value_set_codes.h"

namespace stepwise::rules {

// The resources, ordered by file name. Errors: kFailedPrecondition (a pack without `canonical` has no place
// in FHIR), kSemantic (two names that are one FHIR id).
Result<std::vector<nlohmann::json>> MakeResources(const KnowledgeBase& base, const Pack& pack);

// The same as files of a package, with package.json and .index.json.
Result<FileMap> MakePackageFiles(const KnowledgeBase& base, const Pack& pack);

// The codes of one of the pack's value sets, those from tables of required packs included.
std::vector<ListedCode> FrozenCodes(const KnowledgeBase& base, const Pack& pack, const PackValueSet& set);

// The package of a pack that was read from a folder or a package. Errors: those of both.
Result<std::string> BuildPackage(const KnowledgeBase& base, const Pack& pack);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACKAGE_RESOURCES_H_
