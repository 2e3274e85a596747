// stepwise: the informaticist's program. Each subcommand is an Add function (rules/command.h).

#include <CLI/CLI.hpp>

#include "rules/command.h"
#include "rules/dosage_command.h"
#include "rules/evaluator_command.h"
#include "rules/fhirpath_command.h"
#include "rules/functions_command.h"
#include "rules/man_page.h"
#include "rules/pack_command.h"
#include "rules/terminology_command.h"

int main(int argc, char** argv) {
  using namespace stepwise::rules;

  CLI::App app("Stepwise: clinical rules that say why", "stepwise");
  app.require_subcommand(1);
  int exit_code = 0;

  // Commands of this floor: one line each, in the order `stepwise --help` shows them.
  AddPackCommand(app, exit_code);
  AddFhirpathCommand(app, exit_code);
  AddFunctionsCommand(app, exit_code);
  AddEvaluatorCommand(app, exit_code);
  AddDosageCommand(app, exit_code);
  AddTerminologyCommand(app, exit_code);

  for (const AddCommand add : RegisteredCommands()) add(app, exit_code);
  AddManOption(app, {.description = "Writes, checks, tests, explains and releases rule packs, and evaluates "
                                    "requests with them.",
                     .exit_status = "0: done. 1: the answer is an error, already printed. 2: wrong usage.",
                     .see_also = "stepwise-server(8), stepwise-conformance(1)"});

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;  // --help is an "error" with exit code 0
  }
  return exit_code;
}
