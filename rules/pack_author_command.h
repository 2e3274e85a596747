// `stepwise pack new` and `stepwise pack schema`: what authors need before there is a pack to check.
//
//   stepwise pack new org.example.my-pack     a first pack with one rule and its tests, in my-pack/
//   stepwise pack schema --out DIR            JSON Schemas of the pack files, for editors
//   stepwise pack schema rule                 one of them, printed
//
// Exit codes: 0 good, 1 errors, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_AUTHOR_COMMAND_H_
#define STEPWISE_RULES_PACK_AUTHOR_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::rules {

// `pack`: the subcommand `stepwise pack`.
void AddPackNewCommand(CLI::App& pack, int& exit_code);
void AddPackSchemaCommand(CLI::App& pack, int& exit_code);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_AUTHOR_COMMAND_H_
