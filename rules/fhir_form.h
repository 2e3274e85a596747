// FhirForm: what the FHIR form of a pack is made of, for those who write it (rules/package_resources.h) and
// those who read it (rules/plan_definition_import.h): ids, canonical JSON, and the extensions for what FHIR
// has no element for.
//
//   FhirForm form(pack);
//   form.Extension("cause", "valueString", "laxative")
//     {"url":"https://cds.example.org/fhir/StructureDefinition/stepwise-cause","valueString":"laxative"}
//
// Extensions live under the pack's own canonical; kExtensions is the one list of them. JSON is canonical
// as RFC 8785 has it: keys sorted, no spaces, no numbers but integers.
// Thread-safety: immutable.
#ifndef STEPWISE_RULES_FHIR_FORM_H_
#define STEPWISE_RULES_FHIR_FORM_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "rules/pack.h"

namespace stepwise::rules {

struct ExtensionName {
  std::string_view name, on, doc;
};

inline constexpr ExtensionName kExtensions[] = {
    {"app-context", "relatedArtifact", "appContext of a link to a SMART app"},
    {"cause", "action", "rules of one cause give one card"},
    {"digest", "relatedArtifact", "digest of the pack that is depended on"},
    {"for-each", "action", "the rule is evaluated for each item of this expression"},
    {"link-type", "relatedArtifact", "absolute | smart"},
    {"mode", "action", "on | shadow | off"},
    {"not-portable", "PlanDefinition", "what other engines will not do as this one does"},
    {"override-reason", "action", "a reason that a clinician may give for overriding the card"},
    {"parameter-rule", "Library.parameter", "default, min, max, unit; whether a site may change it"},
    {"precedence", "ImplementationGuide", "among packs: higher first"},
    {"prefetch", "Library.dataRequirement",
     "CDS Hooks prefetch: key, query, required; inherited from a pack that is required"},
    {"recommended", "action.action", "the suggestion is preselected"},
    {"resource-digest", "Library.relatedArtifact", "SHA-256 of a resource as it was exported"},
    {"resource-id", "action.action.action", "template of the resource to delete"},
    {"resource-template", "action.action.action", "FHIR resource as JSON, with $value holes"},
    {"rule-id", "PlanDefinition", "what cards and decisions call the rule"},
    {"rule-priority", "action", "higher first"},
    {"source-digest", "Library", "digest of the pack whose source files are the library's content"},
    {"source-icon", "action", "icon of the card's source"},
    {"suppress-repeat", "action", "minutes that the card keeps quiet after it was overridden"},
    {"suppress-repeat-per", "action", "expression: the same advice is that of the same value"},
    {"topic", "action", "topic code of the card"},
    {"unknown", "action, condition", "silent | fire: what a line does whose data are absent"},
    {"unless", "condition", "a line that silences the rule; the expression is its negation"},
    {"unverified", "ValueSet", "a code, or a remark, that nobody has checked yet"},
};

inline constexpr std::string_view kExtensionPart = "/StructureDefinition/stepwise-";
inline constexpr std::string_view kVariableExtension = "http://hl7.org/fhir/StructureDefinition/variable";
// Card texts with {{holes}} (rules/template.h); everything else in an Expression is FHIRPath.
inline constexpr std::string_view kTemplateLanguage = "text/x-stepwise-template";

class FhirForm {
 public:
  using Json = nlohmann::json;

  explicit FhirForm(const Pack& pack);

  // "https://cds.example.org/fhir": the canonical without the ImplementationGuide part.
  const std::string& base() const { return base_; }
  std::string Canonical(std::string_view type, std::string_view id) const;
  // `name` is one of kExtensions.
  Json Extension(std::string_view name, std::string_view value_key, Json value) const;

 private:
  std::string base_;
};

// `text` as a FHIR id: [A-Za-z0-9.-]{1,64}. Other texts give other ids but for the characters it replaces.
std::string FhirId(std::string_view text);
// `text` as a computer-friendly FHIR name: a letter, then letters, digits and _.
std::string FhirName(std::string_view text);
std::string CanonicalJson(const nlohmann::json& value);
std::string Base64(std::string_view bytes);
Result<std::string> FromBase64(std::string_view text);
// A CodeableConcept of one coding.
nlohmann::json Coded(std::string_view system, std::string_view code);
// Adds `text` unless it is empty: FHIR has no empty strings.
void SetText(nlohmann::json* object, const char* key, const std::string& text);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FHIR_FORM_H_
