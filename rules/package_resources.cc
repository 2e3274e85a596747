#include "rules/package_resources.h"

#include <algorithm>
#include <set>

#include "rules/pack_files.h"
#include "rules/package.h"
#include "rules/plan_definition.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kParameterTypes[] = {"integer", "decimal", "string", "boolean"};

std::string FileName(const Json& resource) {
  return resource["resourceType"].get<std::string>() + "-" + resource["id"].get<std::string>() + ".json";
}

constexpr std::string_view kLibraryTypes = "http://terminology.hl7.org/CodeSystem/library-type";

// Required packs, all the way down, those that others need first.
std::vector<const Pack*> RequiredPacks(const KnowledgeBase& base, const Pack& pack) {
  std::set<std::string> wanted;
  std::vector<const Pack*> out;
  const auto add = [&](const Pack& from) {
    for (const PackRequirement& requirement : from.requires_packs) {
      if (const Pack* found = base.FindPack(requirement.id)) wanted.insert(found->id);
    }
  };
  add(pack);
  const auto packs = base.packs();  // a pack stands behind those that it requires
  for (auto at = packs.rbegin(); at != packs.rend(); ++at) {
    if (!wanted.contains(at->id)) continue;
    add(*at);
    out.push_back(&*at);
  }
  std::ranges::reverse(out);
  return out;
}

class ResourceWriter {
 public:
  ResourceWriter(const KnowledgeBase& base, const Pack& pack)
      : base_(base), pack_(pack), form_(pack), required_(RequiredPacks(base, pack)) {}

  Result<std::vector<Json>> Write() {
    if (pack_.canonical.empty()) {
      return Fail(Code::kFailedPrecondition,
                  "a package needs a `canonical` in pack.yaml, such as "
                  "https://cds.example.org/fhir/ImplementationGuide/" +
                      pack_.id,
                  pack_.span);
    }
    Add(Manifest());
    Add(Logic());
    for (const Rule& rule : pack_.rules) Add(MakePlanDefinition(pack_, rule, form_));
    for (const PackValueSet& set : pack_.value_sets) Add(CodeList(set));
    Add(Guide());
    std::ranges::sort(out_, {}, FileName);
    const auto twin = std::ranges::adjacent_find(out_, {}, FileName);
    if (twin != out_.end()) {
      return Fail(Code::kSemantic,
                  "two rules or value sets have the FHIR id `" + (*twin)["id"].get<std::string>() +
                      "`; ids may differ in more than _ and -",
                  pack_.span);
    }
    return std::move(out_);
  }

 private:
  void Add(Json resource) { out_.push_back(std::move(resource)); }

  Json Begin(const char* type, const std::string& id, const std::string& name, const std::string& title) {
    Json out = MakeMetadata(pack_);
    out["resourceType"] = type;
    out["id"] = id;
    out["url"] = form_.Canonical(type, id);
    out["name"] = FhirName(name);
    out["title"] = title;
    return out;
  }

  // R4's ImplementationGuide has no elements for approval, period and people: they are in the libraries.
  Json Guide() {
    Json out = {{"resourceType", "ImplementationGuide"},
                {"id", FhirId(pack_.id)},
                {"url", pack_.canonical},
                {"version", pack_.version.ToString()},
                {"name", FhirName(pack_.id)},
                {"title", pack_.title},
                {"status", pack_.status},
                {"experimental", pack_.experimental},
                {"packageId", pack_.id},
                {"fhirVersion",
                 pack_.fhir_versions.empty() ? std::vector<std::string>{"4.0.1"} : pack_.fhir_versions}};
    SetText(&out, "publisher", pack_.publisher);
    SetText(&out, "description", pack_.description);
    SetText(&out, "copyright", pack_.copyright);
    if (pack_.precedence != 0)
      out["extension"] = Json::array({form_.Extension("precedence", "valueInteger", pack_.precedence)});
    for (const Pack* other : required_) {
      Json dependency = {{"packageId", other->id}, {"version", other->version.ToString()}};
      SetText(&dependency, "uri", other->canonical);
      out["dependsOn"].push_back(std::move(dependency));
    }
    Json resources = Json::array();
    for (const Json& resource : out_) {
      const std::string reference =
          resource["resourceType"].get<std::string>() + "/" + resource["id"].get<std::string>();
      resources.push_back({{"reference", {{"reference", reference}}}, {"name", resource["title"]}});
    }
    out["definition"]["resource"] = std::move(resources);
    return out;
  }

