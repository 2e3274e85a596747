#include "rules/card_checks.h"

#include <algorithm>
#include <map>

#include "fhir/fhirpath/utf8.h"
#include "rules/card_maker.h"
#include "rules/engine.h"
#include "rules/pack_files.h"
#include "rules/test_request.h"

namespace stepwise::rules {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Length of the HTML tag or comment that begins at `at`, or 0. `<5 mg` and <https://...> are none.
std::size_t TagLength(std::string_view text, std::size_t at) {
  if (text.substr(at).starts_with("<!--")) return 4;
  std::size_t i = at + 1;
  if (i < text.size() && text[i] == '/') ++i;
  const std::size_t name = i;
  while (i < text.size() && (IsLetter(text[i]) || (i > name && text[i] >= '0' && text[i] <= '9'))) ++i;
  if (i == name || i == text.size()) return 0;
  const std::size_t close = text.find_first_of("<>", i);
  if (close == std::string_view::npos || text[close] != '>') return 0;
  return text[i] == '>' || text[i] == '/' || text[i] == ' ' || text[i] == '\n' ? close + 1 - at : 0;
}

void CheckText(const SourceText& text, Errors* errors) {
  const std::string_view all = text.text;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all.substr(at).starts_with("{{")) {
      at = std::min(all.find("}}", at), all.size());
    } else if (all[at] == '<') {
      const std::size_t length = TagLength(all, at);
      if (length == 0) continue;
      AddError(errors, text.At(at, length),
               "HTML `" + std::string(all.substr(at, length)) +
                   "`; cards are plain text and Markdown: write **bold**, lists and [links](url) instead");
      at += length - 1;
    }
  }
}

// Runs the cases of one pack and keeps the longest summary of each rule that had to be cut.
class Examples {
 public:
  Examples(const KnowledgeBase& base, const Pack& pack, Errors* test_errors)
      : base_(base), pack_(pack), test_errors_(test_errors) {}

  void File(const YamlNode& file) {
    const auto now = DateTime::ParseDateTime(file.Find("now")->value.text);
    const YamlNode* data = file.Find("base");
    const YamlNode& name = *file.Find("tests-for");
    const auto rule = std::ranges::find_if(
        pack_.rules, [&](const Rule& r) { return r.id == name.value.text || r.name == name.value.text; });
    if (rule == pack_.rules.end()) {
      std::vector<std::string> known;
      for (const Rule& one : pack_.rules) known.push_back(one.id);
      AddError(test_errors_, name.span,
               "no rule `" + name.value.text + "` in this pack" + Suggest(name.value.text, known));
    }
    if (!now)
      AddError(test_errors_, file.Find("now")->span,
               "`" + file.Find("now")->value.text + "` is no moment; write 2026-12-10T09:00:00Z");
    if (!now || rule == pack_.rules.end()) return;
    for (const YamlNode& one : file.Find("cases")->children) Case(data, one, *now);
  }

  void Report(Errors* errors) const {
    for (const auto& [rule, longest] : longest_) {
      AddError(errors, rule->rule->card->summary.span,
               "the summary has " + std::to_string(longest.first) + " characters in the case `" +
                   longest.second + "`; at most " + std::to_string(kMaxSummary) +
                   " are shown: shorten the text around the data");
    }
  }

 private:
  void Case(const YamlNode* data, const YamlNode& node, DateTime now) {
    Errors problems;
    const TestRequest request = MakeTestRequest(data, node, base_.slots(), &problems);
    const auto find = [&](std::string_view key) {
      const YamlNode* own = node.Find(key);
      return own != nullptr || data == nullptr ? own : data->Find(key);
    };
    std::map<std::string, std::string> values;
    if (const YamlNode* site = find("site")) {
      for (const YamlNode& value : site->children) values[value.key.text] = value.value.text;
    }
    if (const YamlNode* own = find("now")) now = DateTime::ParseDateTime(own->value.text).value_or(now);
    const auto parameters = MakeSiteParameters(base_, values);
    if (!parameters) AddError(&problems, node.Find("name")->span, parameters.error().message);
    const auto document = Document::Parse(request.json);
    std::ranges::move(problems, std::back_inserter(*test_errors_));
    if (!document || !parameters) return;
    EngineOptions options;
    options.site = &*parameters;
    const std::string name = node.Find("name")->value.text;
    options.on_summary = [&](const CompiledRule& rule, std::string_view summary) {
      const std::size_t length = fhirpath::CountCodePoints(summary);
      if (length <= kMaxSummary) return;
      auto& longest = longest_[&rule];
      if (length > longest.first) longest = {length, name};
    };
    // What a case expects is for `pack test`; one that cannot be evaluated has no summary.
    (void)engine_.Evaluate(base_, *document, now, options);
  }

  const KnowledgeBase& base_;
  const Pack& pack_;
  Errors* test_errors_;
  Engine engine_;
  std::map<const CompiledRule*, std::pair<std::size_t, std::string>> longest_;
};

}  // namespace

void CheckHtml(const CardSource& card, Errors* errors) {
  for (const SourceText* text : {&card.summary, &card.detail, &card.source_label}) CheckText(*text, errors);
  for (const SuggestionSource& suggestion : card.suggestions) {
    CheckText(suggestion.label, errors);
    for (const ActionSource& action : suggestion.actions) CheckText(action.description, errors);
  }
  for (const LinkSource& link : card.links) CheckText(link.label, errors);
}

void CheckFixedSummary(const CompiledRule& rule, Errors* errors) {
  const std::size_t length = rule.card.summary.fixed_length();
  if (length <= kMaxSummary) return;
  AddError(errors, rule.rule->card->summary.span,
           "the summary has " + std::to_string(length) +
               " characters before any placeholder is filled in; at most " + std::to_string(kMaxSummary) +
               " are shown: say less here and more in `detail`");
}

void CheckExamples(const KnowledgeBase* base, const Pack& pack, Errors* test_errors, Errors* errors) {
  Errors unreadable;  // was reported when the pack was read
  const PackFiles files = PackFiles::Open(pack.dir, &unreadable);
  std::optional<Examples> examples;
  if (base != nullptr) examples.emplace(*base, pack, test_errors);
  for (const std::string& path : files.List("tests/", ".yaml")) {
    const std::size_t before = test_errors->size();
    const auto tree = ParseYaml(*files.Find(path), {.file = files.Shown(path), .anchors = true}, test_errors);
    if (tree) CheckShape(*tree, kTestFileSchema, test_errors);
    if (examples && test_errors->size() == before) examples->File(*tree);
  }
  if (examples) examples->Report(errors);
}

}  // namespace stepwise::rules
