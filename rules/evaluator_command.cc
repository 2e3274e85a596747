#include "rules/evaluator_command.h"

#include <pthread.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "rules/evaluator_service.h"
#include "rules/local_evaluator.h"

namespace stepwise::rules {
namespace {

constexpr std::chrono::seconds kDrain{10};

struct Arguments {
  std::vector<std::string> packs;
  EvaluatorServerOptions options;
};

int Refuse(const Error& error) {
  std::cerr << "stepwise: " << error.ToString() << "\n";
  return 1;
}

int Serve(const Arguments& arguments) {
  // Blocked before any thread starts, so that all inherit it and sigwait() below is the only taker.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const Result<std::unique_ptr<Evaluator>> evaluator = LoadLocalEvaluator(arguments.packs);
  if (!evaluator) return Refuse(evaluator.error());
  const auto server = EvaluatorServer::Start(**evaluator, arguments.options);
  if (!server) return Refuse(server.error());
  std::cout << "listening on " << (*server)->address() << std::endl;

  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*server)->Shutdown(kDrain);
  return 0;
}

}  // namespace

void AddEvaluatorCommand(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("evaluator", "Serve rule packs over gRPC, for stepwise-server --evaluators");
  command->add_option("--listen", arguments->options.listen, "HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  command->add_option("--packs", arguments->packs, "Folder of rule packs; may be given several times")
      ->allow_extra_args(false)  // one folder after each --packs
      ->required();
  command
      ->add_option("--threads", arguments->options.threads,
                   "Threads that evaluate; 0: one for each processor")
      ->capture_default_str();
  command->add_option("--queue", arguments->options.queue_size, "Requests that may wait for a thread")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = Serve(*arguments); });
}

}  // namespace stepwise::rules
