// `stepwise fhirpath`: evaluates an expression on a file, or many on JSON lines (rules/fhirpath_jsonl.h).
//
//   stepwise fhirpath "name.given" patient.json           FHIR.string  Patient.name[0].given[0]  "Peter"
//   stepwise fhirpath "name.given.count() > 1" - --trace  each step's result before the results
//   stepwise fhirpath "name.given" patient.json --explain the bound program, its types and its warnings
//   stepwise fhirpath "code.memberOf('pain')" observation.json --terminology pain.json
//   stepwise fhirpath --jsonl requests.jsonl
//
// Exit codes: 0 done (an empty result too), 1 the expression or the file is wrong, 2 wrong usage. Colours
// only on terminals, and not with NO_COLOR.
#ifndef STEPWISE_RULES_FHIRPATH_COMMAND_H_
#define STEPWISE_RULES_FHIRPATH_COMMAND_H_

#include <iosfwd>
#include <string>

#include "fhir/date_time.h"
#include "fhir/model.h"
#include "fhir/terminology.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddFhirpathCommand(CLI::App& app, int& exit_code);

struct FhirpathArguments {
  std::string expression;
  std::string file;     // "-": the standard input; empty: no input
  std::string context;  // expression whose items become the inputs; empty: the file's root
  FhirVersion version = FhirVersion::kR4;
  bool trace = false;
  bool explain = false;
  bool lenient = false;
  bool colour = false;
  DateTime now;
  const Terminology* terminology = nullptr;  // for memberOf() and subsumes()
};

// What the command does for one expression. Results go to `out`, what is wrong to `err`, and
// why something was not known (a value set that cannot say).
int EvaluateFhirpath(const FhirpathArguments& arguments, std::ostream& out, std::ostream& err);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FHIRPATH_COMMAND_H_
