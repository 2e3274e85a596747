// stepwise_soak: long load on a running stepwise-server, and how it compares with a server that only echoes.
// `tests/bench/soak/run SECONDS` starts all that is needed.
//
//   stepwise_soak echo --threads 2                                   the yardstick
//   stepwise_soak soak --port P --pid N --request FILE --seconds 60  500 connections, one in five hostile
//   stepwise_soak compare --port P --pid N --echo-port Q --echo-pid M --request FILE   8 KiB bodies, A B A B
//
// Exit code: 0 when every good request was answered as it should be, else 1.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/bench/soak/echo.h"
#include "tests/bench/soak/load.h"

namespace stepwise::soak {
namespace {

std::string ReadAll(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t ResidentKb(int pid) {
  std::istringstream text(ReadAll("/proc/" + std::to_string(pid) + "/statm"));
  std::size_t size = 0, resident = 0;
  text >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

// What a process has used of the processors: that does not change with what else runs on the machine.
double CpuSeconds(int pid) {
  std::string text = ReadAll("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(text.erase(0, text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// The request with more pain scores, until it has so many bytes.
std::string Filled(const std::string& request, std::size_t bytes) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(request);
  nlohmann::ordered_json& entries = json.at("prefetch").at("pain").at("entry");
  const nlohmann::ordered_json observation = entries.at(0);
  for (int i = 0; json.dump().size() < bytes; ++i) {
    entries.push_back(observation);
    entries.back()["resource"]["id"] = "pain-" + std::to_string(i);
  }
  return json.dump();
}

int Judge(const LoadFigures& figures) {
  if (figures.wrong != 0) std::printf("  first wrong: %s\n", figures.first_wrong.c_str());
  if (figures.good == 0) std::printf("  no good answer at all\n");
  return figures.wrong == 0 && figures.good != 0 ? 0 : 1;
}

struct Target {
  std::uint16_t port = 0;
  int pid = 0;
};

struct Options {
  Target server, echo;
  std::string request;
  int seconds = 60, threads = 2, rounds = 3;
  std::size_t connections = 500, bytes = 8 << 10;
  int think_ms = 200;
};

int Soak(const Options& options) {
  std::vector<std::size_t> resident_kb;
  LoadOptions load;
  load.port = options.server.port;
  load.body = nlohmann::ordered_json::parse(ReadAll(options.request)).dump();
  load.connections = options.connections;
  load.hostile_every = 5;
  load.time = std::chrono::seconds(options.seconds);
  load.think = std::chrono::milliseconds(options.think_ms);
  load.sampler = [&] { resident_kb.push_back(ResidentKb(options.server.pid)); };
  const LoadFigures figures = RunLoad(load);
  std::printf("soak: %zu connections, one in five hostile, %.1f s\n", options.connections, figures.seconds);
  std::printf("  good %llu (%.0f/s), refused as busy %llu, hostile exchanges %llu, wrong %llu\n",
              static_cast<unsigned long long>(figures.good),
              static_cast<double>(figures.good) / figures.seconds,
              static_cast<unsigned long long>(figures.busy), static_cast<unsigned long long>(figures.hostile),
              static_cast<unsigned long long>(figures.wrong));
  std::printf("  latency p50 %.1f ms, p99 %.1f ms\n", figures.Percentile(0.5) / 1000.0,
              figures.Percentile(0.99) / 1000.0);
  // The first tenth of the time is for buffers and caches to fill.
  const auto at = [&](double share) {
    return resident_kb[static_cast<std::size_t>(share * static_cast<double>(resident_kb.size() - 1))];
  };
  std::printf("  RSS %zu KiB after a tenth of the time, %zu in the middle, %zu at the end\n", at(0.1),
              at(0.5), at(1.0));
  return Judge(figures);
}

struct Round {
  double per_second, per_cpu_second;
  std::uint32_t p50_us, p99_us;
};

double Median(std::vector<Round> rounds, double Round::*member) {
  std::sort(rounds.begin(), rounds.end(),
            [&](const Round& a, const Round& b) { return a.*member < b.*member; });
  return rounds[rounds.size() / 2].*member;
}

int Compare(const Options& options) {
  LoadOptions load;
  load.body = Filled(ReadAll(options.request), options.bytes);
  load.connections = options.connections;
  load.time = std::chrono::seconds(options.seconds);
  int status = 0;
  const Target* const targets[] = {&options.server, &options.echo};
  const char* const names[] = {"stepwise-server", "echo"};
  std::vector<Round> rounds[2];
  std::printf("compare: bodies of %zu bytes, %zu connections, %d rounds of %d s each\n", load.body.size(),
              options.connections, options.rounds, options.seconds);
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t which = 0; which < 2; ++which) {
      load.port = targets[which]->port;
      const double before = CpuSeconds(targets[which]->pid);
      const LoadFigures figures = RunLoad(load);
      const double cpu = std::max(CpuSeconds(targets[which]->pid) - before, 0.01);
      const auto good = static_cast<double>(figures.good);
      rounds[which].push_back(
          {good / figures.seconds, good / cpu, figures.Percentile(0.5), figures.Percentile(0.99)});
      const Round& last = rounds[which].back();
      std::printf("  %-16s %7.0f/s %8.0f per CPU second, p50 %.2f ms, p99 %.2f ms, busy %llu\n", names[which],
                  last.per_second, last.per_cpu_second, last.p50_us / 1000.0, last.p99_us / 1000.0,
                  static_cast<unsigned long long>(figures.busy));
      status |= Judge(figures);
    }
  }
  const auto ratio = [&](double Round::*member) {
    return Median(rounds[0], member) / Median(rounds[1], member);
  };
  std::printf("  stepwise-server / echo (medians): %.3f of the throughput, %.3f per CPU second\n",
              ratio(&Round::per_second), ratio(&Round::per_cpu_second));
  return status;
}

void AddServer(CLI::App& app, Options& options) {
  app.add_option("--port", options.server.port, "Of the server, on 127.0.0.1")->required();
  app.add_option("--pid", options.server.pid, "Of the server")->required();
  app.add_option("--request", options.request, "File of an order-sign request")->required();
  app.add_option("--seconds", options.seconds, "How long, or how long each round is")
      ->check(CLI::Range(1, 86'400));
  app.add_option("--connections", options.connections, "At once")->check(CLI::Range(1, 10'000));
}

}  // namespace
}  // namespace stepwise::soak

int main(int argc, char** argv) {
  using namespace stepwise::soak;
  Options options;
  CLI::App app("Load for stepwise-server", "stepwise_soak");
  app.require_subcommand(1);
  CLI::App* const echo = app.add_subcommand("echo", "Serve what only echoes");
  echo->add_option("--threads", options.threads)->check(CLI::Range(1, 64));
  CLI::App* const soak = app.add_subcommand("soak", "Long load, one connection in five hostile");
  AddServer(*soak, options);
  soak->add_option("--think-ms", options.think_ms, "Between an answer and the next request")
      ->check(CLI::Range(0, 60'000));
  CLI::App* const compare = app.add_subcommand("compare", "Throughput next to the echo's");
  AddServer(*compare, options);
  compare->add_option("--echo-port", options.echo.port)->required();
  compare->add_option("--echo-pid", options.echo.pid)->required();
  compare->add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  compare->add_option("--bytes", options.bytes, "Of a body")->check(CLI::Range(1024, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  if (*echo) return ServeEcho(options.threads), 0;
  return *soak ? Soak(options) : Compare(options);
}
