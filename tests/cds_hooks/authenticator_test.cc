#include "cds_hooks/trust/authenticator.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cds_hooks/trust/base64url.h"
#include "tests/cds_hooks/fake_fetcher.h"
#include "tests/cds_hooks/token_maker.h"
#include "tests/testing.h"

namespace stepwise::trust {
namespace {

using Json = nlohmann::json;

const std::string kIss = "https://ehr.example.org/";
const std::string kJku = "https://ehr.example.org/jwks.json";
const std::string kEndpoint = "https://cds.example.org/cds-services/pain";
constexpr std::int64_t kNow = 1'796'893'200;  // 2026-12-10T09:00:00Z

// "iss=... tenant=... certificate=..." of a caller that was let in, else the reason and its path; "" while
// there is no answer.
using Verdict = std::shared_ptr<std::string>;

Verdict CheckAt(Authenticator& authenticator, const Credentials& credentials, std::string_view endpoint,
                std::int64_t now_ms) {
  auto verdict = std::make_shared<std::string>();
  authenticator.Check(credentials, endpoint, DateTime::FromUnixMillis(now_ms),
                      [verdict](const Result<Caller>& caller) {
                        *verdict += caller ? "iss=" + caller->iss + " tenant=" + caller->tenant +
                                                 " certificate=" + caller->certificate_subject
                                           : caller.error().message + " " + caller.error().path;
                      });
  return verdict;
}

// An authenticator for one client, whose keys are in a file.
class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() { options_.issuers.push_back({.iss = kIss, .jwks_file = KeyFile()}); }

  std::string KeyFile() const { return (dir_.path() / "jwks.json").string(); }

  // Again with `options_` as they are; the memory of tokens is empty then.
  void Make(const std::string& jwk_set) {
    WriteFile(KeyFile(), jwk_set);
    auto made = Authenticator::Make(options_, fetcher_.Fetch());
    ASSERT_TRUE(made) << made.error().ToString();
    authenticator_ = std::move(*made);
  }

  std::string Check(const std::string& token, std::string_view endpoint = kEndpoint,
                    std::int64_t now_s = kNow) {
    return *CheckAt(*authenticator_, {.authorization = "Bearer " + token}, endpoint, now_s * 1000);
  }

  TempDir dir_;
  FakeFetcher fetcher_;
  TrustOptions options_;
  std::unique_ptr<Authenticator> authenticator_;
};

constexpr std::string_view kGood = "iss=https://ehr.example.org/ tenant= certificate=";

TEST_F(AuthenticatorTest, TokensOfAllFourAlgorithmsAreGood) {
  for (const Algorithm algorithm :
       {Algorithm::kES256, Algorithm::kES384, Algorithm::kRS256, Algorithm::kRS384}) {
    TokenMaker ehr(kIss, algorithm);
    Make(ehr.JwkSetText());
    EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow)), kGood) << AlgorithmName(algorithm);
  }
  EXPECT_EQ(fetcher_.count(), 0u);
}

