// Evaluation over gRPC: the same decisions and errors as in this process, whatever happens to the peers.
#include "rules/remote_evaluator.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "rules/decision_proto.h"
#include "rules/evaluator_service.h"
#include "rules/grpc_status.h"
#include "rules/local_evaluator.h"
#include "rules/worker_pool.h"
#include "stepwise/rules/v1/rule_evaluation.grpc.pb.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Nothing listens on port 1 of this machine, and connecting to it is refused at once.
constexpr const char* kNobody = "127.0.0.1:1";

const DateTime kNow = *DateTime::ParseDateTime("2026-12-10T09:00:00.000+01:00");

// All of a decision, for comparing and for reading.
std::string Text(const Decision& decision) {
  v1::Decision message;
  ToProto(decision, &message);
  return message.DebugString();
}

std::string Text(const std::vector<PackInfo>& infos) {
  v1::ListPacksResponse message;
  for (const PackInfo& info : infos) ToProto(info, message.add_packs());
  return message.DebugString();
}

void ExpectSame(const Error& actual, const Error& expected) {
  EXPECT_EQ(CodeName(actual.code), CodeName(expected.code));
  EXPECT_EQ(actual.message, expected.message);
  EXPECT_EQ(actual.path, expected.path);
  EXPECT_EQ(actual.span.file, expected.span.file);
  EXPECT_EQ(actual.span.line, expected.span.line);
  EXPECT_EQ(actual.span.column, expected.span.column);
  EXPECT_EQ(actual.span.length, expected.span.length);
}

Document Parse(std::string text) {
  Result<Document> document = Document::Parse(std::move(text));
  if (!document) throw std::invalid_argument(document.error().ToString());
  return *std::move(document);
}

// Answers what the test says.
class FakeEvaluator final : public Evaluator {
 public:
  using Answer = std::function<Result<Decision>(const Document&, const DateTime&, milliseconds)>;
  explicit FakeEvaluator(Answer answer) : answer_(std::move(answer)) {}

  Result<Decision> Evaluate(const Document& request, const DateTime& now,
                            const EvaluateOptions& options) override {
    ++calls;
    return answer_(request, now, options.timeout);
  }
  Result<std::vector<PackInfo>> ListPacks() override { return std::vector<PackInfo>{}; }

  std::atomic<int> calls{0};

 private:
  const Answer answer_;
};

Result<Decision> Named(const std::string& id) {
  Decision decision;
  decision.id = id;
  decision.now = kNow;
  return decision;
}

// A door that evaluations wait at until the test opens it.
class Gate {
 public:
  ~Gate() { Open(); }
  void Open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void AwaitArrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

std::unique_ptr<EvaluatorServer> Serve(Evaluator& evaluator, EvaluatorServerOptions options = {}) {
  options.listen = "127.0.0.1:0";
  auto server = EvaluatorServer::Start(evaluator, options);
  if (!server) throw std::runtime_error(server.error().ToString());
  return *std::move(server);
}

std::unique_ptr<v1::RuleEvaluation::Stub> RawStub(const std::string& address) {
  return v1::RuleEvaluation::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

// One call without a RemoteEvaluator around it.
grpc::Status RawEvaluate(const std::string& address, const std::string& document, const std::string& now,
                         milliseconds timeout = seconds(20)) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::EvaluateRequest request;
  request.set_document(document);
  request.set_now(now);
  v1::EvaluateResponse response;
  return RawStub(address)->Evaluate(&context, request, &response);
}

constexpr std::string_view kPack = R"(pack: 1
id: org.example.remote
canonical: http://example.org/remote
version: 1.2.3
title: Pack of the remote test
status: active
fhir: [4.0.1]
evidence:
  - { id: guide, type: citation, label: "The guide", url: "http://example.org/guide" }
prefetch:
  patient: "Patient/{{context.patientId}}"
  pain: { query: "Observation?patient={{context.patientId}}&_count=2", required: false }
)";

constexpr std::string_view kOrderRule = R"yaml(rule: order
title: An order with a name
hooks: [order-sign]
for-each:
  order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)"
when:
  - { id: named, text: the drug has a name, if: "%order.medication.ofType(CodeableConcept).text.exists()" }
unless:
  - { id: pain, text: the patient has a pain score, if: "%pain.entry.resource.ofType(Observation).value.exists()" }
