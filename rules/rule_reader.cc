#include <algorithm>
#include <set>

#include "rules/pack_reader.h"
#include "rules/suppression.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kIndicators[] = {"critical", "warning", "info"};
constexpr std::string_view kModes[] = {"on", "shadow", "off"};
constexpr std::string_view kActionTypes[] = {"create", "update", "delete"};
constexpr std::string_view kLinkTypes[] = {"absolute", "smart"};
constexpr std::string_view kSelections[] = {"at-most-one", "any"};
constexpr std::string_view kUnknowns[] = {"silent", "fire"};

ActionSource ReadAction(const YamlNode& node, Errors* errors) {
  ActionSource out;
  Fields fields(node, "an action", errors);
  out.span = node.span;
  out.type = fields.OneOf("type", kActionTypes, "");
  if (out.type.empty() && node.is_map() && node.Find("type") == nullptr)
    fields.Fail(node.span, "an action needs the key `type`: create, update or delete");
  out.description = fields.Source("description", Need::kRequired);
  out.resource_id = fields.Source("resource-id");
  if (const YamlNode* resource = fields.Map("resource")) out.resource = *resource;
  const bool deletes = out.type == "delete";
  if (deletes && out.resource_id.empty())
    fields.Fail(node.span, "a delete names its `resource-id`, such as \"MedicationRequest/{{%order.id}}\"");
  if (deletes && out.resource) fields.Fail(node.span, "a delete has a `resource-id` and no `resource`");
  if (!deletes && !out.type.empty() && !out.resource)
    fields.Fail(node.span, "a " + out.type + " has a `resource`");
  return out;
}

SuggestionSource ReadSuggestion(const YamlNode& node, Errors* errors) {
  SuggestionSource out;
  Fields fields(node, "a suggestion", errors);
  out.label = fields.Source("label", Need::kRequired);
  out.recommended = fields.Boolean("recommended", false);
  if (const YamlNode* actions = fields.List("actions")) {
    for (const YamlNode& action : actions->children) out.actions.push_back(ReadAction(action, errors));
  }
  return out;
}

void ReadLinks(const YamlNode* list, Errors* errors, std::vector<LinkSource>* out) {
  if (list == nullptr) return;
  for (const YamlNode& node : list->children) {
    Fields fields(node, "a link", errors);
    LinkSource link;
    link.label = fields.Source("label", Need::kRequired);
    link.url = fields.Source("url", Need::kRequired);
    link.type = fields.OneOf("type", kLinkTypes, "absolute");
    link.app_context = fields.Source("app-context");
    if (!link.app_context.empty() && link.type != "smart") {
      fields.Fail(link.app_context.span, "`app-context` is for links of type smart");
    }
    out->push_back(std::move(link));
  }
}

CardSource ReadCard(const YamlNode& node, Errors* errors) {
  CardSource out;
  Fields fields(node, "a card", errors);
  out.span = node.span;
  out.summary = fields.Source("summary", Need::kRequired);
  out.detail = fields.Source("detail");
  const std::string indicator = fields.OneOf("indicator", kIndicators, "info");
  if (node.is_map() && node.Find("indicator") == nullptr)
    fields.Fail(node.span, "a card needs the key `indicator`: info, warning or critical");
  out.indicator = static_cast<Indicator>(std::ranges::find(kIndicators, indicator) - std::begin(kIndicators));
  if (const YamlNode* source = fields.Map("source")) {
    Fields entry(*source, "a card's source", errors);
    out.source_label = entry.Source("label", Need::kRequired);
    out.source_url = entry.Source("url");
    out.source_icon = entry.Text("icon");
    out.topic = entry.Text("topic");
  }
  if (const YamlNode* list = fields.List("suggestions")) {
    for (const YamlNode& child : list->children) out.suggestions.push_back(ReadSuggestion(child, errors));
  }
  out.selection = fields.OneOf("selection", kSelections, "at-most-one");
  if (const YamlNode* list = fields.List("override-reasons")) {
    std::set<std::string> codes;
    for (const YamlNode& child : list->children) {
      Fields entry(child, "an override reason", errors);
      const SourceText code = entry.Source("code", Need::kRequired);
      if (!code.empty() && !codes.insert(code.text).second) {
        entry.Fail(code.span,
                   "override reason `" + code.text + "` is given twice; codes are unique in a card");
      }
      out.override_reasons.push_back(
          {code.text, entry.Text("system"), entry.Text("display", Need::kRequired)});
    }
  }
  ReadLinks(fields.List("links"), errors, &out.links);
  return out;
}

NamedExpression ReadExpression(const YamlNode& node, std::string_view what, Errors* errors) {
  if (!node.is_scalar()) AddError(errors, node.span, std::string(what) + " is one FHIRPath expression");
  if (!IsIdentifier(node.key.text)) {
    AddError(errors, node.key.span,
             "`" + node.key.text + "` is no name; use letters, digits and _ so that %" + node.key.text +
                 " can be written");
  }
  return {node.key, node.value};
}

