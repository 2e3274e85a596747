#include "cds_hooks/trust/jwt.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "cds_hooks/trust/base64url.h"
#include "cds_hooks/trust/reason.h"
#include "cds_hooks/trust/strict_json.h"
#include "tests/cds_hooks/token_maker.h"

namespace stepwise::trust {
namespace {

constexpr std::string_view kHeader = R"({"alg":"ES384","typ":"JWT","kid":"k"})";
constexpr std::string_view kPayload =
    R"({"iss":"https://ehr.example.org/","aud":"https://cds.example.org/a","exp":1700000300,)"
    R"("iat":1700000000,"jti":"j"})";

std::string TokenOf(std::string_view header, std::string_view payload) {
  return SigningInput(header, payload) + "." + ToBase64Url("signature");
}

// "ok", or "reason path".
std::string Outcome(std::string_view token) {
  const Result<Jwt> jwt = Jwt::Parse(token);
  if (jwt) return "ok";
  return jwt.error().message + (jwt.error().path.empty() ? "" : " " + jwt.error().path);
}

TEST(Base64Url, HasOneSpelling) {
  struct Row {
    std::string_view text;
    std::optional<std::string> bytes;
  };
  const Row rows[] = {
      {"", ""},
      {"AA", std::string(1, '\0')},
      {"AQAB", std::string("\1\0\1", 3)},
      {"_-A", "\xff\xe0"},
      {"-_-_", "\xfb\xff\xbf"},
      {"A", std::nullopt},  // 6 bits are no byte
      {"AAAAA", std::nullopt},
      {"AR", std::nullopt},   // the same byte as AQ
      {"AQB", std::nullopt},  // the same bytes as AQA
      {"AQ==", std::nullopt},
      {"AQA=", std::nullopt},
      {"AQ A", std::nullopt},
      {"AQA\n", std::nullopt},
      {"+/+/", std::nullopt},  // the other alphabet
      {"AQ.A", std::nullopt},
  };
  for (const Row& row : rows) {
    const auto bytes = FromBase64Url(row.text);
    EXPECT_EQ(bytes, row.bytes) << row.text;
    if (bytes) {
      EXPECT_EQ(ToBase64Url(*bytes), row.text);
    }
  }
}

TEST(StrictJson, HasOneMeaning) {
  struct Row {
    std::string text;
    std::string_view message;  // "" when accepted
  };
  const Row rows[] = {
      {R"({})", ""},
      {R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})", ""},
      {R"({"a":1,"a":1})", "a name is given twice"},
      {R"({"b":[{"a":1,"\u0061":2}]})", "a name is given twice"},
      {R"([{}])", "expected one JSON object"},
      {R"("a")", "expected one JSON object"},
      {R"({"a":1} {})", "expected one JSON object"},
      {R"({"a":1}x)", "expected one JSON object"},
      {R"({"a":1,})", "expected one JSON object"},
      {R"({"a":1e999})", "expected one JSON object"},
      {R"({"a":NaN})", "expected one JSON object"},
      {"{\"a\":\"\xff\"}", "expected one JSON object"},
      {"", "expected one JSON object"},
      {R"({"a":)" + std::string(15, '[') + std::string(15, ']') + "}", ""},
      {R"({"a":)" + std::string(16, '[') + std::string(16, ']') + "}", "nested too deep"},
      {R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}", "nested too deep"},
      {R"({"a":)" + std::string(100'000, '['), "nested too deep"},
  };
  for (const Row& row : rows) {
    const auto json = ParseStrictObject(row.text);
    EXPECT_EQ(json ? "" : json.error().message, row.message) << row.text.substr(0, 80);
  }
}

TEST(Jwt, SaysWhatTheTokenSays) {
  const std::string token = TokenOf(
      R"({"alg":"RS256","typ":"jwt","kid":"k1","jku":"https://ehr.example.org/jwks","x5c":["AA"],"x5u":"u"})",
      R"({"iss":"i","aud":["a","b"],"exp":1700000300.5,"iat":1.7e9,"nbf":0,"jti":"j","tenant":"t","sub":"s"})");
  const Result<Jwt> jwt = Jwt::Parse(token);
  ASSERT_TRUE(jwt) << jwt.error().ToString();
  EXPECT_EQ(jwt->algorithm, Algorithm::kRS256);
  EXPECT_EQ(jwt->kid, "k1");
  EXPECT_EQ(jwt->jku, "https://ehr.example.org/jwks");
  EXPECT_EQ(jwt->iss, "i");
  EXPECT_EQ(jwt->aud, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(jwt->exp_ms, 1'700'000'300'500);
  EXPECT_EQ(jwt->iat_ms, 1'700'000'000'000);
  EXPECT_EQ(jwt->nbf_ms, 0);
  EXPECT_EQ(jwt->jti, "j");
  EXPECT_EQ(jwt->tenant, "t");
  EXPECT_EQ(jwt->signing_input, token.substr(0, token.rfind('.')));
  EXPECT_EQ(jwt->signature, "signature");
}

TEST(Jwt, HeadersAreReadStrictly) {
  struct Row {
    std::string_view header, outcome;
  };
  const Row rows[] = {
      {kHeader, "ok"},
      {R"({"alg":"ES256","typ":"jWt","kid":"k","cty":"x"})", "ok"},
      {R"({"alg":"none","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"None","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"nOnE","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"HS256","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"HS384","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"es384","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"ES384 ","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"PS384","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"ES512","typ":"JWT","kid":"k"})", "bad-algorithm header.alg"},
      {R"({"alg":"","typ":"JWT","kid":"k"})", "malformed header.alg"},
      {R"({"alg":null,"typ":"JWT","kid":"k"})", "malformed header.alg"},
      {R"({"alg":["ES384"],"typ":"JWT","kid":"k"})", "malformed header.alg"},
      {R"({"typ":"JWT","kid":"k"})", "malformed header.alg"},
      {R"({"alg":"ES384","typ":"JWT"})", "malformed header.kid"},
      {R"({"alg":"ES384","typ":"JWT","kid":""})", "malformed header.kid"},
      {R"({"alg":"ES384","typ":"JWT","kid":7})", "malformed header.kid"},
      {R"({"alg":"ES384","kid":"k"})", "malformed header.typ"},
      {R"({"alg":"ES384","typ":"at+jwt","kid":"k"})", "malformed header.typ"},
      {R"({"alg":"ES384","typ":"JWT ","kid":"k"})", "malformed header.typ"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k","jku":7})", "malformed header.jku"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k","jku":""})", "malformed header.jku"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k","crit":["exp"]})", "malformed header.crit"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k","crit":[]})", "malformed header.crit"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k","jwk":{"kty":"EC"}})", "malformed header.jwk"},
      {R"({"alg":"ES384","alg":"none","typ":"JWT","kid":"k"})", "malformed header"},
      {R"({"alg":"ES384","\u0061lg":"ES384","typ":"JWT","kid":"k"})", "malformed header"},
      {R"(["ES384"])", "malformed header"},
      {R"()", "malformed header"},
      {R"({"alg":"ES384","typ":"JWT","kid":"k"}x)", "malformed header"},
  };
  for (const Row& row : rows) EXPECT_EQ(Outcome(TokenOf(row.header, kPayload)), row.outcome) << row.header;
}

TEST(Jwt, PayloadsAreReadStrictly) {
  struct Row {
    std::string_view from, to;  // the text in kPayload, and what stands there instead
    std::string_view outcome;
  };
  const Row rows[] = {
      {R"("jti":"j")", R"("jti":"j","sub":"x","nbf":1,"extra":{"deep":[1]})", "ok"},
      {R"("iss":)", R"("iss2":)", "malformed payload.iss"},
      {R"("iss":"https://ehr.example.org/")", R"("iss":"")", "malformed payload.iss"},
      {R"("iss":"https://ehr.example.org/")", R"("iss":["https://ehr.example.org/"])",
       "malformed payload.iss"},
      {R"("aud":)", R"("aud2":)", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", "[]", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", "null", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", "7", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", R"({"a":"b"})", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", R"(["a",7])", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", R"([["a"]])", "malformed payload.aud"},
      {R"("https://cds.example.org/a")", R"(["a","b"])", "ok"},
      {R"("exp":)", R"("exp2":)", "malformed payload.exp"},
      {"1700000300", R"("1700000300")", "malformed payload.exp"},
      {"1700000300", "-1", "malformed payload.exp"},
      {"1700000300", "253402300800", "malformed payload.exp"},
      {"1700000300", "1e300", "malformed payload.exp"},
      {"1700000300", "18446744073709551616", "malformed payload.exp"},
      {"1700000300", "true", "malformed payload.exp"},
      {"1700000300", "1e999", "malformed payload"},
      {"1700000300", "17000003e2", "ok"},
      {R"("iat":)", R"("iat2":)", "malformed payload.iat"},
      {"1700000000", "null", "malformed payload.iat"},
      {R"("jti":)", R"("jti2":)", "malformed payload.jti"},
      {R"("jti":"j")", R"("jti":"")", "malformed payload.jti"},
      {R"("jti":"j")", R"("jti":7)", "malformed payload.jti"},
      {R"("jti":"j")", R"("jti":"j","tenant":7)", "malformed payload.tenant"},
      {R"("jti":"j")", R"("jti":"j","nbf":"1")", "malformed payload.nbf"},
      {R"("jti":"j")", R"("jti":"j","exp":1800000000)", "malformed payload"},
      {R"("jti":"j")", R"("jti":"j","a":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]])", "malformed payload"},
  };
  for (const Row& row : rows) {
    std::string payload(kPayload);
    const std::size_t at = payload.find(row.from);
    ASSERT_NE(at, std::string::npos) << row.from;
    payload.replace(at, row.from.size(), row.to);
    EXPECT_EQ(Outcome(TokenOf(kHeader, payload)), row.outcome) << payload;
  }
}

TEST(Jwt, HasThreePartsAndNothingElse) {
  const std::string input = SigningInput(kHeader, kPayload);
  const std::string header = input.substr(0, input.find('.')), payload = input.substr(input.find('.') + 1);
  struct Row {
    std::string token;
    std::string_view outcome;
  };
  const Row rows[] = {
      {input + ".AAAA", "ok"},
      {"", "malformed"},
      {".", "malformed"},
      {"..", "malformed header"},
      {input, "malformed"},
      {input + ".", "malformed signature"},
      {input + ".AAAA.", "malformed signature"},
      {input + ".AAAA.AAAA.AAAA", "malformed signature"},
      {input + ".AAAA ", "malformed signature"},
      {input + ".AAAA\n", "malformed signature"},
      {input + ".AAAA=", "malformed signature"},
      {input + ".AAA=", "malformed signature"},
      {input + ".AAA+", "malformed signature"},
      {input + ".AAAA,AAAA", "malformed signature"},
      {" " + input + ".AAAA", "malformed header"},
      {header + "=." + payload + ".AAAA", "malformed header"},
      {header + "." + payload + "=.AAAA", "malformed payload"},
      {header + "..AAAA", "malformed payload"},
      {header + " ." + payload + ".AAAA", "malformed header"},
      {std::string(8193, 'A'), "too-large"},
      {std::string(8192, 'A'), "malformed"},
      {input + "." + std::string(8192, 'A'), "too-large"},
  };
  for (const Row& row : rows) EXPECT_EQ(Outcome(row.token), row.outcome) << row.token.substr(0, 100);
  EXPECT_FALSE(Jwt::Parse(input + ".AAAA", input.size() + 4));
  EXPECT_TRUE(Jwt::Parse(input + ".AAAA", input.size() + 5));
}

TEST(Reason, WordsAreDistinctAndMayBeLabels) {
  const auto words = AllReasons();
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(words[i].find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << words[i];
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(words[i], words[j]);
  }
  EXPECT_EQ(ReasonWord(Reason::kNoToken), "no-token");
  EXPECT_EQ(ReasonWord(Reason::kBadSignature), "bad-signature");
  EXPECT_EQ(ReasonWord(Reason::kReplayMemoryFull), "replay-memory-full");
  EXPECT_EQ(Refuse(Reason::kKeysUnavailable).value().code, Code::kUnavailable);
  EXPECT_EQ(Refuse(Reason::kExpired).value().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace stepwise::trust
