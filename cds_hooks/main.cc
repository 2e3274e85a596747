// stepwise-server: the CDS Hooks service.
//
//   stepwise-server --listen 127.0.0.1:8080 --packs registry --activation activation.yaml --site north-campus
//
//   stepwise-server report feedback --store sqlite:stepwise.db          what its memory holds
//
// Packs, the activation file and certificates are reloaded on SIGHUP, and when they change: all or nothing,
// without a gap.
// The configuration is read once; --check-config reads everything, says what is wrong with it and serves
// nothing.
//
// Prints "listening on http://HOST:PORT" to stdout once it accepts connections; logs to stderr.
// Exit codes: 0 stopped by a signal, 1 it could not start (all reasons are on stderr), 2 wrong usage.

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>

#include "cds_hooks/components.h"
#include "cds_hooks/config.h"
#include "cds_hooks/config_text.h"
#include "cds_hooks/evaluation_queue.h"
#include "cds_hooks/evaluator_choice.h"
#include "cds_hooks/http_server.h"
#include "cds_hooks/log.h"
#include "cds_hooks/metrics.h"
#include "cds_hooks/notify.h"
#include "cds_hooks/service.h"
#include "cds_hooks/store/report_command.h"
#include "rules/man_page.h"
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
  NotifyReady((loaded ? "packs of generation " : "reload failed; packs of generation ") + generation);
  if (loaded) return log.Info("reloaded", {{"generation", generation}, {"digest", status.digest}});
  for (const Error& error : status.errors)
    log.Error("reload-failed", {{"serving", generation}, {"reason", error.ToString()}});
}

void Complain(const std::string& reason) { std::cerr << "stepwise-server: " << reason << "\n"; }

// The configuration, or all that is wrong with it on stderr.
std::optional<Config> Configure(const Overrides& overrides) {
  std::vector<Error> errors;
  std::optional<Config> config = MakeConfig(overrides, &errors);
  for (const Error& error : errors) Complain(error.ToString());
  return config;
}

// Reads what the configuration names. Errors: all of one kind at once, one a line.
Status CheckFiles(const Config& config) {
  STEPWISE_RETURN_IF_ERROR(CheckComponents(config));
  if (!config.evaluators.empty()) return {};  // they read the packs
  const auto chosen = ChooseEvaluator(config, MakeClock(config));
  return chosen ? Status() : tl::unexpected(chosen.error());
}

void TellCertificate(const Status& status, Log& log) {
  if (status) return log.Info("certificate-reloaded");
  log.Error("certificate-failed", {{"reason", status.error().ToString()}});
}

void WatchServer(Metrics& metrics, const HttpServer& server, const EvaluationQueue& queue, bool tls) {
  metrics.Watch(Metrics::kConnections, [&] { return static_cast<double>(server.stats().connections); });
  metrics.Watch(Metrics::kQueuedEvaluations, [&] { return static_cast<double>(queue.stats().waiting); });
  if (!tls) return;
  metrics.Watch(Metrics::kCertificateExpiry,
                [&] { return static_cast<double>(server.stats().certificate_not_after_unix_s); });
}

