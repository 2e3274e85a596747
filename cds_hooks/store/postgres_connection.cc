// PostgreSQL behind SqlConnection; the only file that knows libpqxx. No exception leaves it.
#include <algorithm>
#include <exception>
#include <pqxx/pqxx>
#include <set>

#include "cds_hooks/store/key_file.h"
#include "cds_hooks/store/sql.h"

namespace stepwise::cds_hooks {
namespace {

constexpr pqxx::oid kBytea = 17;

// The first line of what the server or libpq says: further ones may quote values.
std::string FirstLine(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

// Constraints and values; every other SQLSTATE is the database's own trouble.
bool IsRefusal(const std::string& sqlstate) {
  return sqlstate.starts_with("22") || sqlstate.starts_with("23");
}

// Calls `work`; what it throws becomes an error.
template <typename Work>
auto Guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const pqxx::sql_error& error) {
    const Code code = IsRefusal(error.sqlstate()) ? Code::kInvalidArgument : Code::kUnavailable;
    return Fail(code, "PostgreSQL: " + FirstLine(error.what()));
  } catch (const pqxx::broken_connection& error) {
    return Fail(Code::kUnavailable, "PostgreSQL: the connection is broken: " + FirstLine(error.what()));
  } catch (const std::exception& error) {
    return Fail(Code::kUnavailable, "PostgreSQL: " + FirstLine(error.what()));
  }
}

class PostgresConnection final : public SqlConnection {
 public:
  explicit PostgresConnection(const std::string& url) : connection_(url) {}

  const Dialect& dialect() const override {
    // The number is this project's own; it has no meaning but to be the same everywhere.
    static constexpr Dialect kDialect{"BYTEA", "SELECT pg_advisory_xact_lock(5347716501)"};
    return kDialect;
  }
  Status Begin() override {
    return Guarded([&]() -> Status {
      work_ = std::make_unique<pqxx::work>(connection_);
      return {};
    });
  }
  Status Commit() override {
    return Guarded([&]() -> Status {
      const std::unique_ptr<pqxx::work> work = std::move(work_);
      work->commit();
      return {};
    });
  }
  void Rollback() override { work_.reset(); }  // a transaction that was not committed is undone; never throws

  Status Script(const std::string& statements) override {
    return Guarded([&]() -> Status {
      Within([&](pqxx::transaction_base& work) { return work.exec(statements); });
      return {};
    });
  }

  Result<std::int64_t> Run(const Statement& statement, std::span<const SqlValue> values,
                           const OnRow& on_row) override {
    std::vector<std::string> texts;
    texts.reserve(values.size());
    std::vector<const char*> pointers;
    for (const SqlValue& value : values) {
      texts.push_back(TextOf(value));
      pointers.push_back(value.kind == SqlValue::Kind::kNull ? nullptr : texts.back().c_str());
    }
    return Guarded([&]() -> Result<std::int64_t> {
      if (prepared_.insert(statement.name).second) connection_.prepare(statement.name, statement.text);
      const pqxx::result rows = Within([&](pqxx::transaction_base& work) {
        return work.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(pointers));
      });
      for (const pqxx::row row : rows) {
        if (on_row) on_row(RowOf(row));
      }
      return static_cast<std::int64_t>(rows.affected_rows());
    });
  }

 private:
  static std::string TextOf(const SqlValue& value) {
    switch (value.kind) {
      case SqlValue::Kind::kNull: return "";
      case SqlValue::Kind::kInteger: return std::to_string(value.integer);
      case SqlValue::Kind::kText: return std::string(value.text);
      case SqlValue::Kind::kBytes: return "\\x" + Hex(value.text);
    }
    return "";
  }

  static SqlRow RowOf(const pqxx::row& row) {
    SqlRow out;
    for (const pqxx::field field : row) {
      if (field.is_null()) {
        out.emplace_back();
      } else if (field.type() == kBytea) {
        out.push_back(pqxx::binarystring(field).str());
      } else {
        out.emplace_back(field.c_str(), field.size());
      }
    }
    return out;
  }

  // Inside the transaction that was begun, or in one of its own.
  template <typename Ask>
  pqxx::result Within(Ask ask) {
    if (work_ != nullptr) return ask(*work_);
    pqxx::work own(connection_);
    pqxx::result rows = ask(own);
    own.commit();
    return rows;
  }

  pqxx::connection connection_;
  std::set<std::string> prepared_;
  std::unique_ptr<pqxx::work> work_;  // last: it goes before the connection
};

// Unless the URL says otherwise: an application name, and time limits.
std::string WithDefaults(const std::string& url, const StoreOptions& options) {
  const std::pair<std::string_view, std::string> defaults[] = {
      {"application_name", "stepwise"},
      {"connect_timeout", std::to_string(std::max<std::int64_t>(2, options.connect_timeout_ms / 1000))},
      {"options", "-c%20statement_timeout%3D" + std::to_string(options.statement_timeout_ms)},
      {"keepalives_idle", "30"}};
  std::string out = url;
  for (const auto& [name, value] : defaults) {
    if (url.find(std::string(name) + "=") != std::string::npos) continue;
    out += (out.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=" + value;
  }
  return out;
}

Result<std::unique_ptr<SqlConnection>> Open(const std::string& url) {
  try {
    return std::make_unique<PostgresConnection>(url);
  } catch (const std::exception& error) {
    // libpq quotes what it does not understand of a URL, which may be the password.
    const std::string said = FirstLine(error.what());
    const bool about_url = said.find("URI") != std::string::npos || said.find("URL") != std::string::npos ||
                           said.find("invalid ") != std::string::npos;
    return Fail(Code::kUnavailable, about_url
                                        ? std::string("PostgreSQL: the URL of the store is not understood")
                                        : "PostgreSQL: no connection: " + said);
  }
}

}  // namespace

Connect PostgresConnect(const std::string& url, const StoreOptions& options) {
  return [url = WithDefaults(url, options)] { return Open(url); };
}

}  // namespace stepwise::cds_hooks
