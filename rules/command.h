// Subcommands of the `stepwise` program, and how the floor above adds its own.
//
// A command is one function that adds a CLI11 subcommand. It runs in the subcommand's callback and leaves the
// exit code of the program in `exit_code`: 0 done, 1 the answer is an error (already printed), 2 wrong usage.
//
//   void AddExplainCommand(CLI::App& app, int& exit_code) {
//     auto file = std::make_shared<std::string>();
//     CLI::App* command = app.add_subcommand("explain", "Say why each line decided as it did");
//     command->add_option("REQUEST", *file, "CDS Hooks request")->required();
//     command->callback([file, &exit_code] { exit_code = RunExplain(*file); });
//   }
//
// rules/main.cc calls the Add functions of this floor by name. A file of a floor above that is linked into
// the program registers itself, so that nothing here includes it:
//
//   const rules::CommandRegistrar kRegistrar(&AddEvaluateCommand);
//
// Thread-safety: registration happens before main(); afterwards the list is only read.
#ifndef STEPWISE_RULES_COMMAND_H_
#define STEPWISE_RULES_COMMAND_H_

#include <span>

namespace CLI {
class App;
}

namespace stepwise::rules {

// `exit_code` outlives the parsing of the command line: a callback may keep the reference.
using AddCommand = void (*)(CLI::App& app, int& exit_code);

class CommandRegistrar {
 public:
  explicit CommandRegistrar(AddCommand add);
};

// What registrars have added, in link order.
std::span<const AddCommand> RegisteredCommands();

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_COMMAND_H_
