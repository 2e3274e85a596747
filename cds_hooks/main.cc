// stepwise-server: the CDS Hooks service.
//
//   stepwise-server --listen 127.0.0.1:8080 --packs registry --activation activation.yaml --site north-campus
//
// Packs and the activation file are reloaded on SIGHUP, and when they change: all or nothing, without a gap.
//
// Prints "listening on http://HOST:PORT" to stdout once it accepts connections; logs to stderr.
// Exit codes: 0 stopped by a signal, 1 it could not start (the reason is on stderr), 2 wrong usage.

#include <CLI/CLI.hpp>
#include <chrono>
#include <exception>
#include <iostream>
#include <optional>

#include "cds_hooks/config.h"
#include "cds_hooks/evaluator_choice.h"
#include "cds_hooks/http_server.h"
#include "cds_hooks/log.h"
#include "cds_hooks/service.h"
#include "rules/reloader.h"

namespace stepwise::cds_hooks {
namespace {

Service::Clock MakeClock(const Config& config) {
  if (!config.now.empty()) return [now = *DateTime::ParseDateTime(config.now)] { return now; };
  return [] {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return DateTime::FromUnixMillis(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
  };
}

void Tell(bool loaded, const rules::RegistryStatus& status, Log& log) {
  const std::string generation = std::to_string(status.generation);
  if (loaded) return log.Info("reloaded", {{"generation", generation}, {"digest", status.digest}});
  for (const Error& error : status.errors)
    log.Error("reload-failed", {{"serving", generation}, {"reason", error.ToString()}});
}

Status Serve(const Overrides& overrides) {
  STEPWISE_ASSIGN_OR_RETURN(const Config config, MakeConfig(overrides));
  STEPWISE_ASSIGN_OR_RETURN(const ChosenEvaluator chosen, ChooseEvaluator(config, MakeClock(config)));
  if (chosen.registry != nullptr) rules::BlockReloadSignal();  // before any thread starts
  Log log(config.log_level);
  ServiceOptions options = MakeServiceOptions(config);
  options.registry = chosen.registry;
  EvaluationQueue queue(MakeEvaluationQueueOptions(config));
  options.executor = &queue;
  Service service(std::move(options), *chosen.evaluator, MakeClock(config));
  if (Status ready = service.Refresh(); !ready) {
    // Remote evaluators may come later: until then requests get 503. Anything else must be repaired first.
    if (ready.error().code != Code::kUnavailable) return ready;
    log.Error("evaluator-unavailable", {{"reason", ready.error().message}});
  }
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<HttpServer> server,
                            HttpServer::Listen(MakeHttpServerOptions(config), service, &queue,
                                               [&](const AccessRecord& r) { log.Request(r); }));
  std::cout << "listening on " << server->url() << std::endl;
  log.Info("started", {{"url", server->url()}});
  std::optional<rules::Reloader> reloader;
  if (chosen.registry != nullptr) {
    reloader.emplace(*chosen.registry, std::chrono::milliseconds(config.reload_poll_ms),
                     [&](bool loaded, const rules::RegistryStatus& status) { Tell(loaded, status, log); });
  }
  server->Run(/*stop_on_signals=*/true);
  log.Info("stopped");
  return {};
}

}  // namespace
}  // namespace stepwise::cds_hooks

int main(int argc, char** argv) {
  CLI::App app("Stepwise CDS Hooks service", "stepwise-server");
  stepwise::cds_hooks::Overrides overrides;
  stepwise::cds_hooks::AddOptions(app, overrides);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    const stepwise::Status status = stepwise::cds_hooks::Serve(overrides);
    if (status) return 0;
    std::cerr << "stepwise-server: " << status.error().ToString() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "stepwise-server: " << error.what() << "\n";
  }
  return 1;
}
