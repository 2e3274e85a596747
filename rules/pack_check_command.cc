#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "rules/knowledge_base.h"
#include "rules/pack_check_command.h"
#include "rules/pack_printer.h"

namespace stepwise::rules {

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

void AddPackCheckCommand(CLI::App& pack, int& exit_code) {
  const auto dirs = std::make_shared<std::vector<std::string>>();
  CLI::App* check = pack.add_subcommand("check", "Read and compile packs; print every error and warning");
  check->add_option("DIR", *dirs, "Pack folders, or folders of packs")->required();
  check->callback([dirs, &exit_code] { exit_code = CheckPacks(*dirs, WantsColour(), std::cout); });
}

}  // namespace stepwise::rules
