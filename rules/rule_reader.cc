#include <algorithm>
#include <set>

#include "rules/pack_reader.h"
#include "rules/suppression.h"

namespace stepwise::rules {
namespace {

ActionSource ReadAction(const YamlNode& node, Errors* errors) {
  ActionSource out;
  Fields fields(node, kActionSchema, errors);
  out.span = node.span;
  out.type = fields.Text("type");
  out.description = fields.Source("description");
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
  const Fields fields(node, kSuggestionSchema, errors);
  out.label = fields.Source("label");
  out.recommended = fields.Boolean("recommended");
  if (const YamlNode* actions = fields.List("actions")) {
    for (const YamlNode& action : actions->children) out.actions.push_back(ReadAction(action, errors));
  }
  return out;
}

void ReadLinks(const YamlNode* list, Errors* errors, std::vector<LinkSource>* out) {
  if (list == nullptr) return;
  for (const YamlNode& node : list->children) {
    Fields fields(node, kLinkSchema, errors);
    LinkSource link;
    link.label = fields.Source("label");
    link.url = fields.Source("url");
    link.type = fields.Text("type");
    link.app_context = fields.Source("app-context");
    if (!link.app_context.empty() && link.type != "smart") {
      fields.Fail(link.app_context.span, "`app-context` is for links of type smart");
    }
    out->push_back(std::move(link));
  }
}

CardSource ReadCard(const YamlNode& node, Errors* errors) {
  CardSource out;
  const Fields fields(node, kCardSchema, errors);
  out.span = node.span;
  out.summary = fields.Source("summary");
  out.detail = fields.Source("detail");
  out.indicator = static_cast<Indicator>(fields.Choice("indicator").value_or(0));
  if (const YamlNode* source = fields.Map("source")) {
    const Fields entry(*source, kCardSourceSchema, errors);
    out.source_label = entry.Source("label");
    out.source_url = entry.Source("url");
    out.source_icon = entry.Text("icon");
    out.topic = entry.Text("topic");
  }
  if (const YamlNode* list = fields.List("suggestions")) {
    for (const YamlNode& child : list->children) out.suggestions.push_back(ReadSuggestion(child, errors));
  }
  out.selection = fields.Text("selection");
  if (const YamlNode* list = fields.List("override-reasons")) {
    std::set<std::string> codes;
    for (const YamlNode& child : list->children) {
      Fields entry(child, kOverrideReasonSchema, errors);
      const SourceText code = entry.Source("code");
      if (!code.empty() && !codes.insert(code.text).second) {
        entry.Fail(code.span,
                   "override reason `" + code.text + "` is given twice; codes are unique in a card");
      }
      out.override_reasons.push_back({code.text, entry.Text("system"), entry.Text("display"), code.span});
    }
  }
  ReadLinks(fields.List("links"), errors, &out.links);
  return out;
}

NamedExpression ReadExpression(const YamlNode& node, Errors* errors) {
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
    Fields fields(node, unless ? kUnlessSchema : kWhenSchema, errors);
    RuleLine line;
    line.span = node.span;
    line.unless = unless;
    const SourceText id = fields.Source("id");
    line.id = id.text;
    line.text = fields.Text("text");
    line.expression = fields.Source("if");
    if (id.empty()) rule->lines_known = false;
    if (!id.empty() && std::ranges::find(rule->lines, id.text, &RuleLine::id) != rule->lines.end()) {
      fields.Fail(id.span, "line `" + id.text + "` is given twice");
    }
    rule->lines.push_back(std::move(line));
  }
}

void ReadUnknown(const YamlNode* map, Errors* errors, Rule* rule) {
  if (map == nullptr) return;
  for (const YamlNode& node : map->children) {
    const UnknownPolicy chosen = node.value.text == "fire" ? UnknownPolicy::kFire : UnknownPolicy::kSilent;
    const auto line = std::ranges::find(rule->lines, node.key.text, &RuleLine::id);
    if (line != rule->lines.end()) {
      line->unknown = chosen;
    } else if (node.key.text == "default") {
      rule->unknown_default = chosen;
    } else if (rule->lines_known) {
      std::vector<std::string> ids = {"default"};
      for (const RuleLine& known : rule->lines) ids.push_back(known.id);
      AddError(errors, node.key.span,
               "no line `" + node.key.text + "` in this rule" + Suggest(node.key.text, ids));
    }
  }
}

}  // namespace

std::string_view IndicatorName(Indicator indicator) {
  return kCardSchema.Find("indicator")->allowed[static_cast<std::size_t>(indicator)];
}

Rule ReadRule(const YamlNode& node, Errors* errors) {
  Rule rule;
  Fields fields(node, kRuleSchema, errors);
  rule.span = node.span;
  rule.id = rule.name = fields.Text("rule");
  if (const SourceText id = fields.Source("id"); id.span.line != 0) rule.id = id.text;
  rule.title = fields.Text("title");
  rule.why = fields.Text("why");
  rule.evidence = fields.Texts("evidence");
  rule.cites = !rule.evidence.empty() || fields.Lost("evidence");
  for (const SourceText& hook : fields.Texts("hooks")) rule.hooks.push_back(hook.text);
  rule.mode = static_cast<RuleMode>(fields.Choice("mode").value_or(0));
  rule.names_known = !fields.Lost("for-each") && !fields.Lost("let");
  rule.lines_known = !fields.Lost("when") && !fields.Lost("unless");
  rule.cause = fields.Text("cause");
  rule.priority = fields.Integer("priority").value_or(0);
  if (rule.mode == RuleMode::kOff && rule.why.empty())
    fields.Fail(node.span, "a rule that is off says in `why` which datum or decision is missing");
  if (rule.mode != RuleMode::kOff && node.is_map() && node.Find("hooks") == nullptr && !fields.Lost("hooks"))
    fields.Fail(node.span, "a rule needs `hooks`: a list such as [order-sign]");

  if (const YamlNode* for_each = fields.Map("for-each")) {
    if (for_each->children.size() != 1)
      fields.Fail(for_each->span, "`for-each` names one thing: `order: \"...\"`");
    if (!for_each->children.empty()) rule.for_each = ReadExpression(for_each->children[0], errors);
    rule.names_known = rule.names_known && for_each->children.size() == 1;
  }
  if (const YamlNode* lets = fields.Map("let")) {
    for (const YamlNode& let : lets->children) rule.lets.push_back(ReadExpression(let, errors));
  }
  const auto needs = [&](std::string_view key) {
    if (rule.mode != RuleMode::kOff && node.is_map() && node.Find(key) == nullptr && !fields.Lost(key))
      fields.Fail(node.span, "a rule that is not off needs the key `" + std::string(key) + "`");
  };
  needs("when");
  needs("card");
  ReadLines(fields.List("when"), false, errors, &rule);
  ReadLines(fields.List("unless"), true, errors, &rule);
  ReadUnknown(fields.Map("unknown"), errors, &rule);
  if (const YamlNode* suppress = fields.Map("suppress-repeat"))
    rule.suppress = ReadSuppressRepeat(*suppress, errors);
  if (const YamlNode* card = fields.Map("card")) rule.card = ReadCard(*card, errors);
  std::vector<LinkSource> links;
  ReadLinks(fields.List("links"), errors, &links);
  if (rule.card) std::ranges::move(links, std::back_inserter(rule.card->links));
  return rule;
}

}  // namespace stepwise::rules
