// `stepwise evaluate` and `stepwise show-cards`: CDS Hooks messages on the command line.
//
//   stepwise evaluate request.json --now 2026-12-10T09:00:00Z --explain
//   stepwise evaluate request.json | stepwise show-cards --expect LAD-06,BRT-01
//
// evaluate runs the same pipeline as stepwise-server and prints the CDS Hooks response, or the
// OperationOutcome a client would get. show-cards prints the cards of a response for people. Exit codes: 0
// done; 1 the answer is an error, or the cards are not those expected; 2 wrong usage.
//
// The file registers itself with rules/command.h; it is linked into the program, not into the library.
#ifndef STEPWISE_CDS_HOOKS_EVALUATE_COMMAND_H_
#define STEPWISE_CDS_HOOKS_EVALUATE_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::cds_hooks {

void AddEvaluateCommand(CLI::App& app, int& exit_code);
void AddShowCardsCommand(CLI::App& app, int& exit_code);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_EVALUATE_COMMAND_H_
