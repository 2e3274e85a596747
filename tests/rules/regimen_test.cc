// Whole regimens: which requests count, totals, lower bounds, rescue ratio.
#include "rules/medication/regimen.h"

#include <gtest/gtest.h>

#include "tests/rules/medication_fixture.h"

namespace stepwise::medication {
namespace {

const std::string kPrn = "\"asNeededBoolean\":true,";

std::string Id(std::string_view id, std::string_view more = "") {
  return "\"id\":\"" + std::string(id) + "\"" + std::string(more);
}
std::string Draft(std::string order) { return order.replace(order.find("active"), 6, "draft"); }
std::string Morphine(std::string_view mg, std::string_view more = "") {
  return Order("7052", Every("12", "h") + "," + Dose(mg, "mg"), more);
}

// "scheduled | maximum | rescue ratios" of CDC 2022.
std::string Totals(const std::vector<std::string>& resources, const OmeqTable& table = Cdc2022()) {
  Requests requests(resources);
  const Regimen regimen = requests.regimen();
  const OmeqTotals totals = regimen.Omeq(table);
  std::string out = Shown(totals.scheduled) + " | " + Shown(totals.maximum) + " |";
  for (const Rational& ratio : regimen.RescueRatios(table)) out += " " + Shown(ratio);
  return out;
}

TEST(Regimen, WhatCounts) {
  const std::string prior = R"(,"priorPrescription":{"reference":"MedicationRequest/a"})";
  EXPECT_EQ(Totals({}), "0 | 0 |") << "nothing is a known nothing";
  EXPECT_EQ(Totals({Morphine("30", Id("a")), Morphine("10", Id("b"))}), "80 | 80 |");
  EXPECT_EQ(Totals({Morphine("30", Id("a")), Draft(Morphine("60", Id("a")))}), "120 | 120 |")
      << "a draft of the same id replaces";
  EXPECT_EQ(Totals({Draft(Morphine("60", Id("a"))), Morphine("30", Id("a"))}), "120 | 120 |")
      << "in either order";
  EXPECT_EQ(Totals({Morphine("30", Id("a")), Morphine("30", Id("a"))}), "60 | 60 |")
      << "the same request twice";
  EXPECT_EQ(Totals({Morphine("30", Id("a")), Draft(Morphine("60", Id("b", prior)))}), "120 | 120 |")
      << "priorPrescription";
  EXPECT_EQ(Totals({Morphine("30"), Morphine("30")}), "120 | 120 |") << "without ids both count";
  std::string stopped = Morphine("30", Id("a"));
  stopped.replace(stopped.find("active"), 6, "stopped");
  EXPECT_EQ(Totals({stopped}), "0 | 0 |");
  std::string plan = Morphine("30", Id("a"));
  plan.replace(plan.find("\"order\""), 7, "\"plan\"");
  EXPECT_EQ(Totals({plan}), "0 | 0 |");
}

TEST(Regimen, Totals) {
  const std::string rescue = Order("7052", kPrn + Every("4", "h") + "," + Dose("10", "mg"));
  EXPECT_EQ(Totals({Morphine("30"), rescue}), "60 | 120 | 0.166666666667");
  EXPECT_EQ(Totals({rescue}), "0 | 60 |") << "no ratio without anything scheduled";
  EXPECT_EQ(Totals({Morphine("30"), Order("7052", kPrn + Dose("10", "mg"))}), "60 | >=60 | 0.166666666667")
      << "as needed without end";
  EXPECT_EQ(Totals({Morphine("30"), Order("1819", Every("12", "h") + "," + Dose("0.2", "mg"))}),
            ">=60 | >=60 |")
      << "no factor";
  EXPECT_EQ(Totals({Order("1819", Every("12", "h") + "," + Dose("0.2", "mg"))}), ">=- | >=- |")
      << "nothing known is not 0";
  EXPECT_EQ(Totals({Morphine("30"), Order("7052", Dose("10", "mg"))}), ">=60 | >=60 |")
      << "how often is unknown";
  EXPECT_EQ(Totals({Morphine("30"), Order("7052", R"("timing":{"repeat":{"count":1}},)" + Dose("10", "mg"))}),
            "60 | 60 |")
      << "one-off";
  EXPECT_EQ(Totals({Morphine("30"),
                    Order("7052", R"("timing":{"repeat":{"frequency":6,"period":4,"periodUnit":"h"}},)" +
                                      Dose("10", "mg"))}),
            ">=60 | >=60 |")
      << "miscoded frequency";
  EXPECT_EQ(Totals({Morphine("30"), Order("161", Every("6", "h") + "," + Dose("1", "g"))}), "60 | 60 |")
      << "no opioid";
  EXPECT_EQ(Totals({Morphine("30"), Order("6809", Every("6", "h") + "," + Dose("1", "g"))}), "60 | 60 |")
      << "a coded drug of no table";
  EXPECT_EQ(Totals({Morphine("30"),
                    R"({"resourceType":"MedicationRequest","medicationCodeableConcept":{"text":"?"}})"}),
            ">=60 | >=60 |")
      << "an uncoded drug may be anything";
  EXPECT_EQ(Totals({Morphine("30"), R"({"resourceType":"MedicationRequest","medicationCodeableConcept":)" +
                                        RxNormConcept("7804") + "}"}),
            ">=60 | >=60 |")
      << "no instruction";
  EXPECT_EQ(Totals({Order("577057", Every("72", "h") + "," + Dose("1", "{patch}")),
                    Order("245134", Every("72", "h") + "," + Dose("1", "{patch}"))}),
            "88.8 | 88.8 |")
      << "patches add";
}

TEST(Regimen, TiersGoByTheWholeDailyDose) {
  const std::string twenty = Order("6813", Every("1", "d") + "," + Dose("20", "mg"));
  EXPECT_EQ(Totals({twenty}, Cdc2016()), "80 | 80 |");
  EXPECT_EQ(Totals({twenty, twenty}, Cdc2016()), "320 | 320 |") << "40 mg/d at 8, not twice 20 at 4";
  EXPECT_EQ(Totals({twenty, Order("6813", kPrn + Every("12", "h") + "," + Dose("20.5", "mg"))}, Cdc2016()),
            "80 | 732 | 2.05");
}

TEST(Regimen, ByIngredient) {
  const Ingredient& paracetamol = *TestKnowledge().FindIngredient("161");
  Requests requests({Order("161", Every("6", "h") + "," + Dose("1", "g")),
                     Order("836397", kPrn + Every("6", "h") + "," + Dose("1", "{tbl}"))});
  const Regimen regimen = requests.regimen();
  EXPECT_EQ(Shown(regimen.ScheduledMg(paracetamol)), "4000");
  EXPECT_EQ(Shown(regimen.MaximumMg(paracetamol)), "5300");
  EXPECT_EQ(Shown(regimen.MaximumMg(*TestKnowledge().FindIngredient("10689"))), "150");
  EXPECT_EQ(Shown(regimen.ScheduledMg(*TestKnowledge().FindIngredient("7052"))), "0");
  EXPECT_EQ(regimen.LadderStep(), 2);
}

TEST(Regimen, Duplicates) {
  const auto count = [](const std::vector<std::string>& resources) {
    return Requests(resources).regimen().Duplicates().size();
  };
  const std::string modified = Order("891888", Every("12", "h") + "," + Dose("30", "mg"));
  const std::string tablet = Order("892582", Every("4", "h") + "," + Dose("15", "mg"));
  EXPECT_EQ(count({modified, tablet}), 0u) << "another release";
  EXPECT_EQ(count({modified, modified}), 2u);
  EXPECT_EQ(count({tablet, Order("892582", kPrn + Every("4", "h") + "," + Dose("15", "mg"))}), 0u)
      << "as needed";
  EXPECT_EQ(count({Order("198440", Every("6", "h") + "," + Dose("1", "g")),
                   Order("857002", Every("6", "h") + "," + Dose("1", "{tbl}"))}),
            2u)
      << "an ingredient of a combination";
}

}  // namespace
}  // namespace stepwise::medication
