// Exchange: a pack as one FHIR Bundle that other systems read, and back.
//
//   Result<std::string> bundle = ExportBundle(base, pack);
//   std::optional<ImportedPack> pack = ImportPack(*bundle, "out.json", {}, &errors);
//   pack->source is the pack's folder, byte for byte
//
// The Bundle (type collection) holds the resources of the package, and one Library with the source files as
// attachments, their digest, and the SHA-256 of every other resource: when a resource was changed since, the
// import says so and stops, because taking the source would drop that change in silence.
// ImportPack reads such a Bundle, a package of ours, and what others make: one PlanDefinition, a Bundle, or a
// FHIR package (.tgz) with some, by rules/plan_definition_import.h.
// Errors: kSyntax (no JSON; line and column), kInvalidArgument (path in the resource), kLimit, those of
// packages. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_PACK_EXCHANGE_H_
#define STEPWISE_RULES_PACK_EXCHANGE_H_

#include <optional>
#include <string>

#include "rules/knowledge_base.h"
#include "rules/plan_definition_import.h"

namespace stepwise::rules {

Result<std::string> ExportBundle(const KnowledgeBase& base, const Pack& pack);

struct ExchangeOptions {
  ImportOptions naming = {};
  bool from_resources =
      false;  // do not look for the source: read the FHIR resources, as if others had made them
  std::size_t max_bytes = 64u << 20;
  int max_depth = 100;
};

// `name`: of the file, for messages. nullopt when any error was added.
std::optional<ImportedPack> ImportPack(std::string_view bytes, const std::string& name,
                                       const ExchangeOptions& options, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_EXCHANGE_H_
