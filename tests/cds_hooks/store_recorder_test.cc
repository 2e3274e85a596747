// The recorder end to end: real decisions of the shipped packs, a store that goes and comes, a full spool, a
// kill; and that no patient's datum and no token is anywhere it should not be.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cds_hooks/card.h"
#include "cds_hooks/store/recorder.h"
#include "cds_hooks/store/replay.h"
#include "rules/local_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

constexpr auto kPatience = std::chrono::minutes(2);

DateTime At(std::string_view text) { return *DateTime::ParseDateTime(text); }
const DateTime kNow = At("2026-11-20T09:00:00Z");

Json DemoRequest() {
  std::string out = ReadFile(SourceDir() / "tests/demo/order-sign.json.in");
  for (const auto& [from, to] :
       {std::pair("@NOW-2h@", "2026-11-20T07:00:00Z"), std::pair("@NOW-20h@", "2026-11-19T13:00:00Z")}) {
    for (std::size_t at; (at = out.find(from)) != std::string::npos;) out.replace(at, std::strlen(from), to);
  }
  return Json::parse(out);
}

// An evaluation of the shipped packs, as the service makes it.
struct Call {
  Document input;
  rules::EvaluateOptions how;
  rules::Decision decision;
  std::string patient, response;

  DecidedCall view() const {
    return {"stepwise-order-sign", patient, decision, how, input, response, 0, 10, 20};
  }
};

rules::Evaluator& Shipped() {
  static const std::string packs[] = {(SourceDir() / "rules/packs").string()};
  static const auto evaluator = std::move(*rules::LoadLocalEvaluator(packs));
  return *evaluator;
}

Call Evaluate(const Json& request, const DateTime& now = kNow, rules::EvaluateOptions how = seconds(60)) {
  Call call{*Document::Parse(request.dump()), std::move(how), {}, request["context"]["patientId"], ""};
  auto decision = Shipped().Evaluate(call.input, now, call.how);
  EXPECT_TRUE(decision) << decision.error().ToString();
  call.decision = std::move(*decision);
  call.response = CardsJson(call.decision);
  return call;
}

class RecorderTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.state_dir = (dir_.path() / "state").string();
    options_.store = "sqlite:" + (dir_.path() / "db/store.db").string();
    options_.retry_min_ms = 5;
    options_.retry_max_ms = 20;
    std::filesystem::create_directories(dir_.path() / "db");
  }
  std::string MakeKey() {
    const std::filesystem::path file = dir_.path() / "seal.key";
    WriteFile(file, std::string(64, '7') + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    return file.string();
  }
  std::unique_ptr<Recorder> Open() {
    auto recorder = Recorder::Open(
        options_, [this] { return now_; },
        [this](const RecorderEvent& event) {
          const std::scoped_lock lock(mutex_);
          events_ += std::string(event.name) + ": " + event.reason + "\n";
        });
    EXPECT_TRUE(recorder) << recorder.error().ToString();
    return std::move(*recorder);
  }
  std::string events() {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  // Every byte of every file below the test's folder.
  std::string AllBytes() {
    std::string out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
      if (entry.is_regular_file() && entry.path().extension() != ".key") out += ReadFile(entry.path());
    }
    return out;
  }
  Feedback Override(const std::string& card, const DateTime& at = kNow) {
    Feedback feedback;
    feedback.card = card;
    feedback.overridden = true;
    feedback.at = at;
    return feedback;
  }

  TempDir dir_;
  RecorderOptions options_;
  DateTime now_ = kNow;
  std::mutex mutex_;
  std::string events_;  // guarded by mutex_
};

TEST_F(RecorderTest, KeepsDecisionsAndFeedback) {
  const Call call = Evaluate(DemoRequest());
  ASSERT_EQ(call.decision.cards.size(), 2u);
  const auto recorder = Open();
  EXPECT_TRUE(recorder->Decided(call.view()));
  EXPECT_TRUE(recorder->Decided(call.view()));  // the same decision
  const Feedback feedback[] = {Override(call.decision.cards[0].uuid)};
  EXPECT_TRUE(recorder->TakeFeedback("stepwise-order-sign", feedback, kNow));
  ASSERT_TRUE(recorder->Flush(kPatience));
  const auto record = *recorder->store().FindDecision(call.decision.id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->hook(), "order-sign");
  EXPECT_EQ(record->packs_size(), static_cast<int>(call.decision.packs.size()));
  EXPECT_EQ(record->rules_size(), static_cast<int>(call.decision.rules.size()));
  EXPECT_EQ(record->patient(), recorder->pseudonyms().Of(call.patient));
  EXPECT_EQ(record->sealed(), "");
  EXPECT_EQ(recorder->store().Decisions({{}, recorder->pseudonyms().Of("Patient/" + call.patient)})->size(),
            1u);
  EXPECT_EQ(recorder->store().Answered({})->size(), 1u);
  EXPECT_TRUE(recorder->status().up);
  EXPECT_EQ(recorder->status().written, 3u);
  EXPECT_EQ(recorder->status().spool.frames, 0u);
}

