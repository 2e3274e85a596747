#include "cds_hooks/prefetch.h"

#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

constexpr char kSearch[] = "MedicationRequest?patient={{context.patientId}}";

struct Row {
  const char* prefetch;  // the request's prefetch member, "" for none
  const char* query;
  const char* error;  // how the error begins, "" = answered
};
constexpr Row kRows[] = {
    {"", kSearch, "prefetch.meds: prefetch `meds` was not supplied"},
    {R"({})", kSearch, "prefetch.meds: prefetch `meds` was not supplied"},
    {R"({"other":{"meds":null},"more":null})", kSearch, "prefetch.meds: prefetch `meds` was not supplied"},
    {R"({"meds":null})", kSearch, ""},
    {R"({"a":{"resourceType":"Bundle","entry":[{}]},"meds":null,"b":null})", kSearch, ""},
    {R"({"meds":{"resourceType":"Bundle"}})", kSearch, ""},
    {R"({"meds":{"resourceType":"Bundle","entry":[]}})", kSearch, ""},
    {R"({"meds":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"MedicationRequest"}}]}})",
     kSearch, ""},
    {R"({"meds":{"resourceType":"OperationOutcome"}})", kSearch, "prefetch.meds: prefetch `meds` failed"},
    {R"({"meds":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"OperationOutcome"}}]}})",
     kSearch, "prefetch.meds: prefetch `meds` failed in part"},
    {R"({"meds":{"x":1}})", kSearch, "prefetch.meds: prefetch `meds` is no FHIR resource"},
    {R"({"meds":{"resourceType":"Bundle","link":[{"relation":"self"},{"relation":"next","url":"x"}]}})",
     kSearch, "prefetch.meds: prefetch `meds` is incomplete"},
    {R"({"meds":{"resourceType":"Bundle","link":[{"relation":"next","url":"x"}]}})",
     "Observation?patient={{context.patientId}}&_count=1", ""},
    {R"({"meds":{"resourceType":"Patient","id":"p1"}})", "Patient/{{context.patientId}}", ""},
};

std::vector<Error> Missing(std::string_view prefetch, const std::vector<rules::PrefetchTemplate>& templates) {
  std::string text =
      R"({"hook":"patient-view","hookInstance":"i","context":{"userId":"a/b","patientId":"p1"})";
  if (!prefetch.empty()) text += ",\"prefetch\":" + std::string(prefetch);
  const Result<Document> document = Document::Parse(text + "}");
  if (!document) {
    ADD_FAILURE() << document.error().ToString();
    return {};
  }
  const Result<Request> request = ReadRequest(*document, nullptr);
  if (!request) {
    ADD_FAILURE() << request.error().ToString();
    return {};
  }
  return MissingPrefetch(PrefetchGaps(*request, templates));
}

TEST(Prefetch, States) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.prefetch);
    const std::vector<Error> errors = Missing(row.prefetch, {{"meds", row.query, true, {"patient-view"}}});
    if (*row.error == '\0') {
      EXPECT_TRUE(errors.empty()) << errors.front().ToString();
      continue;
    }
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].code, Code::kFailedPrecondition);
    EXPECT_EQ(errors[0].ToString().substr(0, std::string_view(row.error).size()), row.error);
  }
}

TEST(Prefetch, OptionalKeysAreNeverMissing) {
  EXPECT_TRUE(Missing("", {{"meds", kSearch, false, {"patient-view"}}}).empty());
  EXPECT_TRUE(
      Missing(R"({"meds":{"resourceType":"OperationOutcome"}})", {{"meds", kSearch, false, {}}}).empty());
}

TEST(Prefetch, NamesEveryMissingKeyAndWhatToSend) {
  const std::vector<Error> errors = Missing(
      R"({"b":null})",
      {{"a", "Patient/{{context.patientId}}", true, {}}, {"b", kSearch, true, {}}, {"c", kSearch, true, {}}});
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].ToString(),
            "prefetch.a: prefetch `a` was not supplied, and rules cannot do without it; send the answer to "
            "Patient/{{context.patientId}}, or null if there is none");
  EXPECT_EQ(errors[1].path, "prefetch.c");
}

// What a request becomes with {"meds": V, "pain": null} put into it.
struct FillRow {
  const char* root_members;  // of the request, beside hook, hookInstance and context
  const char* filled;        // what they become
};
constexpr FillRow kFills[] = {
    {"", R"("prefetch":{"meds":V,"pain":null},)"},
    {R"("prefetch":{},)", R"("prefetch":{"meds":V,"pain":null},)"},
    {R"("prefetch":null,)", R"("prefetch":{"meds":V,"pain":null},)"},
    {R"("prefetch":{"meds":{"resourceType":"OperationOutcome"},"patient":{"resourceType":"Patient","x":1.50}},)",
     R"("prefetch":{"patient":{"resourceType":"Patient","x":1.50},"meds":V,"pain":null},)"},
    {R"("prefetch":{"other":{"a":1},"patient":null},"fhirServer":"https://f",)",
     R"("prefetch":{"patient":null,"meds":V,"pain":null},"fhirServer":"https://f",)"},
};

TEST(Prefetch, PutsFetchedValuesIntoTheRequest) {
  const std::vector<rules::PrefetchTemplate> templates = {
      {"patient", "Patient/{{context.patientId}}", true, {}},
      {"meds", kSearch, true, {}},
      {"pain", kSearch, false, {}}};
  const std::string value = R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic"}}]})";
  const std::string rest =
      R"("hook":"patient-view","hookInstance":"i","context":{"userId":"a/b","patientId":"p"}})";
  for (const FillRow& row : kFills) {
    SCOPED_TRACE(row.root_members);
    const Result<Document> document = Document::Parse("{" + std::string(row.root_members) + rest);
    ASSERT_TRUE(document);
    const FetchedPrefetch values[] = {
        {"meds", value, ""}, {"pain", "null", ""}, {"patient", "", "no answer"}};
    const std::string filled = WithPrefetch(*document, templates, values);
    std::string expected = "{" + std::string(row.filled) + rest;
    expected.replace(expected.find(":V"), 2, ":" + value);
    EXPECT_EQ(filled, expected);
    const Result<Document> read = Document::Parse(filled);
    ASSERT_TRUE(read) << read.error().ToString();
    const Result<Request> request = ReadRequest(*read, nullptr);
    ASSERT_TRUE(request);
    for (const PrefetchGap& gap : PrefetchGaps(*request, templates)) EXPECT_EQ(gap.needed->key, "patient");
  }
}

}  // namespace
}  // namespace stepwise::cds_hooks
