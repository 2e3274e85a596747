#include "rules/pack_build_command.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "rules/knowledge_base.h"
#include "rules/pack_printer.h"
#include "rules/package.h"
#include "rules/package_resources.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

// Writes beside the target first, so that nobody ever reads half a package.
Status WritePackageFile(const fs::path& path, const std::string& bytes, bool force) {
  const auto fail = [&](Code code, std::string message) {
    return Fail(code, std::move(message), SourceSpan{path.string(), 0, 0, 0});
  };
  std::error_code code;
  if (fs::exists(path, code)) {
    std::ifstream in(path, std::ios::binary);
    const std::string old{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (old == bytes) return {};
    if (!force) {
      return fail(Code::kFailedPrecondition,
                  "another package of this version is already there. A released version is immutable: raise "
                  "`version` in pack.yaml; --force replaces a package that nobody has yet");
    }
  }
  fs::create_directories(path.parent_path().empty() ? "." : path.parent_path(), code);
  const fs::path part = path.string() + ".part";
  std::ofstream file(part, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  if (!file) return fail(Code::kUnavailable, "cannot be written");
  fs::rename(part, path, code);
  if (code) return fail(Code::kUnavailable, "cannot be written: " + code.message());
  return {};
}

}  // namespace

int BuildPacks(std::span<const std::string> dirs, const BuildOptions& options, bool colour,
               std::ostream& out) {
  Printer printer(colour, out);
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  printer.Print(report);
  if (base == nullptr) return 1;
  const std::vector<const Pack*> packs = NamedPacks(*base, dirs);
  const bool to_file = options.output.ends_with(kPackageSuffix);
  if (to_file && packs.size() != 1) {
    out << options.output << " is one file, and there are " << Count(packs.size(), "pack")
        << "; name a folder\n";
    return 2;
  }
  bool good = true;
  for (const Pack* pack : packs) {
    const fs::path path = to_file ? fs::path(options.output)
                                  : fs::path(options.output) / (pack->id + "-" + pack->version.ToString() +
                                                                std::string(kPackageSuffix));
    const auto bytes = BuildPackage(*base, *pack);
    const Status status =
        bytes ? WritePackageFile(path, *bytes, options.force) : Status(tl::unexpected(bytes.error()));
    if (!status) {
      printer.Print(status.error(), false);
      good = false;
      continue;
    }
    out << printer.Paint(kGreen, "built ") << path.string() << "\n  " << pack->id << " "
        << pack->version.ToString() << "  " << pack->digest << "\n  " << bytes->size() << " bytes\n";
  }
  return good ? 0 : 1;
}

void AddPackBuildCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::vector<std::string> dirs;
    BuildOptions options;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* build =
      pack.add_subcommand("build", "Make the immutable package of a pack; same source, same bytes");
  build->add_option("PACK", arguments->dirs, "Pack folders, or folders of packs")->required();
  build->add_option("-o,--output", arguments->options.output,
                    "Folder for <id>-<version>.tgz, or the name of the one .tgz (default: here)");
  build->add_flag("--force", arguments->options.force, "Replace another package of the same version");
  build->callback([arguments, &exit_code] {
    exit_code = BuildPacks(arguments->dirs, arguments->options, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
