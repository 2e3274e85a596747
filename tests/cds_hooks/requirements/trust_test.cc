// JWT- and FBK-08: whose requests are answered, where an operator wants to know.

#include <openssl/evp.h>

#include "cds_hooks/log.h"
#include "tests/cds_hooks/requirements/equipped.h"
#include "tests/cds_hooks/token_maker.h"
#include "tests/fhir/fake_http_server.h"

namespace stepwise::cds_hooks {
namespace {

using trust::Algorithm;
using trust::TokenMaker;

constexpr const char* kIss = "https://ehr.example.org/";
constexpr const char* kPublicUrl = "https://cds.example.org/cds";  // a proxy puts it at /hooks of this server
constexpr const char* kDiscovery = "/cds-services";
constexpr const char* kSign = "/cds-services/stepwise-order-sign";
constexpr const char* kFeedback = "/cds-services/stepwise-order-sign/feedback";

std::string Aud(const std::string& path) { return kPublicUrl + path; }

struct Shown {
  std::string token = {}, certificate = {};
};

// A service that believes one EHR, whose keys are in a file unless `keys` says otherwise.
class Trusting {
 public:
  explicit Trusting(Algorithm algorithm = Algorithm::kES384) : ehr(kIss, algorithm) {
    config.public_url = std::string(kPublicUrl) + "/";
    config.path_prefix = "/hooks";
    config.trust.issuers.resize(1);
    config.trust.issuers[0].iss = kIss;
    config.trust.issuers[0].jwks_file = KeyFile();
    WriteFile(KeyFile(), ehr.JwkSetText());
  }

  std::string KeyFile() const { return (dir_.path() / "jwks.json").string(); }
  // Made at first use; `config` may be changed until then.
  TestService& service() {
    if (!equipped_) equipped_ = std::make_unique<Equipped>(config);
    return equipped_->service;
  }
  void Restart() { equipped_.reset(); }

  std::int64_t now_s() { return service().now.ToUnixMillis() / 1000; }
  void Later(std::int64_t seconds) {
    service().now = DateTime::FromUnixMillis(service().now.ToUnixMillis() + seconds * 1000);
  }

  std::string Token(const std::string& path = kSign) { return ehr.Token(Aud(path), now_s()); }
  // Signed by the EHR, with these claims and no others.
  std::string TokenOf(const Json& header, const Json& claims) {
    return trust::SignedToken(header.dump(), claims.dump(), ehr.key);
  }
  Json Claims(const std::string& aud = Aud(kSign)) {
    return {{"iss", kIss},
            {"aud", aud},
            {"iat", now_s()},
            {"exp", now_s() + 300},
            {"jti", "claims-" + std::to_string(++made_)}};
  }

  Reply Send(std::string_view path, const Shown& shown) {
    const std::string target = "/hooks" + std::string(path);
    const std::string authorization = shown.token.empty() ? "" : "Bearer " + shown.token;
    HttpRequest request{.method = path == kDiscovery ? "GET" : "POST", .target = target};
    request.content_type = "application/json";
    request.authorization = authorization;
    request.client_certificate = shown.certificate;
    if (path == kSign) request.body = GoodRequest("order-sign").dump();
    if (path == kFeedback) {
      request.body =
          R"({"feedback":[{"card":"9368d37b-283f-44a0-93ea-547cebab93ed","outcome":"accepted",
              "outcomeTimestamp":"2026-12-10T08:00:00Z"}]})";
    }
    return service().Send(std::move(request));
  }
  int Call(const std::string& token) { return Send(kSign, {token}).status; }

  TokenMaker ehr;
  Config config = LocalConfig();

 private:
  TempDir dir_;
  std::unique_ptr<Equipped> equipped_;
  int made_ = 0;
};

bool IsBare401(const Reply& reply) {
  return reply.status == 401 && reply.Header("WWW-Authenticate") == "Bearer" &&
         IsOperationOutcome(reply.json);
}

TEST(Requirement, JWT_01_WithoutATokenIs401WhereItIsRequired) {
  Trusting trusting;
  EXPECT_TRUE(IsBare401(trusting.Send(kSign, {})));
  EXPECT_TRUE(IsBare401(trusting.Send(kSign, {"not.a.token"})));
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  // An operator may let others in as well; what is shown must be good all the same.
  trusting.config.trust.required = "no";
  trusting.Restart();
  EXPECT_EQ(trusting.Call(""), 200);
  EXPECT_EQ(trusting.Call("not.a.token"), 401);
  // Nobody is asked where nobody is named.
  EXPECT_EQ(EveryHook().Call("order-sign", GoodRequest("order-sign")).status, 200);
}

