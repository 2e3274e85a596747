#include "cds_hooks/trust/trust_options.h"

#include <set>
#include <utility>

namespace stepwise::trust {
namespace {

struct AcceptRow {
  std::string_view word;
  Accept accept;
};
constexpr AcceptRow kAccept[] = {{"jwt", Accept::kJwt},
                                 {"client-certificate", Accept::kClientCertificate},
                                 {"either", Accept::kEither},
                                 {"both", Accept::kBoth}};

tl::unexpected<Error> Wrong(std::string path, std::string message) {
  return Fail(Code::kInvalidArgument, std::move(message), {}, std::move(path));
}

// https to anywhere, http to this machine only: who can change the answer can sign tokens.
bool MayBeFetched(std::string_view url) {
  if (url.find('@') != std::string_view::npos) return false;  // "http://localhost:80@elsewhere"
  for (const std::string_view prefix : {"https://", "http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(prefix)) continue;
    const std::string_view rest = url.substr(prefix.size());
    return prefix == "https://" ? !rest.empty() && rest[0] != '/'
                                : rest.empty() || rest[0] == ':' || rest[0] == '/';
  }
  return false;
}

}  // namespace

Result<Accept> ParseAccept(std::string_view word) {
  for (const AcceptRow& row : kAccept) {
    if (row.word == word) return row.accept;
  }
  return Wrong("accept", "expected jwt, client-certificate, either or both");
}

Status CheckTrustOptions(const TrustOptions& options) {
  if (options.issuers.empty() && options.accept != Accept::kClientCertificate)
    return Wrong("issuers", "empty, so no token could ever be good");
  if (options.keys.max_stale_s < options.keys.max_age_s)
    return Wrong("keys.max-stale-s", "less than max-age-s");
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < options.issuers.size(); ++i) {
    const TrustedIssuer& issuer = options.issuers[i];
    const std::string path = "issuers[" + std::to_string(i) + "]";
    if (issuer.iss.empty()) return Wrong(path + ".iss", "missing");
    if (!seen.insert(issuer.iss).second) return Wrong(path + ".iss", "the same as of another issuer");
    if (issuer.jwks_file.empty() && issuer.jku.empty())
      return Wrong(path, "neither jwks-file nor jku, so there are no keys");
    for (std::size_t j = 0; j < issuer.jku.size(); ++j) {
      if (!MayBeFetched(issuer.jku[j]))
        return Wrong(path + ".jku[" + std::to_string(j) + "]",
                     "expected a URL with https, or with http to this machine");
    }
  }
  return {};
}

}  // namespace stepwise::trust
