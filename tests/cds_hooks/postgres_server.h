// A PostgreSQL server of the test's own, from Debian's package, on a socket in a temporary folder.
//
//   SKIP_WITHOUT(PostgresServer::Programs());
//   PostgresServer server;
//   ASSERT_TRUE(server.Start());
//   OpenStore(server.url());
//
// It refuses to run as root: then it runs as the user `postgres`.
#ifndef STEPWISE_TESTS_CDS_HOOKS_POSTGRES_SERVER_H_
#define STEPWISE_TESTS_CDS_HOOKS_POSTGRES_SERVER_H_

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing.h"

namespace stepwise::cds_hooks {

class PostgresServer {
 public:
  ~PostgresServer() { Stop(); }

  // The folder of initdb and pg_ctl of the newest version.
  static std::optional<std::filesystem::path> Programs() {
    std::vector<std::filesystem::path> found;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      if (std::filesystem::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
    }
    if (found.empty()) return std::nullopt;
    return *std::ranges::max_element(found);
  }

  // Makes the database on the first call; waits until it takes connections.
  bool Start() {
    if (running_) return true;
    if (!std::filesystem::exists(Data())) {
      if (::geteuid() == 0 && !Run("chown postgres " + dir_.path().string())) return false;
      if (!As("initdb -D " + Data().string() + " -U stepwise -A trust --no-sync")) return false;
    }
    running_ =
        As("pg_ctl -D " + Data().string() + " -w -t 100 -l " + (dir_.path() / "log").string() +
           " -o \"-c listen_addresses= -c fsync=off -c unix_socket_directories=" + dir_.path().string() +
           "\" start");
    return running_;
  }
  // At once: connections break.
  void Stop() {
    if (running_) As("pg_ctl -D " + Data().string() + " -w -t 100 -m immediate stop");
    running_ = false;
  }

  std::string url(const std::string& password = "") const {
    std::string socket = dir_.path().string();
    for (std::size_t at = 0; (at = socket.find('/', at)) != std::string::npos;) socket.replace(at, 1, "%2F");
    return "postgres://stepwise" + (password.empty() ? "" : ":" + password) + "@" + socket + "/postgres";
  }

 private:
  std::filesystem::path Data() const { return dir_.path() / "data"; }
  static bool Run(const std::string& command) {
    const int status = std::system((command + " > /dev/null 2>&1").c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  static bool As(const std::string& command) {
    const std::string whole = (*Programs() / command).string();
    return Run(::geteuid() == 0 ? "cd / && setpriv --reuid=postgres --regid=postgres --init-groups " + whole
                                : whole);
  }

  TempDir dir_;
  bool running_ = false;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_POSTGRES_SERVER_H_
