#include "rules/plan_definition_import.h"

#include <algorithm>
#include <map>
#include <set>

#include "fhir/json_text.h"
#include "rules/fhir_form.h"
#include "rules/import_text.h"
#include "rules/imported_knowledge.h"
#include "rules/knowledge_base.h"
#include "rules/pack_reader.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

// R4 RequestPriority -> indicator. asap has no card of its own: it is listed as not understood.
constexpr std::pair<std::string_view, std::string_view> kIndicators[] = {
    {"routine", "info"}, {"urgent", "warning"}, {"stat", "critical"}};

bool IsFhirPath(const JsonElement& expression) { return expression.Peek("language") == "text/fhirpath"; }

struct RuleDraft {
  std::string file, id, title, why, mode = "on";
  std::string head;  // evidence, hooks, ...
  std::string body;  // let, lines, card

  std::string Text() const {
    return Line(0, "rule", id) + Line(0, "title", title) + Line(0, "why", why) + Line(0, "mode", mode) +
           head + body;
  }
};

class Importer {
 public:
  Importer(const ImportOptions& options, Errors* errors) : errors_(errors) {
    head_.set_id(options.id);
    head_.set_version(options.version);
  }

  std::optional<ImportedPack> Import(const std::vector<Json>& resources) {
    std::vector<JsonReader> readers;
    readers.reserve(resources.size());
    bool any = false;
    for (const Json& resource : resources) {
      const std::string type = resource.value("resourceType", "Resource");
      const std::string id = resource.contains("id") && resource["id"].is_string()
                                 ? resource["id"].get<std::string>()
                                 : std::to_string(readers.size());
      readers.emplace_back(resource, std::string(type).append("/").append(id), errors_);
      any = any || type == "PlanDefinition";
    }
    if (!any) AddError(errors_, {}, "no PlanDefinition: there is no rule to import", Code::kNotFound);
    for (JsonReader& reader : readers) {  // the guide says what the pack is called
      if (reader.root().Peek("resourceType") == "ImplementationGuide") head_.Guide(reader.root());
    }
    for (JsonReader& reader : readers) {
      if (reader.root().Peek("resourceType") == "PlanDefinition") Plan(reader.root());
    }
    for (JsonReader& reader : readers) {
      const std::string type = reader.root().Peek("resourceType");
      if (type == "ValueSet") knowledge_.ValueSet(reader.root());
      if (type == "Library") knowledge_.Library(reader.root());
    }
    if (!errors_->empty()) return std::nullopt;
    Assemble();
    TurnOffWhatDoesNotCompile();
    for (const JsonReader& reader : readers) {
      for (JsonLeftover& rest : reader.Leftovers()) out_.not_understood.push_back(std::move(rest));
    }
    if (!errors_->empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void Plan(const JsonElement& plan) {
    const std::string id = plan.Peek("id").empty() ? plan.Peek("name") : plan.Peek("id");
    const std::string url = plan.Peek("url");
    head_.SuggestId(FhirId(id.empty() ? "imported" : id));
    head_.SuggestCanonical(url);
    const std::string version = plan.Peek("version");
    head_.Metadata(plan);
    const JsonElement own_id = FindExtension(plan, "rule-id");
    const bool ours = static_cast<bool>(own_id);
    const std::string rule_id = ours ? own_id.Text("valueString") : FhirId(id.empty() ? "rule" : id);
    FindExtension(plan, "not-portable").TakeAll();
    const std::string title = plan.Text("title");
    head_.SuggestTitle(title.empty() ? head_.id() : title);
    std::string why = plan.Text("description");
    if (why.empty()) why = plan.Text("purpose");
    if (ours) plan.Child("library").TakeAll();
    TakeType(plan, "eca-rule");

    std::string evidence, links;
    for (const JsonElement& artifact : plan.List("relatedArtifact")) Artifact(artifact, &evidence, &links);
    const std::string origin = version.empty() ? url : url + "|" + version;
    const std::vector<JsonElement> actions = plan.List("action");
    if (actions.empty()) plan.Fail("has no action, so there is nothing to advise");
    for (std::size_t i = 0; i < actions.size(); ++i) {
      RuleDraft rule;
      rule.id = Unique(actions.size() == 1 ? rule_id : rule_id + "-" + std::to_string(i + 1), &rule_ids_);
      rule.title = title.empty() ? actions[i].Peek("title") : title;
      if (rule.title.empty()) rule.title = rule.id;
      rule.why = why;
      if (!evidence.empty()) rule.head += "evidence: [" + evidence + "]\n";
      if (!url.empty()) rule.head += "source: { plan-definition: " + JsonQuote(origin) + " }\n";
      Action(actions[i], ours, links, &rule);
      std::string name = rule.id;
      std::ranges::transform(name, name.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      rule.file = "rules/" + Unique(FhirId(name), &files_) + ".yaml";
      rules_.push_back(std::move(rule));
    }
  }

  void Artifact(const JsonElement& artifact, std::string* evidence, std::string* links) {
    const std::string type = artifact.Peek("type");
    if (const std::string link = ExtensionText(artifact, "link-type", "valueCode"); !link.empty()) {
      artifact.Text("type");
      *links += "    - { label: " + JsonQuote(artifact.Text("display")) +
                ", url: " + JsonQuote(artifact.Text("url")) + ", type: " + JsonQuote(link);
      const std::string context = ExtensionText(artifact, "app-context", "valueString");
      *links += (context.empty() ? "" : ", app-context: " + JsonQuote(context)) + " }\n";
      return;
    }
    if (type != "citation" && type != "justification" && type != "documentation") return;
    artifact.Text("type");
    std::string label = artifact.Text("display");
    const std::string says = artifact.Text("citation");
    const std::string url = artifact.Has("url") ? artifact.Text("url") : artifact.Text("resource");
    if (label.empty()) label = artifact.Has("label") ? artifact.Text("label") : says.empty() ? url : says;
    if (label.empty()) label = type;
    const std::string text = ", type: " + JsonQuote(type) + ", label: " + JsonQuote(PlainText(label)) +
                             (url.empty() ? "" : ", url: " + JsonQuote(url)) +
                             (says.empty() ? "" : ", says: " + JsonQuote(says)) + " }\n";
    std::string& id = evidence_[text];
    const std::string own = artifact.Text("id");
    if (id.empty()) id = Unique(own.empty() ? "e" + std::to_string(evidence_.size()) : own, &evidence_ids_);
    if (("," + *evidence + ",").find("," + JsonQuote(id) + ",") == std::string::npos)
      *evidence += (evidence->empty() ? "" : ",") + JsonQuote(id);
  }

  void Action(const JsonElement& action, bool ours, const std::string& links, RuleDraft* rule) {
    std::string hooks;
    for (const JsonElement& trigger : action.List("trigger")) {
      if (trigger.Peek("type") != "named-event" || trigger.Peek("name").empty()) continue;
      trigger.Text("type");
      hooks += (hooks.empty() ? "" : ", ") + JsonQuote(trigger.Text("name"));
    }
    if (!hooks.empty()) rule->head += "hooks: [" + hooks + "]\n";
    if (hooks.empty()) TurnOff(rule, "it names no event that a CDS Hooks service is called for");
    if (const std::string mode = ExtensionText(action, "mode", "valueCode"); !mode.empty() && mode != "on")
      rule->mode = mode;
    rule->head += Line(0, "cause", ExtensionText(action, "cause", "valueString"));
    if (const JsonElement priority = FindExtension(action, "rule-priority"))
      rule->head += "priority: " + std::to_string(priority.Integer("valueInteger", 0)) + "\n";
    if (const JsonElement quiet = FindExtension(action, "suppress-repeat")) {
      std::string per = "patient";
      for (const JsonElement& one : FindExtensions(action, "suppress-repeat-per"))
        per += ", " + JsonQuote(one.Text("valueString"));
      rule->head += "suppress-repeat: { per: [" + per +
                    "], for: " + std::to_string(quiet.Integer("valueInteger", 0)) +
                    " min, after: override }\n";
    }
    if (const JsonElement for_each = FindExtension(action, "for-each"))
      rule->body += "for-each: { " + Named(for_each.Object("valueExpression")) + " }\n";
    std::string lets;
    for (const JsonElement& extension : action.List("extension")) {
      const JsonElement value = extension.Object("valueExpression");
      if (extension.Peek("url") != kVariableExtension || !IsFhirPath(value)) continue;
      extension.Text("url");
      lets += "  " + Named(value) + "\n";
    }
    if (!lets.empty()) rule->body += "let:\n" + lets;
    Conditions(action, rule);
    Card(action, ours, links, rule);
  }

  std::string Named(const JsonElement& expression) {
    expression.Text("language");
    const std::string name = expression.Text("name");
    return Identifier(name) + ": " + JsonQuote(expression.Text("expression"));
  }

  void Conditions(const JsonElement& action, RuleDraft* rule) {
    std::string when, unless, unknown;
    std::set<std::string> ids;
    for (const JsonElement& condition : action.List("condition")) {
      const JsonElement expression = condition.Object("expression");
      const std::string source = expression.Peek("expression");
      std::string id = condition.Text("id");
      if (id.empty()) id = expression.Peek("name");
      id = Unique(id.empty() ? "c" + std::to_string(ids.size() + 1) : id, &ids);
      const bool applies = condition.Peek("kind") == "applicability";
      const bool stub = !applies || !IsFhirPath(expression) || source.empty();
      if (applies) condition.Text("kind");
      if (expression) expression.Text("name");
      std::string text = expression ? expression.Text("description") : "";
      const JsonElement negated = FindExtension(condition, "unless");
      const bool is_unless = negated && negated.Boolean("valueBoolean", false);
      std::string fhirpath = source;
      if (stub) {
        // The source stays among what was not understood; here it is for those who translate it.
        fhirpath = kUntranslated;
        if (!text.empty()) text += ": ";
        text += source.empty() ? "a condition without expression" : source;
        TurnOff(rule, "its condition `" + (source.empty() ? id : source) + "` (" +
                          (applies ? expression.Peek("language") : condition.Peek("kind")) +
                          ") is not translated");
      } else {
        expression.Text("language");
        expression.Text("expression");
        if (is_unless && source.starts_with("(") && source.ends_with(").not()"))
          fhirpath = source.substr(1, source.size() - 8);
      }
      if (text.empty()) text = source;
      (is_unless ? unless : when) += "  - { id: " + JsonQuote(id) + ", text: " + JsonQuote(text) +
                                     ", if: " + JsonQuote(fhirpath) + " }\n";
      if (const std::string policy = ExtensionText(condition, "unknown", "valueCode"); !policy.empty())
        unknown += "  " + JsonQuote(id) + ": " + JsonQuote(policy) + "\n";
    }
    if (when.empty()) when = "  - { id: always, text: \"the plan has no condition\", if: \"true\" }\n";
    // An applicability condition without an answer does not hold (R4, PlanDefinition.action.condition).
    const std::string policy = ExtensionText(action, "unknown", "valueCode");
    unknown += "  default: " + JsonQuote(policy.empty() ? "silent" : policy) + "\n";
    rule->body += "when:\n" + when + (unless.empty() ? "" : "unless:\n" + unless) + "unknown:\n" + unknown;
  }

  // What a text of the card is computed from, or "".
  std::string Dynamic(const JsonElement& action, std::string_view what) {
    for (const JsonElement& value : action.List("dynamicValue")) {
      const std::string path = value.Peek("path");
      if (path != what && path != "action." + std::string(what) && path != "%action." + std::string(what))
        continue;
      const JsonElement expression = value.Object("expression");
      const bool is_template = expression.Peek("language") == kTemplateLanguage;
      if (!is_template && !IsFhirPath(expression)) continue;
      value.Text("path");
      expression.Text("language");
      const std::string text = expression.Text("expression");
      return is_template ? text : "{{" + text + "}}";
    }
    return "";
  }

  void Card(const JsonElement& action, bool ours, const std::string& links, RuleDraft* rule) {
    const auto text = [&](std::string value) { return ours ? value : PlainText(std::move(value)); };
    const std::string title = action.Text("title"), description = action.Text("description");
    if (ours && !action.Has("priority")) return;  // a rule that is off and has no card
    std::string summary = Dynamic(action, "title"), detail = Dynamic(action, "description");
    if (summary.empty()) summary = PlainText(title.empty() ? rule->title : title);
    if (detail.empty() && !ours) detail = PlainText(description);
    std::string card = "card:\n" + Line(2, "summary", summary) + Line(2, "detail", detail);
    std::string_view indicator = "info";
    for (const auto& [priority, name] : kIndicators) {
      if (action.Peek("priority") != priority) continue;
      action.Text("priority");
      indicator = name;
    }
    card += "  indicator: " + std::string(indicator) + "\n";
    const std::vector<JsonElement> documents = action.List("documentation");
    const std::string icon = ExtensionText(action, "source-icon", "valueString");
    const std::string topic = ExtensionText(action, "topic", "valueString");
    if (!documents.empty()) {
      documents[0].Text("type");
      const std::string url = documents[0].Text("url");
      std::string label = documents[0].Text("display");
      if (label.empty()) label = documents[0].Has("label") ? documents[0].Text("label") : url;
      card += "  source:\n" + Line(4, "label", text(label.empty() ? rule->title : label)) +
              Line(4, "url", text(url)) + Line(4, "icon", icon) + Line(4, "topic", topic);
    }
    for (const std::string_view known : {"any", "at-most-one"}) {
      if (action.Peek("selectionBehavior") == known)
        card += Line(2, "selection", action.Text("selectionBehavior"));
    }
    std::string suggestions;
    for (const JsonElement& child : action.List("action")) suggestions += Suggestion(child, text);
    if (!suggestions.empty()) card += "  suggestions:\n" + suggestions;
    std::string reasons;
    for (const JsonElement& extension : action.List("extension")) {
      if (!extension.Peek("url").ends_with(std::string(kExtensionPart) + "override-reason")) continue;
      extension.Text("url");
      const JsonElement coding = extension.Object("valueCoding");
      reasons += "    - { code: " + JsonQuote(coding.Text("code")) +
                 ", display: " + JsonQuote(coding.Text("display"));
      if (coding.Has("system")) reasons += ", system: " + JsonQuote(coding.Text("system"));
      reasons += " }\n";
    }
    if (!reasons.empty()) card += "  override-reasons:\n" + reasons;
    if (!links.empty()) card += "  links:\n" + links;
    rule->body += card;
  }

  // A child that applies only sometimes is left out whole: offering it always would be another plan.
  std::string Suggestion(const JsonElement& child, auto text) {
    if (child.Has("condition") || child.Has("trigger") || child.Has("relatedAction")) return "";
    const std::string label = child.Has("title") ? child.Text("title") : child.Text("description");
    if (label.empty()) return "";
    std::string out = "    - label: " + JsonQuote(text(label)) + "\n";
    if (const JsonElement recommended = FindExtension(child, "recommended"))
      out += std::string("      recommended: ") +
             (recommended.Boolean("valueBoolean", false) ? "true" : "false") + "\n";
    std::string actions;
    for (const JsonElement& one : child.List("action")) {
      const JsonElement type = one.Object("type");
      std::string code;
      for (const JsonElement& coding : type.List("coding")) code = coding.Peek("code");
      const std::string kind = code == "remove" ? "delete" : code;
      const std::string resource = ExtensionText(one, "resource-template", "valueString");
      const std::string target = ExtensionText(one, "resource-id", "valueString");
      const bool usable =
          kind == "delete" ? !target.empty() : (kind == "create" || kind == "update") && IsObject(resource);
      if (!usable) continue;
      type.TakeAll();
      actions += "        - type: " + kind + "\n" + Line(10, "description", text(one.Text("description"))) +
                 Line(10, "resource-id", kind == "delete" ? target : "");
      if (kind != "delete") actions += "          resource: " + resource + "\n";
    }
    if (!actions.empty()) out += "      actions:\n" + actions;
    return out;
  }

  // JSON that stands in YAML as it is: one line, one object.
  static bool IsObject(const std::string& text) {
    const auto tree = ParseYaml(text);
    return text.find('\n') == std::string::npos && text.starts_with('{') && tree && tree->is_map();
  }

  void TurnOff(RuleDraft* rule, const std::string& why) {
    if (rule->mode != "off") {
      rule->mode = "off";
      rule->why += std::string(rule->why.empty() ? "" : "\n") + "Off: " + why + ".";
    }
    out_.off.push_back("rule " + rule->id + ": " + why);
  }

  void Assemble() {
    std::map<std::string, std::string> by_id;
    for (const auto& [text, id] : evidence_) by_id[id] = text;
    std::string evidence;
    for (const auto& [id, text] : by_id) evidence += "  - { id: " + JsonQuote(id) + text;
    out_.id = head_.id();
    out_.rules = rules_.size();
    out_.source = knowledge_.files();
    out_.source["pack.yaml"] =
        head_.Text() + (evidence.empty() ? "" : "evidence:\n" + evidence) + knowledge_.Sections();
    for (const RuleDraft& rule : rules_) out_.source[rule.file] = rule.Text();
  }

  // FHIRPath of others may name what we have not. Such a rule stays, and stays off.
  void TurnOffWhatDoesNotCompile() {
    Errors errors;
    auto pack = ReadPack(PackFiles::FromFiles(out_.source, "imported"), &errors);
    if (pack && head_.required().empty()) {
      LoadReport report;
      std::vector<Pack> packs;
      packs.push_back(std::move(*pack));
      KnowledgeBase::Load(std::move(packs), &report);
      std::set<std::string> done;
      for (const Error& error : report.errors) {
        const auto rule = std::ranges::find_if(
            rules_, [&](const RuleDraft& one) { return "imported/" + one.file == error.span.file; });
        if (rule == rules_.end()) {
          errors.push_back(error);
        } else if (done.insert(rule->file).second) {
          TurnOff(&*rule, "it does not compile: " + error.message);
          out_.source[rule->file] = rule->Text();
        }
      }
      if (!done.empty() && errors.empty()) ReadPack(PackFiles::FromFiles(out_.source, "imported"), &errors);
    }
    std::ranges::move(errors, std::back_inserter(*errors_));
  }

  Errors* errors_;
  ImportedPack out_;
  ImportedHead head_;
  ImportedKnowledge knowledge_{&head_};
  std::vector<RuleDraft> rules_;
  std::map<std::string, std::string> evidence_;  // text -> id
  std::set<std::string> rule_ids_, files_, evidence_ids_;
};

}  // namespace

std::optional<ImportedPack> ImportPlanDefinitions(const std::vector<Json>& resources,
                                                  const ImportOptions& options, Errors* errors) {
  return Importer(options, errors).Import(resources);
}

}  // namespace stepwise::rules
