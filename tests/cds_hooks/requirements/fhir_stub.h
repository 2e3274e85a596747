// FhirStub: a FHIR server that has what a test puts there, and remembers what it was asked.
//
//   FhirStub fhir;
//   fhir.answers["Patient/p1"] = Fhir(patient);
//   fhir.answers["MedicationRequest?patient=p1&status=active"] = Fhir(bundle);
//   Equipped equipped(fhir.ServerConfig());
//   fhir.AddTo(request);                       // fhirServer and fhirAuthorization
//   fhir.Asked()                               // sorted: calls are made at the same time
//
// What is not there gets 404, and a call without the right token 401. Set the answers while no call is made.
#ifndef STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_FHIR_STUB_H_
#define STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_FHIR_STUB_H_

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "tests/cds_hooks/requirements/equipped.h"
#include "tests/fhir/fake_http_server.h"

namespace stepwise::cds_hooks {

inline FakeReply Fhir(const Json& resource) {
  return {.body = resource.dump(), .headers = {{"Content-Type", "application/fhir+json"}}};
}
inline Json EmptyBundle() { return {{"resourceType", "Bundle"}, {"type", "searchset"}}; }

class FhirStub {
 public:
  explicit FhirStub(std::string token = "canary-token-7d1f") : token_(std::move(token)) {}

  std::string Url(std::string_view path = "/r4") const { return server_.Url(path); }
  Config ServerConfig() const {
    Config config = LocalConfig();
    config.fhir.servers = {Url()};
    return config;
  }
  void AddTo(Json& request) const {
    request["fhirServer"] = Url();
    request["fhirAuthorization"] = {{"access_token", token_},
                                    {"token_type", "Bearer"},
                                    {"expires_in", 300},
                                    {"scope", "patient/*.rs"},
                                    {"subject", "stepwise"}};
  }

  std::vector<FakeRequest> calls() const { return server_.requests(); }
  std::vector<std::string> Asked() const {
    std::vector<std::string> asked;
    for (const FakeRequest& call : calls()) asked.push_back(QuestionOf(call));
    std::sort(asked.begin(), asked.end());
    return asked;
  }

  std::map<std::string, FakeReply> answers;

 private:
  // A search is the same as POST and as GET.
  static std::string QuestionOf(const FakeRequest& call) {
    constexpr std::string_view kSearch = "/_search";
    std::string question = call.target.substr(std::min<std::size_t>(4, call.target.size()));  // "/r4/"
    if (question.ends_with(kSearch))
      question = question.substr(0, question.size() - kSearch.size()) + "?" + call.body;
    for (std::size_t at = 0; (at = question.find('%', at)) != std::string::npos; ++at) {
      const std::string digits = question.substr(at + 1, 2);
      question.replace(at, 3, 1, static_cast<char>(std::strtol(digits.c_str(), nullptr, 16)));
    }
    return question;
  }
  FakeReply Answer(const FakeRequest& call) const {
    if (!token_.empty() && call.Header("authorization") != "Bearer " + token_) return {.status = 401};
    const auto found = answers.find(QuestionOf(call));
    return found == answers.end() ? FakeReply{.status = 404} : found->second;
  }

  const std::string token_;
  FakeHttpServer server_{[this](const FakeRequest& call) { return Answer(call); }};
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_TESTS_CDS_HOOKS_REQUIREMENTS_FHIR_STUB_H_
