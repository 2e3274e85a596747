// Any text is compiled and, if that succeeds, run on a small patient within small limits. Errors have a
// message, their place lies in the text, and values have JSON that parses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/fhirpath/fhirpath.h"

using stepwise::DateTime;
using stepwise::Document;
using stepwise::Error;
using stepwise::FhirVersion;

namespace fhirpath = stepwise::fhirpath;

namespace {

constexpr char kPatient[] = R"({
  "resourceType": "Patient", "id": "p", "active": true, "multipleBirthInteger": 2,
  "extension": [{"url": "http://example.org/weight", "valueQuantity":
    {"value": 72.50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}],
  "name": [{"use": "official", "family": "Chalmers", "given": ["Peter", "James"]}, {"given": ["Jim"]}],
  "birthDate": "1974-12-25", "_birthDate": {"extension": [{"url": "http://example.org/time",
    "valueDateTime": "1974-12-25T14:35:45-05:00"}]},
  "telecom": [{"system": "phone", "value": "(03) 5555 6473", "rank": 1, "period": {"start": "2002"}}],
  "contained": [{"resourceType": "Organization", "id": "o", "name": "Döner \"&\" Söhne"}],
  "managingOrganization": {"reference": "#o"}
})";

void CheckError(const Error& error, std::size_t size) {
  if (error.message.empty()) std::abort();
  if (error.span.line > size + 1 || error.span.column > size + 1) std::abort();
}

void RunOn(std::string_view text, const Document& patient, const fhirpath::CompileOptions& options) {
  const auto program = fhirpath::Compile(text, options);
  if (!program) {
    CheckError(program.error(), text.size());
    (void)stepwise::CaretLines(text, program.error().span);
    return;
  }
  if (program->Dump().empty()) std::abort();
  fhirpath::EvaluationOptions run;
  run.now = *DateTime::ParseDateTime("2024-02-29T12:00:00.000+01:00");
  run.limits.max_steps = 20'000;
  run.limits.max_recursion = 64;
  run.limits.max_items = 2'000;
  run.limits.max_string = 16 * 1024;
  run.limits.max_regex = 256;
  run.track_sources = true;
  fhirpath::Evaluation evaluation(run);
  const auto items =
      evaluation.Run(*program, fhirpath::Item::Of(patient.root(), patient.root().resource_type()));
  if (!items) return CheckError(items.error(), text.size());
  std::size_t shown = 0;
  for (const fhirpath::Item& item : *items) {
    if (++shown > 32) break;
    if (fhirpath::TypeText(item).empty()) std::abort();
    (void)fhirpath::ValueText(item);
    if (!Document::Parse("{\"value\":" + fhirpath::ValueJson(item) + "}")) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Document patient = *Document::Parse(kPatient);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fhirpath::CompileOptions options;
  options.max_length = 4096;
  options.max_depth = 64;
  options.context_type = stepwise::types::kPatient;
  RunOn(text, patient, options);
  options.context_type = stepwise::types::kNone;
  options.version = FhirVersion::kR5;
  options.lenient = true;
  RunOn(text, patient, options);
  return 0;
}
