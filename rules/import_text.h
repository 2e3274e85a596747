// Small texts of an import: YAML that needs no second look, names that are free, and extensions found by
// name.
//
//   Line(2, "label", "A \"b\"")  ->  "  label: \"A \\\"b\\\"\"\n"
//
// Thread-safety: pure functions, but for what JsonElement remembers.
#ifndef STEPWISE_RULES_IMPORT_TEXT_H_
#define STEPWISE_RULES_IMPORT_TEXT_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/json_reader.h"

namespace stepwise::rules {

// Texts of others are no templates: `{{` becomes `{ {`.
std::string PlainText(std::string text);

// One `key: "text"` of block YAML; nothing when the text is empty.
std::string Line(int indent, std::string_view key, const std::string& text);

// `text` as a name that expressions can say.
std::string Identifier(std::string text);

// `text`, or `text-2`, `text-3` where it is taken.
std::string Unique(const std::string& text, std::set<std::string>* taken, std::string_view joint = "-");

// One of our extensions (rules/fhir_form.h), its url taken; none when it is not there.
std::vector<JsonElement> FindExtensions(const JsonElement& element, std::string_view name);
JsonElement FindExtension(const JsonElement& element, std::string_view name);
std::string ExtensionText(const JsonElement& element, std::string_view name, const std::string& key);

// Takes `type` when it has this code.
void TakeType(const JsonElement& resource, std::string_view code);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_IMPORT_TEXT_H_