TEST(Requirement, JWT_02_EveryEndpointWantsTheToken) {
  Trusting trusting;
  for (const char* path : {kDiscovery, kSign, kFeedback}) {
    EXPECT_TRUE(IsBare401(trusting.Send(path, {}))) << path;
    EXPECT_EQ(trusting.Send(path, {trusting.Token(path)}).status, 200) << path;
    // Browsers ask first, and without the token.
    const std::string target = "/hooks" + std::string(path);
    HttpRequest preflight{.method = "OPTIONS", .target = target};
    preflight.origin = "https://ehr.example.org";
    preflight.access_control_request_method = "POST";
    EXPECT_EQ(trusting.service().Send(std::move(preflight)).status, 204) << path;
  }
  // Which services there are is nobody else's business.
  EXPECT_EQ(trusting.Send("/cds-services/nope", {}).status, 401);
}

TEST(Requirement, JWT_03_HeadersOfATokenAreRequired) {
  Trusting trusting;
  const Json good = trusting.ehr.header;
  EXPECT_EQ(trusting.Call(trusting.TokenOf(good, trusting.Claims())), 200);
  for (const char* key : {"alg", "kid", "typ"}) {
    Json header = good;
    header.erase(key);
    EXPECT_EQ(trusting.Call(trusting.TokenOf(header, trusting.Claims())), 401) << key;
    for (const Json& wrong : {Json("other"), Json(nullptr), Json(1), Json("")}) {
      header[key] = wrong;
      EXPECT_EQ(trusting.Call(trusting.TokenOf(header, trusting.Claims())), 401) << key << wrong;
    }
  }
  Json header = good;
  header["jku"] = "https://ehr.example.org/jwks.json";
  EXPECT_EQ(trusting.Call(trusting.TokenOf(header, trusting.Claims())), 200);
}

TEST(Requirement, JWT_04_ClaimsOfATokenAreRequired) {
  Trusting trusting;
  for (const char* key : {"iss", "aud", "exp", "iat", "jti"}) {
    Json claims = trusting.Claims();
    claims.erase(key);
    EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, claims)), 401) << key;
    claims[key] = Json::object();
    EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, claims)), 401) << key;
  }
  const std::pair<const char*, Json> more[] = {{"aud", {"https://other.example.org/x", Aud(kSign)}},
                                               {"tenant", "north"},
                                               {"nbf", trusting.now_s()},
                                               {"sub", "an-app"},
                                               {"com.example.more", {{"a", {1, nullptr}}}}};
  for (const auto& [key, value] : more) {
    Json claims = trusting.Claims();
    claims[key] = value;
    EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, claims)), 200) << key;
  }
}

TEST(Requirement, JWT_05_AudienceIsTheUrlOfTheEndpoint) {
  Trusting trusting;
  const std::pair<std::string, int> rows[] = {
      {Aud(kSign), 200},
      {Aud(kSign) + "/", 200},
      {Aud("/cds-services/stepwise-patient-view"), 401},
      {Aud(kFeedback), 401},
      {Aud(kDiscovery), 401},
      {kPublicUrl, 401},
      {std::string("http") + Aud(kSign).substr(5), 401},            // not over TLS
      {std::string("https://cds.example.org") + kSign, 401},        // without the prefix
      {std::string("https://cds.example.org/hooks") + kSign, 401},  // the prefix behind the proxy
      {std::string("https://cds.example.org.evil.com/cds") + kSign, 401},
      {"sand_man", 401}};
  for (const auto& [aud, status] : rows)
    EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, trusting.Claims(aud))), status) << aud;
  // For clients that cannot do better.
  trusting.config.trust.issuers[0].audiences = {"sand_man"};
  trusting.Restart();
  EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, trusting.Claims("sand_man"))), 200);
  // Without a public URL it is that of the socket.
  trusting.config.public_url.clear();
  trusting.config.listen = "127.0.0.1:8080";
  trusting.Restart();
  const std::string aud = "http://127.0.0.1:8080/hooks" + std::string(kSign);
  EXPECT_EQ(trusting.Call(trusting.TokenOf(trusting.ehr.header, trusting.Claims(aud))), 200);
}

