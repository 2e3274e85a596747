#include "cds_hooks/trust/trust_options.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "cds_hooks/trust/authenticator.h"
#include "tests/testing.h"

namespace stepwise::trust {
namespace {

TEST(TrustOptions, AreReadFromJson) {
  const auto options = ReadTrustOptions(R"({
    "accept": "both", "required": false, "clock-skew-s": 5, "max-token-age-s": 600, "max-token-bytes": 4096,
    "refuse-replayed-jti": false, "max-remembered-tokens": 10, "certificate-subjects": ["CN=a"],
    "issuers": [
      {"iss": "i", "jwks-file": "f", "jku": ["https://a/b", "http://127.0.0.1:8/b"], "tenants": ["t"],
       "audiences": ["x"]},
      {"iss": "j", "jwks-file": "g"}],
    "keys": {"file-poll-s": 1, "max-age-s": 2, "max-stale-s": 3, "refetch-interval-s": 4,
             "retry-interval-s": 5, "max-waiting": 6, "max-set-bytes": 7, "max-set-keys": 8}
  })",
                                        "trust.json");
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->accept, Accept::kBoth);
  EXPECT_FALSE(options->required);
  EXPECT_EQ(options->clock_skew_s, 5);
  EXPECT_EQ(options->max_token_age_s, 600);
  EXPECT_EQ(options->max_token_bytes, 4096);
  EXPECT_FALSE(options->refuse_replayed_jti);
  EXPECT_EQ(options->max_remembered_tokens, 10);
  EXPECT_EQ(options->certificate_subjects, std::vector<std::string>{"CN=a"});
  ASSERT_EQ(options->issuers.size(), 2u);
  EXPECT_EQ(options->issuers[0].iss, "i");
  EXPECT_EQ(options->issuers[0].jwks_file, "f");
  EXPECT_EQ(options->issuers[0].jku, (std::vector<std::string>{"https://a/b", "http://127.0.0.1:8/b"}));
  EXPECT_EQ(options->issuers[0].tenants, std::vector<std::string>{"t"});
  EXPECT_EQ(options->issuers[0].audiences, std::vector<std::string>{"x"});
  EXPECT_EQ(options->issuers[1].iss, "j");
  const KeyOptions& keys = options->keys;
  EXPECT_EQ(keys.file_poll_s, 1);
  EXPECT_EQ(keys.max_age_s, 2);
  EXPECT_EQ(keys.max_stale_s, 3);
  EXPECT_EQ(keys.refetch_interval_s, 4);
  EXPECT_EQ(keys.retry_interval_s, 5);
  EXPECT_EQ(keys.max_waiting, 6);
  EXPECT_EQ(keys.max_set_bytes, 7);
  EXPECT_EQ(keys.max_set_keys, 8);
}

TEST(TrustOptions, MistakesAreNamed) {
  struct Row {
    std::string_view text, error;
  };
  const Row rows[] = {
      {R"({"issuers":[{"iss":"i","jwks-file":"f"}]})", ""},
      {R"({"accept":"client-certificate"})", ""},
      {R"([])", "trust.json: expected one JSON object"},
      {R"({"issuers":[],"issuers":[]})", "trust.json: a name is given twice"},
      {R"({})", "trust.json: issuers: empty, so no token could ever be good"},
      {R"({"accept":"either"})", "trust.json: issuers: empty, so no token could ever be good"},
      {R"({"accept":"none"})", "trust.json: accept: expected jwt, client-certificate, either or both"},
      {R"({"accept":true})", "trust.json: accept: expected jwt, client-certificate, either or both"},
      {R"({"issuer":[]})", "trust.json: issuer: no such setting"},
      {R"({"required":"yes"})", "trust.json: required: expected true or false"},
      {R"({"clock-skew-s":-1})", "trust.json: clock-skew-s: expected a whole number from 0 to 3600"},
      {R"({"clock-skew-s":3601})", "trust.json: clock-skew-s: expected a whole number from 0 to 3600"},
      {R"({"clock-skew-s":1.5})", "trust.json: clock-skew-s: expected a whole number from 0 to 3600"},
      {R"({"clock-skew-s":18446744073709551615})",
       "trust.json: clock-skew-s: expected a whole number from 0 to 3600"},
      {R"({"issuers":{}})", "trust.json: issuers: expected an array"},
      {R"({"issuers":["i"]})", "trust.json: issuers[0]: expected an object"},
      {R"({"issuers":[{"jwks-file":"f"}]})", "trust.json: issuers[0].iss: missing"},
      {R"({"issuers":[{"iss":7}]})", "trust.json: issuers[0].iss: expected a string"},
      {R"({"issuers":[{"iss":"i"}]})",
       "trust.json: issuers[0]: neither jwks-file nor jku, so there are no keys"},
      {R"({"issuers":[{"iss":"i","jwks-file":"f"},{"iss":"i","jwks-file":"g"}]})",
       "trust.json: issuers[1].iss: the same as of another issuer"},
      {R"({"issuers":[{"iss":"i","jku":"https://a"}]})",
       "trust.json: issuers[0].jku: expected an array of strings"},
      {R"({"issuers":[{"iss":"i","jku":["https://a"],"kid":"k"}]})",
       "trust.json: issuers[0].kid: no such setting"},
      {R"({"keys":[]})", "trust.json: keys: expected an object"},
      {R"({"keys":{"max-age-s":0}})",
       "trust.json: keys.max-age-s: expected a whole number from 1 to 2592000"},
      {R"({"accept":"client-certificate","keys":{"max-age-s":9,"max-stale-s":8}})",
       "trust.json: keys.max-stale-s: less than max-age-s"},
  };
  for (const Row& row : rows) {
    const auto options = ReadTrustOptions(row.text, "trust.json");
    EXPECT_EQ(options ? "" : options.error().ToString(), row.error) << row.text;
  }
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
  const std::string file = (dir.path() / "trust.json").string();
  EXPECT_EQ(ReadTrustOptionsFile(file).error().code, Code::kNotFound);
  WriteFile(file, R"({"issuers":[{"iss":"i","jwks-file":")" + (dir.path() / "none").string() + R"("}]})");
  const auto options = ReadTrustOptionsFile(file);
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(Authenticator::Make(*options, {}).error().code, Code::kNotFound);
  EXPECT_EQ(Authenticator::Make({}, {}).error().path, "issuers");
  EXPECT_FALSE(Authenticator::Make({.issuers = {{.iss = "i", .jku = {"https://a"}}}}, {}));
}

}  // namespace
}  // namespace stepwise::trust
