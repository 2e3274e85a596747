// PRE- and FHA-: prefetch templates and data, and the token for the client's FHIR server.

#include "cds_hooks/prefetch_template.h"
#include "rules/decision_json.h"
#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

void ForEachTemplate(const std::function<void(const std::string& hook, const std::string& query)>& check) {
  int templates = 0;
  for (TestService* one : {&Shipped(), &EveryHook()}) {
    for (const Json& service : ServicesOf(*one)) {
      for (const auto& [key, query] : service["prefetch"].items()) {
        SCOPED_TRACE(query.get<std::string>());
        check(service["hook"], query);
        ++templates;
      }
    }
  }
  EXPECT_GT(templates, 20);
}

std::vector<std::string> TokensOf(const std::string& query) {
  std::vector<std::string> tokens;
  const std::regex token("\\{\\{([^{}]*)\\}\\}");
  for (std::sregex_iterator at(query.begin(), query.end(), token), end; at != end; ++at)
    tokens.push_back((*at)[1]);
  return tokens;
}

// What the hook library marks as usable for prefetch and is one string.
const std::map<std::string, std::vector<std::string>> kTokens = {
    {"patient-view", {"userId", "patientId", "encounterId"}},
    {"order-select", {"userId", "patientId", "encounterId"}},
    {"order-sign", {"userId", "patientId", "encounterId"}},
    {"order-dispatch", {"patientId", "performer"}},
    {"encounter-start", {"userId", "patientId", "encounterId"}},
    {"encounter-discharge", {"userId", "patientId", "encounterId"}},
    {"appointment-book", {"userId", "patientId", "encounterId"}},
    {"medication-refill", {"userId", "patientId", "encounterId"}},
    {"medication-verify", {"userId", "patientId", "encounterId"}}};

// Whether a pack with this template would be taken into service.
bool IsServed(const char* hook, const std::string& query) {
  rules::PackInfo pack;
  pack.ref.id = "org.example.pack";
  pack.hooks = {hook};
  pack.prefetch.push_back({"key", query, true, {hook}});
  const Result<Catalog> catalog = BuildCatalog(std::span(&pack, 1));
  if (!catalog) {
    EXPECT_EQ(catalog.error().code, Code::kSemantic);
    EXPECT_TRUE(catalog.error().message.starts_with("pack org.example.pack, prefetch key"))
        << catalog.error().message;
  }
  return catalog.has_value();
}

TEST(Requirement, PRE_01_TokensStandInDoubleBraces) {
  ForEachTemplate([](const std::string&, const std::string& query) {
    std::string rest = std::regex_replace(query, std::regex("\\{\\{[A-Za-z.]+\\}\\}"), "");
    EXPECT_EQ(rest.find_first_of("{}"), std::string::npos);
    EXPECT_FALSE(TokensOf(query).empty());
  });
  EXPECT_FALSE(IsServed("order-sign", "Patient/{context.patientId}"));
  EXPECT_FALSE(IsServed("order-sign", "Patient/{{context.patientId}"));
}

