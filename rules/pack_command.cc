#include "rules/pack_command.h"

#include <CLI/CLI.hpp>

#include "rules/pack_author_command.h"
#include "rules/pack_check_command.h"
#include "rules/pack_mutate_command.h"
#include "rules/pack_test_command.h"
#include "rules/package_command.h"

namespace stepwise::rules {

void AddPackCommand(CLI::App& app, int& exit_code) {
  CLI::App* pack = app.add_subcommand("pack", "Write, check, test and release rule packs");
  pack->require_subcommand(1);
  AddPackNewCommand(*pack, exit_code);
  AddPackCheckCommand(*pack, exit_code);
  AddPackTestCommand(*pack, exit_code);
  AddPackMutateCommand(*pack, exit_code);
  AddPackSchemaCommand(*pack, exit_code);
  AddPackageCommands(*pack, exit_code);
}

}  // namespace stepwise::rules