  Json Manifest() {
    Json out = Begin("Library", FhirId(pack_.id + "-manifest"), pack_.id + "_manifest",
                     pack_.title + ": what it is made of");
    out["type"] = Coded(kLibraryTypes, "asset-collection");
    Json artifacts = Json::array();
    for (const Evidence& evidence : pack_.evidence) artifacts.push_back(MakeEvidence(evidence));
    for (const Pack* other : required_) {
      artifacts.push_back(
          {{"type", "depends-on"},
           {"display", other->id},
           {"resource",
            (other->canonical.empty() ? other->id : other->canonical) + "|" + other->version.ToString()},
           {"extension", Json::array({form_.Extension("digest", "valueString", other->digest)})}});
    }
    for (const PackValueSet& set : pack_.value_sets) {
      artifacts.push_back({{"type", "depends-on"},
                           {"display", set.name},
                           {"resource", set.source.url + "|" + set.source.version}});
    }
    if (!artifacts.empty()) out["relatedArtifact"] = std::move(artifacts);
    return out;
  }

  Json Logic() {
    Json out =
        Begin("Library", LogicLibraryId(pack_), pack_.id + "_logic", pack_.title + ": facts and parameters");
    out["type"] = Coded(kLibraryTypes, "logic-library");
    for (const NamedExpression& fact : pack_.facts) {
      out["content"].push_back({{"contentType", "text/fhirpath"},
                                {"title", fact.name.text},
                                {"data", Base64(fact.expression.text)}});
    }
    for (const PackParameter& parameter : pack_.parameters) out["parameter"].push_back(Parameter(parameter));
    const auto packs = base_.packs();
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (&packs[i] != &pack_) continue;
      for (const PrefetchTemplate& query : base_.infos()[i].prefetch)
        out["dataRequirement"].push_back(Requirement(query));
    }
    return out;
  }

  Json Parameter(const PackParameter& parameter) const {
    Json rule = {{"url", form_.base() + std::string(kExtensionPart) + "parameter-rule"}};
    const std::string type(kParameterTypes[static_cast<std::size_t>(parameter.type)]);
    const std::pair<const char*, const std::string*> texts[] = {{"type", &type},
                                                                {"default", &parameter.value},
                                                                {"min", &parameter.min},
                                                                {"max", &parameter.max},
                                                                {"unit", &parameter.unit}};
    for (const auto& [key, text] : texts) {
      if (!text->empty()) rule["extension"].push_back({{"url", key}, {"valueString", *text}});
    }
    rule["extension"].push_back({{"url", "overridable"}, {"valueBoolean", parameter.overridable}});
    Json out = {{"name", FhirName(parameter.name)},
                {"use", "in"},
                {"min", 0},
                {"max", "1"},
                {"type", parameter.unit.empty() ? type : "Quantity"},
                {"extension", Json::array({std::move(rule)})}};
    SetText(&out, "documentation", parameter.doc);
    return out;
  }

  Json Requirement(const PrefetchTemplate& query) const {
    Json parts = Json::array({{{"url", "key"}, {"valueString", query.key}},
                              {{"url", "query"}, {"valueString", query.query}},
                              {{"url", "required"}, {"valueBoolean", query.required}}});
    const bool own =
        std::ranges::find(pack_.prefetch, query.key, &PrefetchQuery::key) != pack_.prefetch.end();
    if (!own) parts.push_back({{"url", "inherited"}, {"valueBoolean", true}});
    const Json rule = {{"url", form_.base() + std::string(kExtensionPart) + "prefetch"},
                       {"extension", parts}};
    return {{"type", query.query.substr(0, query.query.find_first_of("/?"))},
            {"extension", Json::array({rule})}};
  }

  // One include a system with the codes in order, and one for each code whose descendants count: filters of
  // one include must all hold.
  Json CodeList(const PackValueSet& set) {
    std::map<std::pair<std::string, bool>, std::map<std::string, std::string>> codes;
    for (const ListedCode& code : FrozenCodes(base_, pack_, set)) {
      std::string& display = codes[{code.system, code.descendants}][code.code];
      if (display.empty()) display = code.display;
    }
    Json includes = Json::array();
    for (const auto& [place, list] : codes) {
      const auto& [system, descendants] = place;
      Json concepts = Json::array();
      for (const auto& [code, display] : list) {
        if (descendants) {
          const Json filter = {{"property", "concept"}, {"op", "is-a"}, {"value", code}};
          includes.push_back({{"system", system}, {"filter", Json::array({filter})}});
          continue;
        }
        Json entry = {{"code", code}};
        SetText(&entry, "display", display);
        concepts.push_back(std::move(entry));
      }
      if (!concepts.empty()) includes.push_back({{"system", system}, {"concept", std::move(concepts)}});
    }
    const ValueSetSource& source = set.source;
    Json out = {{"resourceType", "ValueSet"},
                {"id", FhirId(set.name)},
                {"url", source.url},
                {"version", source.version},
                {"name", FhirName(set.name)},
                {"title", source.title},
                {"status", source.status.empty() ? pack_.status : source.status},
                {"experimental", pack_.experimental},
                {"immutable", true},
                {"compose", Json::object({{"include", std::move(includes)}})}};
    SetText(&out, "publisher", pack_.publisher);
    SetText(&out, "copyright", source.copyright);
    for (const std::string& remark : source.unverified)
      out["extension"].push_back(form_.Extension("unverified", "valueString", remark));
    return out;
  }

  const KnowledgeBase& base_;
  const Pack& pack_;
  const FhirForm form_;
  const std::vector<const Pack*> required_;
  std::vector<Json> out_;
};

