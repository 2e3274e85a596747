#include "rules/import_text.h"

#include "fhir/json_text.h"
#include "rules/fhir_form.h"
#include "rules/pack_reader.h"

namespace stepwise::rules {

std::string PlainText(std::string text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if ((text[at] == '{' || text[at] == '}') && text[at - 1] == text[at]) text.insert(at, " ");
  }
  return text;
}

std::string Line(int indent, std::string_view key, const std::string& text) {
  if (text.empty()) return "";
  return std::string(static_cast<std::size_t>(indent), ' ') + std::string(key) + ": " + JsonQuote(text) +
         "\n";
}

std::string Identifier(std::string text) {
  for (char& c : text) {
    if (!IsIdentifier(std::string("a") + c)) c = '_';
  }
  if (!IsIdentifier(text)) text.insert(0, "_");
  return text;
}

std::string Unique(const std::string& text, std::set<std::string>* taken, std::string_view joint) {
  std::string out = text;
  for (int i = 2; !taken->insert(out).second; ++i) out = text + std::string(joint) + std::to_string(i);
  return out;
}

std::vector<JsonElement> FindExtensions(const JsonElement& element, std::string_view name) {
  std::vector<JsonElement> out;
  for (const JsonElement& one : element.List("extension")) {
    if (!one.Peek("url").ends_with(std::string(kExtensionPart) + std::string(name))) continue;
    one.Text("url");
    out.push_back(one);
  }
  return out;
}

JsonElement FindExtension(const JsonElement& element, std::string_view name) {
  const std::vector<JsonElement> all = FindExtensions(element, name);
  return all.empty() ? JsonElement{nullptr, nullptr, ""} : all.front();
}

std::string ExtensionText(const JsonElement& element, std::string_view name, const std::string& key) {
  const JsonElement found = FindExtension(element, name);
  return found ? found.Text(key) : "";
}

void TakeType(const JsonElement& resource, std::string_view code) {
  const JsonElement type = resource.Object("type");
  for (const JsonElement& coding : type.List("coding")) {
    if (coding.Peek("code") == code) type.TakeAll();
  }
}

}  // namespace stepwise::rules
