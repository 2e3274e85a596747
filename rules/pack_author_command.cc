#include "rules/pack_author_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "rules/json_schema.h"
#include "rules/pack_new.h"

namespace stepwise::rules {
namespace {

int Report(const Status& status) {
  if (status) return 0;
  std::cerr << status.error().ToString() << "\n";
  return 1;
}

int PrintSchemas(const std::string& name) {
  for (const FileSchema& file : FileSchemas()) {
    if (name == file.name) std::cout << JsonSchema(file);
    if (name.empty()) std::cout << file.name << "  " << file.files << "  " << file.doc << "\n";
  }
  return 0;
}

}  // namespace

void AddPackNewCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string id, dir;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = pack.add_subcommand("new", "Write a first pack with one rule and its tests");
  command->add_option("ID", arguments->id, "Id of the pack, such as org.example.my-pack")->required();
  command->add_option("--dir", arguments->dir, "Folder to make (default: the last part of the id)");
  command->callback([arguments, &exit_code] {
    const std::string dir = arguments->dir.empty() ? PackFolderName(arguments->id) : arguments->dir;
    exit_code = Report(NewPack(arguments->id, dir));
    if (exit_code != 0) return;
    std::cout << "Wrote " << dir << ". Next:\n  stepwise pack check " << dir << "\n  stepwise pack test "
              << dir << "\n";
  });
}

void AddPackSchemaCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string name, out;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      pack.add_subcommand("schema", "JSON Schemas of the pack files, for YAML language servers");
  std::vector<std::string> names;
  for (const FileSchema& file : FileSchemas()) names.emplace_back(file.name);
  command->add_option("NAME", arguments->name, "Print this one (default: list them)")
      ->check(CLI::IsMember(names));
  command->add_option("--out", arguments->out, "Write all of them into this folder")->type_name("DIR");
  command->callback([arguments, &exit_code] {
    exit_code =
        arguments->out.empty() ? PrintSchemas(arguments->name) : Report(WriteJsonSchemas(arguments->out));
  });
}

}  // namespace stepwise::rules
