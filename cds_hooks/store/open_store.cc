#include "cds_hooks/store/sql.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kPostgres[] = {"postgres://", "postgresql://"};

bool IsPostgres(const std::string& url) {
  return url.starts_with(kPostgres[0]) || url.starts_with(kPostgres[1]);
}

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options) {
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size())
    return MakeSqlStore(SqliteConnect(url.substr(kSqlite.size()), options));
  if (IsPostgres(url)) return MakeSqlStore(PostgresConnect(url, options));
  return Fail(Code::kInvalidArgument, "the store must be sqlite:PATH or postgres://...");
}

std::string RedactUrl(const std::string& url) {
  if (!IsPostgres(url)) return url;
  std::string out = url;
  if (const std::size_t query = out.find('?'); query != std::string::npos) out.resize(query);
  const std::size_t host = out.find("//") + 2;
  const std::size_t at = out.rfind('@');
  const std::size_t colon = out.find(':', host);
  if (at != std::string::npos && colon < at) out.replace(colon, at - colon, ":***");
  return out;
}

}  // namespace stepwise::cds_hooks
