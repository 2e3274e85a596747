// Dose arithmetic in tests: the analgesics pack of the source tree, and MedicationRequests from short texts.
//
//   Requests requests({Order("oxycodone", R"("timing":{...},"doseAndRate":[...])")});
//   requests.dose(0).DailyMg(0)
#ifndef STEPWISE_TESTS_RULES_MEDICATION_FIXTURE_H_
#define STEPWISE_TESTS_RULES_MEDICATION_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "rules/medication/regimen.h"
#include "rules/pack_reader.h"
#include "tests/testing.h"

namespace stepwise::medication {

inline const DrugKnowledge& TestKnowledge() {
  static const std::unique_ptr<const DrugKnowledge> kKnowledge = [] {
    rules::Errors errors;
    const auto pack = rules::ReadPack((SourceDir() / "rules/packs/analgesics").string(), &errors);
    auto knowledge = pack ? DrugKnowledge::Read(*pack, &errors) : nullptr;
    for (const Error& error : errors) ADD_FAILURE() << error.ToString();
    return knowledge;
  }();
  return *kKnowledge;
}

inline const DateTime kTestNow = *DateTime::ParseDateTime("2026-12-10T09:00:00Z");

inline std::string Coding(std::string_view system, std::string_view code) {
  return "{\"system\":\"" + std::string(system) + "\",\"code\":\"" + std::string(code) + "\"}";
}
inline std::string RxNorm(std::string_view code) { return Coding(kRxNormSystem, code); }

// A CodeableConcept with one RxNorm code.
inline std::string RxNormConcept(std::string_view code) { return "{\"coding\":[" + RxNorm(code) + "]}"; }

// An active MedicationRequest of RxNorm `code` with one dosage instruction, given without its braces.
inline std::string Order(std::string_view code, std::string_view dosage, std::string_view more = "") {
  return "{\"resourceType\":\"MedicationRequest\",\"status\":\"active\",\"intent\":\"order\"," +
         (more.empty() ? "" : std::string(more) + ",") +
         "\"medicationCodeableConcept\":" + RxNormConcept(code) + ",\"dosageInstruction\":[{" +
         std::string(dosage) + "}]}";
}

inline std::string Every(std::string_view period, std::string_view unit) {
  return "\"timing\":{\"repeat\":{\"frequency\":1,\"period\":" + std::string(period) + ",\"periodUnit\":\"" +
         std::string(unit) + "\"}}";
}

inline std::string Dose(std::string_view value, std::string_view code) {
  return "\"doseAndRate\":[{\"doseQuantity\":{\"value\":" + std::string(value) + ",\"code\":\"" +
         std::string(code) + "\"}}]";
}

// Requests in one Bundle, so that references between its resources work.
class Requests {
 public:
  explicit Requests(const std::vector<std::string>& resources, std::optional<std::string_view> weight_kg = {},
                    const DateTime& now = kTestNow) {
    std::string json = R"({"resourceType":"Bundle","entry":[)";
    for (std::size_t i = 0; i < resources.size(); ++i) {
      json += (i == 0 ? "" : ",") + ("{\"resource\":" + resources[i] + "}");
    }
    auto parsed = Document::Parse(json + "]}");
    if (!parsed) {
      ADD_FAILURE() << parsed.error().ToString() << "\n" << json;
      parsed = Document::Parse("{}");
    }
    document_ = std::make_unique<Document>(std::move(*parsed));
    references_.Add(document_.get());
    for (const std::uint32_t index : document_->resources()) {
      const Node node = document_->node(index);
      if (node.resource_type() == types::kMedicationRequest) nodes_.push_back(node);
    }
    context_ = {
        .knowledge = &TestKnowledge(), .references = &references_, .now = now, .weight_kg = std::nullopt};
    if (weight_kg) context_.weight_kg = Rational::Parse(*weight_kg);
  }

  RequestDose dose(std::size_t index = 0) { return ReadRequest(nodes_.at(index), context_); }
  Regimen regimen() { return MakeRegimen(nodes_, context_); }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  std::unique_ptr<Document> document_;
  References references_;
  std::vector<Node> nodes_;
  DoseContext context_;
};

inline const OmeqTable& Cdc2022() { return *TestKnowledge().FindOmeq("cdc-2022"); }
inline const OmeqTable& Cdc2016() { return *TestKnowledge().FindOmeq("cdc-2016"); }

// "60", "30..90", "-" for not known.
inline std::string Shown(const std::optional<Rational>& value) {
  return value ? value->ToDecimalText() : "-";
}
inline std::string Shown(const std::optional<Range>& range) {
  if (!range) return "-";
  return Shown(range->low) + (range->low == range->high ? "" : ".." + Shown(range->high));
}
inline std::string Shown(const Total& total) { return (total.partial ? ">=" : "") + Shown(total.amount); }

inline std::string Shown(IssueSet issues) {
  std::string out;
  for (const IssueRow& row : Issues()) {
    if (issues.Has(row.issue)) out += (out.empty() ? "" : " ") + std::string(row.code);
  }
  return out;
}

}  // namespace stepwise::medication

#endif  // STEPWISE_TESTS_RULES_MEDICATION_FIXTURE_H_
