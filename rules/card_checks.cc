#include "rules/card_checks.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "fhir/utf8.h"
#include "rules/card_maker.h"
#include "rules/engine.h"
#include "rules/pack_files.h"
#include "rules/test_case.h"

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

// Runs the declared cases and reports, of each rule whose summary had to be cut, the longest.
void MeasureSummaries(const KnowledgeBase& base, const TestSuite& suite, Errors* errors) {
  std::map<const CompiledRule*, std::pair<std::size_t, std::string>> longest;
  Engine engine;
  for (const TestCase& one : suite.cases) {
    const auto parameters = MakeSiteParameters(base, one.site);
    if (!one.request || !parameters) continue;
    EngineOptions options;
    options.site = &*parameters;
    options.on_summary = [&](const CompiledRule& rule, std::string_view summary) {
      const std::size_t length = CountCodePoints(summary);
      auto& most = longest[&rule];
      if (length > kMaxSummary && length > most.first) most = {length, one.name};
    };
    // What a case expects is for `pack test`; one that cannot be evaluated has no summary.
    (void)engine.Evaluate(base, *one.request, one.now, options);
  }
  for (const auto& [rule, most] : longest) {
    if (most.first == 0) continue;
    AddError(errors, rule->rule->card->summary.span,
             "the summary has " + std::to_string(most.first) + " characters in the case `" + most.second +
                 "`; at most " + std::to_string(kMaxSummary) +
                 " are shown: shorten the text around the data");
  }
}

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
  const std::size_t before = test_errors->size();
  for (const std::string& path : files.List("tests/", ".yaml")) {
    const auto tree = ParseYaml(*files.Find(path), {.file = files.Shown(path), .anchors = true}, test_errors);
    if (tree) CheckShape(*tree, kTestFileSchema, test_errors);
  }
  if (base == nullptr || test_errors->size() > before) return;
  TestSuite suite = ReadTestSuite(*base, pack, "");
  std::ranges::move(suite.errors, std::back_inserter(*test_errors));
  for (const TestCase& one : suite.cases) {
    for (const TestFailure& fault : one.faults)
      AddError(test_errors, one.span, "case `" + one.name + "`: " + fault.ToString());
  }
  MeasureSummaries(*base, suite, errors);
}

}  // namespace stepwise::rules
