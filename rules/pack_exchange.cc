#include "rules/pack_exchange.h"

#include <algorithm>

#include "fhir/document.h"
#include "rules/digest.h"
#include "rules/pack_files.h"
#include "rules/pack_reader.h"
#include "rules/package.h"
#include "rules/package_resources.h"
#include "rules/plan_definition.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kGzip = "\x1f\x8b";

std::string ContentType(std::string_view path) {
  return path.ends_with(".csv") ? "text/csv" : path.ends_with(".yaml") ? "application/yaml" : "text/plain";
}

std::string Reference(const Json& resource) {
  return resource.value("resourceType", "") + "/" + resource.value("id", "");
}

bool IsObjectWithTexts(const Json& value) {
  return value.is_object() && (!value.contains("resourceType") || value["resourceType"].is_string()) &&
         (!value.contains("id") || value["id"].is_string());
}

// The Library that carries the source files.
Json SourceLibrary(const Pack& pack, const FileMap& source, const std::vector<Json>& resources) {
  const FhirForm form(pack);
  Json out = MakeMetadata(pack);
  const std::string id = FhirId(pack.id + "-source");
  out["resourceType"] = "Library";
  out["id"] = id;
  out["url"] = form.Canonical("Library", id);
  out["name"] = FhirName(pack.id + "_source");
  out["title"] = pack.title + ": source";
  out["type"] = Coded("http://terminology.hl7.org/CodeSystem/library-type", "asset-collection");
  out["extension"] = Json::array({form.Extension("source-digest", "valueString", pack.digest)});
  for (const Json& resource : resources) {
    out["relatedArtifact"].push_back(
        {{"type", "composed-of"},
         {"display", Reference(resource)},
         {"extension", Json::array({form.Extension("resource-digest", "valueString",
                                                   DigestOf(CanonicalJson(resource)))})}});
  }
  for (const auto& [path, bytes] : source) {
    out["content"].push_back({{"contentType", ContentType(path)}, {"title", path}, {"data", Base64(bytes)}});
  }
  return out;
}

// The text of an extension, by the end of its url; "" when there is none.
std::string ExtensionText(const Json& element, std::string_view name) {
  if (!element.is_object() || !element.contains("extension") || !element["extension"].is_array()) return "";
  for (const Json& one : element["extension"]) {
    if (!one.is_object() || !one.contains("url") || !one["url"].is_string()) continue;
    const bool named =
        one["url"].get_ref<const std::string&>().ends_with(std::string(kExtensionPart) + std::string(name));
    if (named && one.contains("valueString") && one["valueString"].is_string())
      return one["valueString"].get<std::string>();
  }
  return "";
}

class SourceReader {
 public:
  SourceReader(const std::vector<Json>& resources, const std::string& name, Errors* errors)
      : resources_(resources), name_(name), errors_(errors) {}

  // nullopt: no source in it, or errors were added.
  std::optional<ImportedPack> Read() {
    const auto library = std::ranges::find_if(resources_, [](const Json& resource) {
      return resource.value("resourceType", "") == "Library" &&
             !ExtensionText(resource, "source-digest").empty();
    });
    if (library == resources_.end()) return std::nullopt;
    const std::string place = Reference(*library);
    ImportedPack out;
    const Json content = library->value("content", Json::array());
    for (std::size_t i = 0; content.is_array() && i < content.size(); ++i) {
      const Json& file = content[i];
      const std::string at = place + ".content[" + std::to_string(i) + "]";
      const bool texts = file.is_object() && file.contains("title") && file["title"].is_string() &&
                         file.contains("data") && file["data"].is_string();
      const auto bytes = FromBase64(texts ? file["data"].get<std::string>() : "no base64");
      if (!bytes) {
        Fail(at, "a source file has a `title`, its path, and base64 `data`");
        continue;
      }
      if (!out.source.emplace(file["title"].get<std::string>(), *bytes).second)
        Fail(at, "the source file `" + file["title"].get<std::string>() + "` is given twice");
    }
    if (!errors_->empty()) return std::nullopt;
    const std::string digest = ExtensionText(*library, "source-digest");
    if (PackDigest(out.source) != digest)
      Fail(place, "the source files have " + PackDigest(out.source) + ", and the library says " + digest +
                      ": they were changed after the export");
    CheckResources(*library);
    if (!errors_->empty()) return std::nullopt;
    if (const auto written = WriteArchive(out.source); !written) {
      Fail(place, written.error().message);  // a path that leads out of the folder
      return std::nullopt;
    }
    auto pack = ReadPack(PackFiles::FromFiles(out.source, name_), errors_);
    if (!pack) return std::nullopt;
    out.id = pack->id;
    out.rules = pack->rules.size();
    return out;
  }

 private:
  void Fail(std::string path, std::string message) {
    errors_->push_back({.code = Code::kInvalidArgument,
                        .message = std::move(message),
                        .span = {.file = name_},
                        .path = std::move(path)});
  }

  void CheckResources(const Json& library) {
    std::map<std::string, std::string> listed;
    const Json artifacts = library.value("relatedArtifact", Json::array());
    for (const Json& artifact : artifacts) {
      const std::string hash = ExtensionText(artifact, "resource-digest");
      if (!hash.empty() && artifact.contains("display") && artifact["display"].is_string())
        listed[artifact["display"].get<std::string>()] = hash;
    }
    constexpr std::string_view kAdvice =
        "; the source would not have that change. Import with --from-resources to read the resources instead";
    for (const Json& resource : resources_) {
      if (&resource == &library) continue;
      const auto found = listed.find(Reference(resource));
      if (found == listed.end()) {
        Fail(Reference(resource), "was added after the export" + std::string(kAdvice));
        continue;
      }
      if (found->second != DigestOf(CanonicalJson(resource)))
        Fail(Reference(resource), "was changed after the export" + std::string(kAdvice));
      listed.erase(found);
    }
    for (const auto& [reference, hash] : listed)
      Fail(reference, "was taken out after the export" + std::string(kAdvice));
  }

