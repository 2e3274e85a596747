#include "rules/advice_diff.h"

#include <algorithm>
#include <set>

#include "rules/engine.h"
#include "rules/pack_files.h"
#include "rules/test_request.h"

namespace stepwise::rules {
namespace {

struct Case {
  std::string rule, name, file;
  const YamlNode* base;  // or nullptr
  const YamlNode* node;
  DateTime now;
};

// The test cases of a pack. Files and cases that cannot be read are left to `pack test`.
class Cases {
 public:
  explicit Cases(const Pack& pack) {
    Errors ignored;
    const PackFiles files = PackFiles::Open(pack.dir, &ignored);
    for (const std::string& path : files.List("tests/", ".yaml")) {
      auto tree = ParseYaml(*files.Find(path), {.file = files.Shown(path), .anchors = true});
      if (tree) trees_.emplace_back(path, std::move(*tree));
    }
    for (const auto& [path, tree] : trees_) {
      const YamlNode* name = tree.Find("tests-for");
      const YamlNode* cases = tree.Find("cases");
      if (name == nullptr || cases == nullptr) continue;
      const auto rule = std::ranges::find_if(
          pack.rules, [&](const Rule& r) { return r.id == name->value.text || r.name == name->value.text; });
      for (const YamlNode& node : cases->children) {
        const YamlNode* title = node.Find("name");
        const YamlNode* own_now = node.Find("now");
        const YamlNode* file_now = tree.Find("now");
        const YamlNode* moment = own_now != nullptr ? own_now : file_now;
        const auto now = moment == nullptr ? std::nullopt : DateTime::ParseDateTime(moment->value.text);
        if (!now || !node.is_map()) continue;
        all_.push_back({rule == pack.rules.end() ? name->value.text : rule->id,
                        title == nullptr ? "line " + std::to_string(node.span.line) : title->value.text, path,
                        tree.Find("base"), &node, *now});
      }
    }
  }

  const std::vector<Case>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, YamlNode>> trees_;
  std::vector<Case> all_;
};

// Everything that a case puts in, as one text.
std::string Identity(const Case& one) {
  std::string out = one.rule + "\n" + one.name + "\n" + one.now.ToString() + "\n";
  if (one.base != nullptr) out += YamlToJson(*one.base);
  for (const YamlNode& entry : one.node->children) {
    if (entry.key.text != "expect") out += "\n" + entry.key.text + "=" + YamlToJson(entry);
  }
  return out;
}

// What a patient's clinician would see of one rule, or that it failed.
struct Advice {
  std::string subject;
  std::string acts;  // indicator and actions: the class of advice
  std::string text;
  std::string line;  // for people
};
using AdviceByRule = std::multimap<std::string, Advice>;

AdviceByRule AdviceOf(const Decision& decision, const Pack& pack) {
  AdviceByRule out;
  for (const Card& card : decision.cards) {
    if (card.pack != pack.id) continue;
    Advice advice{card.subject, card.indicator, card.summary + "\n" + card.detail + "\n" + card.source_label,
                  ""};
    for (const Suggestion& suggestion : card.suggestions) {
      advice.text += "\n" + suggestion.label;
      for (const Action& action : suggestion.actions)
        advice.acts += "\n" + action.type + " " + action.resource + action.resource_id;
    }
    for (const Link& link : card.links) advice.text += "\n" + link.label + " " + link.url;
    advice.line = card.topic.code + (card.subject.empty() ? "" : " " + card.subject) + " " + card.indicator +
                  ": " + card.summary;
    out.emplace(card.topic.code + "\n" + card.subject, std::move(advice));
  }
  for (const RuleOutcome& outcome : decision.rules) {
    if (outcome.pack != pack.id || outcome.status != RuleStatus::kFailed) continue;
    out.emplace(outcome.rule + "\n" + outcome.subject,
                Advice{outcome.subject, "failed", "", outcome.rule + " failed: " + outcome.error});
  }
  return out;
}

Bump Compare(const AdviceByRule& before, const AdviceByRule& after) {
  std::set<std::string> keys;
  for (const auto& [key, advice] : before) keys.insert(key);
  for (const auto& [key, advice] : after) keys.insert(key);
  Bump out = Bump::kNone;
  for (const std::string& key : keys) {
    const auto old_count = before.count(key), new_count = after.count(key);
    if (old_count != new_count) {
      out = std::max(out, Bump::kMinor);
      continue;
    }
    auto a = before.lower_bound(key), b = after.lower_bound(key);
    for (std::size_t i = 0; i < old_count; ++i, ++a, ++b) {
      if (a->second.acts != b->second.acts) out = Bump::kMajor;
      if (a->second.text != b->second.text) out = std::max(out, Bump::kPatch);
    }
  }
  return out;
}

Result<AdviceByRule> Run(Engine* engine, const KnowledgeBase& base, const Pack& pack, const Case& one) {
  Errors ignored;  // a prefetch key that only one version has
  std::vector<const YamlNode*> layers;
  if (one.base != nullptr) layers.push_back(one.base);
  layers.push_back(one.node);
  const TestRequest request = MakeTestRequest(layers, base.slots(), &ignored);
  std::map<std::string, std::string> values;
  if (const YamlNode* site = one.node->Find("site")) {
    for (const YamlNode& value : site->children) values[value.key.text] = value.value.text;
  }
  STEPWISE_ASSIGN_OR_RETURN(const SiteParameters parameters, MakeSiteParameters(base, values));
  STEPWISE_ASSIGN_OR_RETURN(const Document document, Document::Parse(request.json));
  STEPWISE_ASSIGN_OR_RETURN(const Decision decision,
                            engine->Evaluate(base, document, one.now, {.site = &parameters}));
  return AdviceOf(decision, pack);
}

std::vector<std::string> Lines(const AdviceByRule& advice) {
  std::vector<std::string> out;
  for (const auto& [key, one] : advice) out.push_back(one.line);
  return out;
}

}  // namespace

AdviceDiff CompareAdvice(const KnowledgeBase& old_base, const Pack& old_pack, const KnowledgeBase& new_base,
                         const Pack& new_pack) {
  AdviceDiff out;
  Engine engine;
  std::set<std::string> seen;
  const Cases old_cases(old_pack), new_cases(new_pack);
  for (const Cases* cases : {&old_cases, &new_cases}) {
    for (const Case& one : cases->all()) {
      if (!seen.insert(Identity(one)).second) continue;
      ++out.cases;
      const auto before = Run(&engine, old_base, old_pack, one);
      const auto after = Run(&engine, new_base, new_pack, one);
      if (!before || !after) {
        out.not_run.push_back(one.rule + ": " + one.name + ": " +
                              (before ? "the newer version: " + after.error().message
                                      : "the older version: " + before.error().message));
        continue;
      }
      const Bump bump = Compare(*before, *after);
      if (bump == Bump::kNone) continue;
      out.changes.push_back({bump, one.rule, one.name, one.file, Lines(*before), Lines(*after)});
    }
  }
  return out;
}

}  // namespace stepwise::rules
