// Rows of one dosage instruction (or request) and what dose arithmetic makes of it: administrations a day,
// mg/d of the first ingredient, oral morphine equivalent by CDC 2022, nominal interval in hours, issues.
#include "rules/medication/dosage.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/rules/medication_fixture.h"

namespace stepwise::medication {
namespace {

struct Row {
  std::string_view name;
  std::string request;
  std::string_view expected;  // "per day | mg/d | equivalent | hours | issues"
};

std::string Summary(const RequestDose& dose) {
  const OmeqResult omeq = Omeq(dose, Cdc2022());
  IssueSet issues = dose.issues;
  issues.Add(omeq.issues);
  return Shown(dose.DosesPerDay()) + " | " + Shown(dose.DailyMg(0)) + " | " + Shown(omeq.mg_per_day) + " | " +
         Shown(dose.IntervalHours()) + " | " + Shown(issues);
}

const std::string kMorphine = "7052", kOxycodoneTablet = "1049621", kMg = Dose("10", "mg"),
                  kDaily = Every("1", "d");

std::string Repeat(std::string_view repeat) {
  return "\"timing\":{\"repeat\":{" + std::string(repeat) + "}}";
}
std::string Code(std::string_view code) {
  return "\"code\":{\"coding\":[" + Coding("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", code) +
         "]}";
}
std::string TimingCode(std::string_view code) { return "\"timing\":{" + Code(code) + "}"; }
std::string MorphineOrder(const std::string& timing, const std::string& dose = kMg) {
  return Order(kMorphine, timing + (dose.empty() ? "" : "," + dose));
}
std::string Status(std::string_view status, std::string_view more = "") {
  return "{\"resourceType\":\"MedicationRequest\"," + std::string(more) + "\"status\":\"" +
         std::string(status) + "\",\"medicationCodeableConcept\":" + RxNormConcept(kMorphine) +
         ",\"dosageInstruction\":[{" + kDaily + "," + kMg + "}]}";
}
std::string TwoInstructions(std::string_view one, std::string_view other, std::string_view more = "") {
  return "{\"resourceType\":\"MedicationRequest\"," + std::string(more) +
         "\"status\":\"active\",\"medicationCodeableConcept\":" + RxNormConcept(kMorphine) +
         ",\"dosageInstruction\":[{" + std::string(one) + "},{" + std::string(other) + "}]}";
}

void ExpectRows(std::span<const Row> rows, std::set<Issue>* seen = nullptr) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Requests requests({row.request}, row.name.find("60 kg") == row.name.npos
                                         ? std::nullopt
                                         : std::optional<std::string_view>("60"));
    const RequestDose dose = requests.dose();
    EXPECT_EQ(Summary(dose), row.expected);
    if (seen == nullptr) continue;
    IssueSet issues = dose.issues;
    issues.Add(Omeq(dose, Cdc2022()).issues);
    for (const IssueRow& issue : Issues()) {
      if (issues.Has(issue.issue)) seen->insert(issue.issue);
    }
  }
}

