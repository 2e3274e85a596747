#include "rules/dosage_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "fhir/json_text.h"
#include "rules/medication/explanation.h"
#include "rules/medication/omeq.h"
#include "rules/medication/quantity_reader.h"
#include "rules/medication/regimen.h"
#include "rules/pack_files.h"
#include "rules/pack_reader.h"

namespace stepwise::rules {
namespace {

using medication::DrugKnowledge;
using medication::Issue;
using medication::OmeqTable;
using medication::Range;
using medication::Rational;
using medication::RequestDose;

// Tables of the first pack below `dir` that has some. `pack_errors`: what was wrong with it.
std::unique_ptr<const DrugKnowledge> LoadKnowledge(const std::string& dir, Errors* errors) {
  for (const std::string& found : FindPackDirs(dir)) {
    const auto pack = ReadPack(found, errors);
    if (!pack) continue;
    if (auto knowledge = DrugKnowledge::Read(*pack, errors)) return knowledge;
  }
  if (errors->empty())
    AddError(errors, {.file = dir}, "no pack here has drug tables (`ingredients` in pack.yaml)",
             Code::kNotFound);
  return nullptr;
}

// rules/packs of the source tree that the program was built in, or of an installation.
std::string DefaultPacks() {
  std::error_code code;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  for (const char* place : {"../../../rules/packs", "../share/stepwise/packs"}) {
    if (std::filesystem::is_directory(program / place, code))
      return (program / place).lexically_normal().string();
  }
  return "rules/packs";
}

std::string UnknownTable(std::string_view id, const DrugKnowledge& knowledge) {
  std::string out = "no table `" + std::string(id) + "`; known:";
  for (const OmeqTable& table : knowledge.omeq_tables()) out += " " + table.id();
  return out;
}

std::string RangeJson(const std::optional<Range>& range) {
  if (!range) return "null";
  return "[" + range->low.ToDecimalText() + "," + range->high.ToDecimalText() + "]";
}

std::string ErrorLine(std::string_view id, std::string_view message) {
  return "{\"id\":" + std::string(id) + ",\"error\":" + JsonQuote(message) + "}";
}

// The id of a line that is no JSON, where it is the first property and a string or number; "null" otherwise.
std::string_view GuessId(std::string_view line) {
  const auto skip = [&](std::string_view expected) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(expected)) return false;
    line.remove_prefix(expected.size());
    return true;
  };
  if (!skip("{") || !skip("\"id\"") || !skip(":") || !skip("")) return "null";
  const bool quoted = line.starts_with('"');
  const std::size_t end = quoted ? line.find_first_of("\"\\", 1) : line.find_first_not_of("0123456789");
  if (end == std::string_view::npos || end == 0 || (quoted && line[end] != '"')) return "null";
  return line.substr(0, quoted ? end + 1 : end);
}

std::string AnswerJson(std::string_view id, const RequestDose& dose, const OmeqTable& table) {
  const medication::OmeqResult omeq = Omeq(dose, table);
  const auto interval = dose.IntervalHours();
  const auto scheduled = dose.Scheduled();
  std::string out = "{\"id\":" + std::string(id) + ",\"dosesPerDay\":" + RangeJson(dose.DosesPerDay()) +
                    ",\"dailyMg\":" + RangeJson(dose.DailyMg(0)) + ",\"mme\":" + RangeJson(omeq.mg_per_day) +
                    ",\"scheduled\":" + (scheduled ? *scheduled ? "true" : "false" : "null") +
                    ",\"prn\":" + (dose.AsNeeded() ? "true" : "false") +
                    ",\"intervalHours\":" + (interval ? interval->ToDecimalText() : "null") + ",\"issues\":[";
  bool first = true;
  for (const medication::IssueRow& row : medication::Issues()) {
    if (!dose.issues.Has(row.issue) && !omeq.issues.Has(row.issue)) continue;
    out += (first ? "\"" : ",\"") + std::string(row.code) + "\"";
    first = false;
  }
  return out + "]}";
}

struct Arguments {
  std::string file, table, now, packs;
  std::string weight;
  bool jsonl = false;
};

