// FHIRPath over JSON lines: one request a line in, one answer a line out, in order.
//
//   {"id":1,"expression":"Patient.name.given","resource":{"resourceType":"Patient",...},"fhir":"4.0.1"}
//   {"id":1,"result":[{"type":"FHIR.string","value":"Peter"}]}
//   {"id":2,"expression":"name..given","file":"patient.json"}
//   {"id":2,"error":{"code":"syntax","message":"...","line":1,"column":6}}
//
// `resource` (or `file`, a JSON file) is the input; without either the expression has no input. An object
// without a resourceType is plain JSON and can still be navigated. `context` is an expression whose items
// become the inputs, one run each, results in one list. `variables` is an object: each member is available as
// %name, strings as String, numbers as numbers, objects with a resourceType as resources, arrays as several
// items.
//
// Error codes: "syntax" text that does not parse (the expression, or the line itself), "semantic" an
// expression that cannot mean anything, "execution" all that goes wrong with the data: at run time, a file
// that cannot be read, a request that lacks its expression. `line` and `column` count from 1 and are those of
// the expression (of the line when that is no JSON); they are left out where there is no place to name. A
// line that cannot be read is answered like any other, with its id where that can be found.
//
// A line is parsed once and its resource is used where it stands. Files and compiled expressions are kept for
// the lines that follow.
// Thread-safety: one thread at a time.
#ifndef STEPWISE_RULES_FHIRPATH_JSONL_H_
#define STEPWISE_RULES_FHIRPATH_JSONL_H_

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fhir/document.h"
#include "fhir/fhirpath/fhirpath.h"
#include "fhir/result.h"

namespace stepwise::rules {

// The bytes of a file; "-" is the standard input. Errors: kNotFound, kLimit.
Result<std::string> ReadInput(const std::string& path, std::size_t max_bytes);

// The type by which expressions know this node: its claimed resource type if `version` has it.
TypeId ContextType(Node node, FhirVersion version);

// JSON text without the white space between its tokens, appended to `out`: always one line.
void AppendOneLine(std::string_view json, std::string* out);

// Nanoseconds of a steady clock, for EvaluationOptions::clock.
std::int64_t SteadyNanoseconds();

struct JsonlOptions {
  FhirVersion version = FhirVersion::kR4;    // of lines that do not say
  const Terminology* terminology = nullptr;  // for memberOf() and subsumes()
  bool lenient = false;
  DateTime now;
  std::size_t max_line = 64u << 20;  // bytes; a longer line is answered with an error
  std::size_t max_file = 64u << 20;
  std::size_t kept_files = 64;               // parsed files kept for further lines,
  std::size_t kept_file_bytes = 256u << 20;  // and their bytes in memory
  std::size_t kept_programs = 4096;          // compiled expressions kept
};

class FhirpathJsonl {
 public:
  explicit FhirpathJsonl(const JsonlOptions& options);
  ~FhirpathJsonl();
  FhirpathJsonl(const FhirpathJsonl&) = delete;
  FhirpathJsonl& operator=(const FhirpathJsonl&) = delete;

  // Appends the answer to one request line and a newline to `out`; nothing for a line of white space.
  void Answer(std::string line, std::string* out);
  // The answer to a line that is longer than the limit.
  void AnswerTooLong(std::string* out);

 private:
  struct Problem;
  struct File;
  class Variables;
  template <typename T>
  using Outcome = tl::expected<T, Problem>;

  Outcome<std::string> Run(Node request);
  Outcome<Node> Input(Node request, std::shared_ptr<const Document>* file);
  Outcome<std::shared_ptr<const Document>> OpenFile(const std::string& path);
  Outcome<fhirpath::Program> Compiled(std::string_view expression, FhirVersion version, TypeId type);

  JsonlOptions options_;
  fhirpath::Evaluation evaluation_;
  std::unique_ptr<Variables> variables_;
  std::unordered_map<std::string, Result<fhirpath::Program>> programs_;
  std::string program_key_;
  std::list<File> files_;  // the last used first
  std::size_t file_bytes_ = 0;
};

// Answers all lines of the file descriptor `in` on `out`. Answers are written in large blocks, but never held
// back while waiting for input, so that a program may ask line by line. Errors: reading or writing fails.
Status RunJsonl(int in, int out, const JsonlOptions& options);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FHIRPATH_JSONL_H_
