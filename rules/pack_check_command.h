// `stepwise pack check`: every error and warning of packs, with the line and a caret.
//
//   stepwise pack check rules/packs
//   stepwise pack check my-pack --against my-pack-1.2.0      also: override codes keep their meaning
//   stepwise pack check my-pack --format sarif               for code hosts; json for programs
//
// Exit codes: 0 good (warnings or not), 1 errors, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_CHECK_COMMAND_H_
#define STEPWISE_RULES_PACK_CHECK_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

#include "rules/pack_check.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

// `pack`: the subcommand `stepwise pack`.
void AddPackCheckCommand(CLI::App& pack, int& exit_code);

// What the command does; `colour` says whether to mark errors with terminal colours.
int CheckPacks(std::span<const std::string> dirs, bool colour, std::ostream& out,
               ReportFormat format = ReportFormat::kText, const CheckOptions& options = {});

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_CHECK_COMMAND_H_
