#include "rules/imported_head.h"

#include <algorithm>

#include "fhir/json_text.h"
#include "rules/import_text.h"
#include "rules/version.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRoles[] = {"author", "editor", "reviewer", "endorser"};

}  // namespace

void ImportedHead::Take(const JsonElement& resource, const std::string& key, std::string* value) {
  const std::string text = resource.Peek(key);
  if (text.empty()) return;
  if (value->empty()) *value = text;
  if (*value == text) resource.Text(key);
}

void ImportedHead::Metadata(const JsonElement& resource) {
  for (const char* key : {"resourceType", "id", "url", "name"}) resource.Text(key);
  Take(resource, "publisher", &publisher_);
  Take(resource, "copyright", &copyright_);
  if (Version::Parse(resource.Peek("version"))) Take(resource, "version", &version_);
  if (resource.Peek("status") == "draft") resource.Text("status");
  const JsonElement period = resource.Object("effectivePeriod");
  const auto day = [](const std::string& moment) { return moment.substr(0, 10); };
  if (IsIsoDate(day(period.Peek("start")))) Take(period, "start", &from_);
  if (IsIsoDate(day(period.Peek("end")))) Take(period, "end", &to_);
  if (resource.Has("experimental")) experimental_ = resource.Boolean("experimental", false) || experimental_;
  for (const std::string_view role : kRoles) People(resource, std::string(role));
}

void ImportedHead::People(const JsonElement& resource, const std::string& role) {
  for (const JsonElement& person : resource.List(role)) {
    std::string entry = "{ name: " + JsonQuote(person.Text("name"));
    for (const JsonElement& telecom : person.List("telecom")) {
      const bool email = telecom.Peek("system") == "email";
      if (entry.find(", contact: ") != std::string::npos) break;
      telecom.Text("system");
      entry += ", contact: " + JsonQuote((email ? "mailto:" : "") + telecom.Text("value"));
    }
    entry += " }";
    std::vector<std::string>& list = people_[role];
    if (std::ranges::find(list, entry) == list.end()) list.push_back(std::move(entry));
  }
}

void ImportedHead::Guide(const JsonElement& guide) {
  Take(guide, "packageId", &id_);
  Take(guide, "url", &canonical_);
  Take(guide, "title", &title_);
  Take(guide, "description", &description_);
  Metadata(guide);
  if (const JsonElement precedence = FindExtension(guide, "precedence"))
    precedence_ = precedence.Integer("valueInteger", 0);
  for (const JsonElement& other : guide.List("dependsOn")) {
    const std::string id = other.Peek("packageId"), version = other.Peek("version");
    if (id.empty() || !Version::Parse(version) || id.starts_with("hl7.")) continue;
    other.TakeAll();
    requires_ += "  " + JsonQuote(id) + ": " + JsonQuote("^" + version) + "\n";
  }
  guide.Object("definition").TakeAll();  // lists the resources that are here
  const JsonElement versions = guide.Child("fhirVersion");
  if (versions && *versions.json() == Json::array({"4.0.1"})) versions.TakeAll();
}

void ImportedHead::SuggestId(const std::string& id) {
  if (id_.empty()) id_ = id;
}

void ImportedHead::SuggestTitle(const std::string& title) {
  if (title_.empty()) title_ = title;
}

void ImportedHead::SuggestCanonical(const std::string& plan_url) {
  if (canonical_.empty() && !plan_url.empty())
    canonical_ = plan_url.substr(0, plan_url.find("/PlanDefinition/")) + "/ImplementationGuide/" + id_;
}

std::string ImportedHead::Text() const {
  std::string out =
      "# Imported from FHIR. A draft: somebody has to read it before anybody relies on it.\npack: 1\n" +
      Line(0, "id", id_) + Line(0, "canonical", canonical_) +
      Line(0, "version", version_.empty() ? "0.1.0" : version_) + Line(0, "title", title_) +
      Line(0, "description", description_) + "status: draft\n" +
      (experimental_ ? "experimental: true\n" : "") + "fhir: [4.0.1]\n" + Line(0, "publisher", publisher_) +
      Line(0, "copyright", copyright_);
  if (precedence_ != 0) out += "precedence: " + std::to_string(precedence_) + "\n";
  if (!from_.empty() || !to_.empty())
    out += "effective:\n" + Line(2, "from", from_.substr(0, 10)) + Line(2, "to", to_.substr(0, 10));
  for (const std::string_view role : kRoles) {
    const auto found = people_.find(std::string(role));
    if (found == people_.end()) continue;
    out += std::string(role) + "s:\n";
    for (const std::string& person : found->second) out += "  - " + person + "\n";
  }
  return out + (requires_.empty() ? "" : "requires:\n" + requires_);
}

}  // namespace stepwise::rules
