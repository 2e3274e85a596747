#include "rules/pack_reader.h"

#include <algorithm>
#include <set>

#include "fhir/json_text.h"
#include "rules/site_overlay.h"

namespace stepwise::rules {
namespace {

std::vector<Contributor> ReadContributors(const Fields& fields, std::string_view key, Errors* errors) {
  std::vector<Contributor> out;
  const YamlNode* list = fields.List(key);
  if (list == nullptr) return out;
  for (const YamlNode& node : list->children) {
    const Fields entry(node, kContributorSchema, errors);
    out.push_back({entry.Text("name"), entry.Text("contact"), entry.Date("on")});
  }
  return out;
}

std::vector<Evidence> ReadEvidence(const YamlNode* list, Errors* errors) {
  std::vector<Evidence> out;
  if (list == nullptr) return out;
  std::set<std::string> ids;
  for (const YamlNode& node : list->children) {
    Fields fields(node, kEvidenceSchema, errors);
    const SourceText id = fields.Source("id");
    if (!id.empty() && !ids.insert(id.text).second)
      fields.Fail(id.span, "evidence `" + id.text + "` is given twice");
    out.push_back(
        {id.text, fields.Text("type"), fields.Text("label"), fields.Text("url"), fields.Text("says")});
  }
  return out;
}

// A number that Decimal and JSON agree on; parameters are compared by value, so text is enough here.
bool FitsType(ParameterType type, const SourceText& text) {
  switch (type) {
    case ParameterType::kInteger:
      return IsJsonNumber(text.text) && text.text.find_first_of(".eE") == std::string::npos;
    case ParameterType::kDecimal: return IsJsonNumber(text.text);
    case ParameterType::kString: return true;
    case ParameterType::kBoolean: return text.text == "true" || text.text == "false";
  }
  return false;
}

PackParameter ReadParameter(const YamlNode& node, Errors* errors) {
  PackParameter out;
  Fields fields(node, kParameterSchema, errors);
  out.name = node.key.text;
  out.span = node.key.span;
  if (!IsIdentifier(out.name)) {
    fields.Fail(node.key.span, "`" + out.name +
                                   "` is no parameter name; use letters, digits and _ so that %p." +
                                   out.name + " can be written");
  }
  const auto type = fields.Choice("type");
  out.type = type ? static_cast<ParameterType>(*type) : ParameterType::kString;
  out.unit = fields.Text("unit");
  out.doc = fields.Text("doc");
  out.overridable = fields.Text("override") != "none";
  const auto typed = [&](std::string_view key) {
    const SourceText text = fields.Source(key);
    if (text.span.line == 0 || FitsType(out.type, text)) return text.text;
    fields.Fail(text.span, "`" + text.text + "` is no " + fields.Text("type"));
    return std::string();
  };
  out.value = typed("default");
  out.value_span = fields.Source("default").span;
  out.min = typed("min");
  out.max = typed("max");
  out.usable = type && !out.value.empty();
  return out;
}

PrefetchQuery ReadPrefetch(const YamlNode& node, Errors* errors) {
  PrefetchQuery out;
  out.key = node.key.text;
  out.span = node.key.span;
  if (node.is_scalar()) {
    out.query = node.value.text;
  } else {
    const Fields fields(node, kPrefetchSchema, errors);
    out.query = fields.Text("query");
    out.required = fields.Boolean("required");
  }
  if (!IsIdentifier(out.key))
    AddError(errors, node.key.span, "`" + out.key + "` is no prefetch key; use letters, digits and _");
  const std::size_t type_end = out.query.find_first_of("/?");
  if (!out.query.empty() && (type_end == std::string::npos || type_end == 0)) {
    AddError(
        errors, node.span,
        "`" + out.query +
            "` is no prefetch query; write Type?search or Type/id, such as Patient/{{context.patientId}}");
  }
  return out;
}

class PackReader {
 public:
  PackReader(PackFiles files, Errors* errors) : errors_(errors), files_(std::move(files)) {
    pack_.dir = files_.Shown("");
  }

  Pack Read(const std::string& site) {
    if (const auto tree = Parse("pack.yaml")) ReadHead(*tree);
    for (const std::string& path : files_.List("rules/", "")) {
      if (!path.ends_with(".yaml")) {
        AddError(errors_, {.file = files_.Shown(path)}, "rules/ holds one .yaml file a rule");
        continue;
      }
      const auto tree = Parse(path);
      if (!tree) continue;
      Rule rule = ReadRule(*tree, errors_);
      rule.file = files_.Shown(path);
      CheckRule(rule);
      pack_.rules.push_back(std::move(rule));
    }
    CheckUnused("valuesets/");
    CheckUnused("tables/");
    pack_.digest = files_.Digest();
    ReadSites(site);
    return std::move(pack_);
  }