// The token that the specification prints, in the header and payload that it prints, with the key that it
// prints. Only its signature stands here. Source: CDS Hooks 2.0.1, "JWT Signing Algorithm", example.
TEST_F(AuthenticatorTest, TheTokenOfTheSpecificationIsGood) {
  const auto header = SharedData("cds-hooks-examples/spec201-21.json");
  const auto payload = SharedData("cds-hooks-examples/spec201-22.json");
  const auto keys = SharedData("cds-hooks-examples/spec201-23.json");
  SKIP_WITHOUT(header);
  SKIP_WITHOUT(payload);
  SKIP_WITHOUT(keys);
  const auto compact = [](const std::filesystem::path& file) {
    return nlohmann::ordered_json::parse(ReadFile(file)).dump();
  };
  const std::string token = SigningInput(compact(*header), compact(*payload)) +
                            ".d1WfLjGRKlcWB94l9do4cM8REXeYJLL6SGUBO8VHZhfM8mwKYP70EMxJ67War4TQ"
                            "blEpaQrp11wx5p7oPFm2ETYgCicS84vXWEIYTdjooZdooCSDf2L8-i4awdoUwiEb";
  constexpr std::string_view kService = "https://cds.example.org/cds-services/some-service";
  constexpr std::int64_t kIat = 1'311'280'970, kExp = 1'422'568'860;  // 2011 and 2015

  options_.issuers[0] = {.iss = "https://fhir-ehr.example.com/",
                         .jwks_file = KeyFile(),
                         .tenants = {"2ddd6c3a-8e9a-44c6-a305-52111ad302a2"}};
  Make(ReadFile(*keys));
  EXPECT_EQ(Check(token, kService, kExp - 1), "too-long-lived payload.exp");  // three and a half years
  options_.max_token_age_s = kExp - kIat;
  Make(ReadFile(*keys));
  EXPECT_EQ(Check(token, kService, kExp - 1),
            "iss=https://fhir-ehr.example.com/ tenant=2ddd6c3a-8e9a-44c6-a305-52111ad302a2 certificate=");
  EXPECT_EQ(Check(token, kService, kExp - 1), "replayed payload.jti");
  EXPECT_EQ(Check(token, kService, kNow), "expired payload.exp");

  options_.issuers[0].jku = {"https://fhir-ehr.example.com/jwk_uri"};
  options_.issuers[0].jwks_file.clear();
  Make(ReadFile(*keys));
  const Verdict fetched =
      CheckAt(*authenticator_, {.authorization = "Bearer " + token}, kService, (kExp - 1) * 1000);
  EXPECT_EQ(fetcher_.urls(), options_.issuers[0].jku);
  EXPECT_TRUE(fetcher_.Answer(ReadFile(*keys)));
  EXPECT_TRUE(fetched->starts_with("iss=https://fhir-ehr.example.com/")) << *fetched;
}

// One change of a good token, and what becomes of it.
struct Change {
  std::string_view name;
  std::function<void(TokenMaker&)> before;        // of header and payload, which are signed then; or nullptr
  std::function<std::string(std::string)> after;  // of the token; or nullptr
  std::string_view verdict;
};

std::string WithSignature(const std::string& token, const std::string& signature) {
  return token.substr(0, token.rfind('.') + 1) + ToBase64Url(signature);
}

std::string SignatureOf(const std::string& token) {
  return FromBase64Url(token.substr(token.rfind('.') + 1)).value_or("");
}

// The token with another header, and the signature it had.
std::string WithHeader(const std::string& token, const Json& header) {
  return ToBase64Url(header.dump()) + token.substr(token.find('.'));
}

