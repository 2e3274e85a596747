// `stepwise replay`: a recorded decision once more, byte for byte.
//
//   stepwise replay 5a0f... --store sqlite:stepwise.db --key-file seal.key --packs registry
//
// Prints the answer's bytes, and nothing after them. Exit codes: 0 they are the recorded ones; 1 they are
// not, or it cannot be replayed (stderr says why; --diff how they differ); 2 wrong usage.
//
// The file registers itself with rules/command.h; it is linked into the program, not into the library.
#ifndef STEPWISE_CDS_HOOKS_REPLAY_COMMAND_H_
#define STEPWISE_CDS_HOOKS_REPLAY_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::cds_hooks {

void AddReplayCommand(CLI::App& app, int& exit_code);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_REPLAY_COMMAND_H_
