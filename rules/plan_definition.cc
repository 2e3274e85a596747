#include "rules/plan_definition.h"

#include <algorithm>

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kModeNames[] = {"on", "shadow", "off"};
constexpr std::string_view kPriorities[] = {"stat", "urgent", "routine"};  // as Indicator

Json FhirPath(const std::string& expression) {
  return {{"language", "text/fhirpath"}, {"expression", expression}};
}

Json TemplateExpression(const SourceText& text) {
  return {{"language", kTemplateLanguage}, {"expression", text.text}};
}

Json Variable(const NamedExpression& named) {
  Json value = FhirPath(named.expression.text);
  value["name"] = named.name.text;
  return value;
}

// relatedArtifact.type is required and bound: what the author calls otherwise is documentation.
std::string ArtifactType(const std::string& type) {
  constexpr std::string_view kTypes[] = {"documentation", "justification", "citation",   "predecessor",
                                         "successor",     "derived-from",  "depends-on", "composed-of"};
  return std::ranges::find(kTypes, type) == std::end(kTypes) ? "documentation" : type;
}

Json People(const std::vector<Contributor>& people) {
  Json out = Json::array();
  for (const Contributor& one : people) {
    Json contact = {{"name", one.on.empty() ? one.name : one.name + " (" + one.on + ")"}};
    if (one.contact.starts_with("mailto:")) {
      contact["telecom"] = Json::array({{{"system", "email"}, {"value", one.contact.substr(7)}}});
    } else if (!one.contact.empty()) {
      const bool url = one.contact.starts_with("http");
      contact["telecom"] = Json::array({{{"system", url ? "url" : "other"}, {"value", one.contact}}});
    }
    out.push_back(std::move(contact));
  }
  return out;
}

std::string UnknownName(UnknownPolicy policy) { return policy == UnknownPolicy::kFire ? "fire" : "silent"; }

class RuleWriter {
 public:
  RuleWriter(const Rule& rule, const FhirForm& form) : rule_(rule), form_(form) {}

  Json Action() {
    Json action = {{"title", rule_.title}};
    SetText(&action, "description", rule_.why);
    Json extensions = Json::array();
    const auto extend = [&](std::string_view name, std::string_view key, Json value) {
      extensions.push_back(form_.Extension(name, key, std::move(value)));
    };
    extend("mode", "valueCode", kModeNames[static_cast<std::size_t>(rule_.mode)]);
    if (rule_.priority != 0) extend("rule-priority", "valueInteger", rule_.priority);
    if (!rule_.cause.empty()) extend("cause", "valueString", rule_.cause);
    if (rule_.suppress) {
      extend("suppress-repeat", "valueInteger", rule_.suppress->minutes);
      for (const SourceText& per : rule_.suppress->per)
        extend("suppress-repeat-per", "valueString", per.text);
    }
    if (rule_.unknown_default != UnknownPolicy::kUnset)
      extend("unknown", "valueCode", UnknownName(rule_.unknown_default));
    if (rule_.for_each) extend("for-each", "valueExpression", Variable(*rule_.for_each));
    for (const NamedExpression& let : rule_.lets)
      extensions.push_back({{"url", kVariableExtension}, {"valueExpression", Variable(let)}});
    for (const std::string& hook : rule_.hooks)
      action["trigger"].push_back({{"type", "named-event"}, {"name", hook}});
    for (const RuleLine& line : rule_.lines) action["condition"].push_back(Condition(line));
    if (rule_.card) AddCard(*rule_.card, &action, &extensions);
    action["extension"] = std::move(extensions);
    return action;
  }

  Json Links() const {
    Json out = Json::array();
    if (!rule_.card) return out;
    for (const LinkSource& link : rule_.card->links) {
      Json artifact = {{"type", "documentation"}, {"display", link.label.text}, {"url", link.url.text}};
      artifact["extension"] = Json::array({form_.Extension("link-type", "valueCode", link.type)});
      if (!link.app_context.empty())
        artifact["extension"].push_back(form_.Extension("app-context", "valueString", link.app_context.text));
      out.push_back(std::move(artifact));
    }
    return out;
  }

 private:
  Json Condition(const RuleLine& line) const {
    Json expression = FhirPath(line.unless ? "(" + line.expression.text + ").not()" : line.expression.text);
    SetText(&expression, "description", line.text);
    expression["name"] = FhirId(line.id);
    Json condition = {{"id", line.id}, {"kind", "applicability"}, {"expression", std::move(expression)}};
    Json extensions = Json::array();
    if (line.unless) extensions.push_back(form_.Extension("unless", "valueBoolean", true));
    if (line.unknown != UnknownPolicy::kUnset)
      extensions.push_back(form_.Extension("unknown", "valueCode", UnknownName(line.unknown)));
    if (!extensions.empty()) condition["extension"] = std::move(extensions);
    return condition;
  }