TEST_F(AuthenticatorTest, AnyChangeOfATokenIsRefused) {
  TokenMaker ehr(kIss);
  TokenKey rsa(Algorithm::kRS384), other(Algorithm::kES384), p256(Algorithm::kES256);
  options_.issuers[0].tenants = {"north", "south"};
  options_.issuers[0].jku = {kJku};
  ehr.payload["tenant"] = "north";
  Make(JwkSetOf({ehr.Jwk(), rsa.Jwk("rsa"), p256.Jwk("p256")}));

  const Json header = ehr.header;
  const Change changes[] = {
      {"none", nullptr, nullptr, "iss=https://ehr.example.org/ tenant=north certificate="},
      {"typ in lower case", [](TokenMaker& m) { m.header["typ"] = "jwt"; }, nullptr,
       "iss=https://ehr.example.org/ tenant=north certificate="},
      {"aud is one of several",
       [](TokenMaker& m) {
         m.payload["aud"] = {"x", kEndpoint};
       },
       nullptr, "iss=https://ehr.example.org/ tenant=north certificate="},
      {"aud with a slash", [](TokenMaker& m) { m.payload["aud"] = kEndpoint + "/"; }, nullptr,
       "iss=https://ehr.example.org/ tenant=north certificate="},
      {"claims nobody knows", [](TokenMaker& m) { m.payload["sub"] = "client"; }, nullptr,
       "iss=https://ehr.example.org/ tenant=north certificate="},

      {"alg none", nullptr,
       [&](const std::string& t) {
         return WithHeader(t, {{"alg", "none"}, {"typ", "JWT"}, {"kid", "key-1"}});
       },
       "bad-algorithm header.alg"},
      {"alg none, no signature", nullptr,
       [&](const std::string& t) {
         const std::string changed = WithHeader(t, {{"alg", "none"}, {"typ", "JWT"}, {"kid", "key-1"}});
         return changed.substr(0, changed.rfind('.') + 1);
       },
       "bad-algorithm header.alg"},
      {"alg None", [](TokenMaker& m) { m.header["alg"] = "None"; }, nullptr, "bad-algorithm header.alg"},
      {"alg of another curve", [](TokenMaker& m) { m.header["alg"] = "ES256"; }, nullptr,
       "bad-algorithm header.alg"},
      {"alg of another kind of key", [](TokenMaker& m) { m.header["alg"] = "RS384"; }, nullptr,
       "bad-algorithm header.alg"},
      {"alg of the key, signed with another hash", [&](TokenMaker& m) { m.header["kid"] = "p256"; }, nullptr,
       "bad-algorithm header.alg"},
      {"no kid", [](TokenMaker& m) { m.header.erase("kid"); }, nullptr, "malformed header.kid"},
      {"unknown kid", [](TokenMaker& m) { m.header["kid"] = "key-2"; }, nullptr, "unknown-key header.kid"},
      {"no typ", [](TokenMaker& m) { m.header.erase("typ"); }, nullptr, "malformed header.typ"},
      {"wrong typ", [](TokenMaker& m) { m.header["typ"] = "JWE"; }, nullptr, "malformed header.typ"},
      {"crit", [](TokenMaker& m) { m.header["crit"] = {"exp"}; }, nullptr, "malformed header.crit"},
      {"brings its key", [&](TokenMaker& m) { m.header["jwk"] = other.Jwk("key-1"); }, nullptr,
       "malformed header.jwk"},
      {"jku of somebody", [](TokenMaker& m) { m.header["jku"] = "http://attacker.example/jwks.json"; },
       nullptr, "unknown-jku header.jku"},
      {"jku that only begins like ours", [](TokenMaker& m) { m.header["jku"] = kJku + "?x"; }, nullptr,
       "unknown-jku header.jku"},

      {"no iss", [](TokenMaker& m) { m.payload["iss"] = nullptr; }, nullptr, "malformed payload.iss"},
      {"another iss", [](TokenMaker& m) { m.payload["iss"] = "https://ehr.example.org"; }, nullptr,
       "unknown-issuer payload.iss"},
      {"aud of another service", [](TokenMaker& m) { m.payload["aud"] = kEndpoint + "2"; }, nullptr,
       "wrong-audience payload.aud"},
      {"aud of all services",
       [](TokenMaker& m) { m.payload["aud"] = "https://cds.example.org/cds-services"; }, nullptr,
       "wrong-audience payload.aud"},
      {"no aud", [](TokenMaker& m) { m.payload["aud"] = Json::array(); }, nullptr, "malformed payload.aud"},
      {"no jti", [](TokenMaker& m) { m.payload["jti"] = nullptr; }, nullptr, "malformed payload.jti"},
      {"no exp", [](TokenMaker& m) { m.payload["exp"] = nullptr; }, nullptr, "malformed payload.exp"},
      {"another tenant", [](TokenMaker& m) { m.payload["tenant"] = "west"; }, nullptr,
       "wrong-tenant payload.tenant"},
      {"no tenant", [](TokenMaker& m) { m.payload.erase("tenant"); }, nullptr, "wrong-tenant payload.tenant"},

      {"a changed payload", nullptr,
       [&](const std::string& t) {
         Json claims = Json::parse(*FromBase64Url(t.substr(t.find('.') + 1, t.rfind('.') - t.find('.') - 1)));
         claims["tenant"] = "south";
         return SigningInput(header.dump(), claims.dump()) + t.substr(t.rfind('.'));
       },
       "bad-signature signature"},
      {"signed by somebody else", nullptr,
       [&](const std::string& t) { return WithSignature(t, other.Sign(t.substr(0, t.rfind('.')))); },
       "bad-signature signature"},
      {"no signature", nullptr, [](const std::string& t) { return t.substr(0, t.rfind('.') + 1); },
       "malformed signature"},
      {"a truncated signature", nullptr, [](const std::string& t) { return t.substr(0, t.size() - 4); },
       "bad-signature signature"},
      {"a longer signature", nullptr, [](const std::string& t) { return t + "AAAA"; },
       "bad-signature signature"},
      {"r and s zero", nullptr, [](const std::string& t) { return WithSignature(t, std::string(96, '\0')); },
       "bad-signature signature"},
      {"r zero", nullptr,
       [](const std::string& t) {
         return WithSignature(t, std::string(48, '\0') + SignatureOf(t).substr(48));
       },
       "bad-signature signature"},
      {"s zero", nullptr,
       [](const std::string& t) {
         return WithSignature(t, SignatureOf(t).substr(0, 48) + std::string(48, '\0'));
       },
       "bad-signature signature"},
      {"leading zeros", nullptr,
       [](const std::string& t) {
         const std::string s = SignatureOf(t);
         return WithSignature(t, '\0' + s.substr(0, 48) + '\0' + s.substr(48));
       },
       "bad-signature signature"},
      {"padding", nullptr, [](const std::string& t) { return t + "="; }, "malformed signature"},
      {"white space", nullptr, [](const std::string& t) { return t + " "; }, "malformed signature"},
      {"a fourth part", nullptr, [](const std::string& t) { return t + ".e30"; }, "malformed signature"},
      {"two tokens", nullptr, [](const std::string& t) { return t + ", Bearer " + t; },
       "malformed signature"},
      {"giant", [](TokenMaker& m) { m.payload["x"] = std::string(10'000, 'x'); }, nullptr, "too-large "},
      {"deep",
       [](TokenMaker& m) { m.payload["x"] = Json::parse(std::string(20, '[') + std::string(20, ']')); },
       nullptr, "malformed payload"},
  };
  for (const Change& change : changes) {
    TokenMaker maker = ehr;
    if (change.before) change.before(maker);
    std::string token = maker.Token(kEndpoint, kNow);
    if (change.after) token = change.after(token);
    ehr.made = maker.made;
    EXPECT_EQ(Check(token), change.verdict) << change.name;
  }
  EXPECT_EQ(fetcher_.count(), 0u) << "an unlisted jku was fetched";
}

TEST_F(AuthenticatorTest, APublicKeyIsNoSharedSecret) {
  TokenMaker ehr(kIss, Algorithm::kRS384);
  Make(ehr.JwkSetText());
  ehr.header["alg"] = "HS384";
  const std::string token = ehr.Token(kEndpoint, kNow);
  const std::string input = token.substr(0, token.rfind('.')), secret = ehr.key.PublicPem();
  std::string mac(64, '\0');
  std::size_t size = 0;
  ASSERT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA384", nullptr, secret.data(), secret.size(),
                      reinterpret_cast<const unsigned char*>(input.data()), input.size(),
                      reinterpret_cast<unsigned char*>(mac.data()), mac.size(), &size),
            nullptr);
  mac.resize(size);
  EXPECT_EQ(Check(WithSignature(token, mac)), "bad-algorithm header.alg");
  // Nor is it one when the header says what the key is for.
  ehr.header["alg"] = "RS384";
  EXPECT_EQ(Check(WithSignature(ehr.Token(kEndpoint, kNow), mac)), "bad-signature signature");
}

TEST_F(AuthenticatorTest, TheHashOfAnRsaSignatureIsThatOfTheHeader) {
  TokenMaker ehr(kIss, Algorithm::kRS384);
  Make(ehr.JwkSetText());
  const std::string token = ehr.Token(kEndpoint, kNow);
  const std::string input = token.substr(0, token.rfind('.'));
  EXPECT_EQ(Check(WithSignature(token, ehr.key.Sign(input, Algorithm::kRS256))), "bad-signature signature");
  EXPECT_EQ(Check(WithHeader(token, {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}})),
            "bad-signature signature");
  EXPECT_EQ(Check(token), kGood);
}

