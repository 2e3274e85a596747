#include "cds_hooks/config.h"

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "cds_hooks/config_text.h"
#include "cds_hooks/settings.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

using Errors = std::vector<Error>;

std::string Lines(const Errors& errors) {
  std::string out;
  for (const Error& error : errors) out += error.ToString() + "\n";
  return out;
}

std::optional<Config> Parse(const std::string& arguments, Errors* errors) {
  CLI::App app;
  Overrides overrides;
  AddOptions(app, overrides);
  app.parse(arguments);
  return MakeConfig(overrides, errors);
}

Config Good(const std::string& arguments) {
  Errors errors;
  const std::optional<Config> config = Parse(arguments, &errors);
  EXPECT_TRUE(config.has_value()) << Lines(errors);
  return config.value_or(Config{});
}

Config FromYaml(const std::string& yaml) {
  Errors errors;
  const std::optional<Config> config = ReadConfig(yaml, "/etc/x/f", &errors);
  EXPECT_TRUE(config.has_value()) << Lines(errors);
  return config.value_or(Config{});
}

TEST(Config, Defaults) {
  const Config config = Good("");
  EXPECT_EQ(config.listen, "127.0.0.1:8080");
  EXPECT_EQ(config.max_body_bytes, 16 * 1024 * 1024);
  EXPECT_EQ(config.cors_origins, std::vector<std::string>{"*"});
  EXPECT_TRUE(config.packs.empty());
}

TEST(Config, TheCommandLineWins) {
  const TempDir dir;
  const std::string file = (dir.path() / "c.yaml").string();
  WriteFile(file,
            R"({"listen":"0.0.0.0:1","max-depth":20,"packs":["a"],"cors-origins":[],"store":{"sync":true}})");
  const Config config = Good("--listen [::1]:0 --config " + file +
                             " --packs x,y --packs z --evaluators h:1,h:2 --max-depth 30 --store none "
                             "--tls-client-certificates none --store-sync false");
  EXPECT_EQ(config.listen, "[::1]:0");
  EXPECT_EQ(config.max_depth, 30);
  EXPECT_EQ(config.packs, (std::vector<std::string>{"x,y", "z"}));
  EXPECT_EQ(config.evaluators, (std::vector<std::string>{"h:1", "h:2"}));
  EXPECT_TRUE(config.cors_origins.empty());
  EXPECT_EQ(config.store.url, "none");
  EXPECT_FALSE(config.store.sync);
}

