#include "rules/pack_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <vector>

#include "rules/functions.h"
#include "rules/knowledge_base.h"
#include "rules/pack_files.h"
#include "rules/pack_test.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kRed = "\x1b[31m", kYellow = "\x1b[33m", kGreen = "\x1b[32m", kPlain = "\x1b[0m";

class Printer {
 public:
  Printer(bool colour, std::ostream& out) : colour_(colour), out_(out) {}

  std::ostream& out() { return out_; }
  std::string Paint(std::string_view colour, std::string_view text) const {
    return colour_ ? std::string(colour) + std::string(text) + std::string(kPlain) : std::string(text);
  }
  void Print(const Error& error, bool warning) {
    const std::string kind = warning ? Paint(kYellow, "warning: ") : Paint(kRed, "error: ");
    Error place = error;
    place.message.clear();
    std::string where = place.ToString();
    out_ << where << (where.empty() ? "" : where.ends_with(' ') ? "" : ": ") << kind << error.message << "\n";
    if (error.span.file.empty() || error.span.line == 0) return;
    std::ifstream in(error.span.file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::string lines = CaretLines(text, error.span);
    if (!lines.empty()) out_ << lines << "\n";
  }
  void Print(LoadReport& report) {
    const auto by_place = [](const Error& a, const Error& b) {
      return std::tie(a.span.file, a.span.line, a.span.column) <
             std::tie(b.span.file, b.span.line, b.span.column);
    };
    std::stable_sort(report.errors.begin(), report.errors.end(), by_place);
    std::stable_sort(report.warnings.begin(), report.warnings.end(), by_place);
    for (const Error& error : report.errors) Print(error, false);
    for (const Error& error : report.warnings) Print(error, true);
  }

 private:
  bool colour_;
  std::ostream& out_;
};

std::string Count(std::size_t number, std::string_view one) {
  return std::to_string(number) + " " + std::string(one) + (number == 1 ? "" : "s");
}

bool WantsColour() { return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

void PrintCoverage(const PackTestReport& report, Printer* printer) {
  std::size_t covered = 0;
  for (const LineCoverage& line : report.coverage) covered += line.seen_true && line.seen_false;
  printer->out() << "  lines seen both true and false: " << covered << " of " << report.coverage.size()
                 << "\n";
  for (const LineCoverage& line : report.coverage) {
    if (line.seen_true && line.seen_false) continue;
    std::string missing;
    if (!line.seen_true) missing += " true";
    if (!line.seen_false) missing += " false";
    printer->out() << "    " << line.rule << " " << line.line << ": never" << printer->Paint(kYellow, missing)
                   << (line.seen_unknown ? " (seen unknown)" : "") << "\n";
  }
  for (const std::string& rule : report.untested) {
    printer->out() << "    " << rule << ": " << printer->Paint(kYellow, "no test case") << "\n";
  }
}

// The packs that the folders name: not those that were only loaded because they are required.
std::vector<const Pack*> NamedPacks(const KnowledgeBase& base, std::span<const std::string> dirs) {
  std::set<std::string> named;
  for (const std::string& dir : dirs) {
    for (const std::string& found : FindPackDirs(dir)) named.insert(found);
  }
  std::vector<const Pack*> out;
  for (const Pack& pack : base.packs()) {
    if (named.contains(pack.dir)) out.push_back(&pack);
  }
  return out;
}

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

int TestPacks(std::span<const std::string> dirs, const std::string& filter, bool coverage, bool colour,
              std::ostream& out) {
  Printer printer(colour, out);
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  if (base == nullptr) {
    report.warnings.clear();
    printer.Print(report);
    return 1;
  }
  bool good = true;
  for (const Pack* pack : NamedPacks(*base, dirs)) {
    const PackTestReport result = RunPackTests(*base, *pack, filter);
    for (const Error& error : result.errors) printer.Print(error, false);
    for (const TestCaseResult& one : result.cases) {
      if (one.failures.empty()) continue;
      out << printer.Paint(kRed, "FAILED ") << one.rule << ": " << one.name << "  (" << one.file << ":"
          << one.span.line << ")\n";
      for (const std::string& failure : one.failures) out << "  " << failure << "\n";
      if (!one.explanation.empty()) out << one.explanation;
    }
    const bool pack_good = result.failed() == 0 && result.errors.empty();
    good = good && pack_good;
    out << printer.Paint(pack_good ? kGreen : kRed, pack_good ? "passed " : "failed ") << pack->id << " "
        << pack->version.ToString() << ": " << result.cases.size() - result.failed() << " of "
        << Count(result.cases.size(), "case") << "\n";
    if (coverage && filter.empty()) PrintCoverage(result, &printer);
  }
  return good ? 0 : 1;
}

int ListFunctions(std::ostream& out) {
  for (const fhirpath::Builtin& row : fhirpath::Builtins()) PrintFunction(row, out);
  for (const fhirpath::Builtin& row : RuleFunctions()) PrintFunction(row, out);
  return 0;
}

void AddPackCommand(CLI::App& app, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
    std::string filter;
    bool no_coverage = false;
  };
  CLI::App* pack = app.add_subcommand("pack", "Check and test rule packs");
  pack->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();

  CLI::App* check = pack->add_subcommand("check", "Read and compile packs; print every error and warning");
  check->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  check->callback(
      [arguments, &exit_code] { exit_code = CheckPacks(arguments->dirs, WantsColour(), std::cout); });

  CLI::App* test =
      pack->add_subcommand("test", "Run the packs' own test cases and say what they do not cover");
  test->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  test->add_option("--filter", arguments->filter, "Only cases whose `rule: name` contains this text");
  test->add_flag("--no-coverage", arguments->no_coverage,
                 "Do not list lines that no case has seen both true and false");
  test->callback([arguments, &exit_code] {
    exit_code =
        TestPacks(arguments->dirs, arguments->filter, !arguments->no_coverage, WantsColour(), std::cout);
  });
}

void AddFunctionsCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("functions", "List the functions that expressions may call");
  command->callback([&exit_code] { exit_code = ListFunctions(std::cout); });
}

}  // namespace stepwise::rules