TEST_F(AuthenticatorTest, TimesMayBeOffByTheSkew) {
  TokenMaker ehr(kIss);
  Make(ehr.JwkSetText());
  struct Row {
    double iat, exp, nbf;  // seconds from now; nbf 0: none
    std::string_view verdict;
  };
  const Row rows[] = {
      {0, 300, 0, kGood},
      {-300, -59.9, 0, kGood},
      {-300, -60, 0, "expired payload.exp"},
      {-300, -300, 0, "expired payload.exp"},
      {60, 300, 0, kGood},
      {60.1, 300, 0, "not-yet-valid payload.iat"},
      {0, 300, 60, kGood},
      {0, 300, 60.1, "not-yet-valid payload.nbf"},
      {0, 300, -1000, kGood},
      {0, 3600, 0, kGood},
      {0, 3660, 0, kGood},  // the two were taken from clocks that are not in step
      {0, 3661, 0, "too-long-lived payload.exp"},
      {-3601, 1, 0, kGood},
      {-7200, 1, 0, "too-long-lived payload.exp"},
      {-1e9, 1, 0, "too-long-lived payload.exp"},
      {0, 1e10, 0, "too-long-lived payload.exp"},
  };
  for (const Row& row : rows) {
    ehr.payload["iat"] = static_cast<double>(kNow) + row.iat;
    ehr.payload["exp"] = static_cast<double>(kNow) + row.exp;
    ehr.payload.erase("nbf");
    if (row.nbf != 0) ehr.payload["nbf"] = static_cast<double>(kNow) + row.nbf;
    EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow)), row.verdict) << row.iat << " " << row.exp;
  }
}

