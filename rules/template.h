// Template: the texts of a card, with holes that are filled from the patient's data.
//
//   "{{%order.medication.text}} is PRN only"      a FHIRPath expression; several items are joined with ", "
//   "{{percent(%p.breakthrough_low)}}"            0.10 -> 10%
//   "{{pack.version}} {{rule.id}}"                also pack.id, pack.title, pack.digest, rule.title
//   "{{evidence.my-cpg}}"                         label of an evidence entry, linked where there is a url
//   "{{explain.when}}"                            the texts of the when lines that held
//   "{{#unknown.age}}...{{/unknown.age}}"         shown only when the line `age` was unknown
//
// Compiled when the pack is loaded; every mistake has the place in the author's file. What comes from data is
// escaped for where it goes, so that a drug name cannot write Markdown, HTML or another URL. A hole whose
// expression is empty is an error when rendering: a card never has a gap where a dose should be.
// Thread-safety: immutable once compiled.
#ifndef STEPWISE_RULES_TEMPLATE_H_
#define STEPWISE_RULES_TEMPLATE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/fhirpath/fhirpath.h"
#include "rules/pack.h"

namespace stepwise::rules {

// Where a text goes, which decides how data in it is escaped.
enum class TextForm : std::uint8_t { kPlain, kMarkdown, kUrl };

// Compiles `expression`, which stands at byte `offset` of `whole`; nullopt after adding errors.
using CompileExpression = std::function<std::optional<fhirpath::Program>(
    std::string_view expression, const SourceText& whole, std::size_t offset)>;
using RunExpression = std::function<Result<fhirpath::Items>(const fhirpath::Program&)>;

// What a template may name besides expressions.
struct TemplateScope {
  const Pack& pack;
  const Rule& rule;
  CompileExpression compile;
  Errors* errors;
};

// What one firing of a rule hands to its templates.
struct TemplateData {
  RunExpression run;
  std::vector<bool> unknown;  // per line of the rule
  std::string when;           // texts of the when lines that held, joined with "; "
};

class Template {
 public:
  static Template Compile(const SourceText& text, TextForm form, const TemplateScope& scope);

  // Error kFailedPrecondition: a hole has no value; kSemantic, kLimit: as evaluation says.
  Result<std::string> Render(const TemplateData& data) const;
  // Code points of the fixed text that every rendering has.
  std::size_t fixed_length() const;
  bool empty() const { return parts_.empty(); }
  // Programs of all holes, to know what the template reads.
  std::vector<const fhirpath::Program*> programs() const;

 private:
  enum class PartKind : std::uint8_t { kLiteral, kExpression, kPercent, kWhen };
  struct Part {
    PartKind kind;
    std::string text;                          // literal, or the hole as written
    std::optional<fhirpath::Program> program;  // kExpression, kPercent
    int only_unknown = -1;                     // index of a line: shown only when that line is unknown
  };
  friend class TemplateCompiler;
  TextForm form_ = TextForm::kPlain;
  std::vector<Part> parts_;
};

// One value as people read it: 5 mg, 2026-10-01, morphine.
std::string DisplayText(const fhirpath::Item& item);
std::string Escape(std::string_view text, TextForm form);
// At most `limit` code points; what is longer is cut at a word and ends in "…".
std::string CutAtWord(std::string_view text, std::size_t limit);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TEMPLATE_H_
