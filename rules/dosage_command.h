// `stepwise dosage`: dose arithmetic explained, or line by line for programs.
//
//   stepwise dosage order.json                      each step in words and numbers, totals by ingredient,
//   equivalent stepwise dosage bundle.json --table cdc-2016    all requests of a Bundle or a CDS Hooks
//   request, as one regimen stepwise dosage --jsonl cases.jsonl             one JSON answer a line; "-" or no
//   file: standard input
//
// A line of --jsonl: {"id", "medicationRequest": {...}, "weight_kg"?, "table"?}; its answer: {"id",
// "dosesPerDay": [low, high]|null, "dailyMg", "mme", "scheduled": bool|null, "prn": bool, "intervalHours":
// n|null, "issues": [codes]}. null is "not known". Amounts are sums over the instructions in force, one-off
// doses left out. Of a combination product dailyMg is the opioid's, else the first analgesic's, else the
// first ingredient's. Numbers are exact decimals, or 12 significant digits where there is none. A line that
// cannot be read answers
// {"id", "error"} and the next one follows.
#ifndef STEPWISE_RULES_DOSAGE_COMMAND_H_
#define STEPWISE_RULES_DOSAGE_COMMAND_H_

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "rules/medication/dosage.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddDosageCommand(CLI::App& app, int& exit_code);

struct DosageOptions {
  std::string table = {};  // id, "" for the default one
  std::optional<medication::Rational> weight_kg = std::nullopt;
  DateTime now = {};  // bounds and events refer to it
};

// The answer to one line of --jsonl, without the line break.
std::string AnswerDosageLine(std::string line, const medication::DrugKnowledge& knowledge,
                             const DosageOptions& options);

// Lines in, lines out, in order. Empty lines are skipped.
void AnswerDosageLines(std::istream& in, const medication::DrugKnowledge& knowledge,
                       const DosageOptions& options, std::ostream& out);

// The explanation of a MedicationRequest, a Bundle or a CDS Hooks request, for people.
Result<std::string> ExplainDosages(std::string json, const medication::DrugKnowledge& knowledge,
                                   const DosageOptions& options);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_DOSAGE_COMMAND_H_
