// REQ- and HK-: what a request must say, and the context of each hook.

#include "tests/cds_hooks/requirements/requirement.h"

namespace stepwise::cds_hooks {
namespace {

int StatusOf(const Json& request, const char* hook = "order-sign") {
  const Reply reply = EveryHook().Call(hook, request);
  EXPECT_EQ(reply.status != 200, IsOperationOutcome(reply.json)) << reply.body;
  return reply.status;
}

// With the member at the JSON pointer left out, or replaced.
Json Without(Json request, const std::string& parent, const char* key) {
  request[Json::json_pointer(parent)].erase(key);
  return request;
}
Json With(Json request, const char* place, Json value) {
  request[Json::json_pointer(place)] = std::move(value);
  return request;
}

const Json kGood = GoodRequest("order-sign");
const Json kAuthorization = {{"access_token", "t"},
                             {"token_type", "Bearer"},
                             {"expires_in", 300},
                             {"scope", "user/*.read"},
                             {"subject", "s"}};

TEST(Requirement, REQ_01_AServiceIsCalledByPost) { EXPECT_EQ(StatusOf(kGood), 200); }

TEST(Requirement, REQ_02_HookIsRequired) {
  EXPECT_EQ(StatusOf(Without(kGood, "", "hook")), 400);
  for (const Json& wrong :
       {Json(nullptr), Json(""), Json(1), Json::array({"order-sign"}), Json("order-sing")})
    EXPECT_EQ(StatusOf(With(kGood, "/hook", wrong)), 400) << wrong.dump();
}

TEST(Requirement, REQ_03_HookInstanceIsRequiredInWhateverForm) {
  EXPECT_EQ(StatusOf(Without(kGood, "", "hookInstance")), 400);
  EXPECT_EQ(StatusOf(With(kGood, "/hookInstance", 7)), 400);
  EXPECT_EQ(StatusOf(With(kGood, "/hookInstance", "no-uuid")), 200);
}

TEST(Requirement, REQ_04_ContextIsRequired) {
  EXPECT_EQ(StatusOf(Without(kGood, "", "context")), 400);
  for (const Json& wrong : {Json(nullptr), Json("p1"), Json::array(), Json::array({kGood["context"]})})
    EXPECT_EQ(StatusOf(With(kGood, "/context", wrong)), 400) << wrong.dump();
}

TEST(Requirement, REQ_05_FhirServerGoesWithFhirAuthorization) {
  EXPECT_EQ(StatusOf(With(kGood, "/fhirAuthorization", kAuthorization)), 400);
  const Json both =
      With(With(kGood, "/fhirAuthorization", kAuthorization), "/fhirServer", "https://example.org/fhir");
  EXPECT_EQ(StatusOf(both), 200);
  for (const Json& wrong : {Json("example.org/fhir"), Json("ftp://example.org"), Json(1)})
    EXPECT_EQ(StatusOf(With(both, "/fhirServer", wrong)), 400) << wrong.dump();
}

TEST(Requirement, REQ_06_FhirAuthorizationMayBeAbsent) {
  EXPECT_EQ(StatusOf(With(kGood, "/fhirServer", "https://example.org/fhir")), 200);
  EXPECT_EQ(StatusOf(With(kGood, "/fhirAuthorization", "t")), 400);
}

TEST(Requirement, REQ_07_PrefetchMayBePartialAbsentOrNull) {
  EXPECT_EQ(StatusOf(Without(kGood, "/prefetch", "meds")), 200);  // which is optional
  EXPECT_EQ(StatusOf(Without(kGood, "", "prefetch")), 412);       // well formed, and not enough
  EXPECT_EQ(StatusOf(With(kGood, "/prefetch", nullptr)), 412);
  EXPECT_EQ(StatusOf(With(kGood, "/prefetch/patient", nullptr)), 200);
  EXPECT_EQ(StatusOf(With(kGood, "/prefetch/patient", "Patient/p1")), 400);
}

TEST(Requirement, REQ_08_AServiceAnswersItsOwnHookOnly) {
  EXPECT_EQ(StatusOf(kGood, "patient-view"), 400);
  EXPECT_EQ(StatusOf(GoodRequest("patient-view")), 400);
}

TEST(Requirement, REQ_09_AHookInstanceMayComeAgain) {
  const Reply first = EveryHook().Call("order-sign", kGood), second = EveryHook().Call("order-sign", kGood);
  EXPECT_EQ(first.status, 200);
  EXPECT_FALSE(first.json["cards"].empty());
  EXPECT_EQ(second.body, first.body);
}

TEST(Requirement, REQ_10_MediaTypesOfJsonAreTaken) {
  for (const char* type : {"application/json", "application/json; charset=utf-8", "application/fhir+json",
                           "Application/JSON;charset=\"UTF-8\"", ""})
    EXPECT_EQ(EveryHook().Post("/cds-services/stepwise-order-sign", kGood.dump(), type).status, 200) << type;
}

TEST(Requirement, REQ_11_WhatCannotBeReadIsRefusedWithAReason) {
  const std::string good = kGood.dump();
  ServiceOptions options = MakeServiceOptions(Config{});
  options.calls.pipeline.limits.max_bytes = 64;
  TestService small("tests/cds_hooks/requirements/pack", options);
  const struct {
    TestService& service;
    std::string body;
    const char* type;
    int status;
  } rows[] = {
      {EveryHook(), "", "application/json", 400},
      {EveryHook(), good.substr(0, good.size() - 1), "application/json", 400},
      {EveryHook(), "// a comment\n" + good, "application/json", 400},
      {EveryHook(), "[" + good + "]", "application/json", 400},
      {EveryHook(), good + good, "application/json", 400},
      {EveryHook(), "\xEF\xBB\xBF\xFF", "application/json", 400},
      {EveryHook(), "{\"hook\":\"order-sign\"," + good.substr(1), "application/json", 400},  // twice
      {EveryHook(), "{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", "application/json", 413},
      {small, good, "application/json", 413},
      {EveryHook(), good, "text/plain", 415},
      {EveryHook(), good, "application/xml", 415}};
  for (const auto& row : rows) {
    const Reply reply = row.service.Post("/cds-services/stepwise-order-sign", row.body, row.type);
    EXPECT_EQ(reply.status, row.status) << row.type << " " << row.body.substr(0, 60);
    EXPECT_TRUE(IsOperationOutcome(reply.json)) << reply.body;
  }
}

// `required` and `optional`: the context fields of the hook by the hook library, separated by spaces.
void CheckContext(const char* hook, std::string required, std::string optional) {
  const Json good = GoodRequest(hook);
  EXPECT_EQ(StatusOf(good, hook), 200);
  EXPECT_EQ(StatusOf(With(good, "/context/somethingElse", {{"a", 1}}), hook), 200);
  std::size_t fields = 0;
  const auto each = [&](std::string& names, const auto& check) {
    std::istringstream words(names);
    for (std::string name; words >> name; ++fields) check(name);
  };
  each(required, [&](const std::string& name) {
    EXPECT_EQ(StatusOf(Without(good, "/context", name.c_str()), hook), 400) << hook << " without " << name;
    for (const Json& wrong : {Json(nullptr), Json(true), Json(12)})
      EXPECT_EQ(StatusOf(With(good, ("/context/" + name).c_str(), wrong), hook), 400) << hook << " " << name;
  });
  each(optional, [&](const std::string& name) {
    EXPECT_EQ(StatusOf(Without(good, "/context", name.c_str()), hook), 200) << hook << " without " << name;
    EXPECT_EQ(StatusOf(With(good, ("/context/" + name).c_str(), true), hook), 400) << hook << " " << name;
  });
  EXPECT_EQ(FindHook(hook)->fields.size(), fields) << hook << ": the table has other fields";
}

TEST(Requirement, HK_01_PatientView) { CheckContext("patient-view", "userId patientId", "encounterId"); }
TEST(Requirement, HK_02_OrderSelect) {
  CheckContext("order-select", "userId patientId selections draftOrders", "encounterId");
  const Json good = GoodRequest("order-select");
  EXPECT_EQ(StatusOf(With(good, "/context/selections", {1}), "order-select"), 400);
  EXPECT_EQ(StatusOf(With(good, "/context/selections", "MedicationRequest/o1"), "order-select"), 400);
}
TEST(Requirement, HK_03_OrderSign) {
  CheckContext("order-sign", "userId patientId draftOrders", "encounterId");
  // Orders that are signed again need not be drafts.
  const Json active = With(kGood, "/context/draftOrders/entry/0/resource/status", "active");
  EXPECT_EQ(StatusOf(active), 200);
}
TEST(Requirement, HK_04_OrderDispatch) {
  CheckContext("order-dispatch", "patientId dispatchedOrders performer", "fulfillmentTasks");
  EXPECT_EQ(
      StatusOf(With(GoodRequest("order-dispatch"), "/context/userId", "Practitioner/1"), "order-dispatch"),
      200);
}
TEST(Requirement, HK_05_EncounterStart) {
  CheckContext("encounter-start", "userId patientId encounterId", "");
}
TEST(Requirement, HK_06_EncounterDischarge) {
  CheckContext("encounter-discharge", "userId patientId encounterId", "");
}
TEST(Requirement, HK_07_AppointmentBook) {
  CheckContext("appointment-book", "userId patientId appointments", "encounterId");
}
TEST(Requirement, HK_08_MedicationRefill) {
  CheckContext("medication-refill", "patientId medications", "userId encounterId");
}
TEST(Requirement, HK_11_MedicationVerify) {
  CheckContext("medication-verify", "userId patientId medication", "encounterId");
  // The library's own examples write `order`, with the resource in a wrapper.
  Json other = Without(GoodRequest("medication-verify"), "/context", "medication");
  other["context"]["order"] = {{"resource", DraftOrder()}};
  EXPECT_EQ(StatusOf(other, "medication-verify"), 200);
}

// Hooks that are not answered have no service, and no other service takes them.
void CheckNotAnswered(const char* hook) {
  EXPECT_EQ(FindHook(hook), nullptr);
  EXPECT_EQ(StatusOf(With(GoodRequest("patient-view"), "/hook", hook), hook), 404);
  EXPECT_EQ(StatusOf(With(GoodRequest("patient-view"), "/hook", hook), "patient-view"), 400);
}

TEST(Requirement, HK_09_ProblemListItemCreateIsNotAnswered) { CheckNotAnswered("problem-list-item-create"); }
TEST(Requirement, HK_10_AllergyIntoleranceCreateIsNotAnswered) {
  CheckNotAnswered("allergyintolerance-create");
}
TEST(Requirement, HK_12_DeprecatedHooksAreNotAnswered) {
  CheckNotAnswered("medication-prescribe");
  CheckNotAnswered("order-review");
}

TEST(Requirement, HK_20_ThePatientIdMayCarryItsType) {
  const auto cards = [](const char* id) {
    return CardsWithoutIds(EveryHook().Call("order-sign", With(kGood, "/context/patientId", id)).json);
  };
  EXPECT_EQ(cards("p1").size(), 3u);
  EXPECT_EQ(cards("Patient/p1"), cards("p1"));
  EXPECT_EQ(StatusOf(With(kGood, "/context/patientId", "Patient/")), 400);
}

TEST(Requirement, HK_21_DraftOrdersMayLackNearlyEverything) {
  for (
      const char* entries :
      {R"([])", R"([{}])", R"([{"resource":{"resourceType":"MedicationRequest"}}])",
       R"([{"resource":{"resourceType":"MedicationRequest","id":"o1","status":"draft","intent":"order"}}])",
       R"([{"fullUrl":"urn:uuid:1","resource":{"resourceType":"MedicationRequest","dosageInstruction":[{}]}}])",
       R"([{"resource":{"resourceType":"MedicationRequest","medicationCodeableConcept":{}}}])",
       R"([{"resource":{"resourceType":"MedicationRequest","medicationReference":{"reference":"Medication/m"}}}])",
       R"([{"resource":{"resourceType":"Unheard"}}])"}) {
    for (const char* hook : {"order-select", "order-sign"}) {
      Json request = GoodRequest(hook);
      request["context"]["draftOrders"] = {{"resourceType", "Bundle"}, {"entry", Json::parse(entries)}};
      const Reply reply = Shipped().Call(hook, request);
      EXPECT_EQ(reply.status, 200) << entries << "\n" << reply.body;
      EXPECT_EQ(reply.json["cards"], Json::array()) << entries << "\n" << reply.body;
    }
  }
}

TEST(Requirement, HK_22_EachServiceSaysWhichFhirVersionItTakes) {
  for (const Json& service : ServicesOf(Shipped()))
    EXPECT_TRUE(service["usageRequirements"].get<std::string>().starts_with("FHIR R4.")) << service.dump();
}

}  // namespace
}  // namespace stepwise::cds_hooks
