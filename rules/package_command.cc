#include "rules/package_command.h"

#include "rules/pack_build_command.h"
#include "rules/pack_diff_command.h"
#include "rules/pack_exchange_command.h"
#include "rules/pack_show_command.h"
#include "rules/pack_sign_command.h"

namespace stepwise::rules {

void AddPackageCommands(CLI::App& pack, int& exit_code) {
  AddPackBuildCommand(pack, exit_code);
  AddPackShowCommand(pack, exit_code);
  AddPackSignCommands(pack, exit_code);
  AddPackDiffCommand(pack, exit_code);
  AddPackExchangeCommands(pack, exit_code);
}

}  // namespace stepwise::rules
