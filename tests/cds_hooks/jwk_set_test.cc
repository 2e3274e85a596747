#include "cds_hooks/trust/jwk_set.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "tests/cds_hooks/token_maker.h"

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

constexpr Algorithm kAll[] = {Algorithm::kES256, Algorithm::kES384, Algorithm::kRS256, Algorithm::kRS384};

// "kept", "ignored: message [path]" or "error: message [path]" for a set of this one key.
std::string Outcome(const Json& key) {
  const Result<JwkSet> set = JwkSet::Parse(JwkSetOf({key}));
  if (!set) return "error: " + set.error().message + " [" + set.error().path + "]";
  if (set->size() == 1) return "kept";
  return "ignored: " + set->ignored().at(0).message + " [" + set->ignored().at(0).path + "]";
}

TEST(JwkSet, AKeyVerifiesWhatItsOtherHalfSigned) {
  for (const Algorithm algorithm : kAll) {
    const TokenKey key(algorithm);
    const Result<JwkSet> set = JwkSet::Parse(JwkSetOf({key.Jwk("a")}));
    ASSERT_TRUE(set) << set.error().ToString();
    const VerifyingKey* const found = set->Find("a");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(set->Find("b"), nullptr);
    EXPECT_EQ(set->Find(""), nullptr);
    const std::string signature = key.Sign("text");
    EXPECT_TRUE(found->Verify(algorithm, "text", signature)) << AlgorithmName(algorithm);
    EXPECT_FALSE(found->Verify(algorithm, "texu", signature));
    EXPECT_FALSE(found->Verify(algorithm, "", signature));
    EXPECT_FALSE(found->Verify(algorithm, "text", ""));
    for (const Algorithm other : kAll) {
      const bool both_rsa = key.is_rsa() && TokenKey(other).is_rsa();
      EXPECT_EQ(found->Fits(other), other == algorithm || both_rsa);
      EXPECT_EQ(found->Verify(other, "text", key.Sign("text", other)), other == algorithm || both_rsa);
      EXPECT_EQ(found->Verify(other, "text", signature), other == algorithm);
    }
  }
}

TEST(JwkSet, AnySignatureThatIsChangedIsRefused) {
  for (const Algorithm algorithm : kAll) {
    const TokenKey key(algorithm);
    const Result<JwkSet> set = JwkSet::Parse(JwkSetOf({key.Jwk("a")}));
    const VerifyingKey& found = *set->Find("a");
    const std::string good = key.Sign("text");
    ASSERT_TRUE(found.Verify(algorithm, "text", good));
    const std::size_t half = good.size() / 2;
    const std::string zeros(half, '\0');
    const std::string bad[] = {
        good.substr(0, good.size() - 1),
        good.substr(1),
        good + '\0',
        '\0' + good,
        good + good,
        zeros + zeros,
        zeros + good.substr(half),
        good.substr(0, half) + zeros,
        good.substr(half) + good.substr(0, half),
        '\0' + good.substr(0, half) + '\0' + good.substr(half),  // each a byte longer, the same numbers
        std::string(good.size(), '\xff'),
    };
    for (const std::string& signature : bad) EXPECT_FALSE(found.Verify(algorithm, "text", signature));
    for (std::size_t i = 0; i < good.size(); i += 7) {
      std::string flipped = good;
      flipped[i] = static_cast<char>(flipped[i] ^ 1);
      EXPECT_FALSE(found.Verify(algorithm, "text", flipped)) << i;
    }
  }
}

TEST(JwkSet, DerSignaturesAreNotTheFormOfTokens) {
  const TokenKey key(Algorithm::kES256);
  const Result<JwkSet> set = JwkSet::Parse(JwkSetOf({key.Jwk("a")}));
  const std::string raw = key.Sign("text");
  const auto number = [](std::string digits) {
    if (static_cast<unsigned char>(digits[0]) > 127) digits.insert(0, 1, '\0');
    return std::string("\x02") + static_cast<char>(digits.size()) + digits;
  };
  const std::string both = number(raw.substr(0, 32)) + number(raw.substr(32));
  EXPECT_FALSE(set->Find("a")->Verify(Algorithm::kES256, "text",
                                      std::string("\x30") + static_cast<char>(both.size()) + both));
}