unknown: { pain: fire, default: silent }
card:
  summary: "Check {{%order.medication.ofType(CodeableConcept).text}}"
  indicator: warning
  source: { label: "Pack {{pack.version}}", url: "http://example.org/{{rule.id}}" }
  detail: "{{explain.when}} ({{evidence.guide}})"
  suggestions:
    - label: Change it
      actions:
        - type: update
          description: Put it on hold
          resource: { $value: "%order", status: "on-hold" }
        - { type: delete, description: Remove it, resource-id: "MedicationRequest/{{%order.id}}" }
  override-reasons: [ { code: x, display: X } ]
  links: [ { label: More, url: "http://example.org/more" } ]
)yaml";

constexpr std::string_view kViewRule = R"yaml(rule: view
title: An old patient
hooks: [patient-view]
when:
  - { id: old, text: the patient was born before 1970, if: "%patient.birthDate < @1970-01-01" }
unknown: { default: silent }
card: { summary: "Born {{%patient.birthDate}}", indicator: info }
)yaml";

std::unique_ptr<Evaluator> LoadTestPack() {
  const TempDir dir;
  WriteFile(dir.path() / "pack.yaml", kPack);
  WriteFile(dir.path() / "rules/order.yaml", kOrderRule);
  WriteFile(dir.path() / "rules/view.yaml", kViewRule);
  const std::string dirs[] = {dir.path().string()};
  auto evaluator = LoadLocalEvaluator(dirs);
  if (!evaluator) throw std::runtime_error(evaluator.error().ToString());
  return *std::move(evaluator);
}

std::string OrderRequest(const std::string& drug, const std::string& prefetch) {
  return R"({"hook":"order-sign","hookInstance":"x","context":{"patientId":"p1","draftOrders":{"resourceType":"Bundle",
    "entry":[{"resource":{"resourceType":"MedicationRequest","id":"o1","subject":{"reference":"Patient/p1"},
    "medicationCodeableConcept":{"text":")" +
         drug + R"("}}},
    {"resource":{"resourceType":"MedicationRequest","id":"o2"}}]}},"prefetch":{)" +
         prefetch + "}}";
}

std::string ViewRequest(const std::string& patient) {
  return R"({"hook":"patient-view","context":{"patientId":"p1"},"prefetch":{"patient":)" + patient + "}}";
}

TEST(RemoteEvaluator, DecidesAsTheLocalOne) {
  const auto local = LoadTestPack();
  const auto server = Serve(*local);
  const auto remote = ConnectRemoteEvaluator({server->address()}, seconds(20));
  struct Row {
    std::string request;
    std::size_t cards;
  };
  const Row rows[] = {
      {OrderRequest("Morphin \\u2264 \u00e4\\n10 mg", ""), 1},  // the score is unknown, and said to be
      {OrderRequest("morphine", R"("pain":{"resourceType":"Bundle","entry":[]})"), 1},
      {OrderRequest("morphine",
                    R"("pain":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation",
        "id":"s1","subject":{"reference":"Patient/p1"},"valueQuantity":{"value":7.50}}}]})"),
       0},
      {ViewRequest(R"({"resourceType":"Patient","id":"p1","birthDate":"1960-02"})"), 1},
      {ViewRequest(R"({"resourceType":"Patient","id":"p1"})"), 0},
      {R"({"hook":"encounter-start","context":{"patientId":"p1"}})", 0},
  };
  for (const Row& row : rows) {
    const Document request = Parse(row.request);
    const Result<Decision> here = local->Evaluate(request, kNow, seconds(20));
    const Result<Decision> there = remote->Evaluate(request, kNow, seconds(20));
    ASSERT_TRUE(here) << here.error().ToString();
    ASSERT_TRUE(there) << there.error().ToString();
    EXPECT_EQ(here->cards.size(), row.cards) << row.request << Text(*here);
    EXPECT_EQ(Text(*there), Text(*here));
  }
  const auto packs_here = local->ListPacks(), packs_there = remote->ListPacks();
  ASSERT_TRUE(packs_there) << packs_there.error().ToString();
  EXPECT_EQ(packs_there->size(), 1u);
  EXPECT_EQ(Text(*packs_there), Text(*packs_here));
}

