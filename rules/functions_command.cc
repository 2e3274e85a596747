#include "rules/functions_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "rules/functions.h"

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

int ListFunctions(std::ostream& out) {
  for (const fhirpath::Builtin& row : fhirpath::Builtins()) PrintFunction(row, out);
  for (const fhirpath::Builtin& row : RuleFunctions()) PrintFunction(row, out);
  return 0;
}

void AddFunctionsCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("functions", "List the functions that expressions may call");
  command->callback([&exit_code] { exit_code = ListFunctions(std::cout); });
}

}  // namespace stepwise::rules