TEST(JwkSet, KeysAreKeptPassedOverOrBroken) {
  const Json ec = TokenKey(Algorithm::kES384).Jwk("a"), p256 = TokenKey(Algorithm::kES256).Jwk("a");
  const Json rsa = TokenKey(Algorithm::kRS384).Jwk("a");
  const auto with = [](Json key, const Json& members) {
    key.update(members);
    return key;
  };
  const auto without = [](Json key, const char* member) {
    key.erase(member);
    return key;
  };
  const std::string n = rsa.at("n"), x = ec.at("x");
  struct Row {
    Json key;
    std::string_view outcome;
  };
  const Row rows[] = {
      {ec, "kept"},
      {p256, "kept"},
      {rsa, "kept"},
      {with(ec, {{"alg", "ES384"}, {"key_ops", {"sign", "verify"}}, {"x5c", {"AA"}}, {"ext", true}}), "kept"},
      {with(ec, {{"d", "not even base64url"}}), "kept"},
      {with(rsa, {{"alg", "RS384"}}), "kept"},
      {without(ec, "use"), "kept"},

      {with(ec, {{"use", "enc"}}), "ignored: not for signatures [keys[0].use]"},
      {with(ec, {{"use", ""}}), "ignored: not for signatures [keys[0].use]"},
      {with(ec, {{"key_ops", {"sign"}}}), "ignored: not for verifying [keys[0].key_ops]"},
      {with(ec, {{"key_ops", Json::array()}}), "ignored: not for verifying [keys[0].key_ops]"},
      {without(ec, "kid"), "ignored: missing, so no token can name the key [keys[0].kid]"},
      {with(ec, {{"crv", "P-521"}}), "ignored: neither P-256 nor P-384 [keys[0].crv]"},
      {with(ec, {{"crv", "secp256k1"}}), "ignored: neither P-256 nor P-384 [keys[0].crv]"},
      {with(rsa, {{"alg", "PS384"}}), "ignored: not one of the algorithms of tokens [keys[0].alg]"},
      {with(rsa, {{"alg", "HS384"}}), "ignored: not one of the algorithms of tokens [keys[0].alg]"},
      {with(rsa, {{"alg", "none"}}), "ignored: not one of the algorithms of tokens [keys[0].alg]"},
      {with(rsa, {{"n", n.substr(0, 168)}}), "ignored: shorter than 2048 bits [keys[0].n]"},
      {{{"kty", "oct"}, {"kid", "a"}, {"k", "AAAA"}}, "ignored: neither EC nor RSA [keys[0].kty]"},
      {{{"kty", "OKP"}, {"kid", "a"}, {"crv", "Ed25519"}}, "ignored: neither EC nor RSA [keys[0].kty]"},
      {with(ec, {{"kty", "ec"}}), "ignored: neither EC nor RSA [keys[0].kty]"},

      {"a", "error: expected an object [keys[0]]"},
      {Json::object(), "error: missing [keys[0].kty]"},
      {with(ec, {{"kty", 7}}), "error: expected a string [keys[0].kty]"},
      {with(ec, {{"kid", 7}}), "error: expected a string [keys[0].kid]"},
      {with(ec, {{"use", nullptr}}), "error: expected a string [keys[0].use]"},
      {with(ec, {{"key_ops", "verify"}}), "error: expected an array [keys[0].key_ops]"},
      {without(ec, "crv"), "error: missing [keys[0].crv]"},
      {without(ec, "x"), "error: missing [keys[0].x]"},
      {without(ec, "y"), "error: missing [keys[0].y]"},
      {with(ec, {{"x", x + "="}}), "error: not base64url without padding [keys[0].x]"},
      {with(ec, {{"x", x.substr(4)}}), "error: not of the size of the curve [keys[0].x]"},
      {with(ec, {{"y", "AAAA" + x}}), "error: not of the size of the curve [keys[0].y]"},
      {with(ec, {{"x", ec.at("y")}}), "error: the point is not on the curve [keys[0].x]"},
      {with(ec, {{"x", std::string(64, '_')}}), "error: the point is not on the curve [keys[0].x]"},
      {with(ec, {{"x", std::string(64, 'A')}, {"y", std::string(64, 'A')}}),
       "error: the point is not on the curve [keys[0].x]"},
      {with(p256, {{"crv", "P-384"}}), "error: not of the size of the curve [keys[0].x]"},
      {with(ec, {{"alg", "ES256"}}), "error: not an algorithm of the curve [keys[0].alg]"},
      {with(ec, {{"alg", "RS384"}}), "error: not an algorithm of the curve [keys[0].alg]"},
      {with(rsa, {{"alg", "ES384"}}), "error: not an algorithm of RSA keys [keys[0].alg]"},
      {without(rsa, "n"), "error: missing [keys[0].n]"},
      {without(rsa, "e"), "error: missing [keys[0].e]"},
      {with(rsa, {{"e", "AQ"}}), "error: not an odd number from 3 to 32 bits [keys[0].e]"},
      {with(rsa, {{"e", "AA"}}), "error: not an odd number from 3 to 32 bits [keys[0].e]"},
      {with(rsa, {{"e", "Ag"}}), "error: not an odd number from 3 to 32 bits [keys[0].e]"},
      {with(rsa, {{"e", "AQABAQAB"}}), "error: longer than 32 bits [keys[0].e]"},
      {with(rsa, {{"n", ToBase64Url(std::string(256, '\xfe'))}}), "error: not an RSA modulus [keys[0].n]"},
      {with(rsa, {{"n", ToBase64Url(std::string(256, '\0'))}}), "error: shorter than 2048 bits [keys[0].n]"},
      {with(rsa, {{"n", ToBase64Url(std::string(1025, '\xff'))}}),
       "error: longer than 8192 bits [keys[0].n]"},
      {with(rsa, {{"n", ToBase64Url(std::string(100'000, '\xff'))}}),
       "error: longer than 8192 bits [keys[0].n]"},
  };
  for (const Row& row : rows) EXPECT_EQ(Outcome(row.key), row.outcome) << row.key.dump().substr(0, 400);
}

TEST(JwkSet, TheAlgOfAnRsaKeyPinsIt) {
  const TokenKey key(Algorithm::kRS384);
  Json jwk = key.Jwk("a");
  jwk["alg"] = "RS256";
  const Result<JwkSet> set = JwkSet::Parse(JwkSetOf({jwk}));
  const VerifyingKey& found = *set->Find("a");
  EXPECT_TRUE(found.Verify(Algorithm::kRS256, "text", key.Sign("text", Algorithm::kRS256)));
  EXPECT_FALSE(found.Verify(Algorithm::kRS384, "text", key.Sign("text", Algorithm::kRS384)));
}

TEST(JwkSet, SetsHaveLimitsAndOneKeyAKid) {
  const Json first = TokenKey(Algorithm::kES256).Jwk("a"), second = TokenKey(Algorithm::kES384).Jwk("a");
  const Json third = TokenKey(Algorithm::kES384).Jwk("b");
  Json encryption = second;
  encryption["use"] = "enc";
  struct Row {
    std::string text;
    std::string_view error;  // "path: message", "" when accepted
    std::size_t size;
  };
  const Row rows[] = {
      {R"({"keys":[]})", "", 0},
      {R"({"keys":[],"other":1})", "", 0},
      {JwkSetOf({first, third}), "", 2},
      {JwkSetOf({first, encryption, third}), "", 2},
      {JwkSetOf({first, third, second}), "keys[2].kid: the same kid as another key", 0},
      {R"({"keys":[],"keys":[]})", "a name is given twice", 0},
      {R"({"keys":{}})", "keys: expected an array of keys", 0},
      {R"({})", "keys: expected an array of keys", 0},
      {first.dump(), "keys: expected an array of keys", 0},
      {R"([])", "expected one JSON object", 0},
      {R"(<html>)", "expected one JSON object", 0},
      {R"({"keys":[1,2,3,4]})", "keys: too many keys", 0},
      {R"({"keys":[]})" + std::string(10'000, ' '), "the key set is too long", 0},
  };
  for (const Row& row : rows) {
    const Result<JwkSet> set = JwkSet::Parse(row.text, {.max_bytes = 2'000, .max_keys = 3});
    EXPECT_EQ(set ? "" : set.error().ToString(), row.error) << row.text.substr(0, 100);
    if (set) {
      EXPECT_EQ(set->size(), row.size) << row.text;
    }
  }
}

}  // namespace
}  // namespace stepwise::trust
