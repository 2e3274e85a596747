#include "rules/pack_show_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "rules/knowledge_base.h"
#include "rules/pack_printer.h"
#include "rules/pack_sign_command.h"
#include "rules/package_resources.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kModeNames[] = {"on", "shadow", "off"};
constexpr std::string_view kUnknownNames[] = {"", "silent", "fire"};

void Put(Json* object, const char* key, const std::string& text) {
  if (!text.empty()) (*object)[key] = text;
}

Json People(const std::vector<Contributor>& people) {
  Json out = Json::array();
  for (const Contributor& one : people) {
    Json person = {{"name", one.name}};
    Put(&person, "contact", one.contact);
    Put(&person, "on", one.on);
    out.push_back(std::move(person));
  }
  return out;
}

Json DescribeRule(const Rule& rule) {
  Json out = {{"id", rule.id},
              {"title", rule.title},
              {"mode", kModeNames[static_cast<std::size_t>(rule.mode)]},
              {"hooks", rule.hooks},
              {"priority", rule.priority}};
  if (rule.card) out["indicator"] = IndicatorName(rule.card->indicator);
  Put(&out, "cause", rule.cause);
  out["lines"] = Json::array();
  for (const RuleLine& line : rule.lines) {
    Json entry = {{"id", line.id}, {"kind", line.unless ? "unless" : "when"}, {"text", line.text}};
    const UnknownPolicy policy = line.unknown == UnknownPolicy::kUnset ? rule.unknown_default : line.unknown;
    Put(&entry, "unknown", std::string(kUnknownNames[static_cast<std::size_t>(policy)]));
    out["lines"].push_back(std::move(entry));
  }
  return out;
}

// Codes of a value set as they are frozen: those listed, and one for each whose descendants count.
std::size_t CountCodes(const nlohmann::json& value_set) {
  std::size_t out = 0;
  for (const auto& include : value_set["compose"]["include"])
    out += include.contains("concept") ? include["concept"].size() : 1;
  return out;
}

Json Describe(const KnowledgeBase& base, const Pack& pack) {
  Json out = {{"id", pack.id}, {"version", pack.version.ToString()}, {"digest", pack.digest}};
  Put(&out, "canonical", pack.canonical);
  out["title"] = pack.title;
  Put(&out, "description", pack.description);
  out["status"] = pack.status;
  out["experimental"] = pack.experimental;
  Put(&out, "effective-from", pack.effective_from);
  Put(&out, "effective-to", pack.effective_to);
  Put(&out, "approved", pack.approved);
  Put(&out, "next-review", pack.next_review);
  Put(&out, "publisher", pack.publisher);
  const std::pair<const char*, const std::vector<Contributor>*> people[] = {{"authors", &pack.authors},
                                                                            {"editors", &pack.editors},
                                                                            {"reviewers", &pack.reviewers},
                                                                            {"endorsers", &pack.endorsers}};
  for (const auto& [key, list] : people) {
    if (!list->empty()) out[key] = People(*list);
  }
  out["requires"] = Json::array();
  for (const PackRequirement& requirement : pack.requires_packs) {
    const Pack* found = base.FindPack(requirement.id);
    out["requires"].push_back({{"id", found->id},
                               {"range", requirement.text.text},
                               {"version", found->version.ToString()},
                               {"digest", found->digest}});
  }
  out["evidence"] = Json::array();
  for (const Evidence& evidence : pack.evidence) {
    Json entry = {{"id", evidence.id}, {"label", evidence.label}};
    Put(&entry, "url", evidence.url);
    Put(&entry, "says", evidence.says);
    out["evidence"].push_back(std::move(entry));
  }
  out["parameters"] = Json::array();
  for (const PackParameter& parameter : pack.parameters) {
    Json entry = {{"name", parameter.name}, {"default", parameter.value}};
    Put(&entry, "unit", parameter.unit);
    Put(&entry, "min", parameter.min);
    Put(&entry, "max", parameter.max);
    entry["overridable"] = parameter.overridable;
    Put(&entry, "doc", parameter.doc);
    out["parameters"].push_back(std::move(entry));
  }
  out["rules"] = Json::array();
  for (const Rule& rule : pack.rules) out["rules"].push_back(DescribeRule(rule));
  out["value-sets"] = Json::array();
  for (const PackValueSet& set : pack.value_sets) {
    out["value-sets"].push_back(
        {{"name", set.name}, {"version", set.source.version}, {"url", set.source.url}});
  }
  out["tables"] = Json::array();
  for (const PackTable& table : pack.tables)
    out["tables"].push_back({{"name", table.name}, {"rows", table.table.rows()}});
  return out;
}

// Fills in the sizes of value sets from their FHIR form; without a canonical there is none, and no size.
void AddSizes(const KnowledgeBase& base, const Pack& pack, Json* out) {
  const auto resources = MakeResources(base, pack);
  if (!resources) return;
  for (Json& set : (*out)["value-sets"]) {
    const auto found = std::ranges::find_if(*resources, [&](const nlohmann::json& one) {
      return one["resourceType"] == "ValueSet" && one["url"] == set["url"].get<std::string>();
    });
    if (found != resources->end()) set["codes"] = CountCodes(*found);
  }
}

