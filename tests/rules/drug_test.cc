// Which drug a request is about, by its codings in every place where they may stand.
#include "rules/medication/drug.h"

#include <gtest/gtest.h>

#include "rules/pack.h"
#include "tests/rules/medication_fixture.h"

namespace stepwise::medication {
namespace {

// "oxycodone 5/piece + acetaminophen 325/piece, immediate, oral" and issues.
std::string Summary(const Drug& drug) {
  std::string out;
  for (const DrugPart& part : drug.parts) {
    out += (out.empty() ? "" : " + ") + (part.ingredient == nullptr ? "?" : part.ingredient->name);
    switch (part.strength.kind) {
      case StrengthKind::kPerPiece: out += " " + Shown(part.strength.value) + "/piece"; break;
      case StrengthKind::kPerMl: out += " " + Shown(part.strength.value) + "/mL"; break;
      case StrengthKind::kPerHour: out += " " + Shown(part.strength.value) + "/h"; break;
      case StrengthKind::kUnknown: break;
    }
  }
  if (drug.combination && drug.parts.size() < 2) out += " + others";
  if (!drug.release.empty()) out += ", " + std::string(drug.release);
  if (drug.route != Route::kUnknown) out += ", " + std::string(RouteName(drug.route));
  if (drug.wear_h) out += ", " + Shown(*drug.wear_h) + " h";
  return out + (drug.issues.empty() ? "" : " | " + Shown(drug.issues));
}

std::string Request(const std::string& medication) {
  return "{\"resourceType\":\"MedicationRequest\"," + medication + "}";
}
std::string Concept(const std::string& codings) {
  return "\"medicationCodeableConcept\":{\"text\":\"fentanyl\",\"coding\":[" + codings + "]}";
}
std::string Medication(const std::string& content) {
  return "{\"resourceType\":\"Medication\",\"id\":\"m\"," + content + "}";
}
std::string Contained(const std::string& content) {
  return Request("\"contained\":[" + Medication(content) +
                 "],\"medicationReference\":{\"reference\":\"#m\"}");
}
std::string Ratio(std::string_view mg, std::string_view unit, std::string_view per,
                  std::string_view per_unit) {
  return "{\"numerator\":{\"value\":" + std::string(mg) + ",\"code\":\"" + std::string(unit) +
         "\"},\"denominator\":{\"value\":" + std::string(per) + ",\"code\":\"" + std::string(per_unit) +
         "\"}}";
}

TEST(Drug, IsFoundByItsCodings) {
  const std::string atc(kAtcSystem);
  const std::string item = "\"itemCodeableConcept\":" + RxNormConcept("7804");
  const struct {
    std::string_view name;
    std::vector<std::string> resources;
    std::string_view expected;
  } kRows[] = {
      {"ingredient", {Request(Concept(RxNorm("7804")))}, "oxycodone"},
      {"clinical product", {Request(Concept(RxNorm("1049621")))}, "oxycodone 5/piece, immediate, oral"},
      {"branded product",
       {Request(Concept(RxNorm("261185")))},
       "fentanyl 0.05/h, transdermal, transdermal, 72 h"},
      {"modified release", {Request(Concept(RxNorm("1049502")))}, "oxycodone 10/piece, modified, oral, 12 h"},
      {"solution", {Request(Concept(RxNorm("892589")))}, "morphine 2/mL, immediate, oral"},
      {"combination: opioid first",
       {Request(Concept(RxNorm("857002")))},
       "hydrocodone 5/piece + acetaminophen 325/piece, immediate, oral"},
      {"ATC", {Request(Concept(Coding(atc, "N02AA05")))}, "oxycodone"},
      {"ATC combination", {Request(Concept(Coding(atc, "N02AJ13")))}, "tramadol + acetaminophen"},
      {"ATC combination with who knows what", {Request(Concept(Coding(atc, "N02AA59")))}, "codeine + others"},
      {"the product among several codings",
       {Request(Concept(Coding("http://example.org/local", "x") + "," + Coding(atc, "N02AA05") + "," +
                        RxNorm("7804") + "," + RxNorm("1049621")))},
       "oxycodone 5/piece, immediate, oral"},
      {"codings of two drugs",
       {Request(Concept(RxNorm("1049621") + "," + Coding(atc, "N02AA01")))},
       "oxycodone 5/piece, immediate, oral | CODING_CONFLICT"},
      {"unknown system", {Request(Concept(Coding("http://example.org/local", "7804")))}, "? | DRUG_UNKNOWN"},
      {"text decides nothing",
       {Request("\"medicationCodeableConcept\":{\"text\":\"fentanyl\"}")},
       "? | DRUG_UNKNOWN"},
      {"nothing at all", {Request("\"status\":\"active\"")}, "? | DRUG_UNKNOWN"},
      {"R5 concept", {Request("\"medication\":{\"concept\":" + RxNormConcept("7804") + "}")}, "oxycodone"},
      {"R5 reference",
       {Request("\"medication\":{\"reference\":{\"reference\":\"Medication/m\"}}"),
        Medication("\"code\":" + RxNormConcept("1049621"))},
       "oxycodone 5/piece, immediate, oral"},
      {"Medication in the bundle",
       {Request("\"medicationReference\":{\"reference\":\"Medication/m\"}"),
        Medication("\"code\":" + RxNormConcept("7804"))},
       "oxycodone"},
      {"Medication that is not there",
       {Request("\"medicationReference\":{\"reference\":\"Medication/n\"}")},
       "? | DRUG_UNKNOWN"},
      {"contained, by its code", {Contained("\"code\":" + RxNormConcept("7804"))}, "oxycodone"},
      {"ingredient with strength",
       {Contained("\"ingredient\":[{" + item + ",\"strength\":" + Ratio("20", "mg", "1", "{tbl}") + "}]")},
       "oxycodone 20/piece"},
      {"strength in a volume",
       {Contained("\"ingredient\":[{" + item + ",\"strength\":" + Ratio("5", "g", "0.5", "L") + "}]")},
       "oxycodone 10/mL"},
      {"strength as a rate",
       {Contained("\"ingredient\":[{" + item + ",\"strength\":" + Ratio("25", "ug", "1", "h") + "}]")},
       "oxycodone 0.025/h"},
      {"rate a patch",
       {Contained("\"ingredient\":[{" + item + ",\"strength\":" + Ratio("25", "ug/h", "1", "{patch}") +
                  "}]")},
       "oxycodone 0.025/h"},
      {"strength over the product's",
       {Contained("\"code\":" + RxNormConcept("1049621") + ",\"ingredient\":[{" + item +
                  ",\"strength\":" + Ratio("7", "mg", "1", "1") + "}]")},
       "oxycodone 7/piece, immediate, oral"},
      {"the product's strength where none is given",
       {Contained("\"code\":" + RxNormConcept("1049621") + ",\"ingredient\":[{" + item + "}]")},
       "oxycodone 5/piece, immediate, oral"},
      {"an uncoded ingredient is what the code names",
       {Contained("\"code\":" + RxNormConcept("7804") +
                  ",\"ingredient\":[{\"itemCodeableConcept\":{\"text\":\"x\"},\"strength\":" +
                  Ratio("5", "mg", "1", "1") + "}]")},
       "oxycodone 5/piece"},
      {"two ingredients",
       {Contained("\"ingredient\":[{\"itemCodeableConcept\":" + RxNormConcept("161") +
                  ",\"strength\":" + Ratio("325", "mg", "1", "1") + "},{" + item + "}]")},
       "oxycodone + acetaminophen 325/piece"},
      {"an ingredient nobody knows",
       {Contained("\"ingredient\":[{\"itemCodeableConcept\":{\"text\":\"x\"}},{" + item + "}]")},
       "oxycodone + ?"},
      {"inactive ingredients do not count",
       {Contained("\"ingredient\":[{\"itemCodeableConcept\":{\"text\":\"x\"},\"isActive\":false},{" + item +
                  "}]")},
       "oxycodone"},
      {"R5 ingredient",
       {Contained("\"ingredient\":[{\"item\":{\"concept\":" + RxNormConcept("7804") +
                  "},\"strengthRatio\":" + Ratio("5", "mg", "1", "1") + "}]")},
       "oxycodone 5/piece"},
      {"R5 strength as a quantity",
       {Contained("\"ingredient\":[{\"item\":{\"concept\":" + RxNormConcept("7804") +
                  "},\"strengthQuantity\":{\"value\":5,\"code\":\"mg/mL\"}}]")},
       "oxycodone 5/mL"},
      {"dose form of a Medication",
       {Contained("\"form\":" + RxNormConcept("316987") + ",\"code\":" + RxNormConcept("4337"))},
       "fentanyl, transdermal, transdermal"},
      {"other ingredients than the code says",
       {Contained("\"code\":" + RxNormConcept("7052") + ",\"ingredient\":[{" + item + "}]")},
       "oxycodone | CODING_CONFLICT"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Requests requests(row.resources);
    EXPECT_EQ(Summary(requests.dose().drug), row.expected);
  }
}

TEST(DrugKnowledge, EveryProductHasIngredientsAndEveryTableItsRows) {
  const DrugKnowledge& knowledge = TestKnowledge();
  EXPECT_EQ(knowledge.omeq_tables().size(), 2u);
  EXPECT_EQ(knowledge.FindOmeq("")->id(), "cdc-2022");
  EXPECT_EQ(knowledge.FindOmeq("cdc-1999"), nullptr);
  const Ingredient& methadone = *knowledge.FindIngredient("6813");
  const struct {
    std::string_view mg, factor;
  } kTiers[] = {{"0.1", "4"},    {"20", "4"},  {"20.5", "8"},    {"40", "8"},
                {"40.01", "10"}, {"60", "10"}, {"60.0001", "12"}};
  for (const auto& tier : kTiers) {
    EXPECT_EQ(Cdc2016().Find(methadone, Route::kOral, *Rational::Parse(tier.mg))->factor,
              *Rational::Parse(tier.factor))
        << tier.mg;
  }
  EXPECT_EQ(Cdc2022().Find(methadone, Route::kParenteral, Rational(10)), nullptr);
  EXPECT_EQ(knowledge.FindIngredient("10689")->ladder_step, 2);
  EXPECT_EQ(knowledge.FindIngredient("787390")->ladder_step, 3);
  EXPECT_EQ(Shown(knowledge.Ceilings(*knowledge.FindIngredient("161")).front().max_mg_per_day), "4000");
  EXPECT_TRUE(knowledge.SaysAsNeeded("1 tablet PRN."));
  EXPECT_FALSE(knowledge.SaysAsNeeded("sprning"));
}

TEST(DrugKnowledge, RefusesWhatItCannotCompute) {
  const auto errors_of = [](std::string_view table, std::string_view rows) {
    rules::Errors errors;
    rules::Pack pack;
    const std::string head = "# source: x\n# date: 2026-01-01\n";
    const auto add = [&](std::string name, const std::string& text) {
      pack.tables.push_back({name, rules::Table::Read(head + text, name + ".csv", "", {}, &errors)});
    };
    add("ingredients", "rxcui,name,class,ladder_step\n1,a,x,3\n");
    add("products",
        "rxcui,name,ingredient_rxcui,ingredient,class,strength_value,strength_unit,dose_form_rxcui,dose_form,"
        "release,route,hours,ingredients\n");
    add(std::string(table), std::string(rows));
    const bool refused = DrugKnowledge::Read(pack, &errors) == nullptr;
    EXPECT_EQ(refused, !errors.empty());
    std::string out;
    for (const Error& error : errors) out += error.ToString() + "\n";
    return out;
  };
  const std::string head = "ingredient_rxcui,ingredient,route,from_mg_exclusive,to_mg_inclusive,factor,per\n";
  EXPECT_EQ(errors_of("omeq_x", head + "1,a,oral,,20,4,mg\n1,a,oral,20,,8,mg\n"), "");
  EXPECT_NE(
      errors_of("omeq_x", head + "1,a,oral,,20,4,mg\n1,a,oral,21,,8,mg\n").find("tiers of a do not join"),
      std::string::npos);
  EXPECT_NE(errors_of("omeq_x", head + "1,a,oral,,20,4,mg\n").find("the last tier of a ends"),
            std::string::npos);
  EXPECT_NE(errors_of("omeq_x", head + "2,b,oral,,,4,mg\n").find("`2` is no ingredient"), std::string::npos);
  EXPECT_NE(errors_of("omeq_x", head + "1,a,oral,,,four,mg\n").find("`four` in column factor"),
            std::string::npos);
  EXPECT_NE(errors_of("timing_codes", "system,code\n,BID\n").find("no column `doses_per_day`"),
            std::string::npos);
}

}  // namespace
}  // namespace stepwise::medication
