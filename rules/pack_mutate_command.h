// `stepwise pack mutate`: changes one operator after the other in memory and says which changes no test
// noticed (rules/mutation.h).
//
//   stepwise pack mutate rules/packs --fail-under 95
//   rules/packs/a/rules/x.yaml:12:34: warning: no test notices `<` -> `<=` in X-01 line high
//
// Exit codes: 0 good, 1 errors or too few caught, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_MUTATE_COMMAND_H_
#define STEPWISE_RULES_PACK_MUTATE_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

// `pack`: the subcommand `stepwise pack`.
void AddPackMutateCommand(CLI::App& pack, int& exit_code);

// `fail_under`: percent of the mutants of all the folders together that must be caught.
int MutatePacks(std::span<const std::string> dirs, double fail_under, bool colour, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_MUTATE_COMMAND_H_
