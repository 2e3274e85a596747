// What a store must do, whichever database it is: the same tests on SQLite and on PostgreSQL.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cds_hooks/store/feedback_report.h"
#include "cds_hooks/store/store.h"
#include "tests/cds_hooks/postgres_server.h"
#include "tests/testing.h"

#if defined(__SANITIZE_ADDRESS__)
// libpqxx 6.4 loses one result of libpq when a connection breaks.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx"; }
#endif

namespace stepwise::cds_hooks {
namespace {

constexpr std::int64_t kDay = 86'400'000;
const std::string kBytes("\0\xFF'\\x00\n", 8);

DecisionRecord Decision(const std::string& id, std::int64_t at_ms, const std::string& patient = "pp") {
  DecisionRecord record;
  record.set_id(id);
  record.set_at_ms(at_ms);
  record.set_patient(patient);
  record.set_hook("order-sign");
  record.set_sealed(kBytes);
  record.set_sealed_input("input");
  return record;
}

void AddCard(DecisionRecord* record, const std::string& uuid, const std::string& rule,
             const std::string& suppression = "") {
  store::v1::Card& card = *record->add_cards();
  card.set_uuid(uuid);
  card.set_pack("org.example.pain");
  card.set_version("1.2.0");
  card.set_rule(rule);
  card.set_title("Title of \"" + rule + "\", the rule");
  card.set_suppression(suppression);
}

FeedbackRecord Answer(const std::string& key, const std::string& card, std::int64_t at_ms, bool overridden,
                      const std::string& reason = "") {
  FeedbackRecord record;
  record.set_key(key);
  record.set_card(card);
  record.set_at_ms(at_ms);
  record.set_received_ms(at_ms + 1);
  record.set_overridden(overridden);
  record.set_reason_code(reason);
  record.set_sealed(kBytes);
  return record;
}

class StoreTest : public testing::TestWithParam<const char*> {
 protected:
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (std::string_view(GetParam()) == "Sqlite") {
      url_ = "sqlite:" + (dir_.path() / "store.db").string();
    } else {
      SKIP_WITHOUT(PostgresServer::Programs());
      if (server_ == nullptr) server_ = std::make_unique<PostgresServer>();
      ASSERT_TRUE(server_->Start());
      url_ = server_->url();
      // An empty database for each test.
      const std::string command = "psql -q -h " + Socket() +
                                  " -U stepwise postgres -c 'DROP SCHEMA public "
                                  "CASCADE; CREATE SCHEMA public' > /dev/null 2>&1";
      ASSERT_EQ(std::system(command.c_str()), 0);
    }
    store_ = Open();
  }
  std::unique_ptr<Store> Open() {
    auto store = OpenStore(url_);
    EXPECT_TRUE(store) << store.error().ToString();
    return std::move(*store);
  }
  void Write(const StoreBatch& batch, std::int64_t written_ms = 1) {
    const Status done = store_->Write(batch, written_ms);
    ASSERT_TRUE(done) << done.error().ToString();
  }
  static std::string Socket() {
    std::string out = server_->url().substr(server_->url().find('@') + 1);
    out.resize(out.rfind('/'));
    for (std::size_t at; (at = out.find("%2F")) != std::string::npos;) out.replace(at, 3, "/");
    return out;
  }

  static std::unique_ptr<PostgresServer> server_;
  TempDir dir_;
  std::string url_;
  std::unique_ptr<Store> store_;
};
std::unique_ptr<PostgresServer> StoreTest::server_;

TEST_P(StoreTest, FindsWhatWasWrittenByteForByte) {
  Write({{Decision("d1", 1000)}, {}});
  const auto found = Open()->FindDecision("d1");
  ASSERT_TRUE(found) << found.error().ToString();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->SerializeAsString(), Decision("d1", 1000).SerializeAsString());
  EXPECT_FALSE(store_->FindDecision("d2")->has_value());
}

TEST_P(StoreTest, TheSameTwiceIsOne) {
  StoreBatch batch{{Decision("d1", 1000)}, {Answer("k1", "c1", 2000, true), Answer("k1", "c1", 2000, true)}};
  AddCard(&batch.decisions[0], "c1", "R1");
  Write(batch);
  Write(batch);
  EXPECT_EQ(store_->Decisions({})->size(), 1u);
  EXPECT_EQ(store_->Answered({})->size(), 1u);
  EXPECT_EQ((*store_->Shown({}))[0].cards, 1);
}

TEST_P(StoreTest, DecisionsOfAPatientTheLatestFirst) {
  Write({{Decision("d1", 1000), Decision("d2", 3000), Decision("d3", 2000), Decision("d4", 2500, "other")},
         {}});
  const auto ids = [&](const DecisionFilter& filter) {
    std::string out;
    const auto found = store_->Decisions(filter);
    for (const DecisionRecord& record : *found) out += record.id() + " ";
    return out;
  };
  EXPECT_EQ(ids({.patient = "pp"}), "d2 d3 d1 ");
  EXPECT_EQ(ids({}), "d2 d4 d3 d1 ");
  EXPECT_EQ(ids({.period = {1001, 3000}}), "d4 d3 ");
  EXPECT_EQ(ids({.patient = "pp", .limit = 1}), "d2 ");
  EXPECT_EQ((*store_->Decisions({}))[0].sealed(), "");
}

