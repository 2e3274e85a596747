#include "cds_hooks/trust/trust_options.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <sstream>
#include <variant>

#include "cds_hooks/trust/strict_json.h"

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

template <typename T>
struct Field {
  std::string_view key;
  std::variant<std::string T::*, std::vector<std::string> T::*, bool T::*, std::int64_t T::*> member;
  std::int64_t min = 0, max = 0;  // of numbers
};

constexpr std::int64_t kDayS = 86'400;

const Field<TrustedIssuer> kIssuerFields[] = {
    {"iss", &TrustedIssuer::iss},
    {"jwks-file", &TrustedIssuer::jwks_file},
    {"jku", &TrustedIssuer::jku},
    {"tenants", &TrustedIssuer::tenants},
    {"audiences", &TrustedIssuer::audiences},
};
const Field<KeyOptions> kKeyFields[] = {
    {"file-poll-s", &KeyOptions::file_poll_s, 0, kDayS},
    {"max-age-s", &KeyOptions::max_age_s, 1, 30 * kDayS},
    {"max-stale-s", &KeyOptions::max_stale_s, 1, 30 * kDayS},
    {"refetch-interval-s", &KeyOptions::refetch_interval_s, 1, kDayS},
    {"retry-interval-s", &KeyOptions::retry_interval_s, 1, kDayS},
    {"max-waiting", &KeyOptions::max_waiting, 0, 1'000'000},
    {"max-set-bytes", &KeyOptions::max_set_bytes, 1, 16 << 20},
    {"max-set-keys", &KeyOptions::max_set_keys, 1, 10'000},
};
const Field<TrustOptions> kFields[] = {
    {"required", &TrustOptions::required},
    {"certificate-subjects", &TrustOptions::certificate_subjects},
    {"clock-skew-s", &TrustOptions::clock_skew_s, 0, 3600},
    {"max-token-age-s", &TrustOptions::max_token_age_s, 1, 366 * kDayS},
    {"max-token-bytes", &TrustOptions::max_token_bytes, 256, 1 << 20},
    {"refuse-replayed-jti", &TrustOptions::refuse_replayed_jti},
    {"max-remembered-tokens", &TrustOptions::max_remembered_tokens, 1, 100'000'000},
};

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

// Sets one member from JSON, by its type.
template <typename T>
struct Setter {
  const Field<T>& field;
  const Json& value;
  const std::string& path;
  T& out;

  Status operator()(std::string T::*member) const {
    if (!value.is_string()) return Wrong(path, "expected a string");
    out.*member = value.get<std::string>();
    return {};
  }
  Status operator()(std::vector<std::string> T::*member) const {
    const bool texts = value.is_array() && std::all_of(value.begin(), value.end(),
                                                       [](const Json& item) { return item.is_string(); });
    if (!texts) return Wrong(path, "expected an array of strings");
    out.*member = value.get<std::vector<std::string>>();
    return {};
  }
  Status operator()(bool T::*member) const {
    if (!value.is_boolean()) return Wrong(path, "expected true or false");
    out.*member = value.get<bool>();
    return {};
  }
  Status operator()(std::int64_t T::*member) const {
    const std::int64_t number = value.is_number_integer() ? value.get<std::int64_t>() : field.min - 1;
    if (number < field.min || number > field.max) {
      return Wrong(path, "expected a whole number from " + std::to_string(field.min) + " to " +
                             std::to_string(field.max));
    }
    out.*member = number;
    return {};
  }
};

template <typename T>
Status SetField(std::span<const Field<T>> fields, const std::string& key, const Json& value,
                const std::string& path, T& out) {
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const Field<T>& one) { return one.key == key; });
  if (field == fields.end()) return Wrong(path, "no such setting");
  return std::visit(Setter<T>{*field, value, path, out}, field->member);
}

template <typename T>
Status ReadObject(std::span<const Field<T>> fields, const Json& json, const std::string& path, T& out) {
  if (!json.is_object()) return Wrong(path, "expected an object");
  for (const auto& [key, value] : json.items()) {
    std::string place = path;
    place.append(".").append(key);
    STEPWISE_RETURN_IF_ERROR(SetField<T>(fields, key, value, place, out));
  }
  return {};
}

Status ReadIssuers(const Json& json, TrustOptions& out) {
  if (!json.is_array()) return Wrong("issuers", "expected an array");
  for (const Json& item : json) {
    TrustedIssuer issuer;
    STEPWISE_RETURN_IF_ERROR(ReadObject<TrustedIssuer>(
        kIssuerFields, item, "issuers[" + std::to_string(out.issuers.size()) + "]", issuer));
    out.issuers.push_back(std::move(issuer));
  }
  return {};
}

Status ReadAccept(const Json& json, TrustOptions& out) {
  const auto* row = std::find_if(std::begin(kAccept), std::end(kAccept),
                                 [&](const AcceptRow& one) { return json == one.word; });
  if (row == std::end(kAccept)) return Wrong("accept", "expected jwt, client-certificate, either or both");
  out.accept = row->accept;
  return {};
}

Result<TrustOptions> Read(std::string_view text) {
  STEPWISE_ASSIGN_OR_RETURN(const Json json, ParseStrictObject(text));
  TrustOptions out;
  for (const auto& [key, value] : json.items()) {
    STEPWISE_RETURN_IF_ERROR(key == "issuers"  ? ReadIssuers(value, out)
                             : key == "accept" ? ReadAccept(value, out)
                             : key == "keys"   ? ReadObject<KeyOptions>(kKeyFields, value, key, out.keys)
                                               : SetField<TrustOptions>(kFields, key, value, key, out));
  }
  STEPWISE_RETURN_IF_ERROR(CheckTrustOptions(out));
  return out;
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

Result<TrustOptions> ReadTrustOptions(std::string_view text, const std::string& file) {
  Result<TrustOptions> options = Read(text);
  if (!options) options.error().span.file = file;
  return options;
}

Result<TrustOptions> ReadTrustOptionsFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return Fail(Code::kNotFound, "the file cannot be read, or is empty", SourceSpan{file, 0, 0, 0});
  return ReadTrustOptions(text.str(), file);
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