TEST(Requirement, JWT_06_AlgNoneIsRefused) {
  Trusting trusting;
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    Json header = trusting.ehr.header;
    header["alg"] = none;
    const std::string signed_token = trusting.TokenOf(header, trusting.Claims());
    const std::string unsigned_token = trust::SigningInput(header.dump(), trusting.Claims().dump()) + ".";
    EXPECT_EQ(trusting.Call(signed_token), 401) << none;
    EXPECT_EQ(trusting.Call(unsigned_token), 401) << none;
  }
}

TEST(Requirement, JWT_07_SymmetricAlgorithmsAreRefused) {
  Trusting trusting(Algorithm::kRS384);
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  const std::pair<const char*, const char*> rows[] = {
      {"HS256", "SHA256"}, {"HS384", "SHA384"}, {"HS512", "SHA512"}};
  for (const auto& [algorithm, digest] : rows) {
    // What everybody has: the public key as text.
    for (const std::string& secret : {trusting.ehr.key.PublicPem(), trusting.ehr.JwkSetText()}) {
      Json header = trusting.ehr.header;
      header["alg"] = algorithm;
      const std::string input = trust::SigningInput(header.dump(), trusting.Claims().dump());
      std::string mac(EVP_MAX_MD_SIZE, '\0');
      std::size_t size = 0;
      ASSERT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, digest, nullptr, secret.data(), secret.size(),
                          reinterpret_cast<const unsigned char*>(input.data()), input.size(),
                          reinterpret_cast<unsigned char*>(mac.data()), mac.size(), &size),
                nullptr);
      mac.resize(size);
      EXPECT_EQ(trusting.Call(input + "." + trust::ToBase64Url(mac)), 401) << algorithm;
    }
  }
}

TEST(Requirement, JWT_08_Es384AndRs384AreAccepted) {
  for (const Algorithm algorithm : {Algorithm::kES384, Algorithm::kRS384}) {
    Trusting trusting(algorithm);
    EXPECT_EQ(trusting.Call(trusting.Token()), 200) << AlgorithmName(algorithm);
    // Signed by somebody else.
    TokenMaker other(kIss, algorithm);
    if (!other.key.is_rsa()) {  // RSA keys of tests are one key
      EXPECT_EQ(trusting.Call(other.Token(Aud(kSign), trusting.now_s())), 401);
    }
    std::string token = trusting.Token();
    char& last_but_one = token[token.size() - 2];
    last_but_one = last_but_one == 'A' ? 'B' : 'A';
    EXPECT_EQ(trusting.Call(token), 401) << AlgorithmName(algorithm);
  }
}

// A server of key sets.
class KeyServer {
 public:
  explicit KeyServer(std::string jwk_set) : keys(std::move(jwk_set)) {}
  std::string Url() const { return server_.Url("/jwks.json"); }
  std::size_t fetches() const { return server_.requests().size(); }

  std::string keys;  // to be set while nobody asks

 private:
  FakeHttpServer server_{[this](const FakeRequest&) { return FakeReply{.body = keys}; }};
};

// Keys from the URL instead of the file.
void UseUrl(Trusting& trusting, const KeyServer& server) {
  trusting.config.trust.issuers[0].jwks_file.clear();
  trusting.config.trust.issuers[0].jku = {server.Url()};
}

TEST(Requirement, JWT_09_OnlyListedIssuersAndKeySetsAreTrusted) {
  Trusting trusting;
  const KeyServer listed(trusting.ehr.JwkSetText());
  TokenMaker stranger("https://stranger.example.org/"), forger(kIss);
  const KeyServer other(forger.JwkSetText());
  UseUrl(trusting, listed);
  for (TokenMaker* signer : {&stranger, &forger}) {
    signer->header["jku"] = other.Url();
    EXPECT_EQ(trusting.Call(signer->Token(Aud(kSign), trusting.now_s())), 401);
  }
  trusting.ehr.header["jku"] = listed.Url() + "/../jwks.json";
  EXPECT_EQ(trusting.Call(trusting.Token()), 401);
  EXPECT_EQ(listed.fetches() + other.fetches(), 0u);
  stranger.header["jku"] = listed.Url();
  EXPECT_EQ(trusting.Call(stranger.Token(Aud(kSign), trusting.now_s())), 401);
  EXPECT_EQ(listed.fetches(), 0u) << "an issuer that is not listed causes no call";
  trusting.ehr.header["jku"] = listed.Url();
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  trusting.ehr.header.erase("jku");  // the one that is agreed
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  EXPECT_EQ(listed.fetches(), 1u);
  EXPECT_EQ(other.fetches(), 0u);
}