TEST(Requirement, PRE_02_TokensAreContextFieldsOrTheUser) {
  for (const char* user :
       {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"})
    EXPECT_TRUE(IsServed("order-sign", "Basic/{{" + std::string(user) + "}}")) << user;
  for (const char* wrong :
       {"user", "userId", "userOrganizationId", "context", "context.nothing", "patientId"})
    EXPECT_FALSE(IsServed("order-sign", "Basic/{{" + std::string(wrong) + "}}")) << wrong;
}

TEST(Requirement, PRE_03_TokensAreRootLevelPrimitives) {
  ForEachTemplate([](const std::string& hook, const std::string& query) {
    for (const std::string& token : TokensOf(query)) {
      const std::vector<std::string>& allowed = kTokens.at(hook);
      const bool found = std::any_of(allowed.begin(), allowed.end(),
                                     [&](const std::string& field) { return token == "context." + field; });
      EXPECT_TRUE(found) << hook << " " << token;
    }
  });
  for (const HookSpec& hook : Hooks()) {
    const std::vector<std::string>& allowed = kTokens.at(std::string(hook.hook));
    for (const ContextField& field : hook.fields) {
      const bool may = std::find(allowed.begin(), allowed.end(), field.name) != allowed.end();
      EXPECT_EQ(IsServed(hook.hook.data(), "Basic?x={{context." + std::string(field.name) + "}}"), may)
          << hook.hook << " " << field.name;
    }
  }
  EXPECT_FALSE(IsServed("order-sign", "Basic?x={{context.draftOrders.entry}}"));
}

TEST(Requirement, PRE_04_ContextTokensAreWrittenWithContext) {
  ForEachTemplate([](const std::string&, const std::string& query) {
    for (const std::string& token : TokensOf(query))
      EXPECT_TRUE(token.starts_with("context.") || token.starts_with("user")) << token;
  });
  EXPECT_FALSE(IsServed("order-sign", "Patient/{{patientId}}"));
}

TEST(Requirement, PRE_05_NoSimplerFhirPathInTemplates) {
  for (const char* query :
       {"Observation?date=ge{{today() - 90 days}}", "Patient/{{%patient.id}}",
        "Encounter/{{context.encounterId.resolve()}}",
        "MedicationRequest?_id={{context.draftOrders.entry.resource.ofType(MedicationRequest).id}}"})
    EXPECT_FALSE(IsServed("order-sign", query)) << query;
}

TEST(Requirement, PRE_06_TemplatesStayInTheSubset) {
  ForEachTemplate([](const std::string& hook, const std::string& query) {
    const Result<ParsedTemplate> parsed = ParseTemplate(query);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().ToString();
    EXPECT_TRUE(CheckTokens(*parsed, *FindHook(hook)).has_value());
  });
  for (const char* query :
       {"MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication",
        "Observation?patient.name=x", "Observation?patient={{context.patientId}}&code:not=1",
        "Observation?patient={{context.patientId}}&date=ne2024", "Observation?_has:Group:member:_id=1",
        "Patient/{{context.patientId}}/$everything"})
    EXPECT_FALSE(IsServed("order-sign", query)) << query;
}

Reply CallWith(const char* key, const Json& value) {
  Json request = GoodRequest("order-sign");
  request["prefetch"][key] = value;
  return EveryHook().Call("order-sign", request);
}

TEST(Requirement, PRE_07_NullAndEmptyBundlesSayThatThereIsNothing) {
  const Json empty = {{"resourceType", "Bundle"}, {"type", "searchset"}};
  const Json zero = {{"resourceType", "Bundle"}, {"type", "searchset"}, {"total", 0}};
  const auto detail = [](const Reply& reply) { return reply.json["cards"][1].value("detail", ""); };
  const std::string unknown = "medications are not known";
  for (const Json& nothing : {Json(nullptr), empty, zero}) {
    const Reply reply = CallWith("meds", nothing);
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(detail(reply).find(unknown), std::string::npos) << reply.body;
  }
  Json absent = GoodRequest("order-sign");
  absent["prefetch"].erase("meds");
  const Reply reply = EveryHook().Call("order-sign", absent);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(detail(reply).find(unknown), std::string::npos) << reply.body;
}

TEST(Requirement, PRE_08_AnOperationOutcomeIsNoData) {
  const Json failed = {{"resourceType", "OperationOutcome"},
                       {"issue", {{{"severity", "error"}, {"code", "exception"}}}}};
  const Json in_bundle = {{"resourceType", "Bundle"}, {"entry", {{{"resource", failed}}}}};
  for (const Json& value : {failed, in_bundle}) {
    EXPECT_EQ(CallWith("patient", value).status, 412) << value.dump();
    const Reply optional = CallWith("meds", value);
    ASSERT_EQ(optional.status, 200) << optional.body;
    EXPECT_NE(optional.body.find("medications are not known"), std::string::npos) << optional.body;
  }
}

TEST(Requirement, PRE_11_MissingRequiredPrefetchIs412) {
  for (const char* key : {"patient", "conditions", "meds", "pain"}) {
    Json request = GoodRequest("order-sign");
    ASSERT_EQ(Shipped().Call("order-sign", request).status, 200);
    request["prefetch"].erase(key);
    const Reply reply = Shipped().Call("order-sign", request);
    EXPECT_EQ(reply.status, 412) << key;
    ASSERT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
    EXPECT_EQ(reply.json["issue"][0]["expression"][0], "prefetch." + std::string(key));
  }
}

TEST(Requirement, PRE_13_DataOfAnotherPatientAreRefused) {
  const char* const another =
      R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest",
      "id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/SECRET2"}}}]})";
  for (const Reply& reply : {CallWith("meds", Json::parse(another)),
                             CallWith("patient", {{"resourceType", "Patient"}, {"id", "SECRET2"}})}) {
    EXPECT_EQ(reply.status, 400) << reply.body;
    EXPECT_EQ(reply.body.find("SECRET2"), std::string::npos) << reply.body;
  }
  Json request = GoodRequest("order-sign");
  request["context"]["draftOrders"] = Json::parse(another);
  EXPECT_EQ(EveryHook().Call("order-sign", request).status, 400);
}

