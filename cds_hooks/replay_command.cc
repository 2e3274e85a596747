#include "cds_hooks/replay_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "cds_hooks/config.h"
#include "cds_hooks/evaluator_choice.h"
#include "cds_hooks/store/replay.h"
#include "cds_hooks/store/store.h"
#include "rules/command.h"

namespace stepwise::cds_hooks {
namespace {

const rules::CommandRegistrar kReplay(&AddReplayCommand);

struct Arguments {
  std::string decision;
  std::string store = "sqlite:stepwise.db";
  std::vector<std::string> key_files;
  std::vector<std::string> packs;
  std::optional<std::string> site;
  bool diff = false;
};

Result<Replayed> ReplayIt(const Arguments& arguments) {
  StoreOptions options;
  options.create = false;
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStore(arguments.store, options));
  STEPWISE_ASSIGN_OR_RETURN(const Sealer sealer, Sealer::FromFiles(arguments.key_files));
  STEPWISE_ASSIGN_OR_RETURN(const std::optional<DecisionRecord> record,
                            store->FindDecision(arguments.decision));
  if (!record) return Fail(Code::kNotFound, "there is no decision of this id in the store");
  const auto now = DateTime::ParseDateTime(record->now());
  if (!now) return Fail(Code::kInternal, "the time of the decision cannot be read");
  Config config;
  config.packs = arguments.packs;
  config.site = arguments.site.value_or(record->site());
  STEPWISE_ASSIGN_OR_RETURN(const ChosenEvaluator chosen, ChooseEvaluator(config, [now] { return *now; }));
  return Replay(*record, sealer, *chosen.evaluator);
}

int RunReplay(const Arguments& arguments) {
  const Result<Replayed> replayed = ReplayIt(arguments);
  if (!replayed) {
    std::cerr << "stepwise: " << replayed.error().ToString() << "\n";
    return 1;
  }
  std::cout << replayed->response << std::flush;
  if (replayed->differences.empty()) return 0;
  for (const std::string& difference : replayed->differences) std::cerr << "stepwise: " << difference << "\n";
  if (arguments.diff && !replayed->recorded.empty())
    std::cerr << DiffLines(replayed->recorded, replayed->response);
  return 1;
}

}  // namespace

void AddReplayCommand(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("replay", "Make a recorded decision once more, byte for byte");
  command->add_option("DECISION", arguments->decision, "Id of the decision, as cards and logs name it")
      ->required();
  command->add_option("--store", arguments->store, "sqlite:PATH or postgres://...")->capture_default_str();
  command
      ->add_option("--key-file", arguments->key_files,
                   "Key that sealed the record; may be given several times")
      ->allow_extra_args(false);
  command->add_option("--packs", arguments->packs, "Folder of rule packs; may be given several times")
      ->allow_extra_args(false);
  command->add_option("--site", arguments->site, "Site whose overlays count, instead of the recorded one");
  command->add_flag("--diff", arguments->diff, "Say on stderr how the answers differ");
  command->callback([arguments, &exit_code] { exit_code = RunReplay(*arguments); });
}

}  // namespace stepwise::cds_hooks
