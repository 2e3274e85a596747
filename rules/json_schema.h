// JSON Schemas of the pack files, made from the table that the readers use (rules/pack_schema.h).
//
//   JsonSchema(FileSchemas()[0])     the text of rules/schema/pack.schema.json
//
// For YAML language servers: put `# yaml-language-server: $schema=<path>/rule.schema.json` above a file, or
// map rules/*.yaml to it in the editor's settings. They know keys, types and allowed values; names and
// expressions are for `stepwise pack check`. Source: JSON Schema draft-07, which those servers read.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_JSON_SCHEMA_H_
#define STEPWISE_RULES_JSON_SCHEMA_H_

#include <string>

#include "fhir/result.h"
#include "rules/pack_schema.h"

namespace stepwise::rules {

std::string JsonSchemaName(const FileSchema& file);  // "rule.schema.json"
std::string JsonSchema(const FileSchema& file);
// Writes all of them into `dir`, which is made when it does not exist.
Status WriteJsonSchemas(const std::string& dir);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_JSON_SCHEMA_H_
