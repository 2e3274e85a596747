#include "rules/pack_diff_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "rules/pack_diff.h"
#include "rules/pack_printer.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::ordered_json;

struct Side {
  std::shared_ptr<const KnowledgeBase> base;
  const Pack* pack = nullptr;
};

Side Load(const std::string& path, const std::vector<std::string>& with, Printer* printer) {
  std::vector<std::string> dirs = {path};
  dirs.insert(dirs.end(), with.begin(), with.end());
  LoadReport report;
  Side side{KnowledgeBase::LoadFolders(dirs, &report)};
  report.warnings.clear();
  printer->Print(report);
  if (side.base == nullptr) return side;
  const std::vector<const Pack*> named = NamedPacks(*side.base, std::span(&path, 1));
  if (named.size() == 1) {
    side.pack = named[0];
  } else {
    printer->out() << path << ": holds " << Count(named.size(), "pack") << "; name one\n";
  }
  return side;
}

std::string Shown(const std::optional<std::string>& value) {
  std::string out = value.value_or("");
  for (char& c : out) {
    if (c == '\n') c = ' ';
  }
  return out.size() <= 160 ? out : out.substr(0, 157) + "...";
}

void PrintText(const Pack& before, const Pack& after, const PackDiff& diff, const DiffOptions& options,
               Printer* printer) {
  std::ostream& out = printer->out();
  for (const Pack* pack : {&before, &after})
    out << pack->id << " " << pack->version.ToString() << "  " << pack->digest << "\n";
  out << "\nchanges (" << diff.changes.size() << ")\n";
  std::map<std::string, std::size_t> shown;
  for (const PackChange& change : diff.changes) {
    // "value set opioid, code": the many of one kind
    const std::string kind = change.name.substr(0, change.name.find(' ', change.name.find(", ") + 2));
    if (++shown[kind] > options.max_shown) continue;
    out << "  " << BumpName(change.bump) << "  " << change.name << "\n";
    if (change.before) out << "      " << printer->Paint(kRed, "- " + Shown(change.before)) << "\n";
    if (change.after) out << "      " << printer->Paint(kGreen, "+ " + Shown(change.after)) << "\n";
  }
  for (const auto& [kind, count] : shown) {
    if (count > options.max_shown)
      out << "  and " << count - options.max_shown << " more of " << kind << " (--format json has all)\n";
  }
  out << "\nadvice: " << diff.advice.changes.size() << " of " << Count(diff.advice.cases, "case")
      << " would get other cards\n";
  for (const AdviceChange& change : diff.advice.changes) {
    out << "  " << BumpName(change.bump) << "  " << change.rule << ": " << change.name << "\n";
    for (const std::string& card : change.before)
      out << "      " << printer->Paint(kRed, "- " + card) << "\n";
    for (const std::string& card : change.after)
      out << "      " << printer->Paint(kGreen, "+ " + card) << "\n";
  }
  for (const std::string& why : diff.advice.not_run) out << "  not run  " << why << "\n";
  out << "\nneeds " << BumpName(diff.needed) << ", claims " << BumpName(diff.claimed);
  out << (diff.fault.empty() ? printer->Paint(kGreen, ": honest") : printer->Paint(kRed, ": " + diff.fault))
      << "\n";
}

Json ToJson(const Pack& before, const Pack& after, const PackDiff& diff) {
  const auto side = [](const Pack& pack) {
    return Json{{"id", pack.id}, {"version", pack.version.ToString()}, {"digest", pack.digest}};
  };
  Json out = {{"before", side(before)}, {"after", side(after)}, {"changes", Json::array()}};
  for (const PackChange& change : diff.changes) {
    Json entry = {{"bump", BumpName(change.bump)}, {"name", change.name}};
    if (change.before) entry["before"] = *change.before;
    if (change.after) entry["after"] = *change.after;
    out["changes"].push_back(std::move(entry));
  }
  Json advice = {{"cases", diff.advice.cases}, {"changes", Json::array()}, {"not-run", diff.advice.not_run}};
  for (const AdviceChange& change : diff.advice.changes) {
    advice["changes"].push_back({{"bump", BumpName(change.bump)},
                                 {"rule", change.rule},
                                 {"case", change.name},
                                 {"file", change.file},
                                 {"before", change.before},
                                 {"after", change.after}});
  }
  out["advice"] = std::move(advice);
  out["needed"] = BumpName(diff.needed);
  out["claimed"] = BumpName(diff.claimed);
  out["honest"] = diff.fault.empty();
  if (!diff.fault.empty()) out["fault"] = diff.fault;
  return out;
}

}  // namespace

int DiffPackCommand(const std::string& old_path, const std::string& new_path, const DiffOptions& options,
                    bool colour, std::ostream& out) {
  Printer printer(colour, out);
  const Side before = Load(old_path, options.with, &printer);
  const Side after = Load(new_path, options.with, &printer);
  if (before.pack == nullptr || after.pack == nullptr) return 1;
  const PackDiff diff = DiffPacks(*before.base, *before.pack, *after.base, *after.pack);
  if (options.json) {
    out << ToJson(*before.pack, *after.pack, diff).dump(2, ' ', false, Json::error_handler_t::replace)
        << "\n";
  } else {
    PrintText(*before.pack, *after.pack, diff, options, &printer);
  }
  return diff.fault.empty() ? 0 : 1;
}

void AddPackDiffCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string before, after, format = "text";
    DiffOptions options;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* diff = pack.add_subcommand(
      "diff",
      "Say what changed between two versions, who gets other advice, and whether the version is honest");
  diff->add_option("A", arguments->before, "The older: a pack folder or a package")->required();
  diff->add_option("B", arguments->after, "The newer")->required();
  diff->add_option("--with", arguments->options.with, "Packs that they require, where not beside them");
  diff->add_option("--format", arguments->format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  diff->callback([arguments, &exit_code] {
    arguments->options.json = arguments->format == "json";
    exit_code =
        DiffPackCommand(arguments->before, arguments->after, arguments->options, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
