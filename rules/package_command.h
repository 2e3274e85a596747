// What `stepwise pack` does with versions: build, show, sign, verify, diff, export, import.
#ifndef STEPWISE_RULES_PACKAGE_COMMAND_H_
#define STEPWISE_RULES_PACKAGE_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackageCommands(CLI::App& pack, int& exit_code);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACKAGE_COMMAND_H_