TEST_F(RecorderTest, AStoreThatIsDownIsSpooledForAndFilledLater) {
  std::filesystem::remove_all(dir_.path() / "db");
  const Call call = Evaluate(DemoRequest());
  {
    const auto recorder = Open();
    EXPECT_TRUE(recorder->Decided(call.view()));
    const Feedback feedback[] = {Override(call.decision.cards[0].uuid)};
    EXPECT_TRUE(recorder->TakeFeedback("stepwise-order-sign", feedback, kNow));
    EXPECT_FALSE(recorder->Flush(std::chrono::milliseconds(1)));
    const RecorderStatus status = recorder->status();
    EXPECT_FALSE(status.up);
    EXPECT_FALSE(status.reason.empty());
    EXPECT_EQ(status.spool.frames, 2u);
    EXPECT_NE(events().find("store-down: "), std::string::npos);
  }  // a restart in between
  const auto recorder = Open();
  EXPECT_EQ(recorder->status().spool.frames, 2u);
  std::filesystem::create_directories(dir_.path() / "db");
  ASSERT_TRUE(recorder->Flush(kPatience));
  EXPECT_TRUE(recorder->status().up);
  EXPECT_NE(events().find("store-up: "), std::string::npos);
  EXPECT_TRUE(recorder->store().FindDecision(call.decision.id)->has_value());
  EXPECT_EQ((*recorder->store().Answered({}))[0].shown_ms, kNow.ToUnixMillis());
}

TEST_F(RecorderTest, AFullSpoolLosesNoAnswerAndSaysSo) {
  std::filesystem::remove_all(dir_.path() / "db");
  options_.spool_max_bytes = 20'000;
  const Call call = Evaluate(DemoRequest());
  const auto recorder = Open();
  int kept = 0;
  while (recorder->Decided(call.view())) ++kept;
  EXPECT_GT(kept, 0);
  EXPECT_FALSE(recorder->Decided(call.view()));
  const std::vector<Feedback> feedback(200, Override(call.decision.cards[0].uuid));
  const Status taken = recorder->TakeFeedback("stepwise-order-sign", feedback, kNow);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kUnavailable);
  EXPECT_EQ(recorder->status().lost_decisions, 2u);
  EXPECT_EQ(recorder->status().refused_feedback, 200u);
  EXPECT_TRUE(recorder->status().spool_full);
  std::filesystem::create_directories(dir_.path() / "db");
  ASSERT_TRUE(recorder->Flush(kPatience));
  EXPECT_TRUE(recorder->Decided(call.view()));
  const std::string told = events();
  EXPECT_NE(told.find("spool-full"), std::string::npos);
  EXPECT_EQ(told.find("spool-full"), told.rfind("spool-full"));
}