TEST(RemoteEvaluator, RefusesWhatTheLocalOneRefuses) {
  const auto local = LoadTestPack();
  const auto server = Serve(*local);
  const auto remote = ConnectRemoteEvaluator({server->address()}, seconds(20));
  const std::string foreign = R"({"resourceType":"Patient","id":"someone-else","birthDate":"1960-02-01"})";
  for (const std::string& text :
       {std::string("{}"), std::string(R"({"hook":"patient-view"})"),
        std::string(R"({"hook":"patient-view","context":{}})"), ViewRequest(foreign)}) {
    const Document request = Parse(text);
    const Result<Decision> here = local->Evaluate(request, kNow, seconds(20));
    const Result<Decision> there = remote->Evaluate(request, kNow, seconds(20));
    ASSERT_FALSE(here) << text;
    ASSERT_FALSE(there) << text;
    EXPECT_EQ(here.error().code, Code::kInvalidArgument);
    ExpectSame(there.error(), here.error());
  }
}

TEST(RemoteEvaluator, SendsTheBytesAndTheTimeAsTheyAre) {
  std::mutex mutex;  // orders what both sides of the call touch, for ThreadSanitizer too
  std::string bytes, now;
  milliseconds left{0};
  FakeEvaluator fake([&](const Document& request, const DateTime& time, milliseconds timeout) {
    const std::scoped_lock lock(mutex);
    bytes = request.bytes();
    now = time.ToString();
    left = timeout;
    return Named("d");
  });
  const auto server = Serve(fake);
  const auto remote = ConnectRemoteEvaluator({server->address()}, seconds(20));
  const std::string text = "\n{ \"hook\" : \"\\u0061\",\t\"x\":1.50 , \"y\":\"\u00e4\"}\r\n ";
  for (const char* time :
       {"2026-12-10T09:00:00.10-03:30", "2026-12-10T09:00:00Z", "2026-12-10T09:00:00+00:00", "2026-12"}) {
    ASSERT_TRUE(remote->Evaluate(Parse(text), *DateTime::ParseDateTime(time), seconds(10)));
    const std::scoped_lock lock(mutex);
    EXPECT_EQ(bytes, text);
    EXPECT_EQ(now, time);
    EXPECT_GT(left, seconds(5));   // the shorter of the two limits arrives
    EXPECT_LE(left, seconds(11));  // gRPC rounds it up
  }
}

// What a caller gets when the evaluator behind the server says `error`.
Error ThroughTheWire(const Error& error) {
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) -> Result<Decision> {
    return tl::unexpected(error);
  });
  const auto server = Serve(fake);
  const auto decision =
      ConnectRemoteEvaluator({server->address()}, seconds(20))->Evaluate(Parse("{}"), kNow, seconds(20));
  return decision ? Error{Code::kInternal, "a decision came back"} : decision.error();
}

TEST(RemoteEvaluator, ErrorsKeepCodeMessagePathAndSpan) {
  const Code codes[] = {Code::kInvalidArgument,    Code::kSyntax, Code::kSemantic, Code::kNotFound,
                        Code::kFailedPrecondition, Code::kLimit,  Code::kInternal};
  for (const Code code : codes) {
    const Error error{code, "what \u2264 was\nfound", {"rules/a b.yaml", 3, 14, 15}, "Bundle.entry[3]"};
    ExpectSame(ThroughTheWire(error), error);
  }
  // Something behind the evaluator is gone: tried elsewhere, and there is no elsewhere.
  const Error gone = ThroughTheWire({Code::kUnavailable, "the store is gone"});
  EXPECT_EQ(gone.code, Code::kUnavailable);
  EXPECT_NE(gone.message.find("the store is gone"), std::string::npos) << gone.message;

  const Error cut =
      ThroughTheWire({Code::kSyntax, std::string(100'000, 'x') + "\xff", {}, std::string(100'000, '\xff')});
  EXPECT_EQ(CodeName(cut.code), CodeName(Code::kSyntax));
  EXPECT_EQ(cut.message.substr(0, 3), "xxx");
  EXPECT_EQ(cut.path.substr(0, 3), "???");
  EXPECT_LE(cut.message.size(), 1024u);
}