TEST_P(StoreTest, FeedbackFindsItsCardWhateverComesFirst) {
  Write({{}, {Answer("k1", "c1", 5000, true, "nope")}});
  EXPECT_EQ((*store_->Answered({}))[0].rule, "");
  DecisionRecord decision = Decision("d1", 1000);
  AddCard(&decision, "c1", "R1");
  Write({{decision}, {}});
  const AnsweredCard answered = (*store_->Answered({}))[0];
  EXPECT_EQ(answered.rule, "R1");
  EXPECT_EQ(answered.version, "1.2.0");
  EXPECT_EQ(answered.shown_ms, 1000);
  EXPECT_EQ(answered.at_ms, 5000);
  EXPECT_TRUE(answered.overridden);
  EXPECT_EQ(answered.reason_code, "nope");
}

TEST_P(StoreTest, OverridesSinceCardOrFeedbackWasWritten) {
  DecisionRecord decision = Decision("d1", 1000);
  AddCard(&decision, "c1", "R1", kBytes);
  AddCard(&decision, "c2", "R2");  // silences nothing
  AddCard(&decision, "c3", "R3", "h3");
  Write({{decision}, {}}, 10);
  Write(
      {{}, {Answer("k1", "c1", 5000, true), Answer("k2", "c2", 5000, true), Answer("k3", "c3", 5000, false)}},
      20);
  for (const std::int64_t since : {0, 10, 20}) {
    const auto overrides = *store_->OverridesSince(since, 10);
    ASSERT_EQ(overrides.size(), 1u) << since;
    EXPECT_EQ(overrides[0].patient, "pp");
    EXPECT_EQ(overrides[0].suppression, kBytes);
    EXPECT_EQ(overrides[0].at_ms, 5000);
  }
  EXPECT_TRUE(store_->OverridesSince(21, 10)->empty());
  Write({{}, {Answer("k4", "c4", 7000, true)}}, 30);  // before its card
  EXPECT_TRUE(store_->OverridesSince(21, 10)->empty());
  DecisionRecord late = Decision("d2", 6000);
  AddCard(&late, "c4", "R1", "h4");
  Write({{late}, {}}, 40);
  EXPECT_EQ(store_->OverridesSince(35, 10)->size(), 1u);
}

TEST_P(StoreTest, PurgesByAgeInputsEarlier) {
  StoreBatch batch;
  for (int day = 0; day < 1200; ++day)
    batch.decisions.push_back(Decision("d" + std::to_string(day), day * kDay));
  AddCard(&batch.decisions[0], "c1", "R1");
  batch.feedback = {Answer("k1", "c1", 0, true), Answer("k2", "c2", 1199 * kDay, true)};
  Write(batch);
  const auto purged = store_->Purge({.records_ms = 1100 * kDay, .inputs_ms = 1150 * kDay});
  ASSERT_TRUE(purged) << purged.error().ToString();
  EXPECT_EQ(purged->inputs, 1150);
  EXPECT_EQ(purged->decisions, 1100);
  EXPECT_EQ(purged->cards, 1);
  EXPECT_EQ(purged->feedback, 1);
  EXPECT_FALSE(store_->FindDecision("d1099")->has_value());
  EXPECT_EQ((*store_->FindDecision("d1149"))->sealed_input(), "");
  EXPECT_EQ((*store_->FindDecision("d1149"))->sealed(), kBytes);
  EXPECT_EQ((*store_->FindDecision("d1150"))->sealed_input(), "input");
}

