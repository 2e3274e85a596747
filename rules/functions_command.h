// `stepwise functions`: what expressions in packs may call, from the table that the compiler reads.
#ifndef STEPWISE_RULES_FUNCTIONS_COMMAND_H_
#define STEPWISE_RULES_FUNCTIONS_COMMAND_H_

#include <iosfwd>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddFunctionsCommand(CLI::App& app, int& exit_code);
int ListFunctions(std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FUNCTIONS_COMMAND_H_