// A child records and says so until it is killed; its successor writes all of it.
TEST_F(RecorderTest, NothingAcknowledgedIsLostOnKill9) {
  const Call call = Evaluate(DemoRequest());
  int acknowledged[2];
  ASSERT_EQ(::pipe(acknowledged), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto recorder = Recorder::Open(options_, [] { return kNow; });
    for (int i = 0; recorder; ++i) {
      rules::Decision decision = call.decision;
      decision.id = "d" + std::to_string(i);
      decision.cards.clear();
      DecidedCall view{"s", "p1", decision, call.how, call.input, call.response, 0, 0, 0};
      const Feedback feedback[] = {Override("c" + std::to_string(i))};
      if (!(*recorder)->Decided(view) || !(*recorder)->TakeFeedback("s", feedback, kNow)) break;
      if (::write(acknowledged[1], &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  int last = -1;
  for (int i = 0; ::read(acknowledged[0], &i, sizeof i) == sizeof i; last = i) {
    if (i == 150) ::kill(child, SIGKILL);
  }
  ::close(acknowledged[0]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_GE(last, 150);
  const auto recorder = Open();
  ASSERT_TRUE(recorder->Flush(kPatience));
  for (int i = 0; i <= last; ++i) {
    EXPECT_TRUE(recorder->store().FindDecision("d" + std::to_string(i))->has_value()) << i;
  }
  const std::size_t answered = recorder->store().Answered({})->size();
  EXPECT_GE(answered, static_cast<std::size_t>(last) + 1);
  EXPECT_LE(answered, static_cast<std::size_t>(last) + 2);
}

TEST_F(RecorderTest, NoTokenNoNameNoIdAnywhereInTheOpen) {
  std::string text = DemoRequest().dump();
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  const std::string patient = DemoRequest()["context"]["patientId"];
  replace("\"" + patient + "\"", "\"canary-patient\"");
  replace("Patient/" + patient, "Patient/canary-patient");
  Json request = Json::parse(text);
  request["hookInstance"] = "d1577c69-dfbe-44ad-ba6d-canaryinst01";
  request["prefetch"]["patient"]["name"] = {{{"family", "Canaryfamily"}, {"given", {"Canarygiven"}}}};
  request["prefetch"]["patient"]["identifier"] = {{{"value", "CANARY-MRN-1"}}};
  request["fhirAuthorization"] = {{"access_token", "canary-token"}, {"token_type", "Bearer"}};
  const std::string canaries[] = {"canary-patient", "canaryinst",     "Canaryfamily",
                                  "Canarygiven",    "CANARY-MRN",     "canary-tok",
                                  "Canary comment", "canary display", "canary code"};
  for (const bool keyed : {false, true}) {
    SCOPED_TRACE(keyed);
    if (keyed) options_.key_files = {MakeKey()};
    options_.keep_input = keyed;
    for (const bool down : {true, false}) {
      std::filesystem::remove_all(dir_.path() / "db");
      if (!down) std::filesystem::create_directories(dir_.path() / "db");
      const Call call =
          Evaluate(request, DateTime::FromUnixMillis(kNow.ToUnixMillis() + (keyed ? 2 : 0) + down));
      ASSERT_FALSE(call.decision.cards.empty());
      const auto recorder = Open();
      EXPECT_TRUE(recorder->Decided(call.view()));
      Feedback feedback = Override(call.decision.cards[0].uuid);
      feedback.comment = "Canary comment about Canaryfamily";
      feedback.reason = {"canary code canary-patient", "canary code of CANARY-MRN-1", "canary display"};
      EXPECT_TRUE(recorder->TakeFeedback("stepwise-order-sign", {&feedback, 1}, kNow));
      EXPECT_EQ(recorder->Flush(down ? std::chrono::milliseconds(1) : kPatience), !down);
      const std::string kept = AllBytes() + events() + recorder->status().reason;
      EXPECT_NE(kept.find(call.decision.id), std::string::npos);  // it was looked for in the right place
      for (const std::string& canary : canaries) EXPECT_EQ(kept.find(canary), std::string::npos) << canary;
      if (down) continue;
      const DecisionRecord record = **recorder->store().FindDecision(call.decision.id);
      EXPECT_EQ(record.sealed().empty(), !keyed);
      EXPECT_EQ(record.sealed_input(), "");  // its token was not blanked
      EXPECT_EQ(recorder->status().refused_inputs > 0, keyed);
    }
  }
}

TEST_F(RecorderTest, AnInputWhoseTokenIsBlankIsKeptSealed) {
  options_.key_files = {MakeKey()};
  options_.keep_input = true;
  Json request = DemoRequest();
  request["fhirAuthorization"] = {{"access_token", "            "}, {"token_type", "Bearer"}};
  const Call call = Evaluate(request);
  const auto recorder = Open();
  EXPECT_TRUE(recorder->Decided(call.view()));
  ASSERT_TRUE(recorder->Flush(kPatience));
  const DecisionRecord record = **recorder->store().FindDecision(call.decision.id);
  const auto sealer = Sealer::FromFiles(options_.key_files);
  const auto opened = sealer->Open(InputOf(record.id()), record.sealed_input());
  ASSERT_TRUE(opened) << opened.error().ToString();
  store::v1::Input input;
  ASSERT_TRUE(input.ParseFromString(*opened));
  EXPECT_EQ(input.request(), call.input.bytes());
  store::v1::Answer answer;
  ASSERT_TRUE(answer.ParseFromString(*sealer->Open(AnswerOf(record.id()), record.sealed())));
  EXPECT_EQ(answer.response(), call.response);
}

TEST_F(RecorderTest, ReplaysByteForByte) {
  options_.key_files = {MakeKey()};
  options_.keep_input = true;
  const auto sealer = Sealer::FromFiles(options_.key_files);
  const Call plain = Evaluate(DemoRequest());
  rules::EvaluateOptions how = seconds(60);
  how.max_cards = 1;  // of what is left without the overridden card
  for (const rules::Card& card : plain.decision.cards) {
    if (!card.suppression_key.empty()) how.overridden.push_back({card.suppression_key, kNow});
  }
  ASSERT_FALSE(how.overridden.empty());
  const auto recorder = Open();
  std::vector<Call> calls;
  calls.push_back(Evaluate(DemoRequest()));
  calls.push_back(Evaluate(DemoRequest(), At("2026-11-20T10:00:00.250+01:00"), how));
  EXPECT_NE(calls[0].response, calls[1].response);
  for (const Call& call : calls) {
    ASSERT_TRUE(recorder->Decided(call.view()));
    ASSERT_TRUE(recorder->Flush(kPatience));
    DecisionRecord record = **recorder->store().FindDecision(call.decision.id);
    const auto again = Replay(record, *sealer, Shipped());
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(again->response, call.response);
    EXPECT_EQ(again->recorded, call.response);
    EXPECT_TRUE(again->differences.empty()) << again->differences[0];

    record.set_response_digest("sha256:other");
    EXPECT_EQ(Replay(record, *sealer, Shipped())->differences.size(), 1u);
    record.mutable_packs(record.packs_size() - 1)->set_digest("sha256:gone");
    record.mutable_packs(record.packs_size() - 1)->set_spoke(true);
    const auto missing = Replay(record, *sealer, Shipped());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::kNotFound);
    EXPECT_NE(missing.error().message.find(record.packs(record.packs_size() - 1).id()), std::string::npos);
    record.clear_sealed_input();
    EXPECT_EQ(Replay(record, *sealer, Shipped()).error().code, Code::kFailedPrecondition);
  }
  EXPECT_EQ(DiffLines(R"({"a":1,"b":[2]})", R"({"a":1,"b":[3]})"), "-     2\n+     3\n");
}

TEST_F(RecorderTest, OverridesOutliveARestartAndReachOtherNodes) {
  const Call call = Evaluate(DemoRequest());
  const auto suppressed = std::ranges::find_if(
      call.decision.cards, [](const rules::Card& card) { return !card.suppression_key.empty(); });
  ASSERT_NE(suppressed, call.decision.cards.end());
  const auto one = Open();
  one->overrides()->Issued(call.patient, *suppressed, kNow);
  EXPECT_TRUE(one->Decided(call.view()));
  ASSERT_TRUE(one->Flush(kPatience));

  // Another node hears of the override: it does not know the card, the store does.
  const std::string key_file = options_.state_dir + "/pseudonym.key";
  const std::string first_state = options_.state_dir;
  options_.state_dir = (dir_.path() / "other").string();
  options_.pseudonym_key_file = key_file;
  const auto other = Open();
  EXPECT_FALSE(other->overrides()->Overridden(suppressed->uuid, kNow));
  const Feedback feedback[] = {Override(suppressed->uuid)};
  EXPECT_TRUE(other->TakeFeedback("stepwise-order-sign", feedback, kNow));
  ASSERT_TRUE(other->Flush(kPatience));
  const auto wait = std::chrono::steady_clock::now() + kPatience;
  while (other->overrides()->Of(call.patient, kNow).empty() && std::chrono::steady_clock::now() < wait)
    std::this_thread::yield();
  ASSERT_EQ(other->overrides()->Of(call.patient, kNow).size(), 1u);
  EXPECT_EQ(other->overrides()->Of(call.patient, kNow)[0].key, suppressed->suppression_key);

  one->Stop();
  options_.state_dir = (dir_.path() / "third").string();
  const auto restarted = Open();  // filled before the first request
  EXPECT_EQ(restarted->overrides()->Of("Patient/" + call.patient, kNow).size(), 1u);
  EXPECT_TRUE(restarted->overrides()->Of("somebody else", kNow).empty());
}

TEST_F(RecorderTest, ForgetsWhatIsOld) {
  options_.key_files = {MakeKey()};
  options_.keep_input = true;
  const Call call = Evaluate(DemoRequest());
  const auto recorder = Open();
  EXPECT_TRUE(recorder->Decided(call.view()));
  ASSERT_TRUE(recorder->Flush(kPatience));
  const std::int64_t day = 86'400'000;
  now_ = DateTime::FromUnixMillis(kNow.ToUnixMillis() + 31 * day);
  EXPECT_EQ(recorder->Purge()->inputs, 1);
  EXPECT_TRUE(recorder->store().FindDecision(call.decision.id)->has_value());
  now_ = DateTime::FromUnixMillis(kNow.ToUnixMillis() + 401 * day);
  EXPECT_EQ(recorder->Purge()->decisions, 1);
  EXPECT_FALSE(recorder->store().FindDecision(call.decision.id)->has_value());
  EXPECT_EQ(recorder->status().purged_at->ToUnixMillis(), now_.ToUnixMillis());
}

TEST_F(RecorderTest, ForgetsNothingWhereNoTimeIsSet) {
  options_.key_files = {MakeKey()};
  options_.keep_input = true;
  options_.retention_days = options_.input_retention_days = 0;
  const Call call = Evaluate(DemoRequest());
  const auto recorder = Open();
  EXPECT_TRUE(recorder->Decided(call.view()));
  ASSERT_TRUE(recorder->Flush(kPatience));
  now_ = DateTime::FromUnixMillis(kNow.ToUnixMillis() + std::int64_t{40} * 366 * 86'400'000);
  const Result<Purged> purged = recorder->Purge();
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->decisions, 0);
  EXPECT_EQ(purged->inputs, 0);
  EXPECT_TRUE(recorder->store().FindDecision(call.decision.id)->has_value());
}

TEST_F(RecorderTest, ConcurrentDecisionsWhileTheyAreWritten) {
  const Call call = Evaluate(DemoRequest());
  options_.spool_segment_bytes = 20'000;
  const auto recorder = Open();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        rules::Decision decision = call.decision;
        decision.id = std::to_string(t) + "-" + std::to_string(i);
        decision.cards.clear();
        const DecidedCall view{"s", "p1", decision, call.how, call.input, call.response, 0, 0, 0};
        EXPECT_TRUE(recorder->Decided(view));
        recorder->status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(recorder->Flush(kPatience));
  EXPECT_EQ(recorder->store().Decisions({{}, {}, 1000})->size(), 200u);
  EXPECT_EQ(recorder->status().written, 200u);
}

TEST_F(RecorderTest, SettingsThatCannotBe) {
  options_.keep_input = true;
  EXPECT_EQ(Recorder::Open(options_, [] { return kNow; }).error().code, Code::kInvalidArgument);
  options_.key_files = {MakeKey()};
  std::filesystem::permissions(options_.key_files[0], std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_NE(Recorder::Open(options_, [] { return kNow; }).error().message.find("chmod 600"),
            std::string::npos);
  options_ = {};
  options_.state_dir = (dir_.path() / "state").string();
  options_.store = "mysql://x";
  EXPECT_EQ(Recorder::Open(options_, [] { return kNow; }).error().code, Code::kInvalidArgument);
  options_.store = "sqlite:" + (dir_.path() / "x.db").string();
  const auto first = Open();
  EXPECT_EQ(Recorder::Open(options_, [] { return kNow; }).error().code, Code::kFailedPrecondition);
}

TEST(Sealer, OpensOnlyWhatItSealedWhereItBelongs) {
  Key old_key{}, new_key{};
  new_key[0] = 1;
  const Sealer before({old_key}), rotated({new_key, old_key}), after(std::vector<Key>{new_key});
  const std::string sealed = before.Seal("answer d1", "text");
  EXPECT_EQ(sealed.find("text"), std::string::npos);
  EXPECT_NE(sealed, before.Seal("answer d1", "text"));
  EXPECT_EQ(*rotated.Open("answer d1", sealed), "text");
  EXPECT_EQ(*after.Open("a", rotated.Seal("a", "")), "");
  EXPECT_EQ(after.Open("answer d1", sealed).error().code, Code::kNotFound);
  EXPECT_EQ(before.Open("answer d2", sealed).error().code, Code::kInvalidArgument);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(before.Open("answer d1", changed)) << i;
    EXPECT_FALSE(before.Open("answer d1", sealed.substr(0, i))) << i;
  }
}

TEST(KeyFile, Forms) {
  const struct {
    std::string text;
    bool good;
  } rows[] = {
      {std::string(32, '\xFE'), true},
      {std::string(64, 'a'), true},
      {std::string(64, 'A') + "\n", true},
      {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", true},
      {std::string(64, 'g'), false},
      {std::string(31, 'a'), false},
      {std::string(33, 'a'), false},
      {"", false},
      {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8!", false},
  };
  for (const auto& row : rows) EXPECT_EQ(ParseKey(row.text).has_value(), row.good) << row.text;
  EXPECT_EQ((*ParseKey(rows[3].text))[31], 31);
  const TempDir dir;
  const std::string file = (dir.path() / "made.key").string();
  EXPECT_EQ(ReadKeyFile(file).error().code, Code::kNotFound);
  const auto made = ReadOrMakeKeyFile(file);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(*ReadOrMakeKeyFile(file), *made);
}

}  // namespace
}  // namespace stepwise::cds_hooks
