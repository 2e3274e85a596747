#include "rules/pack_test_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include "rules/file_watch.h"
#include "rules/junit.h"
#include "rules/knowledge_base.h"
#include "rules/pack_printer.h"
#include "rules/pack_test.h"

namespace stepwise::rules {
namespace {

constexpr std::chrono::milliseconds kWatchInterval{300};

std::string Percent(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", value);
  return text;
}

std::string Listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

void PrintCounts(const RuleCoverage& rule, Printer* printer) {
  const auto times = [](std::size_t number, std::string_view what) {
    return std::to_string(number) + " " + std::string(what);
  };
  printer->out() << "    " << rule.rule << ": " << times(rule.fired, "fired") << ", "
                 << times(rule.silent, "not fired") << "\n";
  for (const LineCoverage& line : rule.lines) {
    printer->out() << "      " << line.line << ": " << times(line.was_true, "true") << ", "
                   << times(line.was_false, "false") << ", "
                   << (line.can_be_unknown ? times(line.was_unknown, "unknown") : "never unknown") << "\n";
  }
}

void PrintCoverage(const PackTestReport& report, bool all, Printer* printer) {
  const Coverage& coverage = report.coverage;
  if (coverage.goals() == 0) return;
  printer->out() << "  coverage " << Percent(coverage.percent()) << ": " << coverage.reached() << " of "
                 << coverage.goals() << " (each rule fired and not, each line true, false, unknown)\n";
  const auto missing = [&](const std::string& what, const std::vector<std::string>& words) {
    if (words.empty()) return;
    printer->out() << "    " << what << ": never " << printer->Paint(kYellow, Listed(words)) << "\n";
  };
  for (const RuleCoverage& rule : coverage.rules) {
    if (all) PrintCounts(rule, printer);
    missing(rule.rule, rule.Missing());
    for (const LineCoverage& line : rule.lines) missing(rule.rule + " " + line.line, line.Missing());
  }
  for (const std::string& rule : report.untested) {
    printer->out() << "    " << rule << ": " << printer->Paint(kYellow, "no test case") << "\n";
  }
}

void PrintCase(const TestCaseResult& one, Printer* printer) {
  std::ostream& out = printer->out();
  const bool good = one.failures.empty();
  if (good && one.explanation.empty()) return;
  out << printer->Paint(good ? kGreen : kRed, good ? "passed " : "FAILED ") << one.rule << ": " << one.name
      << "  (" << one.file << ":" << one.span.line << ")\n";
  for (const TestFailure& failure : one.failures) {
    if (!failure.message.empty()) {
      out << "    " << failure.message << "\n";
      continue;
    }
    out << "  " << printer->Paint(kGreen, "- " + failure.expected) << "\n"
        << "  " << printer->Paint(kRed, "+ " + failure.got) << "\n";
  }
  out << one.explanation;
}

bool TestOne(const KnowledgeBase& base, const Pack& pack, const TestPacksOptions& options, Printer* printer,
             JunitReport* junit) {
  const PackTestReport report =
      RunPackTests(base, pack, {.filter = options.filter, .explain_all = options.explain});
  for (const Error& error : report.errors) printer->Print(error, false);
  for (const TestCaseResult& one : report.cases) PrintCase(one, printer);
  junit->Add(pack.id, report);
  const bool passed = report.failed() == 0 && report.errors.empty();
  printer->out() << printer->Paint(passed ? kGreen : kRed, passed ? "passed " : "failed ") << pack.id << " "
                 << pack.version.ToString() << ": " << report.cases.size() - report.failed() << " of "
                 << Count(report.cases.size(), "case") << "\n";
  if (!options.filter.empty()) return passed;
  if (!options.no_coverage || options.coverage) PrintCoverage(report, options.coverage, printer);
  const double least = options.fail_under.value_or(0);
  if (report.coverage.percent() >= least) return passed;
  const std::string message = "coverage of " + pack.id + " is " + Percent(report.coverage.percent()) +
                              ", less than " + Percent(least);
  printer->out() << printer->Paint(kRed, message) << "\n";
  junit->AddFailure(pack.id, "coverage", message);
  return false;
}

bool WriteJunit(const JunitReport& junit, const std::string& path, Printer* printer) {
  if (path.empty()) return true;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if ((file << junit.Xml()).flush()) return true;
  printer->out() << printer->Paint(kRed, "error: ") << path << " cannot be written\n";
  return false;
}

// Folders whose files decide what a run says: those named, and those of required packs beside them.
std::vector<std::string> WatchedFolders(const std::vector<std::string>& dirs) {
  std::vector<std::string> out = dirs;
  LoadReport report;
  if (const auto base = KnowledgeBase::LoadFolders(dirs, &report)) {
    for (const Pack& pack : base->packs()) out.push_back(pack.dir);
  }
  return out;
}

}  // namespace

int TestPacks(const TestPacksOptions& options, std::ostream& out) {
  Printer printer(options.colour, out);
  JunitReport junit;
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(options.dirs, &report);
  if (base == nullptr) {
    report.warnings.clear();
    printer.Print(report);
    for (const Error& error : report.errors) junit.AddFailure("packs", error.span.file, error.ToString());
    WriteJunit(junit, options.junit, &printer);
    return 1;
  }
  bool good = true;
  for (const Pack* pack : NamedPacks(*base, options.dirs))
    good = TestOne(*base, *pack, options, &printer, &junit) && good;
  good = WriteJunit(junit, options.junit, &printer) && good;
  return good ? 0 : 1;
}

int WatchPacks(const TestPacksOptions& options, const std::function<bool()>& wait, std::ostream& out) {
  FileWatch watch;
  std::vector<std::string> folders = WatchedFolders(options.dirs);
  for (;;) {
    watch.Look(folders);  // before the run: what changes during it is found after it
    const int code = TestPacks(options, out);
    out << "watching " << Listed(options.dirs) << "; Ctrl-C ends" << std::endl;
    std::vector<std::string> changed;
    while (changed.empty()) {
      if (!wait()) return code;
      changed = watch.Look(folders);
    }
    out << "\nchanged: " << Listed(changed) << "\n";
    folders = WatchedFolders(options.dirs);
  }
}

void AddPackTestCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    TestPacksOptions options;
    double fail_under = 0;
    bool watch = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  TestPacksOptions& options = arguments->options;
  CLI::App* test =
      pack.add_subcommand("test", "Run the packs' own test cases and say what they do not cover");
  test->add_option("DIR", options.dirs, "Pack folders, or folders of packs")->required();
  CLI::Option* filter =
      test->add_option("--filter", options.filter, "Only cases whose `rule: name` contains this text");
  CLI::Option* coverage = test->add_flag("--coverage", options.coverage,
                                         "List all rules and lines with how often they were what");
  test->add_flag("--no-coverage", options.no_coverage, "Do not list what no case has seen")
      ->excludes(coverage);
  CLI::Option* fail_under = test->add_option("--fail-under", arguments->fail_under,
                                             "Fail when a pack's coverage is less than so many percent");
  fail_under->check(CLI::Range(0.0, 100.0))->excludes(filter);
  test->add_option("--junit", options.junit, "Write the results as JUnit XML to this file");
  test->add_flag("--explain", options.explain, "Explain the passed cases too");
  test->add_flag("--watch", arguments->watch, "Run again after each change of a file, until Ctrl-C");
  test->callback([arguments, fail_under, &exit_code] {
    arguments->options.colour = WantsColour();
    if (fail_under->count() > 0) arguments->options.fail_under = arguments->fail_under;
    const auto wait = [] {
      std::this_thread::sleep_for(kWatchInterval);
      return true;
    };
    exit_code = arguments->watch ? WatchPacks(arguments->options, wait, std::cout)
                                 : TestPacks(arguments->options, std::cout);
  });
}

}  // namespace stepwise::rules
