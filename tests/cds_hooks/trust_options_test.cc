#include "cds_hooks/trust/trust_options.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "cds_hooks/trust/authenticator.h"
#include "tests/testing.h"

namespace stepwise::trust {
namespace {

TEST(TrustOptions, MistakesAreNamed) {
  const struct {
    TrustOptions options;
    std::string_view error;
  } rows[] = {
      {{.issuers = {{.iss = "i", .jwks_file = "f"}}}, ""},
      {{.accept = Accept::kClientCertificate}, ""},
      {{}, "issuers: empty, so no token could ever be good"},
      {{.accept = Accept::kEither}, "issuers: empty, so no token could ever be good"},
      {{.issuers = {{.jwks_file = "f"}}}, "issuers[0].iss: missing"},
      {{.issuers = {{.iss = "i"}}}, "issuers[0]: neither jwks-file nor jku, so there are no keys"},
      {{.issuers = {{.iss = "i", .jwks_file = "f"}, {.iss = "i", .jwks_file = "g"}}},
       "issuers[1].iss: the same as of another issuer"},
      {{.accept = Accept::kClientCertificate, .keys = {.max_age_s = 9, .max_stale_s = 8}},
       "keys.max-stale-s: less than max-age-s"},
  };
  for (const auto& row : rows) {
    const Status status = CheckTrustOptions(row.options);
    EXPECT_EQ(status ? "" : status.error().ToString(), row.error);
  }
}

TEST(TrustOptions, AcceptIsOneOfFourWords) {
  EXPECT_EQ(ParseAccept("jwt"), Accept::kJwt);
  EXPECT_EQ(ParseAccept("client-certificate"), Accept::kClientCertificate);
  EXPECT_EQ(ParseAccept("either"), Accept::kEither);
  EXPECT_EQ(ParseAccept("both"), Accept::kBoth);
  for (const char* word : {"", "JWT", "none"}) EXPECT_FALSE(ParseAccept(word)) << word;
}

TEST(TrustOptions, KeysComeOverTlsOrFromThisMachine) {
  const std::pair<std::string_view, bool> rows[] = {
      {"https://ehr.example.org/jwks", true},
      {"https://ehr.example.org:8443/jwks", true},
      {"http://127.0.0.1:8080/jwks", true},
      {"http://localhost/jwks", true},
      {"http://[::1]:9/jwks", true},
      {"http://ehr.example.org/jwks", false},
      {"http://127.0.0.1.example.org/", false},
      {"http://localhost.example.org/", false},
      {"http://localhost@example.org/", false},
      {"HTTPS://ehr.example.org/jwks", false},
      {"https://", false},
      {"https:///jwks", false},
      {"file:///etc/jwks", false},
      {"ehr.example.org/jwks", false},
      {"", false},
      {"http://localhost:80@example.org/", false},
  };
  for (const auto& [url, good] : rows) {
    const TrustOptions options{.issuers = {{.iss = "i", .jku = {"https://a", std::string(url)}}}};
    const Status status = CheckTrustOptions(options);
    EXPECT_EQ(status.has_value(), good) << url;
    if (!status) {
      EXPECT_EQ(status.error().path, "issuers[0].jku[1]");
    }
  }
}

TEST(TrustOptions, AnAuthenticatorIsNotMadeOfMistakes) {
  const TempDir dir;
  const std::string none = (dir.path() / "none").string();
  EXPECT_EQ(Authenticator::Make({.issuers = {{.iss = "i", .jwks_file = none}}}, {}).error().code,
            Code::kNotFound);
  EXPECT_EQ(Authenticator::Make({}, {}).error().path, "issuers");
  EXPECT_FALSE(Authenticator::Make({.issuers = {{.iss = "i", .jku = {"https://a"}}}}, {}));
}

}  // namespace
}  // namespace stepwise::trust
