#include <algorithm>
#include <mutex>

#include "cds_hooks/store/sql.h"
#include "cds_hooks/store/sql_schema.h"

namespace stepwise::cds_hooks {
namespace {

constexpr Statement kPing{"ping", "SELECT 1"};
constexpr Statement kAddDecision{
    "add_decision",
    "INSERT INTO decision (id, at_ms, written_ms, patient, record, sealed, sealed_input)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING"};
constexpr Statement kAddCard{
    "add_card",
    "INSERT INTO card (uuid, decision, at_ms, written_ms, patient, pack, version, digest, rule, title,"
    " indicator, suppression) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    " ON CONFLICT (uuid) DO NOTHING"};
constexpr Statement kAddFeedback{
    "add_feedback",
    "INSERT INTO feedback (key, card, at_ms, received_ms, written_ms, overridden, reason_system, reason_code,"
    " record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING"};
constexpr Statement kFindDecision{"find_decision",
                                  "SELECT record, sealed, sealed_input FROM decision WHERE id = $1"};
constexpr Statement kDecisions{"decisions",
                               "SELECT record FROM decision WHERE at_ms >= $1 AND at_ms < $2"
                               " ORDER BY at_ms DESC, id LIMIT $3"};
constexpr Statement kDecisionsOf{"decisions_of",
                                 "SELECT record FROM decision WHERE at_ms >= $1 AND at_ms < $2"
                                 " AND patient = $4 ORDER BY at_ms DESC, id LIMIT $3"};
constexpr Statement kShown{
    "shown",
    "SELECT pack, version, rule, max(title), count(*) FROM card WHERE at_ms >= $1 AND at_ms < $2"
    " AND ($3 = '' OR pack = $3) AND ($4 = '' OR rule = $4)"
    " GROUP BY pack, version, rule ORDER BY pack, version, rule"};
constexpr Statement kAnswered{
    "answered",
    "SELECT f.card, coalesce(c.pack, ''), coalesce(c.version, ''), coalesce(c.rule, ''),"
    " coalesce(c.at_ms, 0), f.at_ms, f.overridden, f.reason_system, f.reason_code"
    " FROM feedback f LEFT JOIN card c ON c.uuid = f.card"
    " WHERE coalesce(c.at_ms, f.received_ms) >= $1 AND coalesce(c.at_ms, f.received_ms) < $2"
    " AND ($3 = '' OR c.pack = $3) AND ($4 = '' OR c.rule = $4)"
    " ORDER BY f.card, f.at_ms, f.received_ms, f.key"};
// A client whose clock is ahead must not keep advice quiet for longer: what counts is the earlier time.
constexpr Statement kOverrides{"overrides",
                               "SELECT patient, uuid, suppression, at FROM ("
                               " SELECT c.patient AS patient, c.uuid AS uuid, c.suppression AS suppression,"
                               "  CASE WHEN f.at_ms < f.received_ms THEN f.at_ms ELSE f.received_ms END AS at"
                               "  FROM feedback f JOIN card c ON c.uuid = f.card"
                               "  WHERE f.overridden = 1 AND c.suppression IS NOT NULL AND f.written_ms >= $1"
                               " UNION"
                               " SELECT c.patient, c.uuid, c.suppression,"
                               "  CASE WHEN f.at_ms < f.received_ms THEN f.at_ms ELSE f.received_ms END"
                               "  FROM card c JOIN feedback f ON f.card = c.uuid"
                               "  WHERE f.overridden = 1 AND c.suppression IS NOT NULL AND c.written_ms >= $1"
                               ") AS overrides ORDER BY at DESC LIMIT $2"};
// Few at a time, so that nobody waits long for a lock.
constexpr Statement kPurgeInputs{
    "purge_inputs",
    "UPDATE decision SET sealed_input = NULL WHERE id IN (SELECT id FROM decision"
    " WHERE at_ms < $1 AND sealed_input IS NOT NULL LIMIT 500)"};
constexpr Statement kPurgeDecisions{
    "purge_decisions",
    "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at_ms < $1 LIMIT 500)"};
constexpr Statement kPurgeCards{
    "purge_cards", "DELETE FROM card WHERE uuid IN (SELECT uuid FROM card WHERE at_ms < $1 LIMIT 500)"};
constexpr Statement kPurgeFeedback{
    "purge_feedback",
    "DELETE FROM feedback WHERE key IN (SELECT key FROM feedback WHERE received_ms < $1 LIMIT 500)"};

std::int64_t Number(const std::string& text) { return text.empty() ? 0 : std::stoll(text); }

class SqlStore final : public Store {
 public:
  explicit SqlStore(Connect connect) : connect_(std::move(connect)) {}

  Status Ping() override {
    const std::scoped_lock lock(mutex_);
    return Run(kPing, {}, {});
  }

  Status Write(const StoreBatch& batch, std::int64_t written_ms) override {
    const std::scoped_lock lock(mutex_);
    return InTransaction([&]() -> Status {
      for (const DecisionRecord& record : batch.decisions) STEPWISE_RETURN_IF_ERROR(Add(record, written_ms));
      for (const FeedbackRecord& record : batch.feedback) STEPWISE_RETURN_IF_ERROR(Add(record, written_ms));
      return {};
    });
  }

  Result<std::optional<DecisionRecord>> FindDecision(const std::string& id) override {
    const std::scoped_lock lock(mutex_);
    std::optional<DecisionRecord> out;
    const SqlValue values[] = {SqlValue::Text(id)};
    STEPWISE_RETURN_IF_ERROR(Run(kFindDecision, values, [&](const SqlRow& row) {
      out.emplace();
      out->ParseFromString(row[0]);
      out->set_sealed(row[1]);
      out->set_sealed_input(row[2]);
    }));
    return out;
  }

  Result<std::vector<DecisionRecord>> Decisions(const DecisionFilter& filter) override {
    const std::scoped_lock lock(mutex_);
    std::vector<DecisionRecord> out;
    std::vector<SqlValue> values = {SqlValue::Integer(filter.period.since_ms),
                                    SqlValue::Integer(filter.period.until_ms),
                                    SqlValue::Integer(filter.limit)};
    if (!filter.patient.empty()) values.push_back(SqlValue::Text(filter.patient));
    STEPWISE_RETURN_IF_ERROR(Run(filter.patient.empty() ? kDecisions : kDecisionsOf, values,
                                 [&](const SqlRow& row) { out.emplace_back().ParseFromString(row[0]); }));
    return out;
  }

  Result<std::vector<ShownCards>> Shown(const CardFilter& filter) override {
    const std::scoped_lock lock(mutex_);
    std::vector<ShownCards> out;
    STEPWISE_RETURN_IF_ERROR(Run(kShown, ValuesOf(filter), [&](const SqlRow& row) {
      out.push_back({row[0], row[1], row[2], row[3], Number(row[4])});
    }));
    return out;
  }

  Result<std::vector<AnsweredCard>> Answered(const CardFilter& filter) override {
    const std::scoped_lock lock(mutex_);
    std::vector<AnsweredCard> out;
    STEPWISE_RETURN_IF_ERROR(Run(kAnswered, ValuesOf(filter), [&](const SqlRow& row) {
      out.push_back({row[0], row[1], row[2], row[3], Number(row[4]), Number(row[5]), Number(row[6]) != 0,
                     row[7], row[8]});
    }));
    return out;
  }

  Result<std::vector<StoredOverride>> OverridesSince(std::int64_t written_ms, std::int64_t most) override {
    const std::scoped_lock lock(mutex_);
    std::vector<StoredOverride> out;
    const SqlValue values[] = {SqlValue::Integer(written_ms), SqlValue::Integer(most)};
    STEPWISE_RETURN_IF_ERROR(Run(kOverrides, values, [&](const SqlRow& row) {
      out.push_back({row[0], row[1], row[2], Number(row[3])});
    }));
    std::ranges::reverse(out);
    return out;
  }

  Result<Purged> Purge(const PurgeBefore& before) override {
    Purged out;
    STEPWISE_RETURN_IF_ERROR(PurgeAll(kPurgeInputs, before.inputs_ms, &out.inputs));
    STEPWISE_RETURN_IF_ERROR(PurgeAll(kPurgeDecisions, before.records_ms, &out.decisions));
    STEPWISE_RETURN_IF_ERROR(PurgeAll(kPurgeCards, before.records_ms, &out.cards));
    STEPWISE_RETURN_IF_ERROR(PurgeAll(kPurgeFeedback, before.records_ms, &out.feedback));
    return out;
  }

 private:
  static std::vector<SqlValue> ValuesOf(const CardFilter& filter) {
    return {SqlValue::Integer(filter.period.since_ms), SqlValue::Integer(filter.period.until_ms),
            SqlValue::Text(filter.pack), SqlValue::Text(filter.rule)};
  }

  // What follows is called with the lock held.
  Status Connected() {
    if (connection_ != nullptr) return {};
    STEPWISE_ASSIGN_OR_RETURN(std::unique_ptr<SqlConnection> fresh, connect_());
    STEPWISE_RETURN_IF_ERROR(Migrate(*fresh));
    connection_ = std::move(fresh);
    return {};
  }

  Status Run(const Statement& statement, std::span<const SqlValue> values, const OnRow& on_row,
             std::int64_t* changed = nullptr) {
    STEPWISE_RETURN_IF_ERROR(Connected());
    const Result<std::int64_t> done = connection_->Run(statement, values, on_row);
    if (done && changed != nullptr) *changed = *done;
    if (done) return {};
    if (done.error().code == Code::kUnavailable) connection_.reset();
    return tl::unexpected(done.error());
  }

  template <typename Work>
  Status InTransaction(Work work) {
    STEPWISE_RETURN_IF_ERROR(Connected());
    Status done = connection_->Begin();
    if (done) done = work();
    if (done && connection_ != nullptr) done = connection_->Commit();
    if (done) return {};
    if (connection_ != nullptr) connection_->Rollback();
    if (done.error().code == Code::kUnavailable) connection_.reset();
    return done;
  }

  Status Add(const DecisionRecord& record, std::int64_t written_ms) {
    DecisionRecord open = record;
    open.clear_sealed();
    open.clear_sealed_input();
    const std::string bytes = open.SerializeAsString();
    const SqlValue values[] = {SqlValue::Text(record.id()),
                               SqlValue::Integer(record.at_ms()),
                               SqlValue::Integer(written_ms),
                               SqlValue::Text(record.patient()),
                               SqlValue::Bytes(bytes),
                               SqlValue::BytesOrNull(record.sealed()),
                               SqlValue::BytesOrNull(record.sealed_input())};
    STEPWISE_RETURN_IF_ERROR(Run(kAddDecision, values, {}));
    for (const store::v1::Card& card : record.cards()) {
      const SqlValue row[] = {SqlValue::Text(card.uuid()),       SqlValue::Text(record.id()),
                              SqlValue::Integer(record.at_ms()), SqlValue::Integer(written_ms),
                              SqlValue::Text(record.patient()),  SqlValue::Text(card.pack()),
                              SqlValue::Text(card.version()),    SqlValue::Text(card.digest()),
                              SqlValue::Text(card.rule()),       SqlValue::Text(card.title()),
                              SqlValue::Text(card.indicator()),  SqlValue::BytesOrNull(card.suppression())};
      STEPWISE_RETURN_IF_ERROR(Run(kAddCard, row, {}));
    }
    return {};
  }

  Status Add(const FeedbackRecord& record, std::int64_t written_ms) {
    const std::string bytes = record.SerializeAsString();
    const SqlValue values[] = {SqlValue::Text(record.key()),
                               SqlValue::Text(record.card()),
                               SqlValue::Integer(record.at_ms()),
                               SqlValue::Integer(record.received_ms()),
                               SqlValue::Integer(written_ms),
                               SqlValue::Integer(record.overridden() ? 1 : 0),
                               SqlValue::Text(record.reason_system()),
                               SqlValue::Text(record.reason_code()),
                               SqlValue::Bytes(bytes)};
    return Run(kAddFeedback, values, {});
  }

  // Takes the lock once a batch: what requests wait for comes in between.
  Status PurgeAll(const Statement& statement, std::int64_t before_ms, std::int64_t* purged) {
    const SqlValue values[] = {SqlValue::Integer(before_ms)};
    for (std::int64_t changed = 1; changed > 0; *purged += changed) {
      const std::scoped_lock lock(mutex_);
      STEPWISE_RETURN_IF_ERROR(Run(statement, values, {}, &changed));
    }
    return {};
  }

  const Connect connect_;
  std::mutex mutex_;
  std::unique_ptr<SqlConnection> connection_;  // guarded by mutex_; nullptr: not connected
};

}  // namespace

std::unique_ptr<Store> MakeSqlStore(Connect connect) {
  return std::make_unique<SqlStore>(std::move(connect));
}

}  // namespace stepwise::cds_hooks