TEST(RemoteEvaluator, NothingThrownLeavesTheServer) {
  std::atomic<bool> standard = true;
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) -> Result<Decision> {
    if (standard) throw std::runtime_error("thrown on purpose");
    throw 42;
  });
  const auto server = Serve(fake);
  const auto remote = ConnectRemoteEvaluator({server->address()}, seconds(20));
  for (const bool of_std : {true, false}) {
    standard = of_std;
    const Result<Decision> decision = remote->Evaluate(Parse("{}"), kNow, seconds(20));
    ASSERT_FALSE(decision);
    EXPECT_EQ(decision.error().code, Code::kInternal);
    EXPECT_EQ(decision.error().message == "thrown on purpose", of_std) << decision.error().message;
  }
}

TEST(RemoteEvaluator, KeepsItsTimeLimit) {
  Gate gate;
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) {
    gate.Pass();
    return Named("late");
  });
  const auto server = Serve(fake, {.threads = 2});
  const Document request = Parse("{}");
  const auto start = std::chrono::steady_clock::now();
  const Result<Decision> by_call =
      ConnectRemoteEvaluator({server->address()}, seconds(100))->Evaluate(request, kNow, milliseconds(300));
  const Result<Decision> by_connection =
      ConnectRemoteEvaluator({server->address()}, milliseconds(300))->Evaluate(request, kNow, seconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(30));
  for (const auto* decision : {&by_call, &by_connection}) {
    ASSERT_FALSE(*decision);
    EXPECT_EQ(decision->error().code, Code::kLimit);
    EXPECT_EQ(decision->error().message, "the evaluation took longer than 300 ms");
  }
  gate.Open();
}

TEST(RemoteEvaluator, FallsOverToTheNextAddress) {
  FakeEvaluator fake([](const Document&, const DateTime&, milliseconds) { return Named("alive"); });
  const auto server = Serve(fake);
  const auto remote = ConnectRemoteEvaluator({kNobody, server->address(), kNobody}, seconds(20));
  for (int i = 0; i < 6; ++i) {
    const Result<Decision> decision = remote->Evaluate(Parse("{}"), kNow, seconds(20));
    ASSERT_TRUE(decision) << decision.error().ToString();
    EXPECT_EQ(decision->id, "alive");
  }
  EXPECT_EQ(fake.calls, 6);
}

TEST(RemoteEvaluator, GoesRoundTheAddresses) {
  FakeEvaluator a([](const Document&, const DateTime&, milliseconds) { return Named("a"); });
  FakeEvaluator b([](const Document&, const DateTime&, milliseconds) { return Named("b"); });
  const auto server_a = Serve(a), server_b = Serve(b);
  const auto remote = ConnectRemoteEvaluator({server_a->address(), server_b->address()}, seconds(20));
  std::string order;
  for (int i = 0; i < 6; ++i) order += remote->Evaluate(Parse("{}"), kNow, seconds(20))->id;
  EXPECT_EQ(order, "ababab");
  server_a->Shutdown(seconds(1));
  order.clear();
  for (int i = 0; i < 4; ++i) order += remote->Evaluate(Parse("{}"), kNow, seconds(20))->id;
  EXPECT_EQ(order, "bbbb");
}

TEST(RemoteEvaluator, SaysWhyNobodyAnswered) {
  const auto nobody = ConnectRemoteEvaluator({kNobody, "127.0.0.1:2"}, seconds(20));
  const Result<Decision> decision = nobody->Evaluate(Parse("{}"), kNow, seconds(20));
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().code, Code::kUnavailable);
  EXPECT_NE(decision.error().message.find("127.0.0.1:1: "), std::string::npos) << decision.error().message;
  EXPECT_NE(decision.error().message.find("127.0.0.1:2: "), std::string::npos) << decision.error().message;
  EXPECT_EQ(nobody->ListPacks().error().code, Code::kUnavailable);
  EXPECT_EQ(ConnectRemoteEvaluator({}, seconds(1))->ListPacks().error().code, Code::kUnavailable);
}

