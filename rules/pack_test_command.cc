#include "rules/pack_test_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "rules/knowledge_base.h"
#include "rules/pack_printer.h"
#include "rules/pack_test.h"

namespace stepwise::rules {
namespace {

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

}  // namespace

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

void AddPackTestCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
    std::string filter;
    bool no_coverage = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* test =
      pack.add_subcommand("test", "Run the packs' own test cases and say what they do not cover");
  test->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  test->add_option("--filter", arguments->filter, "Only cases whose `rule: name` contains this text");
  test->add_flag("--no-coverage", arguments->no_coverage,
                 "Do not list lines that no case has seen both true and false");
  test->callback([arguments, &exit_code] {
    exit_code =
        TestPacks(arguments->dirs, arguments->filter, !arguments->no_coverage, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