TEST_F(AuthenticatorTest, AnEndpointIsItsWholeUrl) {
  TokenMaker ehr(kIss);
  options_.issuers[0].audiences = {"sandbox"};
  Make(ehr.JwkSetText());
  struct Row {
    std::string_view aud, endpoint;
    bool good;
  };
  const Row rows[] = {
      {"https://cds.example.org/cds-services", "https://cds.example.org/cds-services", true},
      {"https://cds.example.org/cds-services/", "https://cds.example.org/cds-services", true},
      {"https://cds.example.org/cds-services", "https://cds.example.org/cds-services/", true},
      {"https://cds.example.org/cds-services//", "https://cds.example.org/cds-services", false},
      {"https://cds.example.org/cds-services/pain/feedback",
       "https://cds.example.org/cds-services/pain/feedback", true},
      {"https://cds.example.org/cds-services/pain", "https://cds.example.org/cds-services/pain/feedback",
       false},
      {"https://cds.example.org/cds-services/pain/feedback", "https://cds.example.org/cds-services/pain",
       false},
      {"https://CDS.example.org/cds-services", "https://cds.example.org/cds-services", false},
      {"http://cds.example.org/cds-services", "https://cds.example.org/cds-services", false},
      {"", "https://cds.example.org/cds-services", false},
      {"sandbox", "https://cds.example.org/cds-services", true},
      {"sandbox/", "https://cds.example.org/cds-services", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Check(ehr.Token(std::string(row.aud), kNow), row.endpoint),
              row.good ? kGood : "wrong-audience payload.aud")
        << row.aud << " for " << row.endpoint;
  }
}

TEST_F(AuthenticatorTest, ATokenIsGoodOnce) {
  TokenMaker ehr(kIss);
  Make(ehr.JwkSetText());
  const std::string token = ehr.Token(kEndpoint, kNow);
  // Who cannot sign cannot use up a jti.
  EXPECT_EQ(Check(WithSignature(token, std::string(96, 'x'))), "bad-signature signature");
  EXPECT_EQ(Check(token), kGood);
  EXPECT_EQ(Check(token), "replayed payload.jti");
  EXPECT_EQ(Check(token, kEndpoint, kNow + 359), "replayed payload.jti");
  EXPECT_EQ(Check(token, kEndpoint, kNow + 360), "expired payload.exp");
  ehr.payload["jti"] = "jti-1";
  EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow + 1)), "replayed payload.jti");

  options_.refuse_replayed_jti = false;
  Make(ehr.JwkSetText());
  EXPECT_EQ(Check(token), kGood);
  EXPECT_EQ(Check(token), kGood);
}

TEST_F(AuthenticatorTest, WithoutMemoryForTokensNewOnesWait) {
  TokenMaker ehr(kIss);
  options_.max_remembered_tokens = 2;
  Make(ehr.JwkSetText());
  const std::string first = ehr.Token(kEndpoint, kNow);
  EXPECT_EQ(Check(first), kGood);
  EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow)), kGood);
  const std::string third = ehr.Token(kEndpoint, kNow + 100);
  EXPECT_EQ(Check(third), "not-yet-valid payload.iat");
  EXPECT_EQ(Check(third, kEndpoint, kNow + 100), "replay-memory-full ");
  EXPECT_EQ(Check(first, kEndpoint, kNow + 100), "replayed payload.jti");
  EXPECT_EQ(Check(third, kEndpoint, kNow + 360), kGood);  // the first two have expired
}