  void AddCard(const CardSource& card, Json* action, Json* extensions) const {
    (*action)["priority"] = kPriorities[static_cast<std::size_t>(card.indicator)];
    const auto dynamic = [&](const char* path, const SourceText& text) {
      if (!text.empty())
        (*action)["dynamicValue"].push_back({{"path", path}, {"expression", TemplateExpression(text)}});
    };
    dynamic("title", card.summary);
    dynamic("description", card.detail);
    if (!card.source_label.empty()) {
      Json source = {{"type", "documentation"}, {"display", card.source_label.text}};
      SetText(&source, "url", card.source_url.text);
      (*action)["documentation"] = Json::array({std::move(source)});
    }
    if (!card.source_icon.empty())
      extensions->push_back(form_.Extension("source-icon", "valueString", card.source_icon));
    if (!card.topic.empty()) extensions->push_back(form_.Extension("topic", "valueString", card.topic));
    for (const OverrideReason& reason : card.override_reasons) {
      Json coding = {{"code", reason.code}, {"display", reason.display}};
      SetText(&coding, "system", reason.system);
      extensions->push_back(form_.Extension("override-reason", "valueCoding", std::move(coding)));
    }
    if (card.suggestions.empty()) return;
    (*action)["selectionBehavior"] = card.selection;
    for (const SuggestionSource& suggestion : card.suggestions)
      (*action)["action"].push_back(Suggest(suggestion));
  }

  Json Suggest(const SuggestionSource& suggestion) const {
    Json out = {{"title", suggestion.label.text}};
    if (suggestion.recommended)
      out["extension"] = Json::array({form_.Extension("recommended", "valueBoolean", true)});
    for (const ActionSource& action : suggestion.actions) {
      const std::string code = action.type == "delete" ? "remove" : action.type;
      Json one = {{"description", action.description.text},
                  {"type", Coded("http://terminology.hl7.org/CodeSystem/action-type", code)}};
      Json extensions = Json::array();
      if (!action.resource_id.empty())
        extensions.push_back(form_.Extension("resource-id", "valueString", action.resource_id.text));
      if (action.resource)
        extensions.push_back(
            form_.Extension("resource-template", "valueString", YamlToJson(*action.resource)));
      if (!extensions.empty()) one["extension"] = std::move(extensions);
      out["action"].push_back(std::move(one));
    }
    return out;
  }

  const Rule& rule_;
  const FhirForm& form_;
};

std::string NotPortable(const Rule& rule) {
  std::string out;
  const auto add = [&](bool present, std::string_view what) {
    if (present) out += (out.empty() ? "" : "; ") + std::string(what);
  };
  add(rule.for_each.has_value(), "for-each: one evaluation an item");
  add(true, "memberOf() and lookup() answer from the pack, and %names are ours");
  add(std::ranges::any_of(rule.lines,
                          [&](const RuleLine& line) {
                            const UnknownPolicy own = line.unknown;
                            return (own == UnknownPolicy::kUnset ? rule.unknown_default : own) ==
                                   UnknownPolicy::kFire;
                          }),
      "a line without data may let the rule go on");
  add(rule.card && rule.card->summary.text.find("{{") != std::string::npos, "texts are templates");
  return out;
}

}  // namespace

std::string PlanDefinitionId(const Pack& pack, const Rule& rule) { return FhirId(pack.id + "-" + rule.id); }
std::string LogicLibraryId(const Pack& pack) { return FhirId(pack.id + "-logic"); }

Json MakeMetadata(const Pack& pack) {
  Json out = {
      {"version", pack.version.ToString()}, {"status", pack.status}, {"experimental", pack.experimental}};
  SetText(&out, "publisher", pack.publisher);
  SetText(&out, "copyright", pack.copyright);
  SetText(&out, "approvalDate", pack.approved);
  if (!pack.effective_from.empty() || !pack.effective_to.empty()) {
    Json period = Json::object();
    SetText(&period, "start", pack.effective_from);
    SetText(&period, "end", pack.effective_to);
    out["effectivePeriod"] = std::move(period);
  }
  const std::pair<const char*, const std::vector<Contributor>*> people[] = {{"author", &pack.authors},
                                                                            {"editor", &pack.editors},
                                                                            {"reviewer", &pack.reviewers},
                                                                            {"endorser", &pack.endorsers}};
  for (const auto& [key, list] : people) {
    if (!list->empty()) out[key] = People(*list);
  }
  return out;
}

Json MakeEvidence(const Evidence& evidence) {
  Json out = {
      {"id", FhirId(evidence.id)}, {"type", ArtifactType(evidence.type)}, {"display", evidence.label}};
  SetText(&out, "citation", evidence.says);
  SetText(&out, "url", evidence.url);
  return out;
}

Json MakePlanDefinition(const Pack& pack, const Rule& rule, const FhirForm& form) {
  const std::string id = PlanDefinitionId(pack, rule);
  Json plan = MakeMetadata(pack);
  plan["resourceType"] = "PlanDefinition";
  plan["id"] = id;
  plan["url"] = form.Canonical("PlanDefinition", id);
  plan["name"] = FhirName(rule.name);
  plan["title"] = rule.title;
  plan["type"] = Coded("http://terminology.hl7.org/CodeSystem/plan-definition-type", "eca-rule");
  SetText(&plan, "description", rule.why);
  plan["extension"] = Json::array({form.Extension("rule-id", "valueString", rule.id),
                                   form.Extension("not-portable", "valueString", NotPortable(rule))});
  plan["library"] =
      Json::array({form.Canonical("Library", LogicLibraryId(pack)) + "|" + pack.version.ToString()});
  RuleWriter writer(rule, form);
  Json artifacts = Json::array();
  for (const SourceText& evidence : rule.evidence) {
    const auto found = std::ranges::find(pack.evidence, evidence.text, &Evidence::id);
    if (found != pack.evidence.end()) artifacts.push_back(MakeEvidence(*found));
  }
  for (Json& link : writer.Links()) artifacts.push_back(std::move(link));
  if (!artifacts.empty()) plan["relatedArtifact"] = std::move(artifacts);
  plan["action"] = Json::array({writer.Action()});
  return plan;
}

}  // namespace stepwise::rules