 private:
  std::optional<YamlNode> Parse(const std::string& path) {
    const std::string* text = files_.Find(path);
    if (text == nullptr) return std::nullopt;
    return ParseYaml(*text, {.file = files_.Shown(path)}, errors_);
  }

  void ReadHead(const YamlNode& node) {
    Fields fields(node, kPackSchema, errors_);
    pack_.span = node.span;
    fields.Text("pack");
    pack_.id = fields.Text("id");
    pack_.canonical = fields.Text("canonical");
    pack_.title = fields.Text("title");
    const SourceText version = fields.Source("version");
    if (const auto parsed = Version::Parse(version.text)) {
      pack_.version = *parsed;
    } else if (version.span.line != 0) {
      fields.Fail(version.span,
                  "`" + version.text + "` is no version; write major.minor.patch, such as 1.2.0");
    }
    pack_.status = fields.Text("status");
    pack_.experimental = fields.Boolean("experimental");
    pack_.precedence = fields.Integer("precedence").value_or(0);
    for (const SourceText& fhir : fields.Texts("fhir")) {
      if (!ParseFhirVersion(fhir.text))
        fields.Fail(fhir.span, "`" + fhir.text + "` is no FHIR version we know; write 4.0.1 or 5.0.0");
      pack_.fhir_versions.push_back(fhir.text);
    }
    if (const YamlNode* effective = fields.Map("effective")) {
      Fields period(*effective, kPeriodSchema, errors_);
      pack_.effective_from = period.Date("from");
      pack_.effective_to = period.Date("to");
      if (!pack_.effective_to.empty() && pack_.effective_to < pack_.effective_from) {
        period.Fail(effective->span, "the period ends before it begins");
      }
    }
    pack_.approved = fields.Date("approved");
    pack_.next_review = fields.Date("next-review");
    pack_.publisher = fields.Text("publisher");
    pack_.copyright = fields.Text("copyright");
    pack_.description = fields.Text("description");
    pack_.authors = ReadContributors(fields, "authors", errors_);
    pack_.editors = ReadContributors(fields, "editors", errors_);
    pack_.reviewers = ReadContributors(fields, "reviewers", errors_);
    pack_.endorsers = ReadContributors(fields, "endorsers", errors_);
    evidence_lost_ = fields.Lost("evidence");
    files_lost_ = fields.Lost("valuesets") || fields.Lost("tables");
    pack_.evidence = ReadEvidence(fields.List("evidence"), errors_);
    for (const std::string_view key : {"parameters", "prefetch", "facts", "requires"})
      pack_.names_known = pack_.names_known && !fields.Lost(key);
    if (const YamlNode* map = fields.Map("parameters")) {
      for (const YamlNode& child : map->children) pack_.parameters.push_back(ReadParameter(child, errors_));
    }
    if (const YamlNode* map = fields.Map("prefetch")) {
      for (const YamlNode& child : map->children) pack_.prefetch.push_back(ReadPrefetch(child, errors_));
    }
    if (const YamlNode* map = fields.Map("tables")) {
      for (const YamlNode& child : map->children) ReadTable(child);
    }
    if (const YamlNode* map = fields.Map("valuesets")) {
      for (const YamlNode& child : map->children) ReadValueSetFile(child);
    }
    if (const YamlNode* map = fields.Map("requires")) {
      for (const YamlNode& child : map->children) ReadRequirement(child);
    }
    if (const YamlNode* map = fields.Map("facts")) {
      for (const YamlNode& child : map->children) {
        if (!IsIdentifier(child.key.text))
          fields.Fail(child.key.span,
                      "`" + child.key.text + "` is no name for a fact; use letters, digits and _");
        pack_.facts.push_back({child.key, child.value});
      }
    }
  }

  void ReadSites(const std::string& site) {
    std::optional<Pack> chosen;
    for (const std::string& path : files_.List("sites/", ".yaml")) {
      const auto tree = Parse(path);
      if (!tree) continue;
      Pack changed = pack_;
      ApplyOverlay(*tree, *files_.Find(path), &changed, errors_);
      if (path == "sites/" + site + ".yaml") chosen = std::move(changed);
    }
    if (chosen) pack_ = std::move(*chosen);
  }

  void ReadRequirement(const YamlNode& node) {
    if (!node.is_scalar()) return;
    const auto range = VersionRange::Parse(node.value.text);
    if (!range) {
      AddError(errors_, node.span,
               "`" + node.value.text + "` is no version range; write ^1.2 (1.2 and later 1.x) or 1.2.0");
      return;
    }
    SourceText text = node.value;
    text.span = node.key.span;
    pack_.requires_packs.push_back({node.key.text, *range, std::move(text)});
  }

