// ResourceTemplate: the resource that a suggestion creates or updates, with parts taken from the request.
//
//   resource:
//     resourceType: MedicationRequest
//     subject: { $value: "%order.subject" }           the JSON of a node, byte for byte; several give a list
//     note: { $optional: "%order.note" }               left out when the expression is empty
//     dosageInstruction: [ { text: "{{%drug}} by the clock" } ]
//
//   { $value: "%order", status: draft }                a copy of an object with some properties replaced
//
// Compiled when the pack is loaded. A $value without an answer is an error when rendering, so the card is not
// shown. Numbers keep the digits they were written with. Thread-safety: immutable once compiled.
#ifndef STEPWISE_RULES_RESOURCE_TEMPLATE_H_
#define STEPWISE_RULES_RESOURCE_TEMPLATE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/template.h"

namespace stepwise::rules {

class ResourceTemplate {
 public:
  static ResourceTemplate Compile(const YamlNode& node, const TemplateScope& scope);

  // FHIR JSON. Errors as Template::Render.
  Result<std::string> Render(const TemplateData& data) const;
  std::vector<const fhirpath::Program*> programs() const;

 private:
  enum class Kind : std::uint8_t { kLiteral, kText, kValue, kList, kObject };
  std::string key_;  // of an entry in an object
  Kind kind_ = Kind::kLiteral;
  bool optional_ = false;                   // kValue
  std::string literal_;                     // kLiteral: JSON; kValue: the expression as written
  Template text_;                           // kText
  std::optional<fhirpath::Program> value_;  // kValue; kObject: what is copied first
  std::vector<ResourceTemplate> children_;  // kList, kObject

  Result<std::string> RenderValue(const TemplateData& data) const;
  Result<std::string> RenderObject(const TemplateData& data) const;
};

// Top-level properties of a JSON object as raw text, in order: {"a":1} -> ("a", "1"). `json` is valid JSON.
std::vector<std::pair<std::string_view, std::string_view>> SplitObject(std::string_view json);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_RESOURCE_TEMPLATE_H_
