// GEN-02: the program itself, over TLS.

#include "tests/cds_hooks/http_client.h"
#include "tests/cds_hooks/program.h"
#include "tests/cds_hooks/requirements/requirement.h"
#include "tests/cds_hooks/test_certificates.h"

namespace stepwise::cds_hooks {
namespace {

TEST(Requirement, GEN_02_AllEndpointsAnswerOverTls) {
  const TempDir dir;
  const TestAuthority authority("Test CA");
  authority.Write(dir.path() / "ca.pem");
  authority.Issue("localhost", dir.path() / "server.pem", dir.path() / "server.key");
  const std::string config =
      "packs: [" + (SourceDir() / "tests/cds_hooks/requirements/pack").string() +
      "]\nstore: { url: none }\nrequest-deadline-ms: 60000\nevaluation-timeout-ms: 60000\n";
  WriteFile(dir.path() / "tls.yaml",
            config + "listen: 127.0.0.1:0\ntls: { certificate: server.pem, private-key: server.key }\n");
  Program server(dir.path(), "stepwise-server", {"--config", (dir.path() / "tls.yaml").string()});
  const std::uint16_t port = server.Port();
  EXPECT_NE(server.Output().find("listening on https://"), std::string::npos);

  const ClientTls tls = MakeClientTls(dir.path() / "ca.pem");
  const std::string sign = GoodRequest("order-sign").dump();
  const std::string feedback =
      R"({"feedback":[{"card":"9368d37b-283f-44a0-93ea-547cebab93ed","outcome":"accepted",)"
      R"("outcomeTimestamp":"2026-12-10T08:00:00Z"}]})";
  const struct {
    const char *method, *target;
    std::string body;
  } rows[] = {{"GET", "/cds-services", ""},
              {"POST", "/cds-services/stepwise-order-sign", sign},
              {"POST", "/cds-services/stepwise-order-sign/feedback", feedback}};
  for (const auto& row : rows) {
    const std::string request = std::string(row.method) + " " + row.target +
                                " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                                "Content-Length: " + std::to_string(row.body.size()) + "\r\n\r\n" + row.body;
    HttpClient client(port, tls.get());
    ASSERT_TRUE(client.connected()) << row.target;
    client.Send(request);
    EXPECT_EQ(StatusOf(client.Receive()), 200) << row.target;
    // There is no other way in.
    HttpClient plain(port);
    plain.Send(request);
    EXPECT_EQ(StatusOf(plain.Receive()), 0) << row.target;
  }
  EXPECT_EQ(server.Stop(), 0);

  // Beyond this machine nothing is served without it.
  WriteFile(dir.path() / "plain.yaml", config + "listen: 0.0.0.0:0\n");
  Program refused(dir.path(), "stepwise-server", {"--config", (dir.path() / "plain.yaml").string()});
  EXPECT_GT(refused.Wait(), 0);
  EXPECT_NE(refused.Errors().find("tls.certificate"), std::string::npos) << refused.Errors();
}

}  // namespace
}  // namespace stepwise::cds_hooks
