#include "rules/pack_check_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

namespace stepwise::rules {

int CheckPacks(std::span<const std::string> dirs, bool colour, std::ostream& out, ReportFormat format,
               const CheckOptions& options) {
  const CheckReport report = CheckFolders(dirs, options);
  switch (format) {
    case ReportFormat::kText: {
      Printer printer(colour, out);
      WriteText(report, &printer);
      break;
    }
    case ReportFormat::kJson: WriteJson(report, out); break;
    case ReportFormat::kSarif: WriteSarif(report, out); break;
  }
  return report.errors() == 0 ? 0 : 1;
}

void AddPackCheckCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
    std::string format = "text";
    CheckOptions options;
  };
  static const std::map<std::string, ReportFormat> kFormats = {
      {"text", ReportFormat::kText}, {"json", ReportFormat::kJson}, {"sarif", ReportFormat::kSarif}};
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* check = pack.add_subcommand("check", "Read and compile packs; print every error and warning");
  check->add_option("DIR", arguments->dirs, "Pack folders, or folders of packs")->required();
  check->add_option("--format", arguments->format, "text (default), json, or sarif (SARIF 2.1.0)")
      ->check(CLI::IsMember({"text", "json", "sarif"}));
  check
      ->add_option("--against", arguments->options.against,
                   "Earlier version of the packs: override reasons must mean the same")
      ->type_name("DIR");
  check->callback([arguments, &exit_code] {
    exit_code = CheckPacks(arguments->dirs, WantsColour(), std::cout, kFormats.at(arguments->format),
                           arguments->options);
  });
}

}  // namespace stepwise::rules
