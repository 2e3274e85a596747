// `stepwise pack`: what informaticists do with packs. The subcommands are in pack_*_command.h.
//
//   stepwise pack new org.example.my-pack           a first pack that passes
//   stepwise pack check rules/packs                 every error and warning, with the line and a caret
//   stepwise pack test rules/packs --filter LAD-06  failed cases with their explanation, then coverage
//   stepwise pack schema --out DIR                  JSON Schemas of the pack files, for editors
//
// Exit codes: 0 good, 1 errors or failed cases, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_COMMAND_H_
#define STEPWISE_RULES_PACK_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackCommand(CLI::App& app, int& exit_code);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_COMMAND_H_