TEST(Dosage, HowOften) {
  const Row rows[] = {
      {"frequency defaults to 1", MorphineOrder(Repeat(R"("period":4,"periodUnit":"h")")),
       "6 | 60 | 60 | 4 | "},
      {"frequencyMax alone", MorphineOrder(Repeat(R"("frequencyMax":2,"period":1,"periodUnit":"d")")),
       "1..2 | 10..20 | 10..20 | 12 | "},
      {"4 to 6 hours", MorphineOrder(Repeat(R"("frequency":1,"period":4,"periodMax":6,"periodUnit":"h")")),
       "4..6 | 40..60 | 40..60 | 4 | "},
      {"months have 30 days", MorphineOrder(Repeat(R"("period":1,"periodUnit":"mo")")),
       "0.0333333333333 | 0.333333333333 | 0.333333333333 | 720 | "},
      {"years have 365", MorphineOrder(Repeat(R"("frequency":73,"period":1,"periodUnit":"a")")),
       "0.2 | 2 | 2 | 120 | "},
      {"seconds", MorphineOrder(Repeat(R"("period":7200,"periodUnit":"s")")), "12 | 120 | 120 | 2 | "},
      {"an exact fraction", MorphineOrder(Repeat(R"("period":1.5,"periodUnit":"h")")),
       "16 | 160 | 160 | 1.5 | "},
      {"times of the day: largest gap",
       MorphineOrder(Repeat(R"("timeOfDay":["08:00:00","14:00:00","20:00:00"])")), "3 | 30 | 30 | 12 | "},
      {"one time of the day", MorphineOrder(Repeat(R"("timeOfDay":["08:00:00"])")), "1 | 10 | 10 | 24 | "},
      {"at meals", MorphineOrder(Repeat(R"("when":["AC"],"offset":30)")), "3 | 30 | 30 | 8 | "},
      {"at breakfast and at bedtime", MorphineOrder(Repeat(R"("when":["CM","HS"])")), "2 | 20 | 20 | 12 | "},
      {"weekly by code", MorphineOrder(TimingCode("WK")),
       "0.142857142857 | 1.42857142857 | 1.42857142857 | 168 | "},
      {"a code of no known frequency", MorphineOrder(TimingCode("Q12H")), "- | - | - | - | TIMING_UNKNOWN"},
      {"a code without system", MorphineOrder(R"("timing":{"code":{"coding":[{"code":"BID"}]}})"),
       "2 | 20 | 20 | 12 | "},
      {"a code that is only text", MorphineOrder(R"("timing":{"code":{"text":"BID"}})"),
       "- | - | - | - | TIMING_UNKNOWN"},
      {"code agrees with repeat",
       MorphineOrder("\"timing\":{" + Code("BID") +
                     R"(,"repeat":{"frequency":2,"period":1,"periodUnit":"d"}})"),
       "2 | 20 | 20 | 12 | "},
      {"code with bounds only",
       MorphineOrder("\"timing\":{" + Code("BID") + R"(,"repeat":{"boundsPeriod":{"start":"2026-12-01"}}})"),
       "2 | 20 | 20 | 12 | "},
      {"events of the next 24 h",
       MorphineOrder(
           R"("timing":{"event":["2026-12-10T08:59:59Z","2026-12-10T09:00:00Z","2026-12-11T08:00:00Z","2026-12-11T09:00:00Z"]})"),
       "2 | 20 | 20 | - | "},
      {"days of the week",
       MorphineOrder(
           Repeat(R"("frequency":2,"period":1,"periodUnit":"d","dayOfWeek":["mon","tue","fri","fri"])")),
       "0.857142857143 | 8.57142857143 | 8.57142857143 | 28 | "},
      {"days of the week with a code",
       MorphineOrder("\"timing\":{" + Code("BID") + R"(,"repeat":{"dayOfWeek":["mon"]}})"),
       "0.285714285714 | 2.85714285714 | 2.85714285714 | 12 | "},
      {"frequency without period, but times",
       MorphineOrder(Repeat(R"("frequency":2,"timeOfDay":["08:00:00","20:00:00"])")), "2 | 20 | 20 | 12 | "},
      {"two instructions add up",
       TwoInstructions(Every("12", "h") + "," + kMg, Every("1", "d") + "," + Dose("20", "mg")),
       "3 | 40 | 40 | - | "},
  };
  ExpectRows(rows);
}

