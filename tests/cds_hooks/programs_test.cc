// The programs as people start them, on the shipped packs and the demonstration's request: `stepwise
// evaluate`, stepwise-server, and stepwise-server with `stepwise evaluator` behind it say the same; what is
// missing, broken or hostile gets its status; a signal stops them.

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/cds_hooks/http_client.h"
#include "tests/cds_hooks/program.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::json;

constexpr const char* kNow = "2026-12-10T09:00:00Z";

Json DemoRequest() { return cds_hooks::DemoRequest(kNow); }

class ProgramsTest : public testing::Test {
 protected:
  std::unique_ptr<Program> Start(const std::string& name, std::vector<std::string> arguments) {
    return std::make_unique<Program>(dir_.path(), name, std::move(arguments));
  }
  std::unique_ptr<Program> StartServer(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0", "--now", kNow, "--store", "none"});
    return Start("stepwise-server", std::move(arguments));
  }
  std::string Send(std::uint16_t port, const Json& request) {
    HttpClient client(port);
    client.Send(Post(request.dump()));
    return client.Receive();
  }

  TempDir dir_;
  const std::string packs_ = (SourceDir() / "rules/packs").string();
};

TEST_F(ProgramsTest, EvaluateServerAndEvaluatorSayTheSame) {
  const Json request = DemoRequest();
  const std::filesystem::path file = dir_.path() / "request.json";
  WriteFile(file, request.dump());
  const auto evaluate = Start("stepwise", {"evaluate", file.string(), "--packs", packs_, "--now", kNow});
  const auto server = StartServer({"--packs", packs_});
  const auto evaluator = Start("stepwise", {"evaluator", "--listen", "127.0.0.1:0", "--packs", packs_});
  const auto front = StartServer({"--evaluators", evaluator->Address()});

  const std::string alone = Send(server->Port(), request);
  EXPECT_EQ(StatusOf(alone), 200);
  const std::string through = Send(front->Port(), request);
  EXPECT_EQ(StatusOf(through), 200) << through;
  EXPECT_EQ(evaluate->Wait(), 0) << evaluate->Errors();
  const Json expected = Json::parse(evaluate->Output());
  EXPECT_EQ(Json::parse(BodyOf(alone)), expected);
  EXPECT_EQ(Json::parse(BodyOf(through)), expected);
  // The cards that the demonstration promises: ADJ-03 and SCH-02.
  EXPECT_EQ(expected.at("cards").size(), 2u);

  EXPECT_EQ(front->Stop(), 0);
  EXPECT_EQ(evaluator->Stop(), 0);
  EXPECT_EQ(server->Stop(), 0);
}

TEST_F(ProgramsTest, PainThatIsAbsentEmptyOrFailedIsNeverZero) {
  const auto server = StartServer({"--packs", packs_});
  const std::uint16_t port = server->Port();
  const Json empty = {{"resourceType", "Bundle"}, {"type", "searchset"}, {"total", 0}};
  const Json failed = {{"resourceType", "OperationOutcome"},
                       {"issue", {{{"severity", "error"}, {"code", "exception"}}}}};
  const struct {
    const char* name;
    Json pain;  // discarded: the key is left out
    int status;
    std::string_view says, never;
  } rows[] = {
      {"supplied", DemoRequest()["prefetch"]["pain"], 200, "SCH-02", ""},
      {"absent", Json(Json::value_t::discarded), 412, "prefetch.pain", "cards"},
      {"null", nullptr, 200, "\"cards\":", "SCH-02"},
      {"empty", empty, 200, "\"cards\":", "SCH-02"},
      {"failed", failed, 412, "prefetch.pain", "cards"},
  };
  for (const auto& row : rows) {
    Json request = DemoRequest();
    if (row.pain.is_discarded())
      request["prefetch"].erase("pain");
    else
      request["prefetch"]["pain"] = row.pain;
    const std::string response = Send(port, request);
    EXPECT_EQ(StatusOf(response), row.status) << row.name << response;
    EXPECT_NE(response.find(row.says), std::string::npos) << row.name << response;
    if (!row.never.empty()) {
      EXPECT_EQ(response.find(row.never), std::string::npos) << row.name << response;
    }
  }
}

TEST_F(ProgramsTest, HostileRequestsGetAStatusAndTheNextOneCards) {
  const auto server = StartServer({"--packs", packs_});
  const std::uint16_t port = server->Port();
  const std::string good = DemoRequest().dump();
  std::string not_utf8 = good;
  not_utf8[not_utf8.find("Dana")] = '\xFF';
  Json wrong_type = DemoRequest();
  wrong_type["context"]["draftOrders"] = "none";
  const struct {
    const char* name;
    std::string body;
    int status;
    std::string_view says;
  } rows[] = {
      {"truncated", good.substr(0, good.size() / 2), 400, "\"expression\""},
      {"200 deep", R"({"hook":)" + std::string(200, '[') + std::string(200, ']') + "}", 413, "\"hook\""},
      {"20 MB", std::string(20'000'000, ' '), 413, "OperationOutcome"},
      {"not UTF-8", not_utf8, 400, "\"prefetch.patient.name[0].given[0]\""},
      {"wrong type", wrong_type.dump(), 400, "context.draftOrders"},
  };
  for (const auto& row : rows) {
    HttpClient client(port);
    client.Send(Post(row.body));
    const std::string response = client.Receive();
    EXPECT_EQ(StatusOf(response), row.status) << row.name << ": " << response;
    EXPECT_NE(response.find(row.says), std::string::npos) << row.name << ": " << response;
    EXPECT_EQ(StatusOf(Send(port, DemoRequest())), 200) << "after " << row.name;
  }
  EXPECT_EQ(server->Stop(), 0);
}

