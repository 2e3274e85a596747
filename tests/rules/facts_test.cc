#include "rules/facts.h"

#include <gtest/gtest.h>

namespace stepwise::rules {
namespace {

Result<Document> Request(const std::string& prefetch) {
  return Document::Parse(R"({"hook":"patient-view","context":{"patientId":"p1"},"prefetch":{)" + prefetch +
                         "}}");
}

TEST(Facts, TellEmptyFromUnknown) {
  struct Row {
    const char* prefetch;
    FactState state;
  };
  const std::string query = "Observation?patient=x";
  const Row rows[] = {
      {"", FactState::kAbsent},
      {R"("other":null)", FactState::kAbsent},
      {R"("k":null)", FactState::kKnownEmpty},
      {R"("k":{"resourceType":"Bundle","type":"searchset"})", FactState::kKnownEmpty},
      {R"("k":{"resourceType":"Bundle","entry":[]})", FactState::kKnownEmpty},
      {R"("k":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation"}}]})",
       FactState::kPresent},
      {R"("k":{"resourceType":"OperationOutcome"})", FactState::kFailed},
      {R"("k":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"OperationOutcome"}}]})",
       FactState::kFailed},
      {R"("k":{"resourceType":"Bundle","link":[{"relation":"self"},{"relation":"next"}],"entry":[{"resource":{"resourceType":"Observation"}}]})",
       FactState::kPartial},
      {R"("k":{"a":1})", FactState::kFailed},
      {R"("k":"text")", FactState::kFailed},
      {R"("k":{"resourceType":"Patient","id":"p1"})", FactState::kPresent},
  };
  for (const Row& row : rows) {
    const auto document = Request(row.prefetch);
    ASSERT_TRUE(document);
    const auto facts = ReadFacts(*document);
    ASSERT_TRUE(facts) << facts.error().ToString();
    const Fact fact = facts->Read("k", query);
    EXPECT_EQ(fact.state, row.state) << row.prefetch;
    EXPECT_EQ(fact.known(), fact.why.empty()) << row.prefetch;
  }
  // A query with _count asks for a page and nothing more.
  const auto document = Request(rows[8].prefetch);
  EXPECT_EQ(ReadFacts(*document)->Read("k", query + "&_count=1").state, FactState::kPresent);
}

TEST(Facts, RefuseAForeignPatientsDatum) {
  struct Row {
    const char *prefetch, *error;  // error: "" or what it starts with
  };
  const Row rows[] = {
      {R"("k":{"resourceType":"Observation","subject":{"reference":"Patient/p1"}})", ""},
      {R"("k":{"resourceType":"Observation","subject":{"reference":"http://x/fhir/Patient/p1/_history/2"}})",
       ""},
      {R"("k":{"resourceType":"Observation","subject":{"reference":"Group/g"}})", ""},
      {R"("k":{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"}})", ""},
      {R"("k":{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"x"}]})", ""},
      {R"("k":{"resourceType":"Observation","subject":{"reference":"Patient/p2"}})",
       "prefetch.k.subject: belongs to another patient"},
      {R"("k":{"resourceType":"AllergyIntolerance","patient":{"reference":"http://x/Patient/p2"}})",
       "prefetch.k.patient: belongs to another patient"},
      {R"("k":{"resourceType":"Patient","id":"p2"})", "prefetch.k: belongs to another patient"},
  };
  for (const Row& row : rows) {
    const auto document = Request(row.prefetch);
    const auto facts = ReadFacts(*document);
    const std::string error = facts ? "" : facts.error().ToString();
    EXPECT_EQ(error.empty(), std::string(row.error).empty()) << row.prefetch << ": " << error;
    EXPECT_NE(error.find(row.error), std::string::npos) << error;
  }
}

TEST(Facts, NameResources) {
  const auto document = Request(
      R"("k":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","id":"o"}},{"resource":{"resourceType":"Observation"}}]})");
  ASSERT_EQ(document->resources().size(), 3u);
  EXPECT_EQ(ReferenceOf(document->node(document->resources()[1])), "Observation/o");
  EXPECT_EQ(ReferenceOf(document->node(document->resources()[2])), "#/prefetch/k/entry/1/resource");
}

}  // namespace
}  // namespace stepwise::rules