TEST_F(AuthenticatorTest, TheHeaderSaysBearer) {
  TokenMaker ehr(kIss);
  Make(ehr.JwkSetText());
  const auto token = [&] { return ehr.Token(kEndpoint, kNow); };
  struct Row {
    std::string authorization;
    std::string_view verdict;
  };
  const Row rows[] = {
      {"Bearer " + token(), kGood},
      {"bearer " + token(), kGood},
      {"BEARER   " + token(), kGood},
      {"", "no-token "},
      {"Bearer", "no-token "},
      {"Bearer ", "malformed "},
      {"Bearer" + token(), "no-token "},
      {"Bearer\t" + token(), "no-token "},
      {"Basic dXNlcjpwYXNz", "no-token "},
      {token(), "no-token "},
      {"Bearer Bearer " + token(), "malformed header"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(*CheckAt(*authenticator_, {.authorization = row.authorization}, kEndpoint, kNow * 1000),
              row.verdict)
        << row.authorization.substr(0, 20);
  }
}

TEST_F(AuthenticatorTest, WhatMustBeShown) {
  TokenMaker ehr(kIss);
  constexpr std::string_view kBare = "iss= tenant= certificate=";
  constexpr std::string_view kByCertificate = "iss= tenant= certificate=CN=ehr";
  constexpr std::string_view kByBoth = "iss=https://ehr.example.org/ tenant= certificate=CN=ehr";
  struct Row {
    Accept accept;
    bool required;
    std::string_view token;  // "good", "bad" or ""
    std::string_view subject;
    std::string_view verdict;
  };
  const Row rows[] = {
      {Accept::kJwt, true, "good", "", kGood},
      {Accept::kJwt, true, "good", "CN=other", kGood},
      {Accept::kJwt, true, "", "CN=ehr", "no-token "},
      {Accept::kJwt, true, "bad", "CN=ehr", "bad-signature signature"},
      {Accept::kJwt, false, "", "", kBare},
      {Accept::kJwt, false, "", "CN=other", kBare},
      {Accept::kJwt, false, "bad", "", "bad-signature signature"},
      {Accept::kJwt, false, "good", "", kGood},

      {Accept::kClientCertificate, true, "", "CN=ehr", kByCertificate},
      {Accept::kClientCertificate, true, "bad", "CN=ehr", kByCertificate},
      {Accept::kClientCertificate, true, "good", "", "no-certificate "},
      {Accept::kClientCertificate, true, "good", "CN=other", "unknown-certificate "},
      {Accept::kClientCertificate, false, "bad", "", kBare},
      {Accept::kClientCertificate, false, "", "CN=other", "unknown-certificate "},

      {Accept::kEither, true, "good", "", kGood},
      {Accept::kEither, true, "good", "CN=other", kGood},
      {Accept::kEither, true, "", "CN=ehr", kByCertificate},
      {Accept::kEither, true, "", "CN=other", "unknown-certificate "},
      {Accept::kEither, true, "bad", "CN=ehr", "bad-signature signature"},
      {Accept::kEither, true, "", "", "no-certificate "},
      {Accept::kEither, false, "", "", kBare},
      {Accept::kEither, false, "", "CN=other", "unknown-certificate "},

      {Accept::kBoth, true, "good", "CN=ehr", kByBoth},
      {Accept::kBoth, true, "good", "", "no-certificate "},
      {Accept::kBoth, true, "good", "CN=other", "unknown-certificate "},
      {Accept::kBoth, true, "", "CN=ehr", "no-token "},
      {Accept::kBoth, true, "bad", "CN=ehr", "bad-signature signature"},
      {Accept::kBoth, true, "", "", "no-certificate "},
      {Accept::kBoth, false, "", "", kBare},
      {Accept::kBoth, false, "", "CN=ehr", "no-token "},
      {Accept::kBoth, false, "good", "", "no-certificate "},
  };
  options_.certificate_subjects = {"CN=ehr", "CN=ehr2"};
  for (const Row& row : rows) {
    options_.accept = row.accept;
    options_.required = row.required;
    Make(ehr.JwkSetText());
    std::string authorization;
    if (!row.token.empty()) authorization = "Bearer " + ehr.Token(kEndpoint, kNow);
    if (row.token == "bad") authorization = WithSignature(authorization, "x");
    EXPECT_EQ(*CheckAt(*authenticator_, {.authorization = authorization, .certificate_subject = row.subject},
                       kEndpoint, kNow * 1000),
              row.verdict)
        << static_cast<int>(row.accept) << " " << row.required << " " << row.token << " " << row.subject;
  }
  options_ = {.accept = Accept::kClientCertificate};
  Make("{}");
  EXPECT_EQ(*CheckAt(*authenticator_, {.certificate_subject = "CN=any"}, kEndpoint, kNow * 1000),
            "iss= tenant= certificate=CN=any");
}

// Keys that are fetched.
class FetchingAuthenticatorTest : public AuthenticatorTest {
 protected:
  FetchingAuthenticatorTest() {
    options_.issuers[0].jwks_file.clear();
    options_.issuers[0].jku = {kJku};
  }
  Verdict Start(const std::string& token, std::int64_t now_s = kNow) {
    return CheckAt(*authenticator_, {.authorization = "Bearer " + token}, kEndpoint, now_s * 1000);
  }
};

TEST_F(FetchingAuthenticatorTest, KeysComeFromTheListedUrl) {
  TokenMaker ehr(kIss);
  Make("{}");
  const Verdict without = Start(ehr.Token(kEndpoint, kNow));
  ehr.header["jku"] = kJku;
  const Verdict with = Start(ehr.Token(kEndpoint, kNow));
  EXPECT_EQ(*with, "");
  EXPECT_EQ(fetcher_.urls(), std::vector<std::string>{kJku});
  fetcher_.Answer(ehr.JwkSetText());
  EXPECT_EQ(*without, kGood);
  EXPECT_EQ(*with, kGood);
}

TEST_F(FetchingAuthenticatorTest, NothingIsFetchedForTokensThatCannotBeGood) {
  TokenMaker ehr(kIss), stranger("https://attacker.example/");
  Make("{}");
  ehr.header["jku"] = "https://attacker.example/jwks.json";
  EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow)), "unknown-jku header.jku");
  stranger.header["jku"] = kJku;
  EXPECT_EQ(Check(stranger.Token(kEndpoint, kNow)), "unknown-issuer payload.iss");
  ehr.header["jku"] = kJku;
  EXPECT_EQ(Check(ehr.Token(kEndpoint, kNow - 1000)), "expired payload.exp");
  EXPECT_EQ(Check(ehr.Token("https://cds.example.org/other", kNow)), "wrong-audience payload.aud");
  EXPECT_EQ(fetcher_.count(), 0u);
}