TEST_P(StoreTest, ReportByRuleAndVersion) {
  DecisionRecord decision = Decision("d1", 1000);
  for (const char* card : {"c1", "c2", "c3", "c4"}) AddCard(&decision, card, "R1");
  AddCard(&decision, "c5", "R2");
  Write({{decision},
         {Answer("k1", "c1", 3000, true, "why"), Answer("k2", "c1", 9000, false),  // came round
          Answer("k3", "c2", 11'000, true, "why"), Answer("k4", "c3", 500, true),  // a clock behind
          Answer("k5", "unknown", 500, true)}});
  const auto report = MakeFeedbackReport(*store_, {});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(ReportText(*report, ReportFormat::kTable),
            "pack              version  rule  shown  answered  accepted  overridden  acceptance  median_s  "
            "p90_s  reasons\n"
            "org.example.pain  1.2.0    R1        4         3         1           2       33.3%       2.0  "
            " 10.0  (none) 1; why 1\n"
            "org.example.pain  1.2.0    R2        1         0         0           0\n"
            "answered, and in no record: 1 cards\n");
  EXPECT_EQ(ReportText(*report, ReportFormat::kCsv),
            "pack,version,rule,shown,answered,accepted,overridden,acceptance,median_s,p90_s,reasons\r\n"
            "org.example.pain,1.2.0,R1,4,3,1,2,33.3%,2.0,10.0,(none) 1; why 1\r\n"
            "org.example.pain,1.2.0,R2,1,0,0,0,,,,\r\n");
  const auto admin = AdminFeedback(*store_, "format=json&rule=R2&since=1970-01-01T00%3A00:00Z");
  EXPECT_FALSE(admin);
  EXPECT_EQ(admin.error().code, Code::kInvalidArgument);
  const auto json = AdminFeedback(*store_, "rule=R2&since=1970-01-01&until=2000-01-01T00:00:00%2B01:00");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(json->media_type, "application/json");
  EXPECT_NE(json->body.find("\"acceptance\": null"), std::string::npos) << json->body;
  EXPECT_EQ(json->body.find("R1"), std::string::npos);
}

TEST_P(StoreTest, AnotherProcessesTablesOfALaterVersionAreLeftAlone) {
  ASSERT_TRUE(store_->Ping());
  const std::string sql = "INSERT INTO stepwise_schema (version) VALUES (99)";
  const std::string command = std::string_view(GetParam()) == "Sqlite"
                                  ? "sqlite3 " + (dir_.path() / "store.db").string() + " '" + sql + "'"
                                  : "psql -q -h " + Socket() + " -U stepwise postgres -c '" + sql + "'";
  if (std::system((command + " 2> /dev/null").c_str()) != 0) GTEST_SKIP() << "skipped: no client program";
  const Status status = Open()->Ping();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(Both, StoreTest, testing::Values("Sqlite", "Postgres"),
                         [](const auto& test) { return std::string(test.param); });

TEST(PostgresStore, ComesBackAfterTheServer) {
  SKIP_WITHOUT(PostgresServer::Programs());
  PostgresServer server;
  ASSERT_TRUE(server.Start());
  const auto store = std::move(*OpenStore(server.url("hunter2")));
  ASSERT_TRUE(store->Write({{Decision("d1", 1)}, {}}, 1));
  server.Stop();
  for (int i = 0; i < 2; ++i) {
    const Status down = store->Write({{Decision("d2", 2)}, {}}, 1);
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, Code::kUnavailable);
    EXPECT_EQ(down.error().ToString().find("hunter2"), std::string::npos);
  }
  ASSERT_TRUE(server.Start());
  const Status up = store->Write({{Decision("d2", 2)}, {}}, 1);
  ASSERT_TRUE(up) << up.error().ToString();
  EXPECT_EQ(store->Decisions({})->size(), 2u);
}

TEST(SqliteStore, ADamagedFileIsSaidToBeOne) {
  const TempDir dir;
  const std::filesystem::path file = dir.path() / "store.db";
  WriteFile(file, std::string(8192, 'x'));
  const Status status = (*OpenStore("sqlite:" + file.string()))->Ping();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kUnavailable);
  EXPECT_NE(status.error().message.find("damaged"), std::string::npos) << status.error().message;
}

TEST(SqliteStore, TheFileIsNobodyElses) {
  const TempDir dir;
  const std::filesystem::path file = dir.path() / "store.db";
  ASSERT_TRUE((*OpenStore("sqlite:" + file.string()))->Ping());
  struct stat about {};
  ASSERT_EQ(::stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  StoreOptions existing;
  existing.create = false;
  EXPECT_FALSE((*OpenStore("sqlite:" + (dir.path() / "none.db").string(), existing))->Ping());
}

TEST(OpenStore, UrlsAndTheirPasswords) {
  for (const char* url : {"", "sqlite:", "mysql://h/d", "postgres:h", "store.db"})
    EXPECT_FALSE(OpenStore(url)) << url;
  const struct {
    const char *url, *redacted;
  } rows[] = {
      {"sqlite:/a/b.db", "sqlite:/a/b.db"},
      {"postgres://u:secret@h:5432/d", "postgres://u:***@h:5432/d"},
      {"postgresql://u:se@cret@h/d?sslkey=x", "postgresql://u:***@h/d"},
      {"postgres://h/d?password=secret", "postgres://h/d"},
      {"postgres://u@h:5432/d", "postgres://u@h:5432/d"},
  };
  for (const auto& row : rows) EXPECT_EQ(RedactUrl(row.url), row.redacted);
  // Nor do errors of libpq tell it.
  for (const char* url : {"postgres://u:%zzsecret@127.0.0.1:1/d", "postgres://u:secret@127.0.0.1:99999999/d",
                          "postgres://u:secret@127.0.0.1:1/d?nonsense=secret", "postgres://u:secret@[::1/d",
                          "postgres://u:secret@127.0.0.1:1/d"}) {
    const Status status = (*OpenStore(url))->Ping();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::kUnavailable);
    EXPECT_EQ(status.error().ToString().find("secret"), std::string::npos) << status.error().ToString();
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
