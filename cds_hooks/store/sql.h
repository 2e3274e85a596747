// The little SQL that a store needs, the same for SQLite and PostgreSQL: what a database library must do.
//
//   constexpr Statement kFind{"find", "SELECT record FROM decision WHERE id = $1"};
//   connection->Run(kFind, {{SqlValue::Text(id)}}, [&](const SqlRow& row) { ... row[0] ... });
//
// Statements are prepared once a connection. Errors: as in store.h. Thread-safety: none; the store locks.
#ifndef STEPWISE_CDS_HOOKS_STORE_SQL_H_
#define STEPWISE_CDS_HOOKS_STORE_SQL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/store/store.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

struct Statement {
  const char* name;
  const char* text;  // parameters $1, $2, ...
};

// Views live as long as the call.
struct SqlValue {
  enum class Kind : std::uint8_t { kNull, kInteger, kText, kBytes };
  Kind kind = Kind::kNull;
  std::int64_t integer = 0;
  std::string_view text = {};  // kText, kBytes

  static SqlValue Integer(std::int64_t value) { return {Kind::kInteger, value, {}}; }
  static SqlValue Text(std::string_view value) { return {Kind::kText, 0, value}; }
  static SqlValue Bytes(std::string_view value) { return {Kind::kBytes, 0, value}; }
  static SqlValue BytesOrNull(std::string_view value) {
    return value.empty() ? SqlValue() : SqlValue::Bytes(value);
  }
};

using SqlRow = std::vector<std::string>;  // numbers as text, null as ""
using OnRow = std::function<void(const SqlRow& row)>;

struct Dialect {
  std::string_view bytes_type;
  std::string_view lock_schema;  // SQL that waits until no other process changes the schema; "" for none
};

class SqlConnection {
 public:
  virtual ~SqlConnection() = default;
  virtual const Dialect& dialect() const = 0;
  virtual Status Begin() = 0;
  virtual Status Commit() = 0;
  virtual void Rollback() = 0;  // also without a transaction
  virtual Status Script(const std::string& statements) = 0;
  // The number of rows that changed.
  virtual Result<std::int64_t> Run(const Statement& statement, std::span<const SqlValue> values,
                                   const OnRow& on_row) = 0;
};

using Connect = std::function<Result<std::unique_ptr<SqlConnection>>()>;
Connect SqliteConnect(const std::string& path, const StoreOptions& options);
Connect PostgresConnect(const std::string& url, const StoreOptions& options);

std::unique_ptr<Store> MakeSqlStore(Connect connect);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_SQL_H_