  const std::vector<Json>& resources_;
  const std::string& name_;
  Errors* errors_;
};

class Opener {
 public:
  Opener(const std::string& name, const ExchangeOptions& options, Errors* errors)
      : name_(name), options_(options), errors_(errors) {}

  std::vector<Json> Resources(std::string_view bytes) {
    if (!bytes.starts_with(kGzip)) {
      Add(bytes, "");
      return std::move(out_);
    }
    const auto files = ReadArchive(bytes, name_);
    if (!files) {
      errors_->push_back(files.error());
      return {};
    }
    for (const auto& [path, text] : *files) {
      const bool resource = path.starts_with("package/") && path.ends_with(".json") &&
                            path.find('/', 8) == std::string::npos && path != "package/package.json" &&
                            path != "package/.index.json";
      if (resource) Add(text, path);
    }
    return std::move(out_);
  }

 private:
  void Fail(Code code, std::string message, std::string path) {
    errors_->push_back(
        {.code = code, .message = std::move(message), .span = {.file = name_}, .path = std::move(path)});
  }

  void Add(std::string_view text, const std::string& path) {
    // Our own parser first: it has limits, refuses what is given twice and knows where a mistake is.
    const auto checked = Document::Parse(std::string(text),
                                         {.max_bytes = options_.max_bytes, .max_depth = options_.max_depth});
    if (!checked) {
      Error error = checked.error();
      error.span.file = name_ + (path.empty() ? "" : "/" + path);
      errors_->push_back(std::move(error));
      return;
    }
    Json tree = Json::parse(text, nullptr, false);
    if (!IsObjectWithTexts(tree) || !tree.contains("resourceType"))
      return Fail(Code::kInvalidArgument, "no FHIR resource: an object with a `resourceType`", path);
    if (tree["resourceType"] != "Bundle") {
      out_.push_back(std::move(tree));
      return;
    }
    const auto entries = tree.find("entry");
    if (entries == tree.end()) return;
    if (!entries->is_array()) return Fail(Code::kInvalidArgument, "is not a list", "Bundle.entry");
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const Json& entry = (*entries)[i];
      const std::string place = "Bundle.entry[" + std::to_string(i) + "]";
      if (!entry.is_object() || !entry.contains("resource")) {
        Fail(Code::kInvalidArgument, "has no `resource`", place);
      } else if (!IsObjectWithTexts(entry["resource"]) || !entry["resource"].contains("resourceType")) {
        Fail(Code::kInvalidArgument, "no FHIR resource: an object with a `resourceType`",
             place + ".resource");
      } else {
        out_.push_back(entry["resource"]);
      }
    }
  }

  const std::string& name_;
  const ExchangeOptions& options_;
  Errors* errors_;
  std::vector<Json> out_;
};

}  // namespace

Result<std::string> ExportBundle(const KnowledgeBase& base, const Pack& pack) {
  STEPWISE_ASSIGN_OR_RETURN(std::vector<Json> resources, MakeResources(base, pack));
  Errors errors;
  const PackFiles source = PackFiles::Open(pack.dir, &errors);
  if (!errors.empty()) return tl::unexpected(errors.front());
  if (source.Digest() != pack.digest)
    return Fail(Code::kFailedPrecondition, "changed while it was read; export again",
                SourceSpan{pack.dir, 0, 0, 0});
  resources.push_back(SourceLibrary(pack, source.files(), resources));
  Json entries = Json::array();
  for (Json& resource : resources) {
    Json url = resource["url"];
    entries.push_back({{"fullUrl", std::move(url)}, {"resource", std::move(resource)}});
  }
  const Json bundle = {{"resourceType", "Bundle"},
                       {"id", FhirId(pack.id + "-" + pack.version.ToString())},
                       {"type", "collection"},
                       {"entry", std::move(entries)}};
  return CanonicalJson(bundle) + "\n";
}

std::optional<ImportedPack> ImportPack(std::string_view bytes, const std::string& name,
                                       const ExchangeOptions& options, Errors* errors) {
  if (bytes.size() > options.max_bytes) {
    AddError(errors, {.file = name}, "larger than " + std::to_string(options.max_bytes) + " bytes",
             Code::kLimit);
    return std::nullopt;
  }
  if (bytes.starts_with(kGzip) && !options.from_resources) {
    const auto files = ReadArchive(bytes, name);
    if (files && files->contains("package/other/stepwise.json")) {
      const auto package = ReadPackage(bytes, name);
      if (!package) {
        errors->push_back(package.error());
        return std::nullopt;
      }
      ImportedPack out;
      out.source = package->Source();
      out.id = package->manifest.id;
      const auto pack = ReadPack(PackFiles::FromFiles(out.source, name), errors);
      if (!pack) return std::nullopt;
      out.rules = pack->rules.size();
      return out;
    }
  }
  const std::vector<Json> resources = Opener(name, options, errors).Resources(bytes);
  if (!errors->empty()) return std::nullopt;
  if (!options.from_resources) {
    auto own = SourceReader(resources, name, errors).Read();
    if (own || !errors->empty()) return own;
  }
  std::vector<Json> foreign;
  for (const Json& resource : resources) {
    if (ExtensionText(resource, "source-digest").empty()) foreign.push_back(resource);
  }
  auto out = ImportPlanDefinitions(foreign, options.naming, errors);
  for (Error& error : *errors) {
    if (error.span.file.empty()) error.span.file = name;
  }
  return out;
}

}  // namespace stepwise::rules