TEST(RemoteEvaluator, FindsAServerThatCameBack) {
  FakeEvaluator fake([](const Document&, const DateTime&, milliseconds) { return Named("d"); });
  auto server = Serve(fake);
  EvaluatorServerOptions options;
  options.listen = server->address();
  const auto remote = ConnectRemoteEvaluator({options.listen}, seconds(20));
  ASSERT_TRUE(remote->Evaluate(Parse("{}"), kNow, seconds(20)));
  server.reset();
  EXPECT_EQ(remote->Evaluate(Parse("{}"), kNow, seconds(20)).error().code, Code::kUnavailable);
  auto again = EvaluatorServer::Start(fake, options);
  ASSERT_TRUE(again) << again.error().ToString();
  bool answered = false;
  for (int i = 0; i < 300 && !answered; ++i) {
    answered = remote->Evaluate(Parse("{}"), kNow, seconds(20)).has_value();
    if (!answered) std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_TRUE(answered);
}

// A server that knows more kinds of status than we do, and one that is no evaluator at all.
TEST(RemoteEvaluator, ASkewedInstallationIsNotTheCallersFault) {
  class Newer final : public v1::RuleEvaluation::Service {
    grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest*,
                          v1::EvaluateResponse* response) override {
      response->mutable_decision()->set_now("2026-12-10T09:00:00Z");
      response->mutable_decision()->add_rules()->set_status(static_cast<v1::RuleStatus>(17));
      return grpc::Status::OK;
    }
  } newer;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port).RegisterService(&newer);
  const auto server = builder.BuildAndStart();
  const auto remote = ConnectRemoteEvaluator({"127.0.0.1:" + std::to_string(port)}, seconds(20));
  const Result<Decision> decision = remote->Evaluate(Parse("{}"), kNow, seconds(20));
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().code, Code::kInternal);
  EXPECT_EQ(decision.error().path, "rules[0].status");
  EXPECT_EQ(remote->ListPacks().error().code, Code::kInternal);  // UNIMPLEMENTED
}

TEST(EvaluatorServer, RefusesMalformedRequestsAsAParserDoes) {
  FakeEvaluator fake([](const Document&, const DateTime&, milliseconds) { return Named("d"); });
  EvaluatorServerOptions options;
  options.document_limits = {.max_bytes = 200, .max_depth = 4};
  const auto server = Serve(fake, options);
  const std::string deep = R"({"a":{"b":{"c":{"d":{"e":1}}}}})";
  for (const std::string& text :
       {std::string(), std::string("{\n\"hook\" 1}"), std::string(R"({"a":{"b":1,"b":2}})"), deep,
        std::string("\xff"), std::string(300, ' ')}) {
    const Result<Document> here = Document::Parse(text, options.document_limits);
    ASSERT_FALSE(here) << text;
    const grpc::Status status = RawEvaluate(server->address(), text, "2026-12-10T09:00:00Z");
    EXPECT_EQ(status.error_code(), here.error().code == Code::kLimit ? grpc::StatusCode::RESOURCE_EXHAUSTED
                                                                     : grpc::StatusCode::INVALID_ARGUMENT);
    ExpectSame(FromGrpcStatus(status), here.error());
  }
  for (const char* now : {"", "yesterday", "2026-02-30T00:00:00Z"}) {
    const grpc::Status status = RawEvaluate(server->address(), "{}", now);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(FromGrpcStatus(status).path, "now");
  }
  // Past what gRPC itself takes in.
  const grpc::Status status =
      RawEvaluate(server->address(), std::string(1 << 20, ' '), "2026-12-10T09:00:00Z");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(FromGrpcStatus(status).code, Code::kLimit);
  EXPECT_EQ(fake.calls, 0);
}

TEST(EvaluatorServer, AnswersAtOnceWhenTheQueueIsFull) {
  Gate gate;
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) {
    gate.Pass();
    return Named("slow");
  });
  FakeEvaluator idle([](const Document&, const DateTime&, milliseconds) { return Named("idle"); });
  const auto server = Serve(fake, {.threads = 1, .queue_size = 1});
  const auto other = Serve(idle);
  const auto call = [&] { return RawEvaluate(server->address(), "{}", "2026-12-10T09:00:00Z"); };
  auto running = std::async(std::launch::async, call);
  gate.AwaitArrival();
  // Of two more, one waits and one is refused; which of them is not ours to say.
  std::vector<std::future<grpc::Status>> more;
  for (int i = 0; i < 2; ++i) more.push_back(std::async(std::launch::async, call));
  std::size_t refused = 2;
  for (int i = 0; i < 2000 && refused == 2; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      if (more[k].wait_for(milliseconds(5)) == std::future_status::ready) refused = k;
    }
  }
  ASSERT_LT(refused, 2u);
  const grpc::Status status = more[refused].get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(FromGrpcStatus(status).code, Code::kUnavailable) << status.error_message();
  // To a client that knows another server, busy is as good as gone.
  const auto remote = ConnectRemoteEvaluator({server->address(), other->address()}, seconds(20));
  EXPECT_EQ(remote->Evaluate(Parse("{}"), kNow, seconds(20))->id, "idle");
  gate.Open();
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(more[1 - refused].get().ok());
  EXPECT_EQ(fake.calls, 2);
}

