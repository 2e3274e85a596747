#include "rules/pack_command.h"

#include <CLI/CLI.hpp>

#include "rules/pack_check_command.h"
#include "rules/pack_test_command.h"

namespace stepwise::rules {

void AddPackCommand(CLI::App& app, int& exit_code) {
  CLI::App* pack = app.add_subcommand("pack", "Check and test rule packs");
  pack->require_subcommand(1);
  AddPackCheckCommand(*pack, exit_code);
  AddPackTestCommand(*pack, exit_code);
}

}  // namespace stepwise::rules
