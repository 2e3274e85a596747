#include "rules/site_overlay.h"

#include <algorithm>
#include <vector>

#include "rules/digest.h"
#include "rules/parameter.h"

namespace stepwise::rules {
namespace {

void CheckTarget(const SourceText& target, const Pack& pack, Errors* errors) {
  if (target.span.line == 0) return;
  const std::size_t at = target.text.rfind('@');
  const auto range = at == std::string::npos
                         ? std::nullopt
                         : VersionRange::Parse(std::string_view(target.text).substr(at + 1));
  if (!range) {
    AddError(errors, target.span,
             "`" + target.text + "` names no pack and versions; write " + pack.id + "@^1.2 or " + pack.id +
                 "@" + pack.version.ToString());
  } else if (target.text.substr(0, at) != pack.id) {
    AddError(errors, target.span, "for `" + target.text.substr(0, at) + "`, but this is pack " + pack.id);
  } else if (!range->Contains(pack.version) && pack.version != Version()) {  // 0.0.0: could not be read
    AddError(errors, target.span,
             "for " + target.text.substr(at + 1) + ", but the pack is version " + pack.version.ToString() +
                 "; let the site approve it again");
  }
}

void SetParameter(const YamlNode& node, Pack* pack, Errors* errors) {
  const auto parameter = std::ranges::find(pack->parameters, node.key.text, &PackParameter::name);
  if (parameter == pack->parameters.end()) {
    std::vector<std::string> known;
    for (const PackParameter& one : pack->parameters) known.push_back(one.name);
    return AddError(errors, node.key.span,
                    "no parameter `" + node.key.text + "` in the pack" + Suggest(node.key.text, known));
  }
  if (!parameter->overridable) {
    return AddError(errors, node.key.span,
                    "parameter `" + node.key.text + "` may not be changed by a site (`override: none`)");
  }
  if (!node.is_scalar() || !parameter->usable) return;
  const auto constant = MakeConstant(*parameter, node.value.text);
  if (!constant) return AddError(errors, node.span, constant.error().message);
  parameter->value = node.value.text;
}

void SetMode(const YamlNode& node, Pack* pack, Errors* errors) {
  Fields fields(node, kSiteRuleSchema, errors);
  const std::string mode = fields.Text("mode");
  const std::string why = fields.Text("why");
  const auto rule = std::ranges::find_if(
      pack->rules, [&](const Rule& r) { return r.id == node.key.text || r.name == node.key.text; });
  if (rule == pack->rules.end()) {
    std::vector<std::string> known;
    for (const Rule& one : pack->rules) known.push_back(one.id);
    return fields.Fail(node.key.span,
                       "no rule `" + node.key.text + "` in the pack" + Suggest(node.key.text, known));
  }
  if (mode.empty()) return;
  if (mode == "off" && why.empty()) fields.Fail(node.span, "a rule that a site turns off says `why`");
  if (mode != "off" && rule->mode == RuleMode::kOff) {
    return fields.Fail(node.span, "rule `" + rule->id + "` ships off: " + rule->why);
  }
  rule->mode = mode == "on" ? RuleMode::kOn : mode == "shadow" ? RuleMode::kShadow : RuleMode::kOff;
}

}  // namespace

void ApplyOverlay(const YamlNode& node, const std::string& text, Pack* pack, Errors* errors) {
  const Fields fields(node, kSiteSchema, errors);
  CheckTarget(fields.Source("for"), *pack, errors);
  if (const YamlNode* parameters = fields.Map("parameters")) {
    for (const YamlNode& one : parameters->children) SetParameter(one, pack, errors);
  }
  if (const YamlNode* rules = fields.Map("rules")) {
    for (const YamlNode& one : rules->children) SetMode(one, pack, errors);
  }
  Sha256 hash;
  hash.AddField(pack->digest);
  hash.AddField(text);
  pack->digest = "sha256:" + hash.Hex();
}

}  // namespace stepwise::rules
