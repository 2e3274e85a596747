// `stepwise pack check` and `stepwise functions`; `stepwise pack test` is rules/pack_test_command.h.
//
//   stepwise pack check rules/packs                 every error and warning, with the line and a caret
//   stepwise functions                              what expressions may call
//
// Exit codes: 0 good, 1 errors or failed cases, 2 wrong usage. Colours only on terminals, and not with
// NO_COLOR.
#ifndef STEPWISE_RULES_PACK_COMMAND_H_
#define STEPWISE_RULES_PACK_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackCommand(CLI::App& app, int& exit_code);
void AddFunctionsCommand(CLI::App& app, int& exit_code);

// What the commands do; `colour` says whether to mark errors with terminal colours.
int CheckPacks(std::span<const std::string> dirs, bool colour, std::ostream& out);
int ListFunctions(std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_COMMAND_H_
