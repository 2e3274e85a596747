#include "cds_hooks/store/sql_schema.h"

namespace stepwise::cds_hooks {
namespace {

// BYTES is the dialect's type.
constexpr const char* kMigrations[] = {
    R"(CREATE TABLE decision (
         id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, written_ms BIGINT NOT NULL, patient TEXT NOT NULL,
         record BYTES NOT NULL, sealed BYTES, sealed_input BYTES);
       CREATE INDEX decision_at ON decision (at_ms);
       CREATE INDEX decision_patient ON decision (patient, at_ms);
       CREATE TABLE card (
         uuid TEXT PRIMARY KEY, decision TEXT NOT NULL, at_ms BIGINT NOT NULL, written_ms BIGINT NOT NULL,
         patient TEXT NOT NULL, pack TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL,
         rule TEXT NOT NULL, title TEXT NOT NULL, indicator TEXT NOT NULL, suppression BYTES);
       CREATE INDEX card_at ON card (at_ms);
       CREATE INDEX card_written ON card (written_ms);
       CREATE TABLE feedback (
         key TEXT PRIMARY KEY, card TEXT NOT NULL, at_ms BIGINT NOT NULL, received_ms BIGINT NOT NULL,
         written_ms BIGINT NOT NULL, overridden INTEGER NOT NULL, reason_system TEXT NOT NULL,
         reason_code TEXT NOT NULL, record BYTES NOT NULL);
       CREATE INDEX feedback_card ON feedback (card);
       CREATE INDEX feedback_received ON feedback (received_ms);
       CREATE INDEX feedback_written ON feedback (written_ms);)",
};

constexpr Statement kVersion{"schema_version", "SELECT max(version) FROM stepwise_schema"};
constexpr Statement kSetVersion{"schema_set", "INSERT INTO stepwise_schema (version) VALUES ($1)"};

std::string InDialect(std::string_view script, std::string_view bytes_type) {
  constexpr std::string_view kPlaceholder = " BYTES";
  std::string out(script);
  for (std::size_t at; (at = out.find(kPlaceholder)) != std::string::npos;)
    out.replace(at, kPlaceholder.size(), " " + std::string(bytes_type));
  return out;
}

Status MigrateLocked(SqlConnection& connection) {
  const Dialect& dialect = connection.dialect();
  if (!dialect.lock_schema.empty())
    STEPWISE_RETURN_IF_ERROR(connection.Script(std::string(dialect.lock_schema)));
  STEPWISE_RETURN_IF_ERROR(
      connection.Script("CREATE TABLE IF NOT EXISTS stepwise_schema (version BIGINT PRIMARY KEY)"));
  std::size_t version = 0;
  const auto read = connection.Run(kVersion, {}, [&](const SqlRow& row) {
    if (!row[0].empty()) version = std::stoul(row[0]);
  });
  if (!read) return tl::unexpected(read.error());
  if (version > std::size(kMigrations)) {
    return Fail(Code::kFailedPrecondition, "the tables of the store are of version " +
                                               std::to_string(version) + ", this program knows " +
                                               std::to_string(std::size(kMigrations)) +
                                               "; use a later version of it");
  }
  for (; version < std::size(kMigrations); ++version) {
    STEPWISE_RETURN_IF_ERROR(connection.Script(InDialect(kMigrations[version], dialect.bytes_type)));
    const SqlValue made[] = {SqlValue::Integer(static_cast<std::int64_t>(version) + 1)};
    if (const auto set = connection.Run(kSetVersion, made, {}); !set) return tl::unexpected(set.error());
  }
  return {};
}

}  // namespace

Status Migrate(SqlConnection& connection) {
  STEPWISE_RETURN_IF_ERROR(connection.Begin());
  const Status done = MigrateLocked(connection);
  if (done) return connection.Commit();
  connection.Rollback();
  return done;
}

}  // namespace stepwise::cds_hooks