TEST(EvaluatorServer, DoesNotEvaluateForACallerWhoHasGone) {
  Gate gate;
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) {
    gate.Pass();
    return Named("slow");
  });
  const auto server = Serve(fake, {.threads = 1});
  auto running = std::async(std::launch::async,
                            [&] { return RawEvaluate(server->address(), "{}", "2026-12-10T09:00:00Z"); });
  gate.AwaitArrival();
  EXPECT_EQ(RawEvaluate(server->address(), "{}", "2026-12-10T09:00:00Z", milliseconds(200)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  gate.Open();
  EXPECT_TRUE(running.get().ok());
  server->Shutdown(seconds(10));  // all that waited has been looked at
  EXPECT_EQ(fake.calls, 1);
}

TEST(EvaluatorServer, CallsInFlightAreFinishedWhenItStops) {
  Gate gate;
  FakeEvaluator fake([&](const Document&, const DateTime&, milliseconds) {
    gate.Pass();
    return Named("kept");
  });
  const auto server = Serve(fake);
  auto call = std::async(std::launch::async,
                         [&] { return RawEvaluate(server->address(), "{}", "2026-12-10T09:00:00Z"); });
  gate.AwaitArrival();
  auto stopping = std::async(std::launch::async, [&] { server->Shutdown(seconds(20)); });
  EXPECT_EQ(stopping.wait_for(milliseconds(100)), std::future_status::timeout);
  gate.Open();
  stopping.get();
  EXPECT_TRUE(call.get().ok());
  EXPECT_EQ(RawEvaluate(server->address(), "{}", "2026-12-10T09:00:00Z").error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

// grpc.health.v1.Health/Check by hand: {1: service} -> {1: status}, of which 1 is SERVING.
TEST(EvaluatorServer, IsHealthy) {
  FakeEvaluator fake([](const Document&, const DateTime&, milliseconds) { return Named("d"); });
  const auto server = Serve(fake);
  grpc::GenericStub stub(grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials()));
  for (const std::string& service : {std::string(), std::string("stepwise.rules.v1.RuleEvaluation")}) {
    const std::string bytes =
        service.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    ASSERT_TRUE(status.ok()) << status.error_message();
    grpc::Slice answer;
    ASSERT_TRUE(response.DumpToSingleSlice(&answer).ok());
    EXPECT_EQ(std::string(answer.begin(), answer.end()), "\x08\x01") << service;
  }
}

TEST(EvaluatorServer, APortThatIsTakenIsAnError) {
  FakeEvaluator fake([](const Document&, const DateTime&, milliseconds) { return Named("d"); });
  const auto server = Serve(fake);
  EvaluatorServerOptions options;
  options.listen = server->address();
  const auto second = EvaluatorServer::Start(fake, options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_NE(second.error().message.find(server->address()), std::string::npos);
}

TEST(ConcurrentRemoteEvaluator, ManyThreadsGetTheirOwnAnswers) {
  const auto local = LoadTestPack();
  const auto server_a = Serve(*local, {.threads = 2}), server_b = Serve(*local, {.threads = 2});
  const auto remote =
      ConnectRemoteEvaluator({server_a->address(), kNobody, server_b->address()}, seconds(60));
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const Document request =
            Parse(OrderRequest("drug " + std::to_string(t) + "-" + std::to_string(i), ""));
        const Result<Decision> here = local->Evaluate(request, kNow, seconds(60));
        const Result<Decision> there = remote->Evaluate(request, kNow, seconds(60));
        if (here && there && here->cards.size() == 1 && Text(*here) == Text(*there)) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 160);
}

TEST(ConcurrentWorkerPool, RunsAllThatItTookAndNoMore) {
  std::atomic<int> ran{0};
  int taken = 0;
  {
    WorkerPool pool(2, 3);
    for (int i = 0; i < 1000; ++i) taken += pool.Submit([&] { ++ran; });
    pool.Stop();
    EXPECT_FALSE(pool.Submit([&] { ++ran; }));
  }
  EXPECT_EQ(ran, taken);
  EXPECT_GE(taken, 5);
}

}  // namespace
}  // namespace stepwise::rules
