// Program: one of our programs as people start it, for tests of the whole.
//
//   Program server(dir, "stepwise-server", {"--listen", "127.0.0.1:0", "--packs", packs});
//   HttpClient client(server.Port());
//   EXPECT_EQ(server.Stop(), 0);
//
// What it prints is kept in files in `dir`, which is what a search for leaks reads. Killed when it goes away.
#ifndef STEPWISE_TESTS_CDS_HOOKS_PROGRAM_H_
#define STEPWISE_TESTS_CDS_HOOKS_PROGRAM_H_

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "fhir/date_time.h"
#include "tests/testing.h"

extern char** environ;

namespace stepwise::cds_hooks {

// A child process whose output goes to files in `dir`.
class Program {
 public:
  Program(const std::filesystem::path& dir, const std::string& name, std::vector<std::string> arguments) {
    static int number = 0;
    output_ = dir / ("out" + std::to_string(++number));
    arguments.insert(arguments.begin(), (BinDir() / name).string());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (output_.string() + ".err").c_str(),
                                     O_WRONLY | O_CREAT, 0600);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
      ADD_FAILURE() << "cannot start " << argv[0];
      pid_ = 0;
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Program() {
    if (pid_ != 0) ::kill(pid_, SIGKILL);
    Wait();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string Output() const { return ReadFile(output_); }
  std::string Errors() const { return ReadFile(output_.string() + ".err"); }

  // The exit code; minus the signal that ended it.
  int Wait() {
    int status = 0;
    if (pid_ == 0 || ::waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int Stop() { return Signal(SIGTERM), Wait(); }
  int Kill() { return Signal(SIGKILL), Wait(); }
  void Signal(int signal) { ::kill(pid_, signal); }

  // "127.0.0.1:PORT" of its line "listening on [http://]HOST:PORT"; "" when it ended instead.
  std::string Address() {
    for (int i = 0; i < 1200; ++i) {
      const std::string output = Output();
      std::smatch match;
      if (std::regex_search(output, match, std::regex("listening on (?:https?://)?([0-9.]+:[0-9]+)\n")))
        return match[1];
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = 0;
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "it does not listen: " << Errors();
    return "";
  }
  std::uint16_t Port() {
    const std::string address = Address();
    return address.empty() ? std::uint16_t{0}
                           : static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

 private:
  pid_t pid_ = 0;
  std::filesystem::path output_;
};

// The demonstration's request with @NOW-2h@ and the like filled in for `now_text`, a time with offset.
inline nlohmann::json DemoRequest(std::string_view now_text) {
  std::string text = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  const std::int64_t now = DateTime::ParseDateTime(std::string(now_text))->ToUnixMillis();
  const std::regex placeholder("@NOW(?:-([0-9]+)h)?@");
  for (std::smatch match; std::regex_search(text, match, placeholder);) {
    const std::int64_t hours = match[1].matched ? std::stoll(match[1]) : 0;
    text = match.prefix().str() + DateTime::FromUnixMillis(now - hours * 3'600'000).ToString() +
           match.suffix().str();
  }
  return nlohmann::json::parse(text);
}

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_PROGRAM_H_