TEST(Requirement, JWT_10_KeysMayComeFromAFile) {
  Trusting trusting;
  const KeyServer other(trusting.ehr.JwkSetText());
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  trusting.ehr.header["jku"] = other.Url();
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  EXPECT_EQ(other.fetches(), 0u);
  // The file is changed: the old key counts no more, the new one does.
  TokenMaker next(kIss, Algorithm::kES384, "key-2");
  next.made = 1'000;  // the EHR's jtis go on
  WriteFile(trusting.KeyFile(), next.JwkSetText());
  trusting.Later(60);
  EXPECT_EQ(trusting.Call(next.Token(Aud(kSign), trusting.now_s())), 200);
  EXPECT_EQ(trusting.Call(trusting.Token()), 401);
}

TEST(Requirement, JWT_11_UnknownKidsFetchTheKeySetAgain) {
  Trusting trusting;
  KeyServer server(trusting.ehr.JwkSetText());
  UseUrl(trusting, server);
  EXPECT_EQ(trusting.Call(trusting.Token()), 200);
  EXPECT_EQ(server.fetches(), 1u);

  TokenMaker next(kIss, Algorithm::kES384, "key-2");
  next.made = 1'000;  // the EHR's jtis go on
  server.keys = trust::JwkSetOf({trusting.ehr.Jwk(), next.Jwk()});
  const auto call = [&](TokenMaker& signer) {
    return trusting.Call(signer.Token(Aud(kSign), trusting.now_s()));
  };
  EXPECT_EQ(call(next), 401) << "so soon after the last fetch nobody asks again";
  EXPECT_EQ(server.fetches(), 1u);
  trusting.Later(60);
  EXPECT_EQ(call(next), 200);
  EXPECT_EQ(call(trusting.ehr), 200);
  EXPECT_EQ(server.fetches(), 2u);
  // Made-up kids cause no traffic.
  for (int i = 0; i < 20; ++i) {
    TokenMaker made_up(kIss, Algorithm::kES384, "made-up-" + std::to_string(i));
    EXPECT_EQ(call(made_up), 401);
    trusting.Later(2);
  }
  EXPECT_EQ(server.fetches(), 2u);
  // A key that was taken away is believed no longer than a set is kept.
  server.keys = next.JwkSetText();
  trusting.Later(3'600);
  EXPECT_EQ(call(trusting.ehr), 401);
  EXPECT_EQ(call(next), 200);
  EXPECT_EQ(server.fetches(), 3u);
}

TEST(Requirement, JWT_12_TokensExpireAndAreUsedOnce) {
  Trusting trusting;
  const auto call = [&](const char* key, const Json& value) {
    Json claims = trusting.Claims();
    claims[key] = value;
    return trusting.Call(trusting.TokenOf(trusting.ehr.header, claims));
  };
  const std::int64_t now = trusting.now_s();
  EXPECT_EQ(call("exp", now - 60), 401) << "past, as far as clocks may differ";
  EXPECT_EQ(call("exp", now + 1), 200);
  EXPECT_EQ(call("exp", now + 7'200), 401) << "nobody remembers tokens for so long";
  EXPECT_EQ(call("iat", now + 120), 401);
  EXPECT_EQ(call("nbf", now + 120), 401);

  const std::string token = trusting.Token();
  EXPECT_EQ(trusting.Call(token), 200);
  EXPECT_EQ(trusting.Call(token), 401) << "used before";
  const std::string late = trusting.Token();
  trusting.Later(300 + 60);  // as clocks may differ
  EXPECT_EQ(trusting.Call(late), 401) << "expired";

  trusting.config.trust.issuers[0].tenants = {"north"};
  trusting.Restart();
  EXPECT_EQ(call("tenant", "north"), 200);
  EXPECT_EQ(call("tenant", "south"), 401);
  EXPECT_EQ(trusting.Call(trusting.Token()), 401) << "no tenant";
}

TEST(Requirement, JWT_13_RefusalsNameNoReason) {
  Trusting trusting;
  const Json header = trusting.ehr.header;
  const auto with = [&](const char* key, const Json& value) {
    Json claims = trusting.Claims();
    claims[key] = value;
    return trusting.TokenOf(header, claims);
  };
  Json other_kid = header;
  other_kid["kid"] = "CANARY";
  TokenMaker forger(kIss);
  const std::string used = trusting.Token();
  EXPECT_EQ(trusting.Call(used), 200);
  const std::pair<const char*, std::string> rows[] = {
      {"no-token", ""},
      {"malformed", "CANARY"},
      {"too-large", std::string(10'000, 'a')},
      {"unknown-issuer", with("iss", "CANARY")},
      {"wrong-audience", with("aud", "CANARY")},
      {"expired", with("exp", trusting.now_s() - 3'000)},
      {"unknown-key", trusting.TokenOf(other_kid, trusting.Claims())},
      {"bad-signature", forger.Token(Aud(kSign), trusting.now_s())},
      {"replayed", used}};
  const Reply bare = trusting.Send(kSign, {});
  EXPECT_TRUE(IsBare401(bare));
  for (const auto& [reason, token] : rows) {
    const Reply reply = trusting.Send(kSign, {token});
    EXPECT_TRUE(IsBare401(reply)) << reason;
    EXPECT_EQ(reply.body, bare.body) << reason;
    EXPECT_EQ(reply.response.headers, bare.response.headers) << reason;
    // The operator learns the reason, and nothing of the token.
    AccessRecord record;
    record.summary = reply.response.summary;
    EXPECT_EQ(record.summary.refused, reason);
    const std::string line = RequestLine(record);
    EXPECT_NE(line.find(reason), std::string::npos) << line;
    EXPECT_EQ(line.find("CANARY"), std::string::npos) << line;
    EXPECT_TRUE(token.empty() || line.find(token) == std::string::npos) << line;
  }
}

TEST(Requirement, JWT_14_ClientCertificatesMayBeWanted) {
  const std::string ours = "CN=ehr,O=Example", stranger = "CN=other,O=Example";
  enum What : std::uint8_t { kNothing, kToken, kBadToken };
  const struct {
    const char* accept;
    What token;
    std::string certificate;
    int status;
  } rows[] = {
      {"jwt", kToken, "", 200},
      {"jwt", kNothing, ours, 401},
      {"client-certificate", kNothing, ours, 200},
      {"client-certificate", kNothing, stranger, 401},
      {"client-certificate", kNothing, "", 401},
      {"client-certificate", kToken, "", 401},
      {"either", kToken, "", 200},
      {"either", kNothing, ours, 200},
      {"either", kNothing, stranger, 401},
      {"either", kBadToken, ours, 401},
      {"either", kNothing, "", 401},
      {"both", kToken, ours, 200},
      {"both", kToken, stranger, 401},
      {"both", kToken, "", 401},
      {"both", kNothing, ours, 401},
      {"both", kBadToken, ours, 401},
  };
  for (const auto& row : rows) {
    Trusting trusting;
    trusting.config.trust.accept = row.accept;
    trusting.config.trust.certificate_subjects = {ours};
    const std::string token = row.token == kNothing    ? ""
                              : row.token == kBadToken ? trusting.Token(kDiscovery)
                                                       : trusting.Token();
    EXPECT_EQ(trusting.Send(kSign, {token, row.certificate}).status, row.status)
        << row.accept << " " << row.token << " " << row.certificate;
  }
  // Without a list every certificate that was verified is good.
  Trusting trusting;
  trusting.config.trust = {};
  trusting.config.trust.accept = "client-certificate";
  EXPECT_EQ(trusting.Send(kSign, {"", stranger}).status, 200);
  EXPECT_EQ(trusting.Send(kSign, {}).status, 401);
}

TEST(Requirement, FBK_08_FeedbackIsAuthenticatedAsServicesAre) {
  Trusting trusting;
  EXPECT_EQ(trusting.Send(kFeedback, {trusting.Token(kFeedback)}).status, 200);
  EXPECT_EQ(trusting.Send(kFeedback, {trusting.Token(kSign)}).status, 401);
  EXPECT_EQ(trusting.Send(kFeedback, {trusting.Token("/cds-services/stepwise-patient-view/feedback")}).status,
            401);
  EXPECT_TRUE(IsBare401(trusting.Send(kFeedback, {})));
}

}  // namespace
}  // namespace stepwise::cds_hooks
