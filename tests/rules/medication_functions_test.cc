// Dose arithmetic as expressions see it: rows of expression and result on one bundle, in an expression of a
// pack that requires the analgesics pack's tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "fhir/fhirpath/fhirpath.h"
#include "rules/functions.h"
#include "rules/functions_command.h"
#include "rules/medication/functions.h"
#include "rules/pack_terminology.h"
#include "tests/rules/medication_fixture.h"

namespace stepwise::medication {
namespace {

// 12-hourly morphine 30 mg, 4-hourly oxycodone 5 mg as needed, a fentanyl patch, tramadol with paracetamol by
// tablet, morphine by weight, and an order that says too little.
constexpr std::string_view kBundle = R"({"resourceType":"Bundle","entry":[
 {"resource":{"resourceType":"MedicationRequest","id":"modified","status":"active",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"891885"}]},
  "dosageInstruction":[{"timing":{"repeat":{"period":12,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":30,"code":"mg"}}]}]}},
 {"resource":{"resourceType":"MedicationRequest","id":"rescue","status":"draft",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"1049621"}]},
  "dosageInstruction":[{"asNeededBoolean":true,"timing":{"repeat":{"period":4,"periodMax":6,"periodUnit":"h"}},
   "doseAndRate":[{"doseRange":{"low":{"value":1,"code":"{tbl}"},"high":{"value":2,"code":"{tbl}"}}}]}]}},
 {"resource":{"resourceType":"MedicationRequest","id":"patch","status":"active",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"245134"}]},
  "dosageInstruction":[{"timing":{"repeat":{"period":72,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{patch}"}}]}]}},
 {"resource":{"resourceType":"MedicationRequest","id":"combination","status":"active",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"836397"}]},
  "dosageInstruction":[{"timing":{"code":{"coding":[{"code":"BID"}]}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}]}]}},
 {"resource":{"resourceType":"MedicationRequest","id":"weight","status":"active",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"7052"}]},
  "dosageInstruction":[{"timing":{"repeat":{"period":4,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":0.1,"code":"mg/kg"}}]}]}},
 {"resource":{"resourceType":"MedicationRequest","id":"vague","status":"active",
  "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"7052"}]},
  "dosageInstruction":[{"text":"as directed"}]}}]})";

struct Row {
  std::string_view
      expression;             // on Bundle; r('x') stands for the request with that id, all for every request
  std::string_view expected;  // items in their text form, joined by ", "
};

constexpr Row kRows[] = {
    {"r('modified').dosesPerDayLow()", "2"},
    {"r('rescue').dosesPerDayLow() | r('rescue').dosesPerDayHigh()", "4, 6"},
    {"r('rescue').dailyDoseMgLow()", "20 'mg/d'"},
    {"r('rescue').dailyDoseMgHigh()", "60 'mg/d'"},
    {"r('rescue').doseMgLow()", "5 'mg'"},
    {"r('rescue').doseMgHigh()", "10 'mg'"},
    {"r('combination').dailyDoseMgHigh()", "75 'mg/d'"},
    {"r('combination').dailyDoseMgHigh('161')", "650 'mg/d'"},
    {"r('combination').dailyDoseMgHigh('acetaminophen')", "650 'mg/d'"},
    {"r('modified').dailyDoseMgHigh('161')", ""},
    {"r('weight').dailyDoseMgHigh()", ""},
    {"r('weight').dailyDoseMgHigh({}, 60 'kg')", "36 'mg/d'"},
    {"r('weight').dailyDoseMgLow({}, 60000 'g')", "36 'mg/d'"},
    {"r('vague').dailyDoseMgHigh()", ""},
    {"r('rescue').omeqLow()", "30 'mg/d'"},
    {"r('rescue').omeqHigh()", "90 'mg/d'"},
    {"r('combination').omeqHigh('cdc-2016')", "7.5 'mg/d'"},
    {"r('combination').omeqHigh() > 10 'mg/d'", "true"},
    {"r('patch').patchRate()", "25 'ug/h'"},
    {"r('patch').labelHours()", "72 'h'"},
    {"r('modified').labelHours()", "12 'h'"},
    {"r('rescue').intervalHours()", "4 'h'"},
    {"r('rescue').largestGap()", "6 'h'"},
    {"r('rescue').largestGap() <= 6 hours", "true"},
    {"r('combination').intervalHours()", "12 'h'"},
    {"r('combination').isPeriodBased()", "false"},
    {"r('modified').isPeriodBased()", "true"},
    {"r('modified').isOneOff()", "false"},
    {"r('rescue').isAsNeeded()", "true"},
    {"r('rescue').isScheduled()", "false"},
    {"all.isScheduled()", "true, false, true, true, true, true"},
    {"r('combination').ingredients()", "tramadol, acetaminophen"},
    {"r('combination').ingredientCodes()", "10689, 161"},
    {"r('combination').analgesicClass()", "weak-opioid, non-opioid"},
    {"all.analgesicClass()", "strong-opioid, weak-opioid, non-opioid"},
    {"r('combination').ladderStep()", "2"},
    {"all.ladderStep()", "3"},
    {"all.releaseKind()", "modified, immediate, transdermal, immediate"},
    {"all.routeKind()", "oral, oral, transdermal, oral"},
    {"all.dosageIssues()", "DOSE_MISSING, TIMING_UNKNOWN, WEIGHT_MISSING"},
    {"r('modified').dosageIssues()", ""},
    {"all.isPartial()", "true"},
    {"all.scheduledOmeq()", "135 'mg/d'"},
    {"all.maximumOmeq({}, 60 'kg')", "261 'mg/d'"},
    {"all.where(id in ('modified' | 'rescue')).isPartial()", "false"},
    {"all.where(id in ('modified' | 'rescue')).scheduledOmeq()", "60 'mg/d'"},
    {"all.where(id in ('modified' | 'rescue')).scheduledOmeqLow()", "60 'mg/d'"},
    {"all.where(id in ('modified' | 'rescue')).asNeededOmeq()", "90 'mg/d'"},
    {"all.where(id in ('modified' | 'rescue')).maximumOmeq()", "150 'mg/d'"},
    {"all.where(id in ('modified' | 'rescue')).rescueRatio()", "0.25"},
    {"r('rescue').rescueRatio()", ""},
    {"all.maximumDailyMg('161')", "650 'mg/d'"},
    {"all.scheduledDailyMg('oxycodone')", "0 'mg/d'"},
    {"all.maximumDailyMg('oxycodone')", "60 'mg/d'"},
    {"all.duplicates().count()", "2"},
    {"omeqTable()", "cdc-2022 0.1.0"},
    {"omeqTable('cdc-2016')", "cdc-2016 0.1.0"},
    {"{}.dailyDoseMgHigh()", ""},
    {"{}.scheduledOmeq()", "0 'mg/d'"},
};

class MedicationFunctions : public testing::Test {
 protected:
  void SetUp() override {
    rules::Errors errors;
    auto pack = rules::ReadPack((SourceDir() / "rules/packs/analgesics").string(), &errors);
    ASSERT_TRUE(pack) << errors.front().ToString();
    pack_ = std::move(*pack);
    base_ = std::make_unique<rules::PackTerminology>(pack_, std::vector<const rules::PackTerminology*>(),
                                                     &errors);
    // The functions are found from a pack that only requires the tables.
    user_ = std::make_unique<rules::PackTerminology>(
        empty_, std::vector<const rules::PackTerminology*>{base_.get()}, &errors);
    ASSERT_TRUE(errors.empty());
    document_ = std::make_unique<Document>(std::move(*Document::Parse(std::string(kBundle))));
  }

  static std::string Expand(std::string_view expression) {
    std::string out(expression);
    const auto replace = [&](std::string_view from, std::string_view to) {
      for (std::size_t at = 0; (at = out.find(from, at)) != std::string::npos; at += to.size())
        out.replace(at, from.size(), to);
    };
    replace("all.", "entry.resource.ofType(MedicationRequest).");
    if (out.starts_with("r('")) replace("r('", "entry.resource.ofType(MedicationRequest).where(id='");
    replace("| r('", "| entry.resource.ofType(MedicationRequest).where(id='");
    return out;
  }

  Result<std::string> Run(std::string_view expression, std::vector<std::string>* unknowns = nullptr) {
    fhirpath::CompileOptions options;
    options.context_type = types::kBundle;
    options.terminology = user_.get();
    options.functions = rules::RuleFunctions();
    STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Program program,
                              fhirpath::Compile(Expand(expression), options));
    fhirpath::Evaluation evaluation(fhirpath::EvaluationOptions{.now = kTestNow});
    STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Items items,
                              evaluation.Run(program, fhirpath::Item::Of(document_->root(), types::kBundle)));
    std::string out;
    for (const fhirpath::Item& item : items) out += (out.empty() ? "" : ", ") + fhirpath::ValueText(item);
    if (unknowns != nullptr) unknowns->assign(evaluation.unknowns().begin(), evaluation.unknowns().end());
    return out;
  }

  rules::Pack pack_, empty_;
  std::unique_ptr<rules::PackTerminology> base_, user_;
  std::unique_ptr<Document> document_;
};

