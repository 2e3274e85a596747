#include "cds_hooks/config.h"

#include <CLI/CLI.hpp>

#include "cds_hooks/log.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

Result<Config> Parse(const std::string& arguments) {
  CLI::App app;
  Overrides overrides;
  AddOptions(app, overrides);
  app.parse(arguments);
  return MakeConfig(overrides);
}

TEST(Config, Defaults) {
  const Config config = *Parse("");
  EXPECT_EQ(config.listen, "127.0.0.1:8080");
  EXPECT_EQ(config.max_body_bytes, 16 * 1024 * 1024);
  EXPECT_EQ(config.cors_origins, std::vector<std::string>{"*"});
  EXPECT_TRUE(config.packs.empty());
}

TEST(Config, OneCardHasNoPlaceForTheRest) {
  EXPECT_EQ(Parse("--max-cards 0")->max_cards, 0);
  EXPECT_EQ(Parse("--max-cards 2")->max_cards, 2);
  EXPECT_NE(Parse("--max-cards 1").error().message.find("max_cards: 1 leaves no place"), std::string::npos);
}

TEST(Config, TheCommandLineWins) {
  const TempDir dir;
  const std::string file = (dir.path() / "c.json").string();
  WriteFile(file, R"({"listen":"0.0.0.0:1","max_depth":20,"packs":["a"],"cors_origins":[]})");
  const Result<Config> config = Parse("--listen [::1]:0 --config " + file +
                                      " --packs x,y --packs z --evaluators h:1,h:2 --max-depth 30");
  ASSERT_TRUE(config.has_value()) << config.error().ToString();
  EXPECT_EQ(config->listen, "[::1]:0");
  EXPECT_EQ(config->max_depth, 30);
  EXPECT_EQ(config->packs, (std::vector<std::string>{"x,y", "z"}));
  EXPECT_EQ(config->evaluators, (std::vector<std::string>{"h:1", "h:2"}));
  EXPECT_TRUE(config->cors_origins.empty());
}

TEST(Config, WrongSettings) {
  const struct {
    const char* json;
    const char* error;
  } rows[] = {
      {"", "f: expected one JSON object"},
      {"[1]", "f: expected one JSON object"},
      {R"({"max_body_byte":1})", "f: max_body_byte: no such setting; did you mean max_body_bytes?"},
      {R"({"cors":["*"]})", "f: cors: no such setting; did you mean cors_origins?"},
      {R"({"max_depth":"9"})", "f: max_depth: expected a whole number"},
      {R"({"max_depth":9.5})", "f: max_depth: expected a whole number"},
      {R"({"max_depth":18446744073709551615})", "f: max_depth: expected a whole number"},
      {R"({"max_depth":1})", "f: max_depth: 1 is not between 8 and 1000"},
      {R"({"packs":"a"})", "f: packs: expected an array of strings"},
      {R"({"packs":[1]})", "f: packs: expected an array of strings"},
      {R"({"listen":8080})", "f: listen: expected a string"},
  };
  for (const auto& row : rows) {
    Config config;
    const Status status = ApplyJson(row.json, "f", config);
    ASSERT_FALSE(status.has_value()) << row.json;
    EXPECT_EQ(status.error().ToString(), row.error);
  }
  for (const char* arguments :
       {"--max-depth x", "--max-depth 99999", "--now yesterday", "--now 2026-12-10", "--path-prefix cds",
        "--path-prefix /cds/", "--listen 8080", "--log-level loud", "--config /nonexistent/file",
        "--reload-poll-ms -1", "--evaluators h:1 --activation a.yaml"}) {
    EXPECT_FALSE(Parse(arguments).has_value()) << arguments;
  }
}

TEST(Log, RequestLine) {
  AccessRecord record;
  record.method = "POST";
  record.status = 200;
  record.duration_us = 412;
  record.request_bytes = 8192;
  record.response_bytes = 12;
  record.summary = {"/cds-services/{id}", "stepwise-order-sign", "order-sign", "", "id-1", 0};
  EXPECT_EQ(
      RequestLine(record),
      R"("event":"request","method":"POST","route":"/cds-services/{id}","status":200,"duration_us":412,)"
      R"("request_bytes":8192,"response_bytes":12,"service":"stepwise-order-sign","hook":"order-sign",)"
      R"("decision":"id-1","cards":0)");
}

}  // namespace
}  // namespace stepwise::cds_hooks
