// `stepwise pack check`: every error and warning of packs, with the line and a caret.
//
//   stepwise pack check rules/packs
//
// Exit codes: 0 good (warnings or not), 1 errors.
#ifndef STEPWISE_RULES_PACK_CHECK_COMMAND_H_
#define STEPWISE_RULES_PACK_CHECK_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackCheckCommand(CLI::App& pack, int& exit_code);

// What the command does; `colour` says whether to mark errors with terminal colours.
int CheckPacks(std::span<const std::string> dirs, bool colour, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_CHECK_COMMAND_H_
