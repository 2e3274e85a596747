// Dose arithmetic of 1,000 mixed requests in one parsed bundle: daily dose and oral morphine equivalent of
// each, results asserted. Target: at most 2 us a request.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "rules/medication/regimen.h"
#include "rules/pack_reader.h"
#include "tests/testing.h"

namespace stepwise::medication {
namespace {

constexpr int kRequests = 1000;

const DrugKnowledge& Knowledge() {
  static const std::unique_ptr<const DrugKnowledge> kKnowledge = [] {
    rules::Errors errors;
    const auto pack = rules::ReadPack((SourceDir() / "rules/packs/analgesics").string(), &errors);
    return pack ? DrugKnowledge::Read(*pack, &errors) : nullptr;
  }();
  return *kKnowledge;
}

// Ten kinds of orders, and the sums of what 100 rounds of them come to (mg/d of the first ingredient, mg/d
// OMEQ).
struct Kind {
  std::string_view rxcui, dosage;
};
constexpr Kind kKinds[] = {
    {"7052",
     R"("timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":10,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}])"},
    {"1049502",
     R"("timing":{"repeat":{"frequency":1,"period":12,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}])"},
    {"857002",
     R"("timing":{"repeat":{"frequency":4,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{tbl}"}}])"},
    {"836397",
     R"("timing":{"repeat":{"frequency":1,"period":4,"periodMax":6,"periodUnit":"h"}},"doseAndRate":[{"doseRange":{"low":{"value":1,"code":"TAB"},"high":{"value":2,"code":"TAB"}}}])"},
    {"197696",
     R"("timing":{"repeat":{"frequency":1,"period":72,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"{patch}"}}])"},
    {"7052",
     R"("asNeededBoolean":true,"timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}},"maxDosePerPeriod":{"numerator":{"value":40,"code":"mg"},"denominator":{"value":1,"code":"d"}},"doseAndRate":[{"doseQuantity":{"value":10,"code":"mg"}}])"},
    {"6813",
     R"("timing":{"code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation","code":"TID"}]}},"doseAndRate":[{"doseQuantity":{"value":10,"code":"mg"}}])"},
    {"892589",
     R"("timing":{"repeat":{"timeOfDay":["08:00:00","14:00:00","20:00:00"]}},"doseAndRate":[{"doseQuantity":{"value":5,"code":"mL"}}])"},
    {"7052",
     R"("timing":{"repeat":{"frequency":1,"period":4,"periodUnit":"h"}},"doseAndRate":[{"doseQuantity":{"value":0.1,"code":"mg/kg"}}])"},
    {"161",
     R"("text":"1 g four times a day","timing":{"repeat":{"when":["MORN","NOON","EVE","HS"]}},"doseAndRate":[{"doseQuantity":{"value":1,"code":"g"}}])"},
};
constexpr std::int64_t kRoundMg10 =
    600 + 200 + 200 + 4500 + 18 + 400 + 300 + 300 + 360 + 40000;  // high ends, x 10
constexpr std::int64_t kRoundOmeq10 = 600 + 300 + 200 + 900 + 1800 + 400 + 1410 + 300 + 360;

Document Bundle() {
  std::string json = R"({"resourceType":"Bundle","entry":[)";
  for (int i = 0; i < kRequests; ++i) {
    const Kind& kind = kKinds[static_cast<std::size_t>(i) % std::size(kKinds)];
    json +=
        (i == 0 ? "" : ",") + std::string(R"({"resource":{"resourceType":"MedicationRequest","id":"m)") +
        std::to_string(i) +
        R"(","status":"active","intent":"order","subject":{"reference":"Patient/p"},"medicationCodeableConcept":{"coding":[)" +
        R"({"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":")" + std::string(kind.rxcui) +
        R"("}]},"dosageInstruction":[{)" + std::string(kind.dosage) + "}]}}";
  }
  return std::move(*Document::Parse(json + "]}"));
}

struct Input {
  Document document = Bundle();
  References references;
  std::vector<Node> requests;
  DoseContext context;

  Input() {
    references.Add(&document);
    for (const std::uint32_t index : document.resources()) {
      if (document.node(index).resource_type() == types::kMedicationRequest)
        requests.push_back(document.node(index));
    }
    context = {.knowledge = &Knowledge(),
               .references = &references,
               .now = *DateTime::ParseDateTime("2026-12-10T09:00:00Z"),
               .weight_kg = Rational(60)};
  }
};

void BM_DailyDoseAndOmeq(benchmark::State& state) {
  Input input;
  const OmeqTable& table = *Knowledge().FindOmeq("cdc-2022");
  for (auto _ : state) {
    Rational mg, omeq;
    for (const Node request : input.requests) {
      const RequestDose dose = ReadRequest(request, input.context);
      if (const auto daily = dose.DailyMg(0)) mg = mg + daily->high;
      if (const auto equivalent = Omeq(dose, table).mg_per_day) omeq = omeq + equivalent->high;
    }
    constexpr std::int64_t kRounds = kRequests / std::size(kKinds);
    if (!(mg == Rational::Make(kRoundMg10 * kRounds, 10)) ||
        !(omeq == Rational::Make(kRoundOmeq10 * kRounds, 10))) {
      state.SkipWithError(
          ("wrong: " + mg.ToDecimalText() + " mg/d, " + omeq.ToDecimalText() + " OMEQ").c_str());
    }
  }
  state.SetItemsProcessed(state.iterations() * kRequests);
}
BENCHMARK(BM_DailyDoseAndOmeq)->Unit(benchmark::kMicrosecond);

// All of them as one regimen.
void BM_Regimen(benchmark::State& state) {
  Input input;
  const OmeqTable& table = *Knowledge().FindOmeq("cdc-2022");
  for (auto _ : state) {
    const Regimen regimen = MakeRegimen(input.requests, input.context);
    const OmeqTotals totals = regimen.Omeq(table);
    if (totals.maximum.partial || !totals.maximum.amount) state.SkipWithError("the total is not known");
  }
  state.SetItemsProcessed(state.iterations() * kRequests);
}
BENCHMARK(BM_Regimen)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stepwise::medication
