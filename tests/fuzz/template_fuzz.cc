// Whatever text a card has: it compiles or gives errors with a place; what renders is no longer than what it
// was made of, and data cannot open a Markdown or HTML construct.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/template.h"

using namespace stepwise;
using namespace stepwise::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Pack pack;
  pack.evidence.push_back({.id = "e", .type = "citation", .label = "label", .url = "http://e", .says = ""});
  Rule rule;
  rule.lines.push_back({.id = "a",
                        .text = "t",
                        .expression = {},
                        .unless = false,
                        .unknown = UnknownPolicy::kUnset,
                        .span = {}});
  Errors errors;
  const SourceText text{
      .text = std::string(bytes), .span = {.file = "f", .line = 1, .column = 1}, .pieces = {{0, 1, 1}}};
  const TemplateScope scope{pack, rule,
                            [](std::string_view expression, const SourceText&,
                               std::size_t offset) -> std::optional<fhirpath::Program> {
                              if (offset == 0 && expression.empty()) std::abort();
                              const auto program = fhirpath::Compile(expression, {.max_length = 2000});
                              return program ? std::optional(*program) : std::nullopt;
                            },
                            &errors};
  const Template compiled = Template::Compile(text, TextForm::kMarkdown, scope);
  for (const Error& error : errors) {
    if (error.message.empty() || error.span.line == 0) std::abort();
  }
  fhirpath::Evaluation evaluation(
      fhirpath::EvaluationOptions{.limits = {.max_steps = 10'000, .max_string = 10'000}});
  const TemplateData run{
      [&](const fhirpath::Program& program) { return evaluation.Run(program); }, {true}, "when"};
  (void)compiled.Render(run);

  for (const TextForm form : {TextForm::kMarkdown, TextForm::kUrl, TextForm::kPlain}) {
    const std::string escaped = Escape(bytes, form);
    if (escaped.find('\n') != std::string::npos) std::abort();
    if (form == TextForm::kMarkdown && escaped.find_first_of("<>") != std::string::npos) std::abort();
    if (form == TextForm::kUrl && escaped.find_first_of(":/?#&\"<> ") != std::string::npos) std::abort();
  }
  const std::string cut = CutAtWord(bytes, 20);
  if (cut.size() > 20 * 4 + 3) std::abort();
  return 0;
}
