// The worked vectors of the dosage reference, each as a real MedicationRequest, and cases others have
// published: expected values are theirs, tolerance 1e-3.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/rules/medication_fixture.h"

namespace stepwise::medication {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 1e-3;

// Vector names of drugs -> names of ingredients.csv, where they differ.
std::string IngredientCode(const std::string& drug) {
  const Ingredient* found =
      TestKnowledge().FindIngredientByName(drug == "paracetamol" ? "acetaminophen" : drug);
  return found == nullptr ? "" : found->rxcui;
}

Json Quantity(const Json& value, std::string_view code) { return {{"value", value}, {"code", code}}; }

// The request of a vector: the ingredient by its code, strengths by a contained Medication, the timing code
// as a CodeableConcept.
Json RequestOf(const Json& vector) {
  Json dosage = vector["dosage"];
  if (dosage.contains("timing") && dosage["timing"].contains("code")) {
    const Json code = dosage["timing"]["code"];
    dosage["timing"]["code"] = {
        {"coding",
         {{{"system", "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"}, {"code", code}}}}};
  }
  Json request = {{"resourceType", "MedicationRequest"}, {"status", "active"}, {"intent", "order"}};
  const Json drug = {{"coding", {{{"system", kRxNormSystem}, {"code", IngredientCode(vector["drug"])}}}}};
  const Json& product = vector["product"];
  if (product.empty()) {
    request["medicationCodeableConcept"] = drug;
  } else {
    Json strength;
    if (product.contains("mg_per_unit")) {
      strength = {{"numerator", Quantity(product["mg_per_unit"], "mg")},
                  {"denominator", Quantity(1, "{tbl}")}};
    } else if (product.contains("mg_per_mL")) {
      strength = {{"numerator", Quantity(product["mg_per_mL"], "mg")}, {"denominator", Quantity(1, "mL")}};
    } else {
      strength = {{"numerator", Quantity(product["patch_ug_per_h"], "ug")},
                  {"denominator", Quantity(1, "h")}};
    }
    const Json ingredient = {{"itemCodeableConcept", drug}, {"strength", strength}};
    request["contained"] = {
        {{"resourceType", "Medication"}, {"id", "m"}, {"ingredient", Json::array({ingredient})}}};
    request["medicationReference"] = {{"reference", "#m"}};
  }
  request["dosageInstruction"] = Json::array({dosage});
  return request;
}

void ExpectRange(const Json& expected, const std::optional<Range>& actual) {
  ASSERT_EQ(actual.has_value(), !expected.is_null());
  if (!actual) return;
  const Json low = expected.is_array() ? expected[0] : expected,
             high = expected.is_array() ? expected[1] : expected;
  EXPECT_NEAR(actual->low.ToDouble(), low.get<double>(), kTolerance);
  EXPECT_NEAR(actual->high.ToDouble(), high.get<double>(), kTolerance);
}

std::optional<Range> Single(const std::optional<Rational>& value) {
  return value ? std::optional(Range{*value, *value}) : std::nullopt;
}

// Checks every expected value of a vector; returns how many there were.
int CheckVector(const Json& vector, Requests& requests) {
  const std::string notes = vector["notes"];
  const OmeqTable& table = notes.find("CDC2016") == std::string::npos ? Cdc2022() : Cdc2016();
  const RequestDose dose = requests.dose();
  const Regimen regimen = requests.regimen();
  const OmeqResult omeq = Omeq(dose, table);
  IssueSet issues = dose.issues;
  issues.Add(omeq.issues);
  const OmeqTotals totals = regimen.Omeq(table);
  const auto ratios = regimen.RescueRatios(table);
  const bool is_regimen = vector["dosage"].is_null();
  const std::size_t paracetamol = vector["drug"] == "paracetamol" && is_regimen ? 1 : 0;
  int checked = 0;
  for (const auto& [key, expected] : vector["expected"].items()) {
    SCOPED_TRACE(key);
    ++checked;
    if (key == "dosesPerDay")
      ExpectRange(expected, dose.DosesPerDay());
    else if (key == "dailyMg" && paracetamol != 0)
      ExpectRange(expected, regimen.MaximumMg(*TestKnowledge().FindIngredientByName("acetaminophen")).amount);
    else if (key == "dailyMg")
      ExpectRange(expected, dose.DailyMg(0));
    else if (key == "mme")
      ExpectRange(expected, omeq.mg_per_day);
    else if (key == "prn")
      EXPECT_EQ(dose.AsNeeded(), expected.get<bool>());
    else if (key == "ugPerHour")
      ExpectRange(expected, dose.dosages[0].parts[0].ug_per_hour);
    else if (key == "oneOff")
      EXPECT_EQ(dose.dosages[0].timing.one_off(), expected.get<bool>());
    else if (key == "prnDaily")
      ExpectRange(expected, dose.DailyMg(0));
    else if (key == "issue")
      EXPECT_EQ(Shown(issues), expected.get<std::string>());
    else if (key == "scheduledMme")
      ExpectRange(expected, totals.scheduled.amount);
    else if (key == "maxMme")
      ExpectRange(expected, totals.maximum.amount);
    else if (key == "rescueRatio")
      ExpectRange(expected, ratios.size() == 1 ? Single(ratios[0]) : std::nullopt);
    else if (key == "maxGapH")
      ExpectRange(expected, Single(dose.dosages[0].timing.largest_gap_h));
    else if (key == "rescueMg") {
      // The window is policy (a pack's parameters), the base is ours: 10 to 15 % of what is scheduled.
      const Rational base = totals.scheduled.amount->high;
      ExpectRange(expected, Range{base * *Rational::Parse("0.10"), base * *Rational::Parse("0.15")});
    } else if (key == "newDaily")
      ExpectRange(expected, totals.maximum.amount);
    else if (key == "pct") {
      const Rational old = totals.scheduled.amount->high;
      ExpectRange(expected, Single((totals.maximum.amount->high - old) * Rational(100) / old));
    } else {
      --checked;
      ADD_FAILURE() << "no check for it";
    }
  }
  // "issue CODE ..." in the notes.
  if (notes.starts_with("issue ")) {
    const std::string code = notes.substr(6, notes.find_first_of(" ;", 6) - 6);
    EXPECT_NE((" " + Shown(issues) + " ").find(" " + code + " "), std::string::npos) << Shown(issues);
  }
  return checked;
}

// What the vectors of whole regimens say in words.
std::vector<std::string> RegimenOf(const std::string& id) {
  const std::string prn = "\"asNeededBoolean\":true,";
  const std::string morphine = "7052", oxycodone = "7804", tramadol = "10689";
  if (id == "S01") {
    return {Order(morphine, Every("12", "h") + "," + Dose("30", "mg")),
            Order(morphine, prn + Every("4", "h") + "," + Dose("10", "mg"))};
  }
  if (id == "S02") {
    return {Order(oxycodone, Every("12", "h") + "," + Dose("40", "mg")),
            Order(oxycodone, prn + Dose("5", "mg"))};
  }
  if (id == "S03") {
    return {Order("245135", Every("72", "h") + "," + Dose("1", "{patch}")),
            Order(morphine, prn + Dose("15", "mg"))};
  }
  if (id == "S04") {
    return {Order(morphine, Every("12", "h") + "," + Dose("30", "mg")),
            Order(tramadol, Every("6", "h") + "," + Dose("50", "mg"))};
  }
  if (id == "S05") return {Order(morphine, Every("12", "h") + "," + Dose("60", "mg"))};
  if (id == "S06") {
    return {Order(morphine, Every("12", "h") + "," + Dose("30", "mg")),
            Order(morphine, prn + Every("8", "h") + "," + Dose("10", "mg"))};
  }
  if (id == "S07") {
    return {Order("161", Every("6", "h") + "," + Dose("1", "g")),
            Order("836397", Every("6", "h") + "," + Dose("1", "{tbl}"))};
  }
  if (id == "S08") {
    return {Order(morphine, R"("timing":{"repeat":{"timeOfDay":["08:00:00","14:00:00","20:00:00"]}},)" +
                                Dose("1", "mg"))};
  }
  return {};
}

TEST(DosageVectors, All) {
  const auto path = SourceDir().parent_path() / "shared/reference/dosage_vectors.json";
  const auto shared = SharedData("../reference/dosage_vectors.json");
  SKIP_WITHOUT(shared ? *shared : path);
  const Json vectors = Json::parse(ReadFile(shared ? *shared : path));
  EXPECT_EQ(vectors.size(), 60u);
  int checked = 0;
  for (const Json& vector : vectors) {
    const std::string id = vector["id"];
    SCOPED_TRACE(id + ": " + vector["description"].get<std::string>());
    const bool by_weight = vector["description"].get<std::string>().find("weight 60 kg") != std::string::npos;
    const auto regimen = RegimenOf(id);
    Requests requests(regimen.empty() ? std::vector<std::string>{RequestOf(vector).dump()} : regimen,
                      by_weight ? std::optional<std::string_view>("60") : std::nullopt);
    checked += CheckVector(vector, requests);
  }
  EXPECT_GE(checked, 150);
}

// Daily equivalents that others have published, with real products: the four request/result pairs of
// cqframework/opioid-mme-r4 (MMECalculatorTests, GuidanceResponse), and the two examples in the text of CDC
// 2022.
TEST(DosageVectors, Published) {
  const struct {
    std::string_view name, product, dosage, mme;
  } kRows[] = {
      {"morphine 20 mg once a day", "892596",
       R"("timing":{"repeat":{"timeOfDay":["10:00:00"]}},"doseAndRate":[{"doseQuantity":{"value":20,"code":"mg"}}])",
       "20"},
      {"fentanyl 75 ug/h every 3 days", "197696",
       R"("timing":{"repeat":{"frequency":1,"period":3,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{patch}"}}])",
       "180"},
      {"oxycodone 10 mg every 12 h as 60 mg tablets", "1049593",
       R"("timing":{"repeat":{"frequency":1,"period":12,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":10,"code":"mg"}}])",
       "30"},
      {"oxycodone 10 mg at 10:00 and 22:00", "1049502",
       R"("timing":{"repeat":{"timeOfDay":["10:00:00","22:00:00"]}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}])",
       "30"},
      {"CDC 2022: hydrocodone 5 mg/acetaminophen 325 mg four times a day", "857002",
       R"("timing":{"repeat":{"frequency":4,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}])",
       "20"},
      {"CDC 2022: extended-release oxycodone 10 mg twice a day", "1049502",
       R"("timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}])",
       "30"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Requests requests({Order(row.product, row.dosage)});
    EXPECT_EQ(Shown(Omeq(requests.dose(), Cdc2022()).mg_per_day), row.mme);
  }
}

}  // namespace
}  // namespace stepwise::medication