TEST_F(FetchingAuthenticatorTest, RotatedKeysAreFetched) {
  TokenMaker before(kIss), after(kIss, Algorithm::kRS384, "key-2");
  after.made = 100;
  Make("{}");
  const Verdict first = Start(before.Token(kEndpoint, kNow));
  fetcher_.Answer(before.JwkSetText());
  EXPECT_EQ(*first, kGood);
  EXPECT_EQ(Check(before.Token(kEndpoint, kNow)), kGood);

  const Verdict rotated = Start(after.Token(kEndpoint, kNow + 100), kNow + 100);
  EXPECT_EQ(fetcher_.count(), 2u);
  fetcher_.Answer(after.JwkSetText());
  EXPECT_EQ(*rotated, kGood);
  EXPECT_EQ(Check(before.Token(kEndpoint, kNow + 101), kEndpoint, kNow + 101), "unknown-key header.kid");
}

TEST_F(FetchingAuthenticatorTest, TheSameTokenTwiceIsReplayedAlsoWhileItWaits) {
  TokenMaker ehr(kIss);
  Make("{}");
  const std::string token = ehr.Token(kEndpoint, kNow);
  const Verdict first = Start(token), second = Start(token);
  fetcher_.Answer(ehr.JwkSetText());
  EXPECT_EQ(*first, kGood);
  EXPECT_EQ(*second, "replayed payload.jti");
}

TEST_F(FetchingAuthenticatorTest, KeysThatCannotBeFetchedAreOurTrouble) {
  TokenMaker ehr(kIss);
  Make("{}");
  Code code = Code::kInternal;
  authenticator_->Check({.authorization = "Bearer " + ehr.Token(kEndpoint, kNow)}, kEndpoint,
                        DateTime::FromUnixMillis(kNow * 1000),
                        [&](const Result<Caller>& caller) { code = caller.error().code; });
  fetcher_.Fail();
  EXPECT_EQ(code, Code::kUnavailable);
}