TEST_F(MedicationFunctions, Rows) {
  for (const Row& row : kRows) {
    const auto result = Run(row.expression);
    ASSERT_TRUE(result) << row.expression << ": " << result.error().ToString();
    EXPECT_EQ(*result, row.expected) << row.expression;
  }
}

TEST_F(MedicationFunctions, EachHasARowAndADocument) {
  for (const fhirpath::Builtin& function : medication::MedicationFunctions()) {
    EXPECT_TRUE(std::ranges::any_of(kRows, [&](const Row& row) {
      return row.expression.find(std::string(function.name) + "(") != std::string_view::npos;
    })) << function.name;
    EXPECT_FALSE(function.doc.empty());
    EXPECT_NE(function.result, types::kNone);
  }
}

TEST_F(MedicationFunctions, SayWhyNothingIsKnown) {
  std::vector<std::string> unknowns;
  ASSERT_TRUE(Run("r('vague').dailyDoseMgHigh()", &unknowns));
  ASSERT_EQ(unknowns.size(), 2u);
  EXPECT_EQ(unknowns[1], "MedicationRequest/vague: How often is not said in a coded form.");
  ASSERT_TRUE(Run("all.scheduledOmeq()", &unknowns));
  EXPECT_EQ(unknowns.size(), 3u);
  ASSERT_TRUE(Run("r('modified').scheduledOmeq()", &unknowns));
  EXPECT_TRUE(unknowns.empty());
}

TEST_F(MedicationFunctions, Errors) {
  const struct {
    std::string_view expression, message;
  } kErrors[] = {
      {"all.omeqHigh('cdc-1999')", "no table `cdc-1999`; known: cdc-2022 cdc-2016"},
      {"all.dailyDoseMgHigh('snake oil')", "no ingredient `snake oil`"},
      {"all.maximumOmeq({}, 60 'cm')", "'cm' is no unit of mass"},
  };
  for (const auto& row : kErrors) {
    const auto result = Run(row.expression);
    ASSERT_FALSE(result) << row.expression;
    EXPECT_NE(result.error().message.find(row.message), std::string::npos) << result.error().message;
  }
  user_ =
      std::make_unique<rules::PackTerminology>(empty_, std::vector<const rules::PackTerminology*>(), nullptr);
  EXPECT_NE(Run("all.ladderStep()").error().message.find("no drug tables"), std::string::npos);
}

TEST_F(MedicationFunctions, AreListed) {
  std::ostringstream out;
  rules::ListFunctions(out);
  EXPECT_NE(out.str().find("dailyDoseMgHigh(ingredient: string?, weight: quantity?) -> Quantity*"),
            std::string::npos);
}

}  // namespace
}  // namespace stepwise::medication
