// `stepwise evaluator`: rule packs served over gRPC.
//
//   stepwise evaluator --listen 127.0.0.1:50051 --packs rules/packs --threads 4
//   listening on 127.0.0.1:50051
//
// Serves until SIGTERM or SIGINT, then finishes the calls in flight; a second signal ends it at once.
// Exit codes: 0 stopped by a signal, 1 a pack does not compile or the address is taken, 2 wrong usage.
#ifndef STEPWISE_RULES_EVALUATOR_COMMAND_H_
#define STEPWISE_RULES_EVALUATOR_COMMAND_H_

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddEvaluatorCommand(CLI::App& app, int& exit_code);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_EVALUATOR_COMMAND_H_
