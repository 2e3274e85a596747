#include "rules/pack_mutate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <set>
#include <vector>

#include "rules/mutation.h"
#include "rules/pack_printer.h"

namespace stepwise::rules {
namespace {

void PrintSurvivor(const Mutant& mutant, Printer* printer) {
  if (mutant.fate != MutantFate::kSurvived) return;
  printer->Print(
      {Code::kSemantic, "no test notices `" + mutant.from + "` -> `" + mutant.to + "` in " + mutant.where,
       mutant.span, ""},
      true);
}

}  // namespace

int MutatePacks(std::span<const std::string> dirs, double fail_under, bool colour, std::ostream& out) {
  Printer printer(colour, out);
  LoadReport load;
  const auto base = KnowledgeBase::LoadFolders(dirs, &load);
  load.warnings.clear();
  if (base == nullptr) {
    printer.Print(load);
    return 1;
  }
  std::set<std::string> named;
  for (const Pack* pack : NamedPacks(*base, dirs)) named.insert(pack->id);
  const MutationReport report =
      RunMutants(*base, named, [&](const Mutant& mutant) { PrintSurvivor(mutant, &printer); });
  for (const Error& error : report.errors) printer.Print(error, false);
  for (const std::string& pack : named) {
    MutationReport own;
    std::ranges::copy_if(report.mutants, std::back_inserter(own.mutants),
                         [&](const Mutant& mutant) { return mutant.pack == pack; });
    out << "  " << pack << ": " << own.Number(MutantFate::kCaught) << " of "
        << Count(own.mutants.size() - own.Number(MutantFate::kEquivalent), "mutant") << " caught";
    if (own.Number(MutantFate::kEquivalent) > 0)
      out << ", and " << own.Number(MutantFate::kEquivalent) << " mean the same";
    out << "\n";
  }
  const bool good = report.errors.empty() && report.percent() >= fail_under;
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.1f %%", report.percent());
  out << printer.Paint(good ? kGreen : kRed, std::string(percent) + " of the mutants are caught") << "\n";
  return good ? 0 : 1;
}

void AddPackMutateCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
    double fail_under = 0;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* mutate = pack.add_subcommand(
      "mutate",
      "Change one comparison, `and` or `or` after the other, and say which changes no test notices");
  mutate->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  mutate
      ->add_option("--fail-under", arguments->fail_under,
                   "Fail when less than so many percent of the mutants are caught")
      ->check(CLI::Range(0.0, 100.0));
  mutate->callback([arguments, &exit_code] {
    exit_code = MutatePacks(arguments->dirs, arguments->fail_under, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
