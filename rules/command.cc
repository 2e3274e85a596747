#include "rules/command.h"

#include <vector>

namespace stepwise::rules {
namespace {

// Function-local, so that a registrar of another file may run before this file's own initialisers.
std::vector<AddCommand>& Commands() {
  static std::vector<AddCommand> commands;
  return commands;
}

}  // namespace

CommandRegistrar::CommandRegistrar(AddCommand add) { Commands().push_back(add); }

std::span<const AddCommand> RegisteredCommands() { return Commands(); }

}  // namespace stepwise::rules