TEST_F(FetchingAuthenticatorTest, TheKeyFileIsForTokensWithoutJku) {
  TokenMaker file(kIss, Algorithm::kES384, "in-file"), url(kIss);
  url.made = 100;
  url.header["jku"] = kJku;
  options_.issuers[0].jwks_file = KeyFile();
  Make(file.JwkSetText());
  EXPECT_EQ(Check(file.Token(kEndpoint, kNow)), kGood);
  EXPECT_EQ(fetcher_.count(), 0u);
  const Verdict fetched = Start(url.Token(kEndpoint, kNow));
  fetcher_.Answer(url.JwkSetText());
  EXPECT_EQ(*fetched, kGood);
  // Without any listed URL, what a token says about one does not count.
  options_.issuers[0].jku.clear();
  Make(url.JwkSetText());
  EXPECT_EQ(Check(url.Token(kEndpoint, kNow)), kGood);
  EXPECT_EQ(fetcher_.count(), 1u);
}

TEST_F(FetchingAuthenticatorTest, AnIssuerCannotUseTheKeysOfAnother) {
  TokenMaker first(kIss), second("https://second.example.org/");
  options_.issuers.push_back({.iss = "https://second.example.org/", .jku = {"https://second.example.org/k"}});
  Make("{}");
  second.header["jku"] = kJku;
  EXPECT_EQ(Check(second.Token(kEndpoint, kNow)), "unknown-jku header.jku");
  second.payload["iss"] = kIss;  // says it is the first one, signs with its own key
  const Verdict forged = Start(second.Token(kEndpoint, kNow));
  fetcher_.Answer(first.JwkSetText());
  EXPECT_EQ(*forged, "bad-signature signature");
}

TEST_F(FetchingAuthenticatorTest, ChecksOutliveTheAuthenticator) {
  TokenMaker ehr(kIss);
  Make("{}");
  const Verdict verdict = Start(ehr.Token(kEndpoint, kNow));
  authenticator_ = nullptr;
  EXPECT_TRUE(fetcher_.Answer(ehr.JwkSetText()));
  EXPECT_EQ(*verdict, kGood);
}

TEST_F(FetchingAuthenticatorTest, ConcurrentChecksAreEachAnsweredOnce) {
  constexpr int kThreads = 4, kTokens = 40;
  TokenMaker ehr(kIss, Algorithm::kES256);
  Make("{}");
  std::vector<std::string> tokens;
  for (int i = 0; i < kTokens; ++i) tokens.push_back("Bearer " + ehr.Token(kEndpoint, kNow));
  std::array<std::atomic<int>, kTokens> good = {};
  std::atomic<int> replayed{0}, others{0}, finished{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < kTokens; ++i) {
        authenticator_->Check({.authorization = tokens[i]}, kEndpoint, DateTime::FromUnixMillis(kNow * 1000),
                              [&, i](const Result<Caller>& caller) {
                                if (caller) {
                                  ++good[i];
                                } else {
                                  ++(caller.error().message == "replayed" ? replayed : others);
                                }
                              });
      }
      ++finished;
    });
  }
  while (finished < kThreads) {
    fetcher_.Answer(ehr.JwkSetText());
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  fetcher_.Answer(ehr.JwkSetText());
  for (const std::atomic<int>& count : good) EXPECT_EQ(count, 1);
  EXPECT_EQ(replayed, kTokens * (kThreads - 1));
  EXPECT_EQ(others, 0);
  EXPECT_EQ(fetcher_.count(), 1u);
}

// Errors reach logs: they hold reasons and places, never a part of a token.
TEST_F(AuthenticatorTest, ReasonsHoldNothingOfTheToken) {
  TokenMaker ehr(kIss);
  Make(ehr.JwkSetText());
  const auto canary = [](Json& json, const char* member) { json[member] = "canary"; };
  for (const char* member : {"alg", "typ", "kid", "jku", "crit"}) {
    TokenMaker maker = ehr;
    canary(maker.header, member);
    const std::string token = maker.Token(kEndpoint, kNow);
    const std::string verdict = Check(WithSignature(token, "canary"));
    EXPECT_EQ(verdict.find("canary"), std::string::npos) << verdict;
  }
  for (const char* member : {"iss", "aud", "exp", "iat", "jti", "tenant", "nbf"}) {
    TokenMaker maker = ehr;
    canary(maker.payload, member);
    const std::string token = maker.Token(kEndpoint, kNow);
    const std::string verdict = Check(WithSignature(token, "canary"));
    EXPECT_EQ(verdict.find("canary"), std::string::npos) << verdict;
  }
}

}  // namespace
}  // namespace stepwise::trust