Result<DosageOptions> ReadOptions(const Arguments& arguments, const DrugKnowledge& knowledge) {
  DosageOptions out{.table = arguments.table};
  if (knowledge.FindOmeq(out.table) == nullptr)
    return Fail(Code::kInvalidArgument, "--table: " + UnknownTable(out.table, knowledge));
  if (!arguments.weight.empty()) {
    out.weight_kg = Rational::Parse(arguments.weight);
    if (!out.weight_kg || !out.weight_kg->IsPositive()) {
      return Fail(Code::kInvalidArgument, "--weight-kg: `" + arguments.weight + "` is no weight");
    }
  }
  if (arguments.now.empty()) {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    out.now =
        DateTime::FromUnixMillis(std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
    return out;
  }
  const auto now = DateTime::ParseDateTime(arguments.now);
  if (!now || !now->has_offset) {
    return Fail(Code::kInvalidArgument, "--now: expected a time with offset, such as 2026-12-10T09:00:00Z");
  }
  out.now = *now;
  return out;
}

int Run(const Arguments& arguments) {
  Errors errors;
  const auto knowledge = LoadKnowledge(arguments.packs.empty() ? DefaultPacks() : arguments.packs, &errors);
  if (knowledge == nullptr) {
    for (const Error& error : errors) std::cerr << error.ToString() << "\n";
    return 1;
  }
  const auto options = ReadOptions(arguments, *knowledge);
  if (!options) {
    std::cerr << options.error().ToString() << "\n";
    return 2;
  }
  std::ifstream file;
  const bool standard_input = arguments.file.empty() || arguments.file == "-";
  if (!standard_input) {
    file.open(arguments.file, std::ios::binary);
    if (!file) {
      std::cerr << "cannot read " << arguments.file << "\n";
      return 2;
    }
  }
  std::istream& in = standard_input ? std::cin : file;
  if (arguments.jsonl) {
    AnswerDosageLines(in, *knowledge, *options, std::cout);
    return 0;
  }
  const auto text = ExplainDosages({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()},
                                   *knowledge, *options);
  if (!text) {
    std::cerr << (standard_input ? "" : arguments.file + ": ") << text.error().ToString() << "\n";
    return 1;
  }
  std::cout << *text;
  return 0;
}

}  // namespace

std::string AnswerDosageLine(std::string line, const DrugKnowledge& knowledge, const DosageOptions& options) {
  const std::string guessed(GuessId(line));
  const auto document = Document::Parse(std::move(line));
  if (!document) {
    // What looked like an id may be part of the mistake; an answer line is JSON in any case.
    return ErrorLine(Document::Parse("{\"id\":" + guessed + "}") ? guessed : "null",
                     document.error().message);
  }
  const Node root = document->root();
  const Node id_node = root.Child("id");
  const std::string id(id_node && id_node.kind() != NodeKind::kObject ? id_node.json() : "null");
  const Node request = root.Child("medicationRequest");
  if (!request || request.kind() != NodeKind::kObject)
    return ErrorLine(id, "medicationRequest: expected an object");
  const Node table_node = root.Child("table");
  const std::string_view table_id = table_node ? table_node.text() : std::string_view(options.table);
  const OmeqTable* table = knowledge.FindOmeq(table_id);
  if (table == nullptr) return ErrorLine(id, "table: " + UnknownTable(table_id, knowledge));
  medication::DoseContext context{
      .knowledge = &knowledge, .now = options.now, .weight_kg = options.weight_kg};
  if (const Node weight = root.Child("weight_kg")) {
    medication::IssueSet issues;
    context.weight_kg = medication::ReadNumber(weight, &issues);
    if (!context.weight_kg || !context.weight_kg->IsPositive())
      return ErrorLine(id, "weight_kg: expected a positive number");
  }
  medication::References references;
  references.Add(&*document);
  context.references = &references;
  return AnswerJson(id, ReadRequest(request, context), *table);
}

void AnswerDosageLines(std::istream& in, const DrugKnowledge& knowledge, const DosageOptions& options,
                       std::ostream& out) {
  for (std::string line; std::getline(in, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    out << AnswerDosageLine(std::move(line), knowledge, options) << '\n';
    line.clear();
  }
  out.flush();
}

Result<std::string> ExplainDosages(std::string json, const DrugKnowledge& knowledge,
                                   const DosageOptions& options) {
  STEPWISE_ASSIGN_OR_RETURN(const Document document, Document::Parse(std::move(json)));
  std::vector<Node> requests;
  for (const std::uint32_t index : document.resources()) {
    const Node node = document.node(index);
    if (node.resource_type() == types::kMedicationRequest && node.name() != names::kContained)
      requests.push_back(node);
  }
  if (requests.empty()) return Fail(Code::kInvalidArgument, "no MedicationRequest in it");
  medication::References references;
  references.Add(&document);
  const medication::DoseContext context{
      .knowledge = &knowledge, .references = &references, .now = options.now, .weight_kg = options.weight_kg};
  return medication::Explain(requests, context, *knowledge.FindOmeq(options.table));
}

void AddDosageCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("dosage", "Explain the dose arithmetic of prescriptions");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->file,
                      "MedicationRequest, Bundle or CDS Hooks request; - for standard input");
  command->add_flag("--jsonl", arguments->jsonl,
                    "Answer a JSON line for each line {id, medicationRequest, weight_kg, table}");
  command->add_option("--table", arguments->table,
                      "Table of oral morphine equivalents, such as cdc-2022 (default) or cdc-2016");
  command->add_option("--weight-kg", arguments->weight, "Body weight in kg, for doses by weight");
  command->add_option("--now", arguments->now,
                      "Time that bounds and events refer to, such as 2026-12-10T09:00:00Z");
  command->add_option("--packs", arguments->packs, "Folder of packs with the drug tables");
  command->callback([arguments, &exit_code] { exit_code = Run(*arguments); });
}

}  // namespace stepwise::rules
