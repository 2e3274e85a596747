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
#include "rules/reloader.h"

namespace stepwise::rules {
namespace {

constexpr std::chrono::seconds kDrain{10};

struct Arguments {
  RegistryOptions registry;
  std::int64_t reload_poll_ms = 2'000;  // 0: on SIGHUP only
  EvaluatorServerOptions options;
};

int Refuse(const Error& error) {
  std::cerr << "stepwise: " << error.ToString() << "\n";
  return 1;
}

DateTime Now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return DateTime::FromUnixMillis(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

void Tell(bool loaded, const RegistryStatus& status) {
  if (loaded) std::cerr << "stepwise: reloaded: " << status.digest << "\n";
  for (const Error& error : status.errors)
    std::cerr << "stepwise: not reloaded: " << error.ToString() << "\n";
}

int Serve(const Arguments& arguments) {
  // Blocked before any thread starts, so that all inherit it and sigwait() below is the only taker.
  BlockReloadSignal();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto registry = Registry::Open(arguments.registry, &Now);
  if (!registry) return Refuse(registry.error());
  EvaluatorServerOptions options = arguments.options;
  options.site = arguments.registry.site;
  const auto server = EvaluatorServer::Start(**registry, options);
  if (!server) return Refuse(server.error());
  const Reloader reloader(**registry, std::chrono::milliseconds(arguments.reload_poll_ms), &Tell);
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
  command->add_option("--packs", arguments->registry.dirs, "Folder of rule packs; may be given several times")
      ->allow_extra_args(false)  // one folder after each --packs
      ->required();
  command->add_option("--activation", arguments->registry.activation,
                      "File that says which versions of packs are on; without it all are");
  command->add_option("--site", arguments->registry.site,
                      "Site whose activation and overlays of packs count");
  command
      ->add_option("--reload-poll-ms", arguments->reload_poll_ms,
                   "Between two looks at the packs; 0: reload on SIGHUP only")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
  command
      ->add_option("--threads", arguments->options.threads,
                   "Threads that evaluate; 0: one for each processor")
      ->capture_default_str();
  command->add_option("--queue", arguments->options.queue_size, "Requests that may wait for a thread")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = Serve(*arguments); });
}

}  // namespace stepwise::rules
