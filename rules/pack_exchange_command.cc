#include "rules/pack_exchange_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "rules/pack_printer.h"
#include "rules/package.h"
#include "rules/package_resources.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool WriteBytes(const fs::path& path, const std::string& bytes) {
  std::error_code ignored;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  return static_cast<bool>(file);
}

std::string Report(const ImportedPack& pack, const std::string& file) {
  Json out = {{"from", file}, {"pack", pack.id}, {"rules", pack.rules}, {"off", pack.off}};
  out["not-understood"] = Json::array();
  for (const JsonLeftover& rest : pack.not_understood)
    out["not-understood"].push_back({{"path", rest.path}, {"value", rest.value}});
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int ExportPack(const std::string& path, const std::vector<std::string>& with, const std::string& output,
               bool colour, std::ostream& out) {
  Printer printer(colour, out);
  LoadReport report;
  std::vector<std::string> dirs = {path};
  dirs.insert(dirs.end(), with.begin(), with.end());
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  report.warnings.clear();
  printer.Print(report);
  if (base == nullptr) return 1;
  const std::vector<const Pack*> packs = NamedPacks(*base, std::span(&path, 1));
  if (packs.size() != 1) {
    out << path << ": holds " << Count(packs.size(), "pack") << "; name one\n";
    return 2;
  }
  const bool package = output.ends_with(kPackageSuffix);
  const auto bundle = package ? BuildPackage(*base, *packs[0]) : ExportBundle(*base, *packs[0]);
  if (!bundle) {
    printer.Print(bundle.error(), false);
    return 1;
  }
  if (!WriteBytes(output, *bundle)) {
    out << output << ": cannot be written\n";
    return 1;
  }
  out << printer.Paint(kGreen, "exported ") << output << "\n  " << packs[0]->id << " "
      << packs[0]->version.ToString() << "  " << packs[0]->digest << "\n";
  return 0;
}

int ImportPackFile(const std::string& file, const std::string& output, const ExchangeOptions& options,
                   bool colour, std::ostream& out) {
  Printer printer(colour, out);
  std::error_code code;
  if (fs::exists(output, code) && !fs::is_empty(output, code)) {
    out << output << ": is not empty; an import makes a new folder\n";
    return 1;
  }
  const bool readable = fs::is_regular_file(file, code) && fs::file_size(file, code) <= options.max_bytes;
  std::ifstream in(file, std::ios::binary);
  if (!readable || !in) {
    out << file << ": no such file, or larger than " << options.max_bytes << " bytes\n";
    return 1;
  }
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  LoadReport report;
  const auto pack = ImportPack(bytes, file, options, &report.errors);
  if (!pack) {
    printer.Print(report);
    return 1;
  }
  bool written = true;
  for (const auto& [path, text] : pack->source)
    written = WriteBytes(fs::path(output) / path, text) && written;
  // What came back byte for byte has nothing to report.
  const bool foreign = !pack->off.empty() || !pack->not_understood.empty();
  if (foreign) written = WriteBytes(fs::path(output) / "import-report.json", Report(*pack, file)) && written;
  if (!written) {
    out << output << ": cannot be written\n";
    return 1;
  }
  out << printer.Paint(kGreen, "imported ") << output << "\n  " << pack->id << ": "
      << Count(pack->rules, "rule") << ", " << PackDigest(pack->source) << "\n";
  for (const std::string& why : pack->off) out << printer.Paint(kYellow, "off: ") << why << "\n";
  for (const JsonLeftover& rest : pack->not_understood)
    out << printer.Paint(kYellow, "not understood: ") << rest.path << " = " << rest.value << "\n";
  if (foreign) out << "The list is also in " << output << "/import-report.json\n";
  return 0;
}

void AddPackExchangeCommands(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string path, output;
    std::vector<std::string> with;
    ExchangeOptions options;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* out = pack.add_subcommand("export", "Write a pack as a FHIR Bundle (.json) or a package (.tgz)");
  out->add_option("PACK", arguments->path, "A pack folder or a package")->required();
  out->add_option("-o,--output", arguments->output, "File to write: out.json or out.tgz")->required();
  out->add_option("--with", arguments->with, "Packs that it requires, where not beside it");
  out->callback([arguments, &exit_code] {
    exit_code = ExportPack(arguments->path, arguments->with, arguments->output, WantsColour(), std::cout);
  });

  CLI::App* in =
      pack.add_subcommand("import", "Make a pack's folder of an export, or of the PlanDefinitions of others");
  in->add_option("FILE", arguments->path, "A Bundle or PlanDefinition (.json), or a FHIR package (.tgz)")
      ->required();
  in->add_option("-o,--output", arguments->output, "New folder for the pack")->required();
  in->add_option("--id", arguments->options.naming.id, "Id of the pack (default: from the resources)");
  in->add_option("--version", arguments->options.naming.version, "Its version (default: from the resources)");
  in->add_flag("--from-resources", arguments->options.from_resources,
               "Read the FHIR resources even where our source travels with them");
  in->callback([arguments, &exit_code] {
    exit_code =
        ImportPackFile(arguments->path, arguments->output, arguments->options, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
