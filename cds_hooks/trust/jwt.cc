#include "cds_hooks/trust/jwt.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cds_hooks/trust/base64url.h"
#include "cds_hooks/trust/reason.h"
#include "cds_hooks/trust/strict_json.h"

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

constexpr double kMaxDate = 253'402'300'799;  // the last second of the year 9999

tl::unexpected<Error> Malformed(std::string path = {}) { return Refuse(Reason::kMalformed, std::move(path)); }

// One of the two JSON parts of a token, with what is asked of its members. `name`: "header" or "payload".
class Part {
 public:
  static Result<Part> Read(std::string_view text, std::string_view name) {
    const std::optional<std::string> json = FromBase64Url(text);
    if (!json) return Malformed(std::string(name));
    Result<Json> object = ParseStrictObject(*json);
    if (!object) return Malformed(std::string(name));
    return Part(std::move(*object), name);
  }

  std::string PathOf(std::string_view member) const { return std::string(name_) + "." + std::string(member); }
  const Json* Find(const char* member) const {
    const auto found = object_.find(member);
    return found == object_.end() ? nullptr : &*found;
  }

  // A text that is not empty.
  Result<std::string> Text(const char* member) const {
    const Json* const value = Find(member);
    if (value == nullptr || !value->is_string() || value->get_ref<const std::string&>().empty())
      return Malformed(PathOf(member));
    return value->get<std::string>();
  }
  Result<std::string> OptionalText(const char* member) const {
    if (Find(member) == nullptr) return "";
    return Text(member);
  }

  // Seconds since the epoch, whole or not, as milliseconds.
  Result<std::int64_t> Date(const char* member) const {
    const Json* const value = Find(member);
    if (value == nullptr || !value->is_number()) return Malformed(PathOf(member));
    const double seconds = value->get<double>();
    if (!(seconds >= 0 && seconds <= kMaxDate)) return Malformed(PathOf(member));
    return static_cast<std::int64_t>(std::floor(seconds * 1000));
  }

  Result<std::vector<std::string>> OneOrMoreTexts(const char* member) const {
    const Json* const value = Find(member);
    if (value == nullptr || value->empty()) return Malformed(PathOf(member));
    std::vector<std::string> out;
    for (const Json& text : value->is_array() ? *value : Json::array({*value})) {
      if (!text.is_string()) return Malformed(PathOf(member));
      out.push_back(text.get<std::string>());
    }
    return out;
  }

 private:
  Part(Json object, std::string_view name) : object_(std::move(object)), name_(name) {}

  Json object_;
  std::string_view name_;
};

// Whether typ is "JWT", which RFC 7519 recommends to write so and allows to write in any case.
bool IsJwt(std::string_view typ) {
  constexpr std::string_view kLower = "jwt";
  if (typ.size() != kLower.size()) return false;
  for (std::size_t i = 0; i < typ.size(); ++i) {
    if (typ[i] != kLower[i] && typ[i] != kLower[i] - 'a' + 'A') return false;
  }
  return true;
}

Status ReadHeader(const Part& header, Jwt& jwt) {
  for (const char* refused : {"crit", "jwk"}) {
    if (header.Find(refused) != nullptr) return Malformed(header.PathOf(refused));
  }
  STEPWISE_ASSIGN_OR_RETURN(const std::string alg, header.Text("alg"));
  const std::optional<Algorithm> algorithm = AlgorithmNamed(alg);
  if (!algorithm) return Refuse(Reason::kBadAlgorithm, header.PathOf("alg"));
  jwt.algorithm = *algorithm;
  STEPWISE_ASSIGN_OR_RETURN(const std::string typ, header.Text("typ"));
  if (!IsJwt(typ)) return Malformed(header.PathOf("typ"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.kid, header.Text("kid"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.jku, header.OptionalText("jku"));
  return {};
}

Status ReadPayload(const Part& payload, Jwt& jwt) {
  STEPWISE_ASSIGN_OR_RETURN(jwt.iss, payload.Text("iss"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.aud, payload.OneOrMoreTexts("aud"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.exp_ms, payload.Date("exp"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.iat_ms, payload.Date("iat"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.jti, payload.Text("jti"));
  STEPWISE_ASSIGN_OR_RETURN(jwt.tenant, payload.OptionalText("tenant"));
  if (payload.Find("nbf") != nullptr) {
    STEPWISE_ASSIGN_OR_RETURN(jwt.nbf_ms, payload.Date("nbf"));
  }
  return {};
}

}  // namespace

Result<Jwt> Jwt::Parse(std::string_view token, std::size_t max_bytes) {
  if (token.size() > max_bytes) return Refuse(Reason::kTooLarge);
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return Malformed();
  Jwt jwt;
  STEPWISE_ASSIGN_OR_RETURN(const Part header, Part::Read(token.substr(0, first), "header"));
  STEPWISE_RETURN_IF_ERROR(ReadHeader(header, jwt));
  STEPWISE_ASSIGN_OR_RETURN(const Part payload,
                            Part::Read(token.substr(first + 1, second - first - 1), "payload"));
  STEPWISE_RETURN_IF_ERROR(ReadPayload(payload, jwt));
  std::optional<std::string> signature = FromBase64Url(token.substr(second + 1));
  if (!signature || signature->empty()) return Malformed("signature");
  jwt.signature = std::move(*signature);
  jwt.signing_input = token.substr(0, second);
  return jwt;
}

}  // namespace stepwise::trust
