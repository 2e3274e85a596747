#include "rules/pack_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "rules/functions.h"
#include "rules/knowledge_base.h"
#include "rules/pack_printer.h"
#include "rules/pack_test_command.h"

namespace stepwise::rules {
namespace {

std::string_view WantName(fhirpath::Want want) {
  switch (want) {
    case fhirpath::Want::kNone: return "";
    case fhirpath::Want::kItems: return "items";
    case fhirpath::Want::kOne: return "item";
    case fhirpath::Want::kBoolean: return "boolean";
    case fhirpath::Want::kString: return "string";
    case fhirpath::Want::kInteger: return "integer";
    case fhirpath::Want::kDecimal: return "decimal";
    case fhirpath::Want::kTemporal: return "date or time";
    case fhirpath::Want::kQuantity: return "quantity";
    case fhirpath::Want::kExpression: return "expression";
    case fhirpath::Want::kType: return "type";
  }
  return "";
}

void PrintFunction(const fhirpath::Builtin& row, std::ostream& out) {
  out << row.name << "(";
  bool first = true;
  for (const fhirpath::Parameter& parameter : row.params) {
    if (parameter.want == fhirpath::Want::kNone) break;
    out << (first ? "" : ", ") << parameter.name << ": " << WantName(parameter.want)
        << (parameter.optional ? "?" : "");
    first = false;
  }
  out << ")";
  if (row.result != types::kNone) out << " -> " << TypeName(row.result) << (row.result_many ? "*" : "");
  out << "\n    " << row.doc << (row.spec.empty() ? "" : " [" + std::string(row.spec) + "]") << "\n";
}

}  // namespace

int CheckPacks(std::span<const std::string> dirs, bool colour, std::ostream& out) {
  Printer printer(colour, out);
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  printer.Print(report);
  if (base != nullptr) {
    for (const Pack& pack : base->packs()) {
      std::size_t off = 0;
      for (const Rule& rule : pack.rules) off += rule.mode == RuleMode::kOff;
      out << pack.id << " " << pack.version.ToString() << "  " << pack.digest << "\n  "
          << Count(pack.rules.size(), "rule") << (off > 0 ? " (" + std::to_string(off) + " off)" : "") << ", "
          << Count(pack.value_sets.size(), "value set") << ", " << Count(pack.tables.size(), "table") << ", "
          << Count(pack.facts.size(), "fact") << ", " << pack.status << "\n";
    }
  }
  out << (base != nullptr ? printer.Paint(kGreen, "good")
                          : printer.Paint(kRed, Count(report.errors.size(), "error")));
  if (!report.warnings.empty()) out << ", " << Count(report.warnings.size(), "warning");
  out << "\n";
  return base != nullptr ? 0 : 1;
}

int ListFunctions(std::ostream& out) {
  for (const fhirpath::Builtin& row : fhirpath::Builtins()) PrintFunction(row, out);
  for (const fhirpath::Builtin& row : RuleFunctions()) PrintFunction(row, out);
  return 0;
}

void AddPackCommand(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
  };
  CLI::App* pack = app.add_subcommand("pack", "Check and test rule packs");
  pack->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();

  CLI::App* check = pack->add_subcommand("check", "Read and compile packs; print every error and warning");
  check->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  check->callback(
      [arguments, &exit_code] { exit_code = CheckPacks(arguments->dirs, WantsColour(), std::cout); });

  AddPackTestCommand(*pack, exit_code);
}

void AddFunctionsCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("functions", "List the functions that expressions may call");
  command->callback([&exit_code] { exit_code = ListFunctions(std::cout); });
}

}  // namespace stepwise::rules
