// SQLite behind SqlConnection; the only file that knows its C interface.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <system_error>

#include "cds_hooks/store/sql.h"

namespace stepwise::cds_hooks {
namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

// Result codes that are the data's fault; every other one is the database's.
constexpr int kRefusals[] = {SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG, SQLITE_RANGE};

Error ErrorOf(int code, const std::string& file) {
  const int primary = code & 0xFF;
  std::string message = "SQLite: " + std::string(sqlite3_errstr(code));  // names no values
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
    message += "; the file is damaged: move it away, or put a good copy in its place";
  for (const int refusal : kRefusals) {
    if (primary == refusal) return {Code::kInvalidArgument, std::move(message), {file, 0, 0, 0}, ""};
  }
  return {Code::kUnavailable, std::move(message), {file, 0, 0, 0}, ""};
}

class SqliteConnection final : public SqlConnection {
 public:
  SqliteConnection(Database database, std::string file)
      : database_(std::move(database)), file_(std::move(file)) {}
  ~SqliteConnection() override { prepared_.clear(); }  // before the database

  const Dialect& dialect() const override {
    static constexpr Dialect kDialect{"BLOB", ""};
    return kDialect;
  }
  Status Begin() override { return Script("BEGIN IMMEDIATE"); }
  Status Commit() override { return Script("COMMIT"); }
  void Rollback() override {
    if (sqlite3_get_autocommit(database_.get()) == 0)
      sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  Status Script(const std::string& statements) override {
    const int code = sqlite3_exec(database_.get(), statements.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? Status() : tl::unexpected(ErrorOf(Extended(code), file_));
  }

  Result<std::int64_t> Run(const Statement& statement, std::span<const SqlValue> values,
                           const OnRow& on_row) override {
    Prepared& prepared = prepared_[statement.name];
    if (prepared == nullptr) {
      sqlite3_stmt* fresh = nullptr;
      const int code =
          sqlite3_prepare_v3(database_.get(), statement.text, -1, SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
      if (code != SQLITE_OK) return tl::unexpected(ErrorOf(Extended(code), file_));
      prepared.reset(fresh);
    }
    const int code = Step(prepared.get(), values, on_row);
    sqlite3_reset(prepared.get());
    sqlite3_clear_bindings(prepared.get());
    if (code != SQLITE_DONE) return tl::unexpected(ErrorOf(Extended(code), file_));
    return sqlite3_changes64(database_.get());
  }

 private:
  int Extended(int code) const {
    const int extended = sqlite3_extended_errcode(database_.get());
    return (extended & 0xFF) == (code & 0xFF) ? extended : code;
  }

  static int Step(sqlite3_stmt* statement, std::span<const SqlValue> values, const OnRow& on_row) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string name = "$" + std::to_string(i + 1);
      const int code = Bind(statement, sqlite3_bind_parameter_index(statement, name.c_str()), values[i]);
      if (code != SQLITE_OK) return code;
    }
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      SqlRow row(static_cast<std::size_t>(sqlite3_column_count(statement)));
      for (std::size_t i = 0; i < row.size(); ++i) {
        const int column = static_cast<int>(i);
        const void* bytes = sqlite3_column_blob(statement, column);  // of a number: its text
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        if (bytes != nullptr) row[i].assign(static_cast<const char*>(bytes), size);
      }
      if (on_row) on_row(row);
    }
    return code;
  }

  static int Bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
    const sqlite3_uint64 size = value.text.size();
    const char* const text = value.text.empty() ? "" : value.text.data();
    switch (value.kind) {
      case SqlValue::Kind::kNull: return sqlite3_bind_null(statement, index);
      case SqlValue::Kind::kInteger: return sqlite3_bind_int64(statement, index, value.integer);
      case SqlValue::Kind::kText:
        return sqlite3_bind_text64(statement, index, text, size, SQLITE_STATIC, SQLITE_UTF8);
      case SqlValue::Kind::kBytes: return sqlite3_bind_blob64(statement, index, text, size, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
  }

  const Database database_;
  const std::string file_;
  std::map<std::string, Prepared> prepared_;
};

// Readable for nobody else; SQLite gives the files beside it the same mode.
Status MakeFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  return Fail(Code::kUnavailable, "the database cannot be opened: " + std::generic_category().message(errno),
              SourceSpan{path, 0, 0, 0});
}

Result<std::unique_ptr<SqlConnection>> Open(const std::string& path, const StoreOptions& options) {
  if (options.create) STEPWISE_RETURN_IF_ERROR(MakeFile(path));
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (code != SQLITE_OK) return tl::unexpected(ErrorOf(code, path));
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, static_cast<int>(options.busy_timeout_ms));
  auto connection = std::make_unique<SqliteConnection>(std::move(database), path);
  // NORMAL: a power failure may undo the last transactions, which the spool has given away by then; a crash
  // of the process does not. secure_delete: what is purged is overwritten.
  STEPWISE_RETURN_IF_ERROR(connection->Script(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"));
  return connection;
}

}  // namespace

Connect SqliteConnect(const std::string& path, const StoreOptions& options) {
  return [path, options]() -> Result<std::unique_ptr<SqlConnection>> { return Open(path, options); };
}

}  // namespace stepwise::cds_hooks