  // The file that an entry `name: path` or `name: { file: path, ... }` names, marked as used.
  const std::string* Named(const SourceText& file) {
    if (file.span.line == 0) return nullptr;
    used_.insert(file.text);
    const std::string* text = files_.Find(file.text);
    if (text == nullptr)
      AddError(errors_, file.span, "no file `" + file.text + "` in the pack", Code::kNotFound);
    return text;
  }

  void ReadTable(const YamlNode& node) {
    SourceText file = node.value, key;
    if (!node.is_scalar()) {
      const Fields fields(node, kTableSchema, errors_);
      file = fields.Source("file");
      key = fields.Source("key");
    }
    const std::string* text = Named(file);
    if (text == nullptr) return pack_.tables.push_back({node.key.text, Table()});
    pack_.tables.push_back(
        {node.key.text, Table::Read(*text, files_.Shown(file.text), key.text, key.span, errors_)});
  }

  void ReadValueSetFile(const YamlNode& node) {
    SourceText file = node.value, version;
    if (!node.is_scalar()) {
      const Fields fields(node, kValueSetEntrySchema, errors_);
      file = fields.Source("file");
      version = fields.Source("version");
    }
    const std::string* text = Named(file);
    const auto tree = text == nullptr ? std::nullopt : Parse(file.text);
    if (!tree) return pack_.value_sets.push_back({node.key.text, {}});
    ValueSetSource source = ReadValueSet(*tree, errors_);
    if (!source.name.empty() && source.name != node.key.text) {
      AddError(errors_, node.key.span,
               "the value set `" + node.key.text + "` calls itself `" + source.name + "` in " + file.text);
    }
    if (version.span.line != 0 && version.text != source.version) {
      AddError(errors_, version.span,
               "version `" + version.text + "`, but " + file.text + " is version `" + source.version + "`");
    }
    pack_.value_sets.push_back({node.key.text, std::move(source)});
  }

  void CheckRule(const Rule& rule) {
    for (const SourceText& id : rule.evidence) {
      std::vector<std::string> known;
      for (const Evidence& evidence : pack_.evidence) known.push_back(evidence.id);
      const bool lost = evidence_lost_ || std::ranges::find(known, "") != known.end();
      if (!lost && std::ranges::find(known, id.text) == known.end()) {
        AddError(errors_, id.span, "no evidence `" + id.text + "` in pack.yaml" + Suggest(id.text, known));
      }
    }
    const auto stub = std::ranges::find_if(
        rule.lines, [](const RuleLine& line) { return line.expression.text == kUntranslated; });
    if (stub != rule.lines.end() && (rule.mode != RuleMode::kOff || pack_.status == "active")) {
      AddError(errors_, stub->expression.span,
               "line `" + stub->id +
                   "` was imported and never translated; write its condition in FHIRPath. Until " +
                   "then the rule stays `mode: off`, and the pack is not `active`");
    }
    const auto twin = std::ranges::find(pack_.rules, rule.id, &Rule::id);
    if (twin != pack_.rules.end() && !rule.id.empty()) {
      AddError(errors_, rule.span, "rule `" + rule.id + "` is also in " + twin->file);
    }
  }

  void CheckUnused(std::string_view folder) {
    for (const std::string& path : files_.List(folder, "")) {
      if (!used_.contains(path) && !files_lost_) {
        AddError(errors_, {.file = files_.Shown(path)}, "not named in pack.yaml; name it there or remove it");
      }
    }
  }

  Errors* errors_;
  PackFiles files_;
  Pack pack_;
  std::set<std::string> used_;  // files that pack.yaml names
  bool evidence_lost_ = false, files_lost_ = false;
};

}  // namespace

bool IsIdentifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Pack ReadPackDraft(const std::string& dir, Errors* errors, const std::string& site) {
  Pack pack = PackReader(PackFiles::Open(dir, errors), errors).Read(site);
  pack.dir = dir;  // as it was named, a slash at the end included
  return pack;
}

std::optional<Pack> ReadPack(const std::string& dir, Errors* errors, const std::string& site) {
  const std::size_t before = errors->size();
  auto pack = ReadPack(PackFiles::Open(dir, errors), errors, site);
  if (!pack || errors->size() > before) return std::nullopt;
  pack->dir = dir;  // as it was named, a slash at the end included
  return pack;
}

std::optional<Pack> ReadPack(PackFiles files, Errors* errors, const std::string& site) {
  const std::size_t before = errors->size();
  Pack pack = PackReader(std::move(files), errors).Read(site);
  if (errors->size() > before) return std::nullopt;
  return pack;
}

}  // namespace stepwise::rules