Json PackageJson(const KnowledgeBase& base, const Pack& pack) {
  const std::vector<std::string> fhir =
      pack.fhir_versions.empty() ? std::vector<std::string>{"4.0.1"} : pack.fhir_versions;
  Json out = {{"name", pack.id},
              {"version", pack.version.ToString()},
              {"canonical", pack.canonical},
              {"title", pack.title},
              {"type", "IG"},
              {"fhirVersions", fhir},
              {"author", pack.publisher},
              {"description", pack.description.empty() ? pack.title : pack.description},
              {"dependencies", Json::object()}};
  if (pack.publisher.empty()) out.erase("author");
  for (const Pack* other : RequiredPacks(base, pack))
    out["dependencies"][other->id] = other->version.ToString();
  return out;
}

}  // namespace

std::vector<ListedCode> FrozenCodes(const KnowledgeBase& base, const Pack& pack, const PackValueSet& set) {
  const auto find_table = [&](std::string_view name) -> const Table* {
    const auto in = [&](const Pack& one) -> const Table* {
      const auto found = std::ranges::find(one.tables, name, &PackTable::name);
      return found == one.tables.end() ? nullptr : &found->table;
    };
    if (const Table* own = in(pack)) return own;
    for (const Pack* other : RequiredPacks(base, pack)) {
      if (const Table* found = in(*other)) return found;
    }
    return nullptr;
  };
  Errors none;  // what is wrong with them, loading the base has said
  return ListCodes(set.source, find_table, &none);
}

Result<std::vector<Json>> MakeResources(const KnowledgeBase& base, const Pack& pack) {
  return ResourceWriter(base, pack).Write();
}

Result<FileMap> MakePackageFiles(const KnowledgeBase& base, const Pack& pack) {
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<Json> resources, MakeResources(base, pack));
  FileMap out;
  Json index = Json::array();
  for (const Json& resource : resources) {
    const std::string name = FileName(resource);
    index.push_back({{"filename", name},
                     {"resourceType", resource["resourceType"]},
                     {"id", resource["id"]},
                     {"url", resource["url"]},
                     {"version", resource["version"]}});
    out.emplace(name, CanonicalJson(resource));
  }
  out.emplace(".index.json", CanonicalJson({{"index-version", 2}, {"files", std::move(index)}}));
  out.emplace("package.json", CanonicalJson(PackageJson(base, pack)));
  return out;
}

Result<std::string> BuildPackage(const KnowledgeBase& base, const Pack& pack) {
  Errors errors;
  const PackFiles source = PackFiles::Open(pack.dir, &errors);
  if (!errors.empty()) return tl::unexpected(errors.front());
  if (PackDigest(source.files()) != pack.digest)
    return Fail(Code::kFailedPrecondition, "changed while it was read; build again",
                SourceSpan{pack.dir, 0, 0, 0});
  STEPWISE_ASSIGN_OR_RETURN(const FileMap resources, MakePackageFiles(base, pack));
  return WritePackage(pack.id, pack.version.ToString(), source.files(), resources);
}

}  // namespace stepwise::rules