void ReadLines(const YamlNode* list, bool unless, Errors* errors, Rule* rule) {
  if (list == nullptr) return;
  for (const YamlNode& node : list->children) {
    Fields fields(node, unless ? "an unless line" : "a when line", errors);
    RuleLine line;
    line.span = node.span;
    line.unless = unless;
    const SourceText id = fields.Source("id", Need::kRequired);
    line.id = id.text;
    line.text = fields.Text("text", Need::kRequired);
    line.expression = fields.Source("if", Need::kRequired);
    if (!id.empty() && std::ranges::find(rule->lines, id.text, &RuleLine::id) != rule->lines.end()) {
      fields.Fail(id.span, "line `" + id.text + "` is given twice");
    }
    rule->lines.push_back(std::move(line));
  }
}

void ReadUnknown(const YamlNode* map, Errors* errors, Rule* rule) {
  if (map == nullptr) return;
  for (const YamlNode& node : map->children) {
    const auto policy = std::ranges::find(kUnknowns, node.value.text);
    if (policy == std::end(kUnknowns)) {
      AddError(errors, node.span, "an unknown line is `silent` or `fire`, not `" + node.value.text + "`");
      continue;
    }
    const UnknownPolicy chosen = *policy == "fire" ? UnknownPolicy::kFire : UnknownPolicy::kSilent;
    const auto line = std::ranges::find(rule->lines, node.key.text, &RuleLine::id);
    if (line != rule->lines.end()) {
      line->unknown = chosen;
    } else if (node.key.text == "default") {
      rule->unknown_default = chosen;
    } else {
      std::vector<std::string> ids = {"default"};
      for (const RuleLine& known : rule->lines) ids.push_back(known.id);
      AddError(errors, node.key.span,
               "no line `" + node.key.text + "` in this rule" + Suggest(node.key.text, ids));
    }
  }
}

}  // namespace

std::string_view IndicatorName(Indicator indicator) {
  return kIndicators[static_cast<std::size_t>(indicator)];
}

Rule ReadRule(const YamlNode& node, Errors* errors) {
  Rule rule;
  Fields fields(node, "a rule", errors);
  rule.span = node.span;
  rule.id = rule.name = fields.Text("rule", Need::kRequired);
  if (const SourceText id = fields.Source("id"); id.span.line != 0) rule.id = id.text;
  rule.title = fields.Text("title", Need::kRequired);
  rule.why = fields.Text("why");
  rule.evidence = fields.Texts("evidence");
  for (const SourceText& hook : fields.Texts("hooks")) rule.hooks.push_back(hook.text);
  const std::string mode = fields.OneOf("mode", kModes, "on");
  rule.mode = mode == "off" ? RuleMode::kOff : mode == "shadow" ? RuleMode::kShadow : RuleMode::kOn;
  rule.cause = fields.Text("cause");
  rule.priority = fields.Integer("priority", fields.Integer("order", 0));
  if (rule.mode == RuleMode::kOff && rule.why.empty())
    fields.Fail(node.span, "a rule that is off says in `why` which datum or decision is missing");
  if (rule.mode != RuleMode::kOff && rule.hooks.empty())
    fields.Fail(node.span, "a rule needs `hooks`: a list such as [order-sign]");

  if (const YamlNode* for_each = fields.Map("for-each")) {
    if (for_each->children.size() == 1) {
      rule.for_each = ReadExpression(for_each->children[0], "`for-each`", errors);
    } else {
      fields.Fail(for_each->span, "`for-each` names one thing: `order: \"...\"`");
    }
  }
  if (const YamlNode* lets = fields.Map("let")) {
    for (const YamlNode& let : lets->children) rule.lets.push_back(ReadExpression(let, "a `let`", errors));
  }
  ReadLines(fields.List("when", rule.mode == RuleMode::kOff ? Need::kOptional : Need::kRequired), false,
            errors, &rule);
  ReadLines(fields.List("unless"), true, errors, &rule);
  ReadUnknown(fields.Map("unknown"), errors, &rule);
  if (const YamlNode* suppress = fields.Map("suppress-repeat"))
    rule.suppress = ReadSuppressRepeat(*suppress, errors);
  fields.Node("source");  // passages the rule rests on, for reviewers
  fields.Node("notes");
  if (const YamlNode* card =
          fields.Map("card", rule.mode == RuleMode::kOff ? Need::kOptional : Need::kRequired)) {
    rule.card = ReadCard(*card, errors);
  }
  std::vector<LinkSource> links;
  ReadLinks(fields.List("links"), errors, &links);
  if (rule.card) std::ranges::move(links, std::back_inserter(rule.card->links));
  return rule;
}

}  // namespace stepwise::rules