TEST(Config, SectionsListsAndPathsFromTheFolderOfTheFile) {
  const Config config = FromYaml(R"(
listen: 0.0.0.0:443
packs: packs
activation: ../activation.yaml
tls: { certificate: /run/cert.pem, private-key: key.pem }
trust:
  required: yes
  clock-skew-s: 5
  issuers:
    - iss: https://ehr.example.org
      jwks-file: keys/ehr.json
      tenants: [north, south]
    - { iss: https://other.example.org, jku: "https://other.example.org/jwks", audiences: [a] }
fhir: { servers: ["https://fhir.example.org/r4"], allowed-networks: [10.0.0.0/8, "fd00::/8"] }
store:
)");
  EXPECT_EQ(config.packs, std::vector<std::string>{"/etc/x/packs"});
  EXPECT_EQ(config.activation, "/etc/activation.yaml");
  EXPECT_EQ(config.tls.certificate, "/run/cert.pem");
  EXPECT_EQ(config.tls.private_key, "/etc/x/key.pem");
  EXPECT_EQ(config.trust.required, "yes");
  EXPECT_EQ(config.trust.clock_skew_s, 5);
  ASSERT_EQ(config.trust.issuers.size(), 2U);
  EXPECT_EQ(config.trust.issuers[0].jwks_file, "/etc/x/keys/ehr.json");
  EXPECT_EQ(config.trust.issuers[0].tenants, (std::vector<std::string>{"north", "south"}));
  EXPECT_EQ(config.trust.issuers[1].jku, std::vector<std::string>{"https://other.example.org/jwks"});
  EXPECT_EQ(config.trust.issuers[1].jwks_file, "");
  EXPECT_EQ(config.fhir.allowed_networks, (std::vector<std::string>{"10.0.0.0/8", "fd00::/8"}));
  EXPECT_EQ(FromYaml("").max_cards, 5);
  EXPECT_EQ(FromYaml("# nothing\n").max_cards, 5);
}

TEST(Config, AllErrorsAtOnceEachWithItsPlace) {
  const struct {
    const char* yaml;
    const char* errors;
  } rows[] = {
      {"[1]", "f:1:1: the configuration is a map of `key: value` entries, here is a list\n"},
      {"a: [", "f:1:5: "},
      {"max-body-byte: 1\nmax-depth: x\nmax-header-bytes: 1",
       "f:1:1: unknown key `max-body-byte` in the configuration; did you mean `max-body-bytes`?\n"
       "f:2:12: `max-depth` is a whole number, not `x`\n"
       "f:3:19: `max-header-bytes`: 1 is not between 256 and 1048576\n"},
      {"max_body_bytes: 1",
       "f:1:1: unknown key `max_body_bytes` in the configuration; did you mean "
       "`max-body-bytes`?\n"},
      {"max-depth: 9.5", "f:1:12: `max-depth` is a whole number, not `9.5`\n"},
      {"max-depth: 18446744073709551615",
       "f:1:12: `max-depth` is a whole number, not `18446744073709551615`\n"},
      {"packs: [[a]]", "f:1:9: an item of `packs` is text, here is a list\n"},
      {"listen: [a]", "f:1:9: `listen` is text, here is a list\n"},
      {"listen: 8080", "f:1:9: `listen`: expected HOST:PORT, found \"8080\"\n"},
      {"listen: h:-1", "f:1:9: `listen`: expected HOST:PORT, found \"h:-1\"\n"},
      {"listen: h:65536", "f:1:9: `listen`: expected HOST:PORT, found \"h:65536\"\n"},
      {"listen: ''", "f:1:9: `listen`: expected HOST:PORT\n"},
      {"now: yesterday",
       "f:1:6: `now`: expected a time with offset, such as 2026-12-10T09:00:00Z, found "
       "\"yesterday\"\n"},
      {"log-level: loud",
       "f:1:12: `loud` is no value of `log-level`; known: trace, debug, info, warn, error, "
       "off\n"},
      {"path-prefix: cds",
       "f:1:14: `path-prefix`: expected a path that starts with / and does not end with it, "
       "such as /cds, found \"cds\"\n"},
      {"public-url: cds.example.org",
       "f:1:13: `public-url`: expected a URL such as "
       "https://fhir.example.org/r4, found \"cds.example.org\"\n"},
      {"max-cards: 1",
       "f:1:12: `max-cards`: 1 leaves no place for advice beside the card that names the rest\n"},
      {"evaluators: h:1\nactivation: a",
       "f:2:13: `activation`: evaluators say themselves what is on; give them "
       "the file\n"},
      {"tls: x", "f:1:6: `tls` is a map of `key: value` entries, not `x`\n"},
      {"tls: {certifcate: x}", "f:1:7: unknown key `certifcate` in `tls`; did you mean `certificate`?\n"},
      {"tls: {certificate: x}", "f:1:20: `tls.certificate`: a certificate needs its tls.private-key\n"},
      {"tls: {private-key: x}", "f:1:20: `tls.private-key`: a key is of no use without tls.certificate\n"},
      {"tls: {client-certificates: optional, client-ca: x}",
       "f:1:28: `tls.client-certificates`: certificates of clients need TLS: tls.certificate\n"},
      {"trust: {required: yes}", "f:1:19: `trust.required`: nobody can be believed without trust.issuers\n"},
      {"trust: {refuse-replayed-jti: yes}", "f:1:30: `refuse-replayed-jti` is true or false, not `yes`\n"},
      {"trust:\n  issuers:\n  - {iss: a}\n  - {is: b, jku: c}\n  - {iss: a, jku: [{}]}\n  - x\n"
       "  - {iss: '', jku: []}\n",
       "f:3:5: an issuer needs `jwks-file` or `jku`: where its keys are\n"
       "f:4:6: unknown key `is` in an issuer; did you mean `iss`?\n"
       "f:5:20: an item of `jku` is text, here is a map\n"
       "f:5:5: this `iss` is in the list already\n"
       "f:6:5: an issuer is a map of `key: value` entries, here is text\n"
       "f:7:5: `iss` is empty\n"
       "f:7:5: an issuer needs `jwks-file` or `jku`: where its keys are\n"},
      {"fhir: {allowed-networks: [10.0.0.0/33, 'fd00::/129', 10.0.0.0, x/8]}",
       "f:1:27: `fhir.allowed-networks`: expected a network such as 10.1.0.0/16 or fd00::/8, found "
       "\"10.0.0.0/33\"\n"},
      {"store: {url: mysql://x}",
       "f:1:14: `store.url`: expected none, sqlite:PATH or postgres://..., found "
       "\"mysql://x\"\n"},
      {"store: {url: none, keep-input: true}",
       "f:1:32: `store.keep-input`: there is no store to keep it in\n"},
  };
  for (const auto& row : rows) {
    Errors errors;
    EXPECT_FALSE(ReadConfig(row.yaml, "f", &errors).has_value()) << row.yaml;
    EXPECT_TRUE(Lines(errors).starts_with(row.errors)) << row.yaml << "\n" << Lines(errors);
  }
}

TEST(Config, WrongOptions) {
  const struct {
    const char* arguments;
    const char* error;
  } rows[] = {
      {"--max-depth x", "--max-depth: expected a whole number, found \"x\"\n"},
      {"--max-depth 99999", "--max-depth: 99999 is not between 8 and 1000\n"},
      {"--max-cards 1", "--max-cards: 1 leaves no place for advice beside the card that names the rest\n"},
      {"--reload-poll-ms -1", "--reload-poll-ms: -1 is not between 0 and 3600000\n"},
      {"--now 2026-12-10",
       "--now: expected a time with offset, such as 2026-12-10T09:00:00Z, found "
       "\"2026-12-10\"\n"},
      {"--path-prefix /cds/",
       "--path-prefix: expected a path that starts with / and does not end with it, such as "
       "/cds, found \"/cds/\"\n"},
      {"--log-level loud", "--log-level: expected trace, debug, info, warn, error or off, found \"loud\"\n"},
      {"--store-sync maybe", "--store-sync: expected true or false, found \"maybe\"\n"},
      {"--store ftp:x", "--store: expected none, sqlite:PATH or postgres://..., found \"ftp:x\"\n"},
      {"--evaluators h:1,h", "--evaluators: expected HOST:PORT, found \"h\"\n"},
      {"--evaluators h:1 --activation a.yaml",
       "--activation: evaluators say themselves what is on; give them the file\n"},
      {"--trust-required yes", "--trust-required: nobody can be believed without trust.issuers\n"},
      {"--tls-certificate c", "--tls-certificate: a certificate needs its tls.private-key\n"},
      {"--config /nonexistent/file", "/nonexistent/file: the file cannot be read\n"},
      {"--config /", "/: the file cannot be read\n"},
      {"--max-depth x --listen 8080",
       "--listen: expected HOST:PORT, found \"8080\"\n"
       "--max-depth: expected a whole number, found \"x\"\n"},
  };
  for (const auto& row : rows) {
    Errors errors;
    EXPECT_FALSE(Parse(row.arguments, &errors).has_value()) << row.arguments;
    EXPECT_EQ(Lines(errors), row.error) << row.arguments;
  }
}

TEST(Config, StateFolder) {
  const struct {
    const char* configured;
    std::map<std::string, const char*> environment;
    const char* folder;
  } rows[] = {
      {"/a", {{"STATE_DIRECTORY", "/b"}}, "/a"},
      {"", {{"STATE_DIRECTORY", "/b:/c"}, {"HOME", "/h"}}, "/b"},
      {"", {{"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}, "/x/stepwise"},
      {"", {{"XDG_STATE_HOME", ""}, {"HOME", "/h"}}, "/h/.local/state/stepwise"},
      {"", {}, ""},
  };
  for (const auto& row : rows) {
    StoreConfig store;
    store.state_dir = row.configured;
    EXPECT_EQ(StateDir(store,
                       [&](const char* name) {
                         const auto found = row.environment.find(name);
                         return found == row.environment.end() ? nullptr : found->second;
                       }),
              row.folder);
  }
}

TEST(Settings, EveryRowIsComplete) {
  std::set<std::string_view> paths;
  std::set<std::string> flags;
  std::vector<std::string_view> order;
  Config defaults;
  for (const Setting& setting : Settings()) {
    EXPECT_TRUE(paths.insert(setting.path).second) << setting.path;
    EXPECT_TRUE(flags.insert(FlagOf(setting)).second) << FlagOf(setting);
    EXPECT_FALSE(setting.help.empty()) << setting.path;
    if (order.empty() || order.back() != SectionOf(setting)) order.push_back(SectionOf(setting));
    if (const auto* number = std::get_if<NumberMember>(&setting.member)) {
      EXPECT_LE(setting.min, (*number)(defaults)) << setting.path;
      EXPECT_GE(setting.max, (*number)(defaults)) << setting.path;
    }
  }
  std::vector<std::string_view> sections;
  for (const Section& section : Sections()) sections.push_back(section.name);
  EXPECT_EQ(order, sections);
}

TEST(ConfigText, Example) { ExpectGolden("packaging/stepwise.yaml", ConfigExample()); }

// With the settings no longer commented out the file says what happens without it.
TEST(ConfigText, TheExampleSaysTheDefaults) {
  std::istringstream lines(ConfigExample());
  std::string text;
  std::size_t uncommented = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t hash = line.find('#');
    if (hash != std::string::npos && line.substr(0, hash).find_first_not_of(' ') == std::string::npos &&
        line.substr(hash + 1, 1) != " ") {
      line.erase(hash, 1);
      ++uncommented;
    }
    text += line + "\n";
  }
  EXPECT_EQ(uncommented, Settings().size());
  Config config = FromYaml(text), defaults;
  for (const Setting& setting : Settings()) {
    const bool same = std::visit(
        [&](auto member) {
          if constexpr (std::is_same_v<decltype(member), IssuersMember>)
            return member(config).empty();
          else
            return member(config) == member(defaults);
        },
        setting.member);
    EXPECT_TRUE(same) << setting.path;
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
