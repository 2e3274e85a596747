#include "cds_hooks/prefetch_template.h"

#include <nlohmann/json.hpp>

#include "rules/local_evaluator.h"
#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

// kind:type[tokens][name:modifier=value ...], for comparison.
std::string Dump(const ParsedTemplate& parsed) {
  const char* const kinds[] = {"read", "reference", "search"};
  std::string out = std::string(kinds[static_cast<int>(parsed.kind)]) + " " + parsed.resource_type;
  for (const TemplateToken& token : parsed.tokens) {
    out += " " + token.name + "@" + std::to_string(token.begin) + "+" + std::to_string(token.length);
  }
  for (const TemplateParameter& parameter : parsed.parameters) {
    out += " [" + parameter.name + (parameter.modifier.empty() ? "" : ":") + parameter.modifier + "=" +
           parameter.value + "]";
  }
  return out;
}

TEST(PrefetchTemplate, Read) {
  const struct {
    const char *text, *dump;
  } rows[] = {
      {"Patient/{{context.patientId}}", "read Patient context.patientId@8+21"},
      {"Encounter/{{ context.encounterId }}", "read Encounter context.encounterId@10+25"},
      {"ValueSet/opioids.1", "read ValueSet"},
      {"{{context.userId}}", "reference  context.userId@0+18"},
      {"MedicationRequest?patient={{context.patientId}}&status=active,on-hold",
       "search MedicationRequest context.patientId@26+21 [patient={{context.patientId}}] "
       "[status=active,on-hold]"},
      {"Observation?subject=Patient/{{context.patientId}}&code=http://loinc.org|72514-3,38208-5&_sort=-date"
       "&_count=50",
       "search Observation context.patientId@28+21 [subject=Patient/{{context.patientId}}] "
       "[code=http://loinc.org|72514-3,38208-5] [_sort=-date] [_count=50]"},
      {"Condition?patient={{context.patientId}}&code:in=http://example.org/ValueSet/pain",
       "search Condition context.patientId@18+21 [patient={{context.patientId}}] "
       "[code:in=http://example.org/ValueSet/pain]"},
      {"Observation?patient={{context.patientId}}&date=ge2024-01-01&date=lt2025-01-01T00:00:00%2B01:00",
       "search Observation context.patientId@20+21 [patient={{context.patientId}}] [date=ge2024-01-01] "
       "[date=lt2025-01-01T00:00:00%2B01:00]"},
      {"Observation?date=eq2024&date=gt2024-01&date=le2024-12-31",
       "search Observation [date=eq2024] [date=gt2024-01] [date=le2024-12-31]"},
      {"PractitionerRole?_id={{userPractitionerRoleId}}",
       "search PractitionerRole userPractitionerRoleId@21+26 [_id={{userPractitionerRoleId}}]"},
      {"Observation?code=net,sad,apex&_sort=-date,code&_lastUpdated=ge2024",
       "search Observation [code=net,sad,apex] [_sort=-date,code] [_lastUpdated=ge2024]"},
  };
  for (const auto& row : rows) {
    const Result<ParsedTemplate> parsed = ParseTemplate(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text << ": " << parsed.error().ToString();
    EXPECT_EQ(Dump(*parsed), row.dump);
    EXPECT_EQ(parsed->text, row.text);
  }
}

TEST(PrefetchTemplate, OutsideOfTheSubset) {
  const struct {
    const char* text;
    Code code;
    const char* error;  // how it begins: the place, and what is wrong
  } rows[] = {
      {"", Code::kSyntax, "1:1: expected Type/id or Type?search"},
      {"Patient", Code::kSyntax, "1:1: expected Type/id or Type?search"},
      {"Patient/", Code::kSemantic, "1:9: \"\": expected one id or one token"},
      {"Patient/{{context.patientId}}/_history", Code::kSemantic, "1:9: "},
      {"Patient/{{context.patientId}}/$everything", Code::kSemantic, "1:9: "},
      {"Patient/a{{context.patientId}}", Code::kSemantic, "1:9: "},
      {"Patient/..", Code::kSemantic, "1:9: \"..\": expected one id or one token"},
      {"Patien/{{context.patientId}}", Code::kSemantic, "1:1: \"Patien\" is no type of FHIR R4 resource"},
      {"DomainResource/1", Code::kSemantic, "1:1: "},
      {"Quantity/1", Code::kSemantic, "1:1: "},
      {"/Patient/1", Code::kSemantic, "1:1: \"\" is no type"},
      {"https://example.org/Patient/1", Code::kSemantic, "1:1: "},
      {"{{context.userId}}?x=1", Code::kSemantic, "1:1: "},
      {"Patient/{{context.patientId", Code::kSyntax, "1:9: \"{{\" without \"}}\""},
      {"Patient/{{}}", Code::kSyntax, "1:9: \"{{}}\" is no token"},
      {"Patient/{{%patient.id}}", Code::kSyntax, "1:9: "},
      {"Observation?date=ge{{today() - 30 days}}", Code::kSyntax, "1:20: "},
      {"Patient/{context.patientId}", Code::kSyntax, "1:9: a character that no FHIR query holds"},
      {"Patient?_id=a b", Code::kSyntax, "1:14: a character"},
      {"Patient?_id=a#b", Code::kSyntax, "1:14: a character"},
      {"Patient?name=Stra\xC3\x9F"
       "e",
       Code::kSyntax, "1:18: a character"},
      {"Patient?_id=a%2", Code::kSyntax, "1:14: \"%\" without two hexadecimal digits"},
      {"Patient?", Code::kSyntax, "1:9: expected name=value"},
      {"Patient?_id", Code::kSyntax, "1:9: expected name=value"},
      {"Patient?_id=", Code::kSyntax, "1:9: expected name=value"},
      {"Patient?=a", Code::kSyntax, "1:9: expected name=value"},
      {"Patient?_id=a&&_count=1", Code::kSyntax, "1:15: expected name=value"},
      {"Patient?_id=a,,b", Code::kSyntax, "1:9: an empty value"},
      {"Patient?{{context.patientId}}=a", Code::kSemantic, "1:9: "},
      {"MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication",
       Code::kSemantic,
       "1:49: \"_include=MedicationRequest:medication\": of the parameters with an underscore only"},
      {"Patient?_id=1&_revinclude=Observation:subject", Code::kSemantic, "1:15: "},
      {"Patient?_has:Observation:patient:code=1234-5", Code::kSemantic, "1:9: "},
      {"Patient?_id=1&_elements=name", Code::kSemantic, "1:15: "},
      {"Observation?patient.identifier=a", Code::kSemantic,
       "1:13: \"patient.identifier=a\": parameters cannot be chained"},
      {"Observation?subject:Patient.name=a", Code::kSemantic, "1:13: "},
      {"Observation?code:not=1", Code::kSemantic, "1:13: \"code:not=1\": of the modifiers only :in"},
      {"Observation?code:in:not=1", Code::kSemantic, "1:13: "},
      {"Observation?code:=1", Code::kSyntax, "1:13: \":\" without a modifier"},
      {"Observation?date:missing=true", Code::kSemantic, "1:13: "},
      {"Observation?patient=a&sort:desc=date", Code::kSemantic, "1:23: "},  // an example of the specification
      {"Observation?date=ne2024", Code::kSemantic, "1:13: \"date=ne2024\": of the prefixes only"},
      {"Observation?date=sa2024-01", Code::kSemantic, "1:13: "},
      {"Observation?date=eb2024-01-01", Code::kSemantic, "1:13: "},
      {"Observation?date=ap2024", Code::kSemantic, "1:13: "},
      {"Observation?value-quantity=gt5.4", Code::kSemantic,
       "1:13: \"value-quantity=gt5.4\": prefixes can be used with dates only"},
      {"Observation?date=ge2024-13", Code::kSemantic, "1:13: "},
      {"Observation?code-value-quantity=a$gt5", Code::kSemantic, "1:13: "},
      {"Observation?patient=a&_count=0", Code::kSemantic, "1:23: \"_count=0\": expected a whole number"},
      {"Observation?patient=a&_count=ten", Code::kSemantic, "1:23: "},
      {"Observation?patient=a&_sort=date:desc", Code::kSemantic, "1:23: "},
  };
  for (const auto& row : rows) {
    const Result<ParsedTemplate> parsed = ParseTemplate(row.text);
    ASSERT_FALSE(parsed.has_value()) << row.text;
    EXPECT_EQ(parsed.error().code, row.code) << row.text;
    EXPECT_TRUE(parsed.error().ToString().starts_with(row.error))
        << row.text << "\n  " << parsed.error().ToString();
  }
}

TEST(PrefetchTemplate, Tokens) {
  const struct {
    const char *hook, *text, *error;  // error: "" when the token can be used
  } rows[] = {
      {"order-sign", "Patient/{{context.patientId}}", ""},
      {"order-sign", "{{context.userId}}", ""},
      {"order-sign", "Practitioner/{{userPractitionerId}}", ""},
      {"order-sign", "MedicationRequest?requester={{context.userId}}", ""},
      {"order-dispatch", "Task?owner={{context.performer}}", ""},
      {"encounter-start", "Encounter/{{context.encounterId}}", ""},
      {"order-sign", "Patient/{{context.draftOrders}}",
       "1:9: the hook order-sign has no token {{context.draftOrders}} for this place; use context.userId, "
       "context.patientId, context.encounterId, or the id of the user (userPractitionerId, ...)"},
      {"order-sign", "Patient/{{context.patientId.id}}", "1:9: "},
      {"order-sign", "Task?owner={{context.performer}}", "1:12: "},                     // another hook's
      {"order-dispatch", "ServiceRequest?_id={{context.dispatchedOrders}}", "1:20: "},  // an array
      {"order-dispatch", "Practitioner/{{userPractitionerId}}", "1:14: "},              // has no userId
      {"order-sign", "Patient/{{patientId}}", "1:9: "},
      {"order-sign", "Practitioner/{{context.userId}}", "1:14: "},  // would be Practitioner/Practitioner/1
      {"order-sign", "{{context.patientId}}", "1:1: "},             // no query
      {"order-sign", "{{userPractitionerId}}", "1:1: "},
  };
  for (const auto& row : rows) {
    const Result<ParsedTemplate> parsed = ParseTemplate(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    const Status status = CheckTokens(*parsed, *FindHook(row.hook));
    EXPECT_EQ(status.has_value(), *row.error == '\0') << row.text;
    if (status) continue;
    EXPECT_EQ(status.error().code, Code::kSemantic);
    EXPECT_TRUE(status.error().ToString().starts_with(row.error)) << status.error().ToString();
  }
}

Result<std::string> ResolveIn(std::string_view hook, const char* context, std::string_view text) {
  nlohmann::json request = {
      {"hook", hook}, {"hookInstance", "i"}, {"context", nlohmann::json::parse(context)}};
  const Result<Document> document = Document::Parse(request.dump());
  if (!document) return tl::unexpected(document.error());
  STEPWISE_ASSIGN_OR_RETURN(const Request read, ReadRequest(*document, nullptr));
  STEPWISE_ASSIGN_OR_RETURN(const ParsedTemplate parsed, ParseTemplate(text));
  STEPWISE_RETURN_IF_ERROR(CheckTokens(parsed, *read.hook));
  return Resolve(parsed, read);
}

TEST(PrefetchTemplate, Resolve) {
  constexpr char kContext[] =
      R"({"userId":"PractitionerRole/r-1","patientId":"p.1","encounterId":"Encounter/e1"})";
  const struct {
    const char *context, *text, *query;
  } rows[] = {
      {kContext, "Patient/{{context.patientId}}", "Patient/p.1"},
      {kContext, "Encounter/{{ context.encounterId }}", "Encounter/e1"},
      {kContext, "{{context.userId}}", "PractitionerRole/r-1"},
      {kContext, "PractitionerRole?_id={{userPractitionerRoleId}}", "PractitionerRole?_id=r-1"},
      {kContext, "Observation?performer={{context.userId}}&subject=Patient/{{context.patientId}}",
       "Observation?performer=PractitionerRole/r-1&subject=Patient/p.1"},
      {kContext, "Observation?patient={{context.patientId}}&code=http://loinc.org|1-2,3%20",
       "Observation?patient=p.1&code=http://loinc.org%7C1-2,3%20"},
      {kContext, "Observation?date=ge2024-01-01T00:00:00+01:00",
       "Observation?date=ge2024-01-01T00:00:00%2B01:00"},
      {R"({"userId":"Practitioner/1","patientId":"Patient/p1"})", "Patient/{{context.patientId}}",
       "Patient/p1"},
      {R"({"userId":"Patient/p1","patientId":"p1"})", "Patient/{{userPatientId}}", "Patient/p1"},
      {R"({"userId":"RelatedPerson/x","patientId":"p1"})", "RelatedPerson/{{userRelatedPersonId}}",
       "RelatedPerson/x"},
      {kContext, "ValueSet/opioids", "ValueSet/opioids"},
  };
  for (const auto& row : rows) {
    const Result<std::string> query = ResolveIn("patient-view", row.context, row.text);
    ASSERT_TRUE(query.has_value()) << row.text << ": " << query.error().ToString();
    EXPECT_EQ(*query, row.query);
  }
}

TEST(PrefetchTemplate, WhatCannotBeResolved) {
  const struct {
    const char *context, *text;
    Code code;
    const char* error;
  } rows[] = {
      {R"({"userId":"Practitioner/1","patientId":"p1"})", "Encounter/{{context.encounterId}}",
       Code::kFailedPrecondition,
       "context.encounterId: {{context.encounterId}} has no value in this request"},
      {R"({"userId":"Practitioner/1","patientId":"p1"})", "PractitionerRole?_id={{userPractitionerRoleId}}",
       Code::kFailedPrecondition, "context.userId: {{userPractitionerRoleId}} has no value in this request"},
      {R"({"userId":"PractitionerRole/1","patientId":"p1"})", "Practitioner/{{userPractitionerId}}",
       Code::kFailedPrecondition, "context.userId: {{userPractitionerId}} has no value in this request"},
      {R"({"userId":"Practitioner/1?x","patientId":"p1"})", "Practitioner/{{userPractitionerId}}",
       Code::kInvalidArgument, "context.userId: expected a FHIR id after the type"},
      {R"({"userId":"dr-jones","patientId":"p1"})", "{{context.userId}}", Code::kInvalidArgument,
       "context.userId: expected a reference, such as \"Practitioner/1\""},
      {R"({"userId":"Wizard/1","patientId":"p1"})", "{{context.userId}}", Code::kInvalidArgument,
       "context.userId: expected a reference, such as \"Practitioner/1\""},
      {R"({"userId":"https://example.org/Practitioner/1","patientId":"p1"})", "{{context.userId}}",
       Code::kInvalidArgument, "context.userId: expected a reference, such as \"Practitioner/1\""},
  };
  for (const auto& row : rows) {
    const Result<std::string> query = ResolveIn("patient-view", row.context, row.text);
    ASSERT_FALSE(query.has_value()) << row.text;
    EXPECT_EQ(query.error().code, row.code);
    EXPECT_EQ(query.error().ToString(), row.error);
  }
}

TEST(PrefetchTemplate, NoValueLeavesItsPlace) {
  for (const char* id : {"p1&_count=1", "p1/../../Patient", "a/b", "p1?x=y", "p1#", "p 1", "p%31", "..", ".",
                         "p1\\u0000", "\\u00FC", "p1,p2", "p|1", "Practitioner/1",
                         "0123456789012345678901234567890123456789012345678901234567890123x"}) {
    const std::string context = R"({"userId":"Practitioner/1","patientId":")" + std::string(id) + "\"}";
    for (const char* text : {"Patient/{{context.patientId}}", "Observation?patient={{context.patientId}}"}) {
      const Result<std::string> query = ResolveIn("patient-view", context.c_str(), text);
      ASSERT_FALSE(query.has_value()) << *query;
      EXPECT_EQ(query.error().code, Code::kInvalidArgument);
      EXPECT_EQ(query.error().ToString(), "context.patientId: expected a FHIR id");
    }
  }
}

TEST(PrefetchTemplate, OurPacksStayInTheSubset) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string(),
                              (SourceDir() / "tests/rules/first-pack").string()};
  const auto evaluator = rules::LoadLocalEvaluator(dirs);
  ASSERT_TRUE(evaluator.has_value()) << evaluator.error().ToString();
  const auto packs = (*evaluator)->ListPacks();
  ASSERT_TRUE(packs.has_value()) << packs.error().ToString();
  int checked = 0;
  for (const rules::PackInfo& pack : *packs) {
    for (const rules::PrefetchTemplate& needed : pack.prefetch) {
      const Result<ParsedTemplate> parsed = ParseTemplate(needed.query);
      ASSERT_TRUE(parsed.has_value())
          << pack.ref.id << " " << needed.key << ": " << parsed.error().ToString();
      for (const std::string& hook : needed.hooks) {
        EXPECT_TRUE(CheckTokens(*parsed, *FindHook(hook)).has_value()) << pack.ref.id << " " << needed.key;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 10);
}

}  // namespace
}  // namespace stepwise::cds_hooks
