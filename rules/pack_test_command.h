// `stepwise pack test`: runs the packs' own test cases and says what they do not cover.
//
//   stepwise pack test rules/packs --filter LAD-06  failed cases with their explanation, then coverage
//
// Exit codes: 0 good, 1 errors or failed cases, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_TEST_COMMAND_H_
#define STEPWISE_RULES_PACK_TEST_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

// `pack`: the subcommand `stepwise pack`.
void AddPackTestCommand(CLI::App& pack, int& exit_code);

// What the command does; `colour` says whether to mark failures with terminal colours.
int TestPacks(std::span<const std::string> dirs, const std::string& filter, bool coverage, bool colour,
              std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_TEST_COMMAND_H_