Status Serve(const Config& config) {
  const Service::Clock clock = MakeClock(config);
  rules::BlockReloadSignal();  // before any thread starts
  // A connection that is gone, a file that may not grow: errors of one write, not the end of the service.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  STEPWISE_ASSIGN_OR_RETURN(const ChosenEvaluator chosen, ChooseEvaluator(config, clock));
  Log log(config.log_level);
  STEPWISE_ASSIGN_OR_RETURN(const std::unique_ptr<Components> components,
                            Components::Make(config, clock, log));
  EvaluationQueue queue(MakeEvaluationQueueOptions(config));
  std::unique_ptr<HttpServer> server;  // asked by the service whether it stops
  ServiceOptions options = MakeServiceOptions(config);
  options.registry = chosen.registry;
  options.executor = &queue;
  options.metrics = std::make_shared<Metrics>();
  options.draining = [&server] { return server != nullptr && server->draining(); };
  components->AddTo(options);
  const std::shared_ptr<Metrics> metrics = options.metrics;
  Service service(std::move(options), *chosen.evaluator, clock);
  if (Status ready = service.Refresh(); !ready) {
    // Remote evaluators may come later: until then requests get 503. Anything else must be repaired first.
    if (ready.error().code != Code::kUnavailable) return ready;
    log.Error("evaluator-unavailable", {{"reason", ready.error().message}});
  }
  HttpServerOptions server_options = MakeHttpServerOptions(config);
  const bool tls = server_options.tls.enabled();
  STEPWISE_ASSIGN_OR_RETURN(server, HttpServer::Listen(
                                        std::move(server_options), service, &queue,
                                        [&](const AccessRecord& record) {
                                          metrics->RequestAnswered(record);
                                          log.Request(record);
                                        },
                                        [&](const Status& status) { TellCertificate(status, log); }));
  WatchServer(*metrics, *server, queue, tls);
  server->WhenStopping(NotifyStopping);
  if (const auto period = WatchdogPeriod(); period > period.zero()) server->Every(period, NotifyWatchdog);
  std::cout << "listening on " << server->url() << std::endl;
  log.Info("started", {{"url", server->url()}});
  NotifyReady("listening on " + server->url());
  std::optional<rules::Reloader> reloader;
  if (chosen.registry != nullptr) {
    reloader.emplace(
        *chosen.registry, std::chrono::milliseconds(config.reload_poll_ms),
        [&](bool loaded, const rules::RegistryStatus& status) { Tell(loaded, status, log); },
        [&] {
          NotifyReloading();
          if (tls) server->ReloadCertificates();  // the observer tells how it went
        });
  }
  server->Run(/*stop_on_signals=*/true);
  reloader.reset();
  components->StopCalls();  // whose answers go to the service
  server.reset();           // and what it never began: likewise
  log.Info("stopped");
  return {};
}

const rules::ManText kManText = {
    .section = 8,
    .description =
        "Answers CDS Hooks requests with the advice of rule packs. Prints \"listening on URL\" once it "
        "accepts\n"
        "connections and logs JSON lines to standard error: never bodies, identifiers or tokens.\n\n"
        "Every setting is a key of one YAML file as well, which --example-config prints with all keys; an\n"
        "option wins over the file. The key certificate in the section tls is --tls-certificate. Paths in "
        "the\n"
        "file are relative to its folder. The list trust.issuers is in the file only.",
    .exit_status =
        "0: stopped by a signal. 1: it could not start, all reasons are on standard error. 2: wrong "
        "usage.",
    .files =
        "/etc/stepwise/stepwise.yaml\nThe configuration of the service as the package installs it.\n"
        "/usr/share/stepwise/packs\nThe rule packs that are served unless --packs names others.\n"
        "/var/lib/stepwise\nThe state of the service under systemd.",
    .signals =
        "SIGHUP\nReload packs and activation, all or nothing. The configuration is not read again.\n"
        "SIGTERM, SIGINT\nTake no more connections, answer what is under way, stop. Twice: stop at once.",
    .see_also = "stepwise(1), stepwise-conformance(1), systemctl(1)"};

int Run(const Overrides& overrides, bool check_only) {
  const std::optional<Config> config = Configure(overrides);
  if (!config) return 1;
  if (const Status status = check_only ? CheckFiles(*config) : Serve(*config); !status) {
    Complain(status.error().ToString());
    return 1;
  }
  if (check_only) std::cout << "ok\n";
  return 0;
}

}  // namespace
}  // namespace stepwise::cds_hooks

int main(int argc, char** argv) {
  namespace cds_hooks = stepwise::cds_hooks;
  CLI::App app("Stepwise CDS Hooks service", "stepwise-server");
  cds_hooks::Overrides overrides;
  bool check_config = false, example_config = false;
  cds_hooks::AddOptions(app, overrides);
  app.add_flag("--check-config", check_config,
               "Read configuration and packs, say what is wrong, serve nothing");
  app.add_flag("--example-config", example_config,
               "Print the configuration file with every setting explained");
  int exit_code = 0;
  app.require_subcommand(0, 1);
  cds_hooks::AddReportCommand(app, exit_code);
  cds_hooks::AddPurgeCommand(app, exit_code);
  stepwise::rules::AddManOption(app, cds_hooks::kManText);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!app.get_subcommands().empty()) return exit_code;
  try {
    if (!example_config) return cds_hooks::Run(overrides, check_config);
    std::cout << cds_hooks::ConfigExample();
    return 0;
  } catch (const std::exception& error) {
    cds_hooks::Complain(error.what());
  }
  return 1;
}
