// Text -> Ast -> Program: the public face of the compiler.
#include <algorithm>

#include "fhir/fhirpath/ast.h"
#include "fhir/fhirpath/binder.h"
#include "fhir/fhirpath/fhirpath.h"

namespace stepwise::fhirpath {

const std::string& Program::text() const { return data_->text; }
StaticType Program::result_type() const { return data_->result; }
FhirVersion Program::version() const { return data_->version; }
std::span<const int> Program::variables() const { return data_->variables; }
std::span<const Diagnostic> Program::warnings() const { return data_->warnings; }

std::vector<Diagnostic> Check(std::string_view text, const CompileOptions& options,
                              std::optional<Program>* program) {
  const ParseOptions parse{options.max_length, options.max_depth, options.origin};
  auto ast = Parse(text, parse);
  if (!ast) return {{Severity::kError, std::move(ast).error()}};
  Binder binder(options, text);
  Program bound = binder.Run(**ast);
  std::vector<Diagnostic> diagnostics = std::move(binder.diagnostics());
  const bool good = std::none_of(diagnostics.begin(), diagnostics.end(),
                                 [](const Diagnostic& d) { return d.severity == Severity::kError; });
  if (good && program != nullptr) *program = std::move(bound);
  return diagnostics;
}

Result<Program> Compile(std::string_view text, const CompileOptions& options) {
  std::optional<Program> program;
  for (Diagnostic& diagnostic : Check(text, options, &program)) {
    if (diagnostic.severity == Severity::kError) return tl::unexpected(std::move(diagnostic.error));
  }
  return *std::move(program);
}

}  // namespace stepwise::fhirpath
