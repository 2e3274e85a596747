// Whatever a MedicationRequest says, its amounts are ordered, never negative and no overflow, the answer line
// is JSON, and the explanation can be written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "rules/dosage_command.h"
#include "rules/medication/regimen.h"
#include "rules/pack.h"

namespace {

using namespace stepwise;
using medication::DrugKnowledge;

// A few rows of each table, so that the fuzzer needs no files.
const DrugKnowledge& Knowledge() {
  static const std::unique_ptr<const DrugKnowledge> kKnowledge = [] {
    rules::Errors errors;
    rules::Pack pack;
    const auto add = [&](std::string name, const std::string& text) {
      pack.tables.push_back(
          {name, rules::Table::Read("# source: x\n# date: 2026-01-01\n" + text, name, "", {}, &errors)});
    };
    add("drug_classes", "class,opioid,analgesic\nstrong-opioid,yes,yes\nnon-opioid,no,yes\n");
    add("ingredients",
        "rxcui,name,class,ladder_step\n7052,morphine,strong-opioid,3\n4337,fentanyl,strong-opioid,3\n"
        "161,acetaminophen,non-opioid,1\n");
    add("products",
        "rxcui,name,ingredient_rxcui,ingredient,class,strength_value,strength_unit,dose_form_rxcui,dose_form,"
        "release,route,hours,ingredients\n"
        "1,m,7052,morphine,strong-opioid,15,MG,317541,T,immediate,oral,,1\n"
        "2,c,7052,morphine,strong-opioid,5,MG,317541,T,immediate,oral,,2\n"
        "2,c,161,acetaminophen,non-opioid,325,MG,317541,T,immediate,oral,,2\n"
        "3,p,4337,fentanyl,strong-opioid,0.025,MG/HR,316987,S,transdermal,transdermal,72,1\n"
        "4,s,7052,morphine,strong-opioid,2,MG/ML,316968,O,immediate,oral,,1\n");
    add("routes", "system,code,kind\nhttp://snomed.info/sct,26643006,oral\n");
    add("timing_codes", "system,code,doses_per_day\nx,BID,2\nx,WK,1/7\n");
    add("when_codes", "code,doses_per_day\nAC,3\n");
    add("dosage_units",
        "system,code,kind,factor,ucum\n,mg,mass,1,yes\n,ug,mass,1/1000,yes\n,mL,volume,1,yes\n"
        ",s,time,1/86400,yes\n,h,time,1/24,yes\n,d,time,1,yes\n,a,time,365,yes\n,kg,weight,1,yes\n");
    add("dosage_limits", "name,value\ndoses_per_day,24\n");
    add("as_needed_words", "words\nprn\n");
    add("omeq_x",
        "ingredient_rxcui,ingredient,route,from_mg_exclusive,to_mg_inclusive,factor,per\n"
        "7052,morphine,oral,,20,1,mg\n7052,morphine,oral,20,,2,mg\n4337,fentanyl,transdermal,,,2.4,ug/h\n");
    auto knowledge = DrugKnowledge::Read(pack, &errors);
    if (knowledge == nullptr) std::abort();
    return knowledge;
  }();
  return *kKnowledge;
}

void Check(const std::optional<medication::Range>& range) {
  if (!range) return;
  if (range->overflowed() || range->high < range->low || range->low < medication::Rational()) std::abort();
  if (range->low.ToDecimalText().empty() || range->high.ToDecimalText().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const rules::DosageOptions options{.table = "",
                                     .weight_kg = medication::Rational(60),
                                     .now = *DateTime::ParseDateTime("2026-12-10T09:00:00Z")};
  (void)rules::ExplainDosages(text, Knowledge(), options);
  const auto document = Document::Parse(text);
  if (document && document->root().kind() == NodeKind::kObject) {
    medication::References references;
    references.Add(&*document);
    const medication::DoseContext context{.knowledge = &Knowledge(),
                                          .references = &references,
                                          .now = options.now,
                                          .weight_kg = options.weight_kg};
    const medication::RequestDose dose = medication::ReadRequest(document->root(), context);
    Check(dose.DosesPerDay());
    for (std::size_t i = 0; i < dose.drug.parts.size(); ++i) Check(dose.DailyMg(i));
    Check(medication::Omeq(dose, *Knowledge().FindOmeq("")).mg_per_day);
    const Node nodes[] = {document->root()};
    Check(medication::MakeRegimen(nodes, context).Omeq(*Knowledge().FindOmeq("")).maximum.amount);
  }
  if (text.find('\n') != std::string::npos) return 0;
  for (std::string line : {text, "{\"id\":1,\"medicationRequest\":" + text + "}"}) {
    const std::string answer = rules::AnswerDosageLine(std::move(line), Knowledge(), options);
    if (!Document::Parse(answer)) std::abort();
  }
  return 0;
}