TEST_F(ProgramsTest, CheckConfigSaysAllThatIsWrongAndServesNothing) {
  const std::string file = (dir_.path() / "stepwise.yaml").string();
  const auto check = [&] { return Start("stepwise-server", {"--check-config", "--config", file}); };
  WriteFile(file, "packs: [" + packs_ + "]\nmax-depth: 20\n");
  const auto good = check();
  EXPECT_EQ(good->Wait(), 0) << good->Errors();
  EXPECT_EQ(good->Output(), "ok\n");

  WriteFile(file, "pcks: [a]\nmax-depth: 2\n");
  const auto wrong = check();
  EXPECT_EQ(wrong->Wait(), 1);
  EXPECT_EQ(wrong->Errors(), "stepwise-server: " + file +
                                 ":1:1: unknown key `pcks` in the configuration; did you mean `packs`?\n"
                                 "stepwise-server: " +
                                 file + ":2:12: `max-depth`: 2 is not between 8 and 1000\n");

  WriteFile(file, "packs: packs\nactivation: activation.yaml\n");
  const std::filesystem::path pack = dir_.path() / "packs/a/pack.yaml";
  WriteFile(pack, "pack: org.example.a\nversions: 1\n");
  const auto broken = check();
  EXPECT_EQ(broken->Wait(), 1);
  EXPECT_NE(broken->Errors().find("pack.yaml:2:1: "), std::string::npos) << broken->Errors();
}

// What systemd receives, read as it comes: a full socket would hold up who sends.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy_n(path.begin(), std::min(path.size(), sizeof address.sun_path - 1), address.sun_path);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    reader_ = std::thread([this] {
      char bytes[512];
      for (ssize_t size = 0; (size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0;) {
        const std::lock_guard lock(mutex_);
        messages_.emplace_back(bytes, static_cast<std::size_t>(size));
        arrived_.notify_all();
      }
    });
  }
  ~NotifySocket() {
    ::shutdown(socket_, SHUT_RDWR);
    reader_.join();
    ::close(socket_);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // The next message that begins so; those before it are passed over.
  std::string Next(std::string_view beginning) {
    std::unique_lock lock(mutex_);
    std::string found;
    arrived_.wait_for(lock, std::chrono::seconds(60), [&] {
      while (!messages_.empty() && found.empty()) {
        if (messages_.front().starts_with(beginning)) found = messages_.front();
        messages_.pop_front();
      }
      return !found.empty();
    });
    return found;
  }

 private:
  const int socket_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::string> messages_;  // guarded by mutex_
  std::thread reader_;
};

TEST_F(ProgramsTest, SystemdAndPrometheusAreTold) {
  const std::string path = (dir_.path() / "notify").string();
  NotifySocket systemd(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "20000", 1);
  const auto server = StartServer({"--packs", packs_, "--reload-poll-ms", "0"});
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(systemd.Next("READY=1"), "READY=1\nSTATUS=listening on http://" + server->Address());
  EXPECT_EQ(systemd.Next("WATCHDOG=1"), "WATCHDOG=1");
  const std::uint16_t port = server->Port();
  EXPECT_EQ(StatusOf(Send(port, DemoRequest())), 200);
  const auto get = [&](const std::string& target) {
    HttpClient client(port);
    client.Send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.Receive();
  };
  EXPECT_EQ(BodyOf(get("/health/ready")), R"({"status":"ready"})");
  const std::string counted = "stepwise_requests_total{route=\"/cds-services/{id}\",status=\"200\"} 1\n";
  std::string metrics;
  // A request is counted once its answer is on the way.
  for (int i = 0; i < 600 && metrics.find(counted) == std::string::npos; ++i) metrics = get("/metrics");
  EXPECT_NE(metrics.find(counted), std::string::npos) << metrics;
  server->Signal(SIGHUP);
  EXPECT_TRUE(systemd.Next("RELOADING=1").starts_with("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(systemd.Next("READY=1"), "READY=1\nSTATUS=packs of generation 2");
  EXPECT_EQ(server->Stop(), 0);
  EXPECT_TRUE(systemd.Next("STOPPING=1").starts_with("STOPPING=1\n"));
}

TEST_F(ProgramsTest, TheManualPagesNameEveryOption) {
  const struct {
    const char* program;
    std::vector<std::string> command;
  } rows[] = {{"stepwise-server", {}},        {"stepwise", {}},           {"stepwise", {"pack", "check"}},
              {"stepwise", {"pack", "test"}}, {"stepwise", {"evaluate"}}, {"stepwise", {"evaluator"}}};
  for (const auto& row : rows) {
    const auto man = Start(row.program, {"--help-man"});
    std::vector<std::string> arguments = row.command;
    arguments.push_back("--help");
    const auto help = Start(row.program, arguments);
    EXPECT_EQ(man->Wait(), 0);
    EXPECT_EQ(help->Wait(), 0);
    const std::string page = man->Output(), text = help->Output();
    const std::regex option("\n  (?:-[a-zA-Z],)?(--[a-z0-9-]+)");
    std::size_t options = 0;
    for (std::sregex_iterator match(text.begin(), text.end(), option), end; match != end;
         ++match, ++options) {
      const std::string name = std::regex_replace((*match)[1].str(), std::regex("-"), "\\-");
      EXPECT_NE(page.find("\\fB" + name + "\\fR"), std::string::npos) << row.program << " " << name;
    }
    EXPECT_GE(options, 1u) << text;
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
