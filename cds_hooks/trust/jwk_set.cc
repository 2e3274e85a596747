#include "cds_hooks/trust/jwk_set.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cds_hooks/trust/base64url.h"
#include "cds_hooks/trust/strict_json.h"

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

struct CurveRow {
  std::string_view name;
  Algorithm algorithm;
};
constexpr CurveRow kCurves[] = {{"P-256", Algorithm::kES256}, {"P-384", Algorithm::kES384}};

// One key of a set. Its methods return errors of two kinds: a broken key (kInvalidArgument) spoils the set,
// a key for other purposes (kNotFound) is passed over.
class Jwk {
 public:
  Jwk(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  Result<std::pair<std::string, VerifyingKey>> Read() const {
    if (!json_.is_object()) return Broken("", "expected an object");
    STEPWISE_ASSIGN_OR_RETURN(const std::string kty, Text("kty"));
    if (kty.empty()) return Broken("kty", "missing");
    if (kty != "EC" && kty != "RSA") return Other("kty", "neither EC nor RSA");
    STEPWISE_ASSIGN_OR_RETURN(const std::string use, Text("use"));
    if (json_.contains("use") && use != "sig") return Other("use", "not for signatures");
    STEPWISE_RETURN_IF_ERROR(CheckOperations());
    STEPWISE_ASSIGN_OR_RETURN(std::string kid, Text("kid"));
    if (kid.empty()) return Other("kid", "missing, so no token can name the key");
    STEPWISE_ASSIGN_OR_RETURN(const std::string alg, Text("alg"));
    const std::optional<Algorithm> pinned = AlgorithmNamed(alg);
    if (json_.contains("alg") && !pinned) return Other("alg", "not one of the algorithms of tokens");
    STEPWISE_ASSIGN_OR_RETURN(VerifyingKey key, kty == "EC" ? Point(pinned) : Modulus(pinned));
    return std::pair(std::move(kid), std::move(key));
  }

 private:
  std::string PathOf(std::string_view member) const {
    return member.empty() ? path_ : path_ + "." + std::string(member);
  }
  tl::unexpected<Error> Broken(std::string_view member, std::string message) const {
    return Fail(Code::kInvalidArgument, std::move(message), {}, PathOf(member));
  }
  tl::unexpected<Error> Other(std::string_view member, std::string message) const {
    return Fail(Code::kNotFound, std::move(message), {}, PathOf(member));
  }

  Result<std::string> Text(const char* member) const {  // "" when absent
    const auto found = json_.find(member);
    if (found == json_.end()) return "";
    if (!found->is_string()) return Broken(member, "expected a string");
    return found->get<std::string>();
  }

  Result<std::string> Number(const char* member) const {
    STEPWISE_ASSIGN_OR_RETURN(const std::string text, Text(member));
    if (text.empty()) return Broken(member, "missing");
    std::optional<std::string> bytes = FromBase64Url(text);
    if (!bytes) return Broken(member, "not base64url without padding");
    return std::move(*bytes);
  }

  Status CheckOperations() const {
    const auto found = json_.find("key_ops");
    if (found == json_.end()) return {};
    if (!found->is_array()) return Broken("key_ops", "expected an array");
    if (std::find(found->begin(), found->end(), "verify") == found->end())
      return Other("key_ops", "not for verifying");
    return {};
  }

  Result<VerifyingKey> Point(std::optional<Algorithm> pinned) const {
    STEPWISE_ASSIGN_OR_RETURN(const std::string crv, Text("crv"));
    if (crv.empty()) return Broken("crv", "missing");
    const auto* curve = std::find_if(std::begin(kCurves), std::end(kCurves),
                                     [&](const CurveRow& row) { return row.name == crv; });
    if (curve == std::end(kCurves)) return Other("crv", "neither P-256 nor P-384");
    if (pinned && *pinned != curve->algorithm) return Broken("alg", "not an algorithm of the curve");
    STEPWISE_ASSIGN_OR_RETURN(const std::string x, Number("x"));
    STEPWISE_ASSIGN_OR_RETURN(const std::string y, Number("y"));
    return Placed(VerifyingKey::FromPoint(curve->algorithm, x, y));
  }

  Result<VerifyingKey> Modulus(std::optional<Algorithm> pinned) const {
    if (pinned && *pinned != Algorithm::kRS256 && *pinned != Algorithm::kRS384)
      return Broken("alg", "not an algorithm of RSA keys");
    STEPWISE_ASSIGN_OR_RETURN(const std::string n, Number("n"));
    STEPWISE_ASSIGN_OR_RETURN(const std::string e, Number("e"));
    if (n.size() < kMinRsaBits / 8) return Other("n", "shorter than 2048 bits");
    return Placed(VerifyingKey::FromModulus(n, e, pinned));
  }

  Result<VerifyingKey> Placed(Result<VerifyingKey> key) const {
    if (!key) key.error().path = PathOf(key.error().path);
    return key;
  }

  const Json& json_;
  const std::string path_;
};

}  // namespace

Result<JwkSet> JwkSet::Parse(std::string_view text, const JwkSetLimits& limits) {
  if (text.size() > limits.max_bytes) return Fail(Code::kLimit, "the key set is too long");
  STEPWISE_ASSIGN_OR_RETURN(const Json json, ParseStrictObject(text));
  const auto keys = json.find("keys");
  if (keys == json.end() || !keys->is_array())
    return Fail(Code::kInvalidArgument, "expected an array of keys", {}, "keys");
  if (keys->size() > limits.max_keys) return Fail(Code::kLimit, "too many keys", {}, "keys");
  JwkSet out;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const std::string path = "keys[" + std::to_string(i) + "]";
    auto key = Jwk((*keys)[i], path).Read();
    if (!key && key.error().code == Code::kNotFound) {
      out.ignored_.push_back(std::move(key.error()));
    } else if (!key) {
      return tl::unexpected(std::move(key.error()));
    } else if (!out.keys_.insert(std::move(*key)).second) {
      return Fail(Code::kInvalidArgument, "the same kid as another key", {}, path + ".kid");
    }
  }
  return out;
}

const VerifyingKey* JwkSet::Find(std::string_view kid) const {
  const auto found = keys_.find(kid);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace stepwise::trust