// Package only: its seal, and the names of those who signed.
void AddSignatures(const std::string& path, Json* out) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) return;
  const auto package = ReadPackageFile(path);
  if (!package) return;
  (*out)["seal"] = package->manifest.seal;
  (*out)["signatures"] = Json::array();
  const auto checks = CheckSignatures(package->manifest, ReadSignatures(path), {});
  if (!checks) return;
  for (const SignatureCheck& check : *checks) (*out)["signatures"].push_back(check.key_id);
}

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void PrintList(const Json& pack, const char* key, std::ostream& out, auto line) {
  if (!pack.contains(key) || pack[key].empty()) return;
  out << "\n" << key << " (" << pack[key].size() << ")\n";
  std::size_t width = 0;
  const char* name = pack[key][0].contains("id") ? "id" : "name";
  for (const Json& entry : pack[key]) width = std::max(width, Text(entry, name).size());
  for (const Json& entry : pack[key]) {
    out << "  " << std::left << std::setw(static_cast<int>(width) + 2) << Text(entry, name) << line(entry)
        << "\n";
  }
}

void PrintText(const Json& pack, Printer* printer) {
  std::ostream& out = printer->out();
  out << Text(pack, "id") << " " << Text(pack, "version") << "  " << Text(pack, "digest") << "\n"
      << Text(pack, "title") << "\n";
  const auto field = [&](const char* key) {
    if (const std::string text = Text(pack, key); !text.empty())
      out << "  " << std::left << std::setw(16) << key << text << "\n";
  };
  for (const char* key : {"description", "status", "experimental", "effective-from", "effective-to",
                          "approved", "next-review", "publisher", "canonical", "seal"})
    field(key);
  for (const char* key : {"authors", "editors", "reviewers", "endorsers"}) {
    PrintList(pack, key, out, [](const Json& one) { return Text(one, "contact") + " " + Text(one, "on"); });
  }
  PrintList(pack, "requires", out, [](const Json& one) {
    return Text(one, "range") + ", here " + Text(one, "version") + "  " + Text(one, "digest");
  });
  PrintList(pack, "evidence", out, [](const Json& one) {
    return Text(one, "label") + (one.contains("url") ? " <" + Text(one, "url") + ">" : "");
  });
  PrintList(pack, "parameters", out, [](const Json& one) {
    std::string line = Text(one, "default") + (one.contains("unit") ? " " + Text(one, "unit") : "");
    if (one.contains("min") || one.contains("max"))
      line += " (" + Text(one, "min") + " to " + Text(one, "max") + ")";
    if (one["overridable"] == false) line += ", fixed";
    return line + (one.contains("doc") ? ": " + Text(one, "doc") : "");
  });
  PrintList(pack, "rules", out, [&](const Json& rule) {
    std::string line = Text(rule, "title");
    if (rule["mode"] != "on") line += " " + printer->Paint(kYellow, "[" + Text(rule, "mode") + "]");
    line += "\n      " + Text(rule, "indicator");
    for (const Json& hook : rule["hooks"]) line += " " + hook.get<std::string>();
    for (const Json& one : rule["lines"]) {
      line += "\n      " + std::string(one["kind"] == "when" ? "+ " : "- ") + Text(one, "id") + ": " +
              Text(one, "text") + (Text(one, "unknown") == "fire" ? " (unknown: fire)" : "");
    }
    return line;
  });
  PrintList(pack, "value-sets", out, [](const Json& one) {
    return Text(one, "version") + "  " + (one.contains("codes") ? Text(one, "codes") + " codes  " : "") +
           Text(one, "url");
  });
  PrintList(pack, "tables", out, [](const Json& one) { return Text(one, "rows") + " rows"; });
  if (!pack.contains("signatures")) return;
  out << "\nsignatures\n";
  for (const Json& key : pack["signatures"]) out << "  " << key.get<std::string>() << " (see pack verify)\n";
  if (pack["signatures"].empty()) out << "  none\n";
}

}  // namespace

int ShowPack(const std::string& path, const ShowOptions& options, bool colour, std::ostream& out) {
  Printer printer(colour, out);
  LoadReport report;
  std::vector<std::string> dirs = {path};
  dirs.insert(dirs.end(), options.with.begin(), options.with.end());
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  report.warnings.clear();
  printer.Print(report);
  if (base == nullptr) return 1;
  Json all = Json::array();
  for (const Pack* pack : NamedPacks(*base, std::span(&path, 1))) {
    Json one = Describe(*base, *pack);
    AddSizes(*base, *pack, &one);
    AddSignatures(pack->dir, &one);
    all.push_back(std::move(one));
  }
  if (options.json) {
    out << (all.size() == 1 ? all[0] : all).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    return 0;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) out << "\n";
    PrintText(all[i], &printer);
  }
  return 0;
}

void AddPackShowCommand(CLI::App& pack, int& exit_code) {
  struct Arguments {
    std::string path, format = "text";
    ShowOptions options;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* show =
      pack.add_subcommand("show", "Say what a pack is: identity, digest, parameters, rules, codes");
  show->add_option("PACK", arguments->path, "A pack folder, a package, or a folder of them")->required();
  show->add_option("--with", arguments->options.with, "Packs that it requires, where not beside it");
  show->add_option("--format", arguments->format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}));
  show->callback([arguments, &exit_code] {
    arguments->options.json = arguments->format == "json";
    exit_code = ShowPack(arguments->path, arguments->options, WantsColour(), std::cout);
  });
}

}  // namespace stepwise::rules
