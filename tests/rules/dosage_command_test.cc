// `stepwise dosage`: lines in and out, and the explanation for people.
#include "rules/dosage_command.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/rules/medication_fixture.h"

namespace stepwise::rules {
namespace {

using medication::Dose;
using medication::Every;
using medication::kTestNow;
using medication::Order;
using medication::TestKnowledge;

std::string Answers(const std::string& lines) {
  std::istringstream in(lines);
  std::ostringstream out;
  AnswerDosageLines(in, TestKnowledge(), {.table = "", .now = kTestNow}, out);
  return out.str();
}

TEST(DosageCommand, AnswersLineByLine) {
  const std::string order = Order("857002", Every("6", "h") + "," + Dose("1", "{tbl}"));
  const std::string contained =
      R"({"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","id":"m","code":)" +
      medication::RxNormConcept("7052") +
      R"(}],"medicationReference":{"reference":"#m"},"dosageInstruction":[{"asNeededBoolean":true,)" +
      Every("7", "h") + "," + Dose("0.1", "mg/kg") + "}]}";
  EXPECT_EQ(
      Answers("{\"id\":\"a\",\"medicationRequest\":" + order + "}\n\n" +
              "{\"id\":7,\"weight_kg\":60,\"medicationRequest\":" + contained + "}\r\n" +
              R"({"id":"m","table":"cdc-2016","medicationRequest":)" +
              Order("6813", Every("1", "d") + "," + Dose("20.5", "mg")) + "}\n" +
              R"({"id":"u","medicationRequest":{"resourceType":"MedicationRequest"}})"),
      R"({"id":"a","dosesPerDay":[4,4],"dailyMg":[20,20],"mme":[20,20],"scheduled":true,"prn":false,"intervalHours":6,"issues":[]})"
      "\n"
      R"({"id":7,"dosesPerDay":[3.42857142857,3.42857142857],"dailyMg":[20.5714285714,20.5714285714],"mme":[20.5714285714,20.5714285714],"scheduled":false,"prn":true,"intervalHours":7,"issues":[]})"
      "\n"
      R"({"id":"m","dosesPerDay":[1,1],"dailyMg":[20.5,20.5],"mme":[164,164],"scheduled":true,"prn":false,"intervalHours":24,"issues":[]})"
      "\n"
      R"({"id":"u","dosesPerDay":null,"dailyMg":null,"mme":null,"scheduled":null,"prn":false,"intervalHours":null,"issues":["DRUG_UNKNOWN","NO_DOSAGE"]})"
      "\n");
}

TEST(DosageCommand, GoesOnAfterALineThatCannotBeRead) {
  const struct {
    std::string_view line, answer;
  } kRows[] = {
      {R"({"id":"x")", R"({"id":"x","error":)"},
      {R"({ "id" : 12, oops})", R"({"id":12,"error":)"},
      {"nonsense", R"({"id":null,"error":)"},
      {"[]", R"({"id":null,"error":"expected a JSON object")"},
      {R"({"id":"x"})", R"({"id":"x","error":"medicationRequest: expected an object")"},
      {R"({"id":"x","medicationRequest":5})", R"({"id":"x","error":"medicationRequest: expected an object")"},
      {R"({"id":"x","medicationRequest":{},"table":"who"})",
       R"({"id":"x","error":"table: no table `who`; known: cdc-2022 cdc-2016")"},
      {R"({"id":"x","medicationRequest":{},"weight_kg":"60"})",
       R"({"id":"x","error":"weight_kg: expected a positive number")"},
      {R"({"id":"x","medicationRequest":{},"weight_kg":0})",
       R"({"id":"x","error":"weight_kg: expected a positive number")"},
  };
  for (const auto& row : kRows) {
    const std::string answers =
        Answers(std::string(row.line) + "\n{\"id\":\"next\",\"medicationRequest\":{}}\n");
    EXPECT_TRUE(answers.starts_with(row.answer)) << answers;
    EXPECT_NE(answers.find("\n{\"id\":\"next\",\"dosesPerDay\":null"), std::string::npos) << answers;
  }
}

TEST(DosageCommand, ExplainsForPeople) {
  const std::string bundle =
      R"({"resourceType":"Bundle","entry":[{"resource":)" +
      Order("1049502", Every("12", "h") + "," + Dose("1", "{tbl}"), R"("id":"modified")") +
      "},{\"resource\":" + Order("7804", "\"asNeededBoolean\":true," + Dose("5", "mg"), R"("id":"rescue")") +
      "}]}";
  const auto text = ExplainDosages(bundle, TestKnowledge(), {.table = "", .now = kTestNow});
  ASSERT_TRUE(text);
  ExpectGolden("tests/rules/golden/dosage_explanation.txt", *text);
  EXPECT_EQ(ExplainDosages("{}", TestKnowledge(), {.table = "", .now = kTestNow}).error().message,
            "no MedicationRequest in it");
}

}  // namespace
}  // namespace stepwise::rules