TEST(Requirement, PRE_14_KeysThatNobodyAskedForAreIgnored) {
  const Reply plain = EveryHook().Call("order-sign", GoodRequest("order-sign"));
  const Reply more = CallWith("somethingElse", {{"resourceType", "Basic"}, {"id", "b"}});
  EXPECT_EQ(more.status, 200);
  EXPECT_EQ(more.json["cards"].size(), plain.json["cards"].size());
}

Json Authorized() {
  Json request = GoodRequest("order-sign");
  request["fhirServer"] = "https://example.org/fhir";
  request["fhirAuthorization"] = {{"access_token", "CANARY"}, {"token_type", "Bearer"},
                                  {"expires_in", 300},        {"scope", "patient/Patient.read"},
                                  {"subject", "client"},      {"patient", "p1"}};
  return request;
}

TEST(Requirement, FHA_01_TheFieldsOfAnAuthorizationAreRequired) {
  EXPECT_EQ(EveryHook().Call("order-sign", Authorized()).status, 200);
  for (const char* key : {"access_token", "token_type", "expires_in", "scope", "subject"}) {
    Json request = Authorized();
    request["fhirAuthorization"].erase(key);
    EXPECT_EQ(EveryHook().Call("order-sign", request).status, 400) << key;
    request["fhirAuthorization"][key] = Json::array();
    EXPECT_EQ(EveryHook().Call("order-sign", request).status, 400) << key;
  }
  Json request = Authorized();
  request["fhirAuthorization"]["token_type"] = "MAC";
  EXPECT_EQ(EveryHook().Call("order-sign", request).status, 400);
}

TEST(Requirement, FHA_02_ATokenForAnotherPatientIsRefused) {
  for (const auto& [patient, status] :
       std::map<std::string, int>{{"p1", 200}, {"Patient/p1", 200}, {"p2", 400}}) {
    Json request = Authorized();
    request["fhirAuthorization"]["patient"] = patient;
    EXPECT_EQ(EveryHook().Call("order-sign", request).status, status) << patient;
  }
}

TEST(Requirement, FHA_04_TheTokenIsNeverRepeated) {
  std::vector<Json> requests = {Authorized(), Authorized(), Authorized(), Authorized()};
  requests[1]["prefetch"].erase("patient");                   // 412
  requests[2]["fhirAuthorization"]["expires_in"] = "CANARY";  // 400 at the token
  requests[3]["fhirServer"] = "CANARY";
  std::vector<int> statuses;
  for (const Json& request : requests) {
    const Reply reply = EveryHook().Call("order-sign", request);
    statuses.push_back(reply.status);
    EXPECT_EQ(reply.body.find("CANARY"), std::string::npos) << reply.body;
    const RequestSummary& summary = reply.response.summary;
    for (const std::string_view told :
         {summary.route, summary.service, summary.hook, summary.error, std::string_view(summary.decision)})
      EXPECT_EQ(told.find("CANARY"), std::string_view::npos);
  }
  EXPECT_EQ(statuses, (std::vector<int>{200, 412, 400, 400}));
  // Nor does a decision, of which records are made, hold any of it.
  const auto evaluator = rules::LoadLocalEvaluator(
      std::vector<std::string>{(SourceDir() / "tests/cds_hooks/requirements/pack").string()});
  ASSERT_TRUE(evaluator.has_value());
  const auto decision =
      (*evaluator)->Evaluate(*Document::Parse(Authorized().dump()), DateTime::FromUnixMillis(0), {});
  ASSERT_TRUE(decision.has_value());
  EXPECT_EQ(rules::DecisionJson(*decision).find("CANARY"), std::string::npos);
}

TEST(Requirement, FHA_06_ScopesOfBothSmartVersionsAreTaken) {
  for (const char* scope : {"patient/Patient.read user/Observation.read", "patient/Patient.rs user/*.rs",
                            "patient/Observation.rs?category=laboratory"}) {
    Json request = Authorized();
    request["fhirAuthorization"]["scope"] = scope;
    EXPECT_EQ(EveryHook().Call("order-sign", request).status, 200) << scope;
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