TEST(Dosage, HowMuch) {
  const std::string range = R"("doseAndRate":[{"doseRange":{)";
  const auto rate = [](std::string_view text) { return "\"doseAndRate\":[{" + std::string(text) + "}]"; };
  const Row rows[] = {
      {"a range",
       MorphineOrder(kDaily, range + R"("low":{"value":5,"code":"mg"},"high":{"value":10,"code":"mg"}}}])"),
       "1 | 5..10 | 5..10 | 24 | "},
      {"only a high end", MorphineOrder(kDaily, range + R"("high":{"value":10,"code":"mg"}}}])"),
       "1 | 10 | 10 | 24 | "},
      {"only a low end", MorphineOrder(kDaily, range + R"("low":{"value":5,"code":"mg"}}}])"),
       "1 | 5 | 5 | 24 | "},
      {"micrograms", MorphineOrder(kDaily, Dose("2500", "ug")), "1 | 2.5 | 2.5 | 24 | "},
      {"nanograms", MorphineOrder(kDaily, Dose("1e6", "ng")), "1 | 1 | 1 | 24 | "},
      {"decagrams by UCUM", MorphineOrder(kDaily, Dose("0.1", "cg")), "1 | 1 | 1 | 24 | "},
      {"by weight, 60 kg", MorphineOrder(kDaily, Dose("100", "ug/kg")), "1 | 6 | 6 | 24 | "},
      {"tablets of a product", Order(kOxycodoneTablet, kDaily + "," + Dose("1.5", "TAB")),
       "1 | 7.5 | 11.25 | 24 | "},
      {"pieces without a unit",
       Order(kOxycodoneTablet, kDaily + R"(,"doseAndRate":[{"doseQuantity":{"value":2}}])"),
       "1 | 10 | 15 | 24 | "},
      {"mass wins over tablets", Order(kOxycodoneTablet, kDaily + "," + Dose("2.5", "mg")),
       "1 | 2.5 | 3.75 | 24 | "},
      {"volume of a solution", Order("892589", kDaily + "," + Dose("5", "mL")), "1 | 10 | 10 | 24 | "},
      {"litres", Order("892589", kDaily + "," + Dose("0.005", "L")), "1 | 10 | 10 | 24 | "},
      {"ordered beats calculated",
       MorphineOrder(
           kDaily,
           R"("doseAndRate":[{"type":{"coding":[{"code":"calculated"}]},"doseQuantity":{"value":9,"code":"mg"}},{"type":{"coding":[{"code":"ordered"}]},"doseQuantity":{"value":10,"code":"mg"}}])"),
       "1 | 10 | 10 | 24 | "},
      {"cap on one administration",
       MorphineOrder(kDaily, R"("maxDosePerAdministration":{"value":4,"code":"mg"},)" + kMg),
       "1 | 4 | 4 | 24 | "},
      {"cap on a period",
       MorphineOrder(
           Every("4", "h"),
           R"("maxDosePerPeriod":{"numerator":{"value":20,"code":"mg"},"denominator":{"value":12,"code":"h"}},)" +
               kMg),
       "6 | 40 | 40 | 4 | "},
      {"cap in tablets",
       Order(
           kOxycodoneTablet,
           Every("4", "h") +
               R"(,"maxDosePerPeriod":{"numerator":{"value":4,"code":"{tbl}"},"denominator":{"value":1,"code":"d"}},)" +
               Dose("1", "{tbl}")),
       "6 | 20 | 30 | 4 | "},
      {"R5: several caps, the lowest counts",
       MorphineOrder(
           Every("4", "h"),
           R"("maxDosePerPeriod":[{"numerator":{"value":50,"code":"mg"},"denominator":{"value":1,"code":"d"}},{"numerator":{"value":210,"code":"mg"},"denominator":{"value":1,"code":"wk"}}],)" +
               kMg),
       "6 | 30 | 30 | 4 | "},
      {"as needed, bounded by its cap only",
       Order(
           kMorphine,
           R"("asNeededBoolean":true,"maxDosePerPeriod":{"numerator":{"value":30,"code":"mg"},"denominator":{"value":1,"code":"d"}},)" +
               kMg),
       "- | 30 | 30 | - | "},
      {"rate for a part of the day",
       MorphineOrder(Repeat(R"("frequency":2,"period":1,"periodUnit":"d","duration":3,"durationUnit":"h")"),
                     rate(R"("rateQuantity":{"value":2,"code":"mg/h"})")),
       "2 | 12 | - | 12 | NO_FACTOR"},
      {"rate never beyond the day",
       MorphineOrder(Repeat(R"("frequency":4,"period":1,"periodUnit":"d","duration":12,"durationUnit":"h")"),
                     rate(R"("rateQuantity":{"value":1,"code":"mg/h"})")),
       "4 | 24 | - | 6 | NO_FACTOR"},
      {"rate range",
       Order(kMorphine,
             rate(R"("rateRange":{"low":{"value":1,"code":"mg/h"},"high":{"value":2,"code":"mg/h"}})")),
       "- | 24..48 | - | - | NO_FACTOR"},
      {"rate by weight, 60 kg", Order(kMorphine, rate(R"("rateQuantity":{"value":10,"code":"ug/kg/h"})")),
       "- | 14.4 | - | - | NO_FACTOR"},
      {"dose and rate: the rate is the speed of giving",
       MorphineOrder(
           kDaily,
           rate(R"("doseQuantity":{"value":10,"code":"mg"},"rateQuantity":{"value":99,"code":"mg/h"})")),
       "1 | 10 | 10 | 24 | "},
      {"dose and rate without a timing: the rate counts",
       Order(kMorphine,
             rate(R"("doseQuantity":{"value":10,"code":"mg"},"rateQuantity":{"value":1,"code":"mg/h"})")),
       "- | 24 | - | - | NO_FACTOR"},
      {"patches", Order("245135", Every("72", "h") + "," + Dose("2", "{patch}")),
       "0.333333333333 | 2.4 | 240 | 72 | "},
      {"patch rate as the dose", Order("245135", Every("72", "h") + "," + Dose("25", "ug/h")),
       "0.333333333333 | 0.6 | 60 | 72 | "},
      {"patch without a change interval", Order("245135", Dose("1", "{patch}")),
       "- | 1.2 | 120 | - | TIMING_UNKNOWN"},
      {"oxycodone under the skin",
       Order(
           "7804",
           kDaily + R"(,"route":{"coding":[{"system":"http://snomed.info/sct","code":"34206005"}]},)" + kMg),
       "1 | 10 | - | 24 | NO_FACTOR"},
      {"oxycodone by a route nobody knows",
       Order("7804", kDaily + R"(,"route":{"coding":[{"system":"http://example.org","code":"x"}]},)" + kMg),
       "1 | 10 | - | 24 | NO_FACTOR"},
      {"buprenorphine under the tongue", Order("1819", kDaily + "," + Dose("0.4", "mg")),
       "1 | 0.4 | - | 24 | NO_FACTOR"},
      {"no equivalent of a non-opioid", Order("161", Every("6", "h") + "," + Dose("1", "g")),
       "4 | 4000 | - | 6 | "},
      {"dispensing says nothing about the dose",
       Order(
           kMorphine, kDaily,
           R"("dispenseRequest":{"quantity":{"value":30},"expectedSupplyDuration":{"value":30,"code":"d"}})"),
       "1 | - | - | 24 | DOSE_MISSING"},
  };
  ExpectRows(rows);
}

TEST(Dosage, EveryIssue) {
  const std::string cap = R"("maxDosePerAdministration":{"value":1,"code":"mL"},)";
  const std::string early = "\"sequence\":1," + kDaily + ",", late = "\"sequence\":2," + kDaily + ",";
  const std::string huge = "1e-38";
  const Row rows[] = {
      {"cap in mL of a tablet", MorphineOrder(kDaily, cap + kMg), "1 | 10 | 10 | 24 | CAP_UNREADABLE"},
      {"code and repeat",
       MorphineOrder("\"timing\":{" + Code("TID") +
                     R"(,"repeat":{"frequency":2,"period":1,"periodUnit":"d"}})"),
       "2 | 20 | 20 | 12 | CODE_CONFLICT"},
      {"two drugs in one concept",
       R"({"resourceType":"MedicationRequest","medicationCodeableConcept":{"coding":[)" + RxNorm("7804") +
           "," + RxNorm("7052") + "]},\"dosageInstruction\":[{" + kDaily + "," + kMg + "}]}",
       "1 | 10 | 15 | 24 | CODING_CONFLICT"},
      {"mg of a combination", Order("857002", kDaily + "," + kMg), "1 | - | - | 24 | DOSE_AMBIGUOUS"},
      {"two doses",
       MorphineOrder(
           kDaily,
           R"("doseAndRate":[{"doseQuantity":{"value":10,"code":"mg"}},{"doseQuantity":{"value":20,"code":"mg"}}])"),
       "1 | 10 | 10 | 24 | DOSE_CHOICE"},
      {"no dose", MorphineOrder(kDaily, ""), "1 | - | - | 24 | DOSE_MISSING"},
      {"no known code", Order("0", kDaily + "," + kMg), "1 | 10 | - | 24 | DRUG_UNKNOWN"},
      {"times and frequency",
       MorphineOrder(Repeat(
           R"("frequency":4,"period":1,"periodUnit":"d","timeOfDay":["06:00:00","12:00:00","18:00:00"])")),
       "3..4 | 30..40 | 30..40 | 6 | FREQ_CONFLICT"},
      {"36 a day", MorphineOrder(Repeat(R"("frequency":6,"period":4,"periodUnit":"h")")),
       "36 | 360 | 360 | 0.666666666667 | IMPLAUSIBLE_FREQUENCY"},
      {"on hold", Status("on-hold"), "- | - | - | - | NOT_APPLICABLE"},
      {"do not perform", Status("active", "\"doNotPerform\":true,"), "- | - | - | - | NOT_APPLICABLE"},
      {"no instruction",
       R"({"resourceType":"MedicationRequest","medicationCodeableConcept":)" + RxNormConcept(kMorphine) + "}",
       "- | - | - | - | NO_DOSAGE"},
      {"no factor", Order("23088", kDaily + "," + kMg), "1 | 10 | - | 24 | NO_FACTOR"},
      {"once", MorphineOrder(Repeat(R"("count":1)")), "- | - | - | - | ONE_OFF"},
      {"ended", MorphineOrder(Repeat(R"("boundsPeriod":{"end":"2026-12-09"},"period":1,"periodUnit":"d")")),
       "- | - | - | - | OUT_OF_BOUNDS"},
      {"too large", MorphineOrder(Repeat("\"period\":" + huge + ",\"periodUnit\":\"s\""), Dose(huge, "ng")),
       "- | - | - | - | OVERFLOW"},
      {"frequency only", MorphineOrder(Repeat(R"("frequency":2)")), "- | - | - | - | PERIOD_MISSING"},
      {"period without unit", MorphineOrder(Repeat(R"("frequency":2,"period":1)")),
       "- | - | - | - | PERIOD_MISSING"},
      {"a plan", Status("active", "\"intent\":\"plan\","), "1 | 10 | 10 | 24 | PLANNED"},
      {"as needed without end", Order(kMorphine, "\"asNeededBoolean\":true," + kMg),
       "- | - | - | - | PRN_UNBOUNDED"},
      {"reversed",
       MorphineOrder(
           kDaily,
           R"("doseAndRate":[{"doseRange":{"low":{"value":10,"code":"mg"},"high":{"value":5,"code":"mg"}}}])"),
       "1 | 5..10 | 5..10 | 24 | RANGE_REVERSED"},
      {"steps", TwoInstructions(early + Dose("30", "mg"), late + Dose("20", "mg")),
       "1 | 30 | 30 | 24 | SEQUENTIAL"},
      {"tablets of unknown strength", MorphineOrder(kDaily, Dose("1", "{tbl}")),
       "1 | - | - | 24 | STRENGTH_UNKNOWN"},
      {"mL of a tablet", Order(kOxycodoneTablet, kDaily + "," + Dose("5", "mL")),
       "1 | - | - | 24 | STRENGTH_UNKNOWN"},
      {"text", Order(kMorphine, kDaily + R"(,"text":"10 mg daily PRN",)" + kMg),
       "1 | 10 | 10 | 24 | TEXT_CONFLICT"},
      {"text is no timing", Order(kMorphine, R"("text":"10 mg daily",)" + kMg),
       "- | - | - | - | TIMING_UNKNOWN"},
      {"mcg", MorphineOrder(kDaily, Dose("2500", "mcg")), "1 | 2.5 | 2.5 | 24 | UNIT_NOT_UCUM"},
      {"mg as text of the unit",
       MorphineOrder(kDaily, R"("doseAndRate":[{"doseQuantity":{"value":10,"unit":"mg"}}])"),
       "1 | 10 | 10 | 24 | UNIT_NOT_UCUM"},
      {"mmol", MorphineOrder(kDaily, Dose("1", "mmol")), "1 | - | - | 24 | UNIT_UNKNOWN"},
      {"a rate as a dose", MorphineOrder(kDaily, Dose("1", "mg/h")), "1 | - | - | 24 | UNIT_UNKNOWN"},
      {"days of a week in a week",
       MorphineOrder(Repeat(R"("frequency":3,"period":1,"periodUnit":"wk","dayOfWeek":["mon","wed","fri"])")),
       "0.183673469388 | 1.83673469388 | 1.83673469388 | 130.666666667 | WEEKDAY_PERIOD"},
      {"mg/kg", MorphineOrder(kDaily, Dose("0.1", "mg/kg")), "1 | - | - | 24 | WEIGHT_MISSING"},
  };
  std::set<Issue> seen;
  ExpectRows(rows, &seen);
  for (const IssueRow& issue : Issues())
    EXPECT_TRUE(seen.contains(issue.issue)) << issue.code << " has no row";
}

TEST(Dosage, WhatCountsAndWhen) {
  const std::string week = R"("boundsDuration":{"value":1,"code":"wk"},"period":1,"periodUnit":"d")";
  const auto step = [&](std::string_view sequence, std::string_view mg) {
    return "\"sequence\":" + std::string(sequence) + "," + Repeat(week) + "," + Dose(mg, "mg");
  };
  const auto authored = [](std::string_view date) { return "\"authoredOn\":\"" + std::string(date) + "\","; };
  const Row rows[] = {
      {"a draft counts", Status("draft"), "1 | 10 | 10 | 24 | "},
      {"completed", Status("completed"), "- | - | - | - | NOT_APPLICABLE"},
      {"the last day is in",
       MorphineOrder(Repeat(R"("boundsPeriod":{"end":"2026-12-10"},"period":1,"periodUnit":"d")")),
       "1 | 10 | 10 | 24 | "},
      {"not begun",
       MorphineOrder(Repeat(R"("boundsPeriod":{"start":"2026-12-11"},"period":1,"periodUnit":"d")")),
       "- | - | - | - | OUT_OF_BOUNDS"},
      {"a week from the order",
       Order(kMorphine, Repeat(week) + "," + kMg, R"("authoredOn":"2026-12-03T10:00:00Z")"),
       "1 | 10 | 10 | 24 | "},
      {"a week ago to the minute",
       Order(kMorphine, Repeat(week) + "," + kMg, R"("authoredOn":"2026-12-03T09:00:00Z")"),
       "- | - | - | - | OUT_OF_BOUNDS"},
      {"a week from nobody knows when", Order(kMorphine, Repeat(week) + "," + kMg), "1 | 10 | 10 | 24 | "},
      {"first of two weekly steps",
       TwoInstructions(step("1", "10"), step("2", "30"), authored("2026-12-08T00:00:00Z")),
       "1 | 10 | 10 | 24 | "},
      {"second of two weekly steps",
       TwoInstructions(step("1", "10"), step("2", "30"), authored("2026-12-01T00:00:00Z")),
       "1 | 30 | 30 | 24 | "},
      {"one of two concurrent ones has ended",
       TwoInstructions(
           Repeat(R"("boundsPeriod":{"end":"2026-12-01"},"period":1,"periodUnit":"d")") + "," + kMg,
           kDaily + "," + Dose("5", "mg")),
       "1 | 5 | 5 | 24 | "},
      {"equal sequence numbers add up",
       TwoInstructions("\"sequence\":1," + kDaily + "," + kMg, "\"sequence\":1," + kDaily + "," + kMg),
       "2 | 20 | 20 | 24 | "},
      {"a loading dose and then daily",
       TwoInstructions(Repeat(R"("count":1)") + "," + Dose("30", "mg"), kDaily + "," + kMg),
       "1 | 10 | 10 | 24 | ONE_OFF"},
      {"one unknown of two makes the sum unknown", TwoInstructions(kMg, kDaily + "," + kMg),
       "- | - | - | - | TIMING_UNKNOWN"},
      {"scheduled and as needed",
       TwoInstructions(kDaily + "," + kMg, "\"asNeededBoolean\":true," + kDaily + "," + kMg),
       "2 | 20 | 20 | 24 | "},
  };
  ExpectRows(rows);
}

TEST(Dosage, ScheduledAndAsNeeded) {
  const auto both = [](const std::string& request) {
    Requests requests({request});
    const RequestDose dose = requests.dose();
    const auto scheduled = dose.Scheduled();
    return std::string(scheduled ? *scheduled ? "scheduled" : "not scheduled" : "unknown") +
           (dose.AsNeeded() ? ", as needed" : "");
  };
  EXPECT_EQ(both(Order(kMorphine, kMg)), "scheduled");
  EXPECT_EQ(both(Order(kMorphine, "\"asNeededBoolean\":false," + kMg)), "scheduled");
  EXPECT_EQ(both(Order(kMorphine, "\"asNeededBoolean\":true," + kMg)), "not scheduled, as needed");
  EXPECT_EQ(both(Order(kMorphine, R"("asNeededCodeableConcept":{"text":"pain"},)" + kMg)),
            "not scheduled, as needed");
  EXPECT_EQ(both(Order(kMorphine, "\"asNeeded\":true," + kMg)), "not scheduled, as needed") << "R5";
  EXPECT_EQ(both(Order(kMorphine, R"("asNeededFor":[{"text":"pain"}],)" + kMg)), "not scheduled, as needed")
      << "R5";
  EXPECT_EQ(both(Order(kMorphine, "\"text\":\"as needed\"," + kMg)), "scheduled") << "text changes nothing";
  EXPECT_EQ(both(TwoInstructions(kMg, "\"asNeededBoolean\":true," + kMg)), "scheduled, as needed");
  EXPECT_EQ(both(R"({"resourceType":"MedicationRequest"})"), "unknown");
}

TEST(Dosage, Gaps) {
  const auto gap = [](std::string_view repeat) {
    Requests requests({MorphineOrder(Repeat(repeat))});
    return Shown(requests.dose().dosages[0].timing.largest_gap_h);
  };
  EXPECT_EQ(gap(R"("timeOfDay":["08:00:00","14:00:00","20:00:00"])"), "12");
  EXPECT_EQ(gap(R"("timeOfDay":["06:00:00","23:30:00"])"), "17.5");
  EXPECT_EQ(gap(R"("frequency":1,"period":4,"periodMax":6,"periodUnit":"h")"), "6");
  EXPECT_EQ(gap(R"("frequency":3,"period":1,"periodUnit":"d")"), "8");
  EXPECT_EQ(
      gap(R"("frequency":3,"period":1,"periodUnit":"d","timeOfDay":["08:00:00","12:00:00","18:00:00"])"),
      "14");
  EXPECT_EQ(gap(R"("period":1,"periodUnit":"d","dayOfWeek":["mon","wed","fri"])"), "72");
  EXPECT_EQ(gap(R"("timeOfDay":["08:00:00","20:00:00"],"dayOfWeek":["sat","sun"])"), "132");
  EXPECT_EQ(gap(R"("when":["MORN","EVE"])"), "12");
}

}  // namespace
}  // namespace stepwise::medication
