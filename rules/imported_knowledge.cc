#include "rules/imported_knowledge.h"

#include <map>

#include "fhir/json_text.h"
#include "rules/fhir_form.h"
#include "rules/import_text.h"

namespace stepwise::rules {
namespace {

// "" for what is more than codes, or codes with all below them. Takes nothing.
std::string Include(const JsonElement& include) {
  const std::string system = include.Peek("system");
  if (system.empty() || !include.json()->is_object()) return "";
  for (const auto& [key, value] : include.json()->items()) {
    if (key != "system" && key != "concept" && key != "filter") return "";
  }
  std::string codes;
  std::set<std::string> seen;
  for (const JsonElement& entry : include.List("concept")) {
    const std::string code = entry.Peek("code");
    if (code.empty()) return "";
    if (seen.insert(code).second)
      codes += (codes.empty() ? "" : ", ") + JsonQuote(code) + ": " + JsonQuote(entry.Peek("display"));
  }
  const std::vector<JsonElement> filters = include.List("filter");
  if (!filters.empty()) {
    if (!codes.empty() || filters.size() != 1 || filters[0].Peek("property") != "concept" ||
        filters[0].Peek("op") != "is-a" || filters[0].Peek("value").empty())
      return "";
    codes = JsonQuote(filters[0].Peek("value")) + ": \"\"";
  }
  if (codes.empty()) return "";
  return "  - { system: " + JsonQuote(system) + ", codes: { " + codes + " }" +
         (filters.empty() ? "" : ", descendants: true") + " }\n";
}

}  // namespace

void ImportedKnowledge::ValueSet(const JsonElement& set) {
  const JsonElement compose = set.Object("compose");
  const std::vector<JsonElement> includes = compose.List("include");
  if (set.Has("expansion") || compose.Has("exclude") || includes.empty()) return;
  std::string list;
  for (const JsonElement& include : includes) {
    const std::string part = Include(include);
    if (part.empty()) return;  // nothing was taken yet: the whole set is listed
    list += part;
  }
  const std::string url = set.Peek("url");
  const std::string title = set.Peek("title").empty() ? set.Peek("name") : set.Peek("title");
  if (url.empty() || title.empty()) return;
  for (const JsonElement& include : includes) include.TakeAll();
  const std::string own = set.Peek("id").empty()     ? set.Peek("name")
                          : set.Peek("name").empty() ? set.Peek("id")
                                                     : set.Peek("name");
  const std::string name = Unique(Identifier(own), &sets_, "_");
  std::string text = Line(0, "name", name) + Line(0, "url", url) +
                     Line(0, "version", set.Has("version") ? set.Text("version") : "0.0.0") +
                     Line(0, "title", title) + Line(0, "copyright", set.Text("copyright")) +
                     Line(0, "status", set.Text("status"));
  set.Text("title");
  set.Boolean("immutable", false);
  std::string unverified;
  for (const JsonElement& extension : set.List("extension")) {
    if (!extension.Peek("url").ends_with(std::string(kExtensionPart) + "unverified")) continue;
    extension.Text("url");
    unverified += (unverified.empty() ? "" : ", ") + JsonQuote(extension.Text("valueString"));
  }
  if (!unverified.empty()) text += "unverified: [" + unverified + "]\n";
  head_->Metadata(set);
  files_["valuesets/" + name + ".yaml"] = text + "include:\n" + list;
  value_sets_ += "  " + name + ": " + JsonQuote("valuesets/" + name + ".yaml") + "\n";
}

bool ImportedKnowledge::Facts(const JsonElement& library) {
  bool ours = false;
  for (const JsonElement& content : library.List("content")) {
    if (content.Peek("contentType") != "text/fhirpath") continue;
    const auto text = FromBase64(content.Peek("data"));
    if (!text) {
      content.Fail("has no base64 `data`");
      continue;
    }
    ours = true;
    content.Text("contentType");
    content.Text("data");
    facts_ +=
        "  " + Unique(Identifier(content.Text("title")), &fact_names_, "_") + ": " + JsonQuote(*text) + "\n";
  }
  return ours;
}

bool ImportedKnowledge::Parameters(const JsonElement& library) {
  bool ours = false;
  for (const JsonElement& parameter : library.List("parameter")) {
    const JsonElement rule = FindExtension(parameter, "parameter-rule");
    if (!rule) continue;
    ours = true;
    std::map<std::string, JsonElement> parts;
    for (const JsonElement& part : rule.List("extension")) parts.emplace(part.Peek("url"), part);
    std::string type = parameter.Text("type");
    std::string entry;
    for (const char* key : {"type", "default", "min", "max", "unit"}) {
      const auto found = parts.find(key);
      if (found == parts.end()) continue;
      found->second.Text("url");
      const std::string text = found->second.Text("valueString");
      if (std::string_view(key) == "type") {
        type = text;
      } else {
        entry += std::string(", ") + key + ": " + JsonQuote(text);
      }
    }
    if (const auto found = parts.find("overridable"); found != parts.end()) {
      found->second.Text("url");
      if (!found->second.Boolean("valueBoolean", true)) entry += ", override: none";
    }
    for (const char* key : {"use", "max"}) parameter.Text(key);
    parameter.Integer("min", 0);
    if (const std::string doc = parameter.Text("documentation"); !doc.empty())
      entry += ", doc: " + JsonQuote(doc);
    parameters_ +=
        "  " + Identifier(parameter.Text("name")) + ": { type: " + JsonQuote(type) + entry + " }\n";
  }
  return ours;
}

bool ImportedKnowledge::Prefetch(const JsonElement& library) {
  bool ours = false;
  for (const JsonElement& requirement : library.List("dataRequirement")) {
    const JsonElement rule = FindExtension(requirement, "prefetch");
    if (!rule) continue;
    ours = true;
    std::map<std::string, JsonElement> parts;
    for (const JsonElement& part : rule.List("extension")) parts.emplace(part.Peek("url"), part);
    if (!parts.contains("key") || !parts.contains("query") || !parts.contains("required")) continue;
    rule.TakeAll();
    requirement.Text("type");
    if (parts.contains("inherited")) continue;  // from a pack that is required
    const std::string key = Identifier(parts.at("key").Text("valueString"));
    if (!queries_.insert(key).second) continue;
    prefetch_ += "  " + key + ": { query: " + JsonQuote(parts.at("query").Text("valueString")) +
                 ", required: " + (parts.at("required").Boolean("valueBoolean", true) ? "true" : "false") +
                 " }\n";
  }
  return ours;
}

// Only what MakeResources writes.
void ImportedKnowledge::Library(const JsonElement& library) {
  const bool facts = Facts(library), parameters = Parameters(library), prefetch = Prefetch(library);
  if (!facts && !parameters && !prefetch) return;
  head_->Metadata(library);
  library.Text("title");
  TakeType(library, "logic-library");
}

std::string ImportedKnowledge::Sections() const {
  const std::pair<const char*, const std::string*> sections[] = {{"parameters", &parameters_},
                                                                 {"valuesets", &value_sets_},
                                                                 {"prefetch", &prefetch_},
                                                                 {"facts", &facts_}};
  std::string out;
  for (const auto& [name, lines] : sections) {
    if (!lines->empty()) out += std::string(name) + ":\n" + *lines;
  }
  return out;
}

}  // namespace stepwise::rules
