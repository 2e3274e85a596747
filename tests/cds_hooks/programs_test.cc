// The programs as people start them, on the shipped packs and the demonstration's request: `stepwise
// evaluate`, stepwise-server, and stepwise-server with `stepwise evaluator` behind it say the same; what is
// missing, broken or hostile gets its status; a signal stops them.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "fhir/date_time.h"
#include "tests/cds_hooks/http_client.h"
#include "tests/testing.h"

extern char** environ;

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::json;

constexpr const char* kNow = "2026-12-10T09:00:00Z";

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
  int Stop() {
    ::kill(pid_, SIGTERM);
    return Wait();
  }

  // "127.0.0.1:PORT" of its line "listening on [http://]HOST:PORT"; "" when it ended instead.
  std::string Address() {
    for (int i = 0; i < 1200; ++i) {
      const std::string output = Output();
      std::smatch match;
      if (std::regex_search(output, match, std::regex("listening on (?:http://)?([0-9.]+:[0-9]+)\n")))
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

// The demonstration's request with @NOW-2h@ and the like filled in for kNow.
Json DemoRequest() {
  std::string text = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  const std::int64_t now = DateTime::ParseDateTime(kNow)->ToUnixMillis();
  const std::regex placeholder("@NOW(?:-([0-9]+)h)?@");
  for (std::smatch match; std::regex_search(text, match, placeholder);) {
    const std::int64_t hours = match[1].matched ? std::stoll(match[1]) : 0;
    text = match.prefix().str() + DateTime::FromUnixMillis(now - hours * 3'600'000).ToString() +
           match.suffix().str();
  }
  return Json::parse(text);
}

class ProgramsTest : public testing::Test {
 protected:
  std::unique_ptr<Program> Start(const std::string& name, std::vector<std::string> arguments) {
    return std::make_unique<Program>(dir_.path(), name, std::move(arguments));
  }
  std::unique_ptr<Program> StartServer(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0", "--now", kNow});
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

}  // namespace
}  // namespace stepwise::cds_hooks
