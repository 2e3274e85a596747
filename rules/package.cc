#include "rules/package.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kManifest = "package/other/stepwise.json";
constexpr std::string_view kTests = "package/tests/";
constexpr std::string_view kOther = "package/other/";

std::string PackagePath(std::string_view source) {
  if (source.starts_with("tests/")) return "package/" + std::string(source);
  return std::string(kOther) + std::string(source);
}

// The manifest of these files (which hold no manifest yet), without its seal.
Json Unsealed(const PackageManifest& manifest, const FileMap& files) {
  Json hashes = Json::object();
  for (const auto& [path, bytes] : files) {
    if (path != kManifest) hashes[path] = DigestOf(bytes);
  }
  return {{"digest", manifest.digest},
          {"files", std::move(hashes)},
          {"format", 1},
          {"id", manifest.id},
          {"version", manifest.version}};
}

std::string Sealed(Json manifest) {
  manifest["seal"] = DigestOf(manifest.dump());
  return manifest.dump();
}

// Where two byte strings first differ.
std::size_t FirstDifference(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

struct Text {
  std::string_view key;
  std::string PackageManifest::*member;
};
constexpr Text kTexts[] = {{"id", &PackageManifest::id},
                           {"version", &PackageManifest::version},
                           {"digest", &PackageManifest::digest},
                           {"seal", &PackageManifest::seal}};

}  // namespace

FileMap Package::Source() const {
  FileMap out;
  for (const auto& [path, bytes] : files) {
    const std::string_view view = path;
    if (path == kManifest) continue;
    if (view.starts_with(kTests)) out.emplace(view.substr(8), bytes);
    if (view.starts_with(kOther)) out.emplace(view.substr(kOther.size()), bytes);
  }
  return out;
}

std::string PackDigest(const FileMap& source) {
  Sha256 hash;
  for (const auto& [path, bytes] : source) {
    if (path.starts_with("tests/") || path.starts_with("sites/")) continue;
    hash.AddField(path);
    hash.AddField(bytes);
  }
  return "sha256:" + hash.Hex();
}

Result<Package> ReadPackage(std::string_view bytes, const std::string& name) {
  Package package;
  STEPWISE_ASSIGN_OR_RETURN(package.files, ReadArchive(bytes, name));
  const auto fail = [&](std::string_view path, const std::string& message) {
    return Fail(Code::kInvalidArgument, std::string(path) + ": " + message, SourceSpan{name, 0, 0, 0});
  };
  const auto found = package.files.find(kManifest);
  if (found == package.files.end())
    return fail(kManifest, "not found: this is no package that `stepwise pack build` made");
  const std::string& text = found->second;
  const Json manifest = Json::parse(text, nullptr, false);
  if (!manifest.is_object()) return fail(kManifest, "is not a JSON object; the package was changed");
  if (const auto format = manifest.find("format");
      format != manifest.end() && format->is_number_integer() && *format != 1)
    return fail(kManifest, "another format than 1, which is the one this program reads");
  for (const Text& row : kTexts) {
    const auto value = manifest.find(row.key);
    if (value == manifest.end() || !value->is_string())
      return fail(kManifest, "has no text `" + std::string(row.key) + "`; the package was changed");
    package.manifest.*row.member = value->get<std::string>();
  }
  const auto listed = manifest.find("files");
  if (listed == manifest.end() || !listed->is_object())
    return fail(kManifest, "has no list of files; the package was changed");
  const auto changed = [&](std::string_view path, std::string_view what) {
    return fail(path,
                std::string(what) + "; the package was changed after it was built. Build or fetch it again");
  };
  for (const auto& [path, content] : package.files) {
    if (path == kManifest) continue;
    const auto hash = listed->find(path);
    if (hash == listed->end()) return changed(path, "is not in the manifest");
    const std::string actual = DigestOf(content);
    if (!hash->is_string() || *hash != actual)
      return changed(path, "its bytes have " + actual + ", which is not what the manifest says");
  }
  for (const auto& item : listed->items()) {
    if (!package.files.contains(item.key())) return changed(item.key(), "is in the manifest and missing");
  }
  // The same words again give the same bytes, seal included, or somebody wrote something between them.
  if (Sealed(Unsealed(package.manifest, package.files)) != text)
    return changed(kManifest, "is not what its seal says");
  if (PackDigest(package.Source()) != package.manifest.digest)
    return changed(kOther, "the source has another digest than the manifest says");
  STEPWISE_ASSIGN_OR_RETURN(const std::string again, WriteArchive(package.files));
  if (again != bytes) {
    return changed("byte " + std::to_string(FirstDifference(again, bytes)),
                   "a header or padding between the files is not as `stepwise pack build` writes it");
  }
  return package;
}

Result<std::string> WritePackage(const std::string& id, const std::string& version, const FileMap& source,
                                 const FileMap& resources) {
  FileMap files;
  for (const auto& [path, bytes] : resources) files.emplace("package/" + path, bytes);
  for (const auto& [path, bytes] : source) files.emplace(PackagePath(path), bytes);
  const PackageManifest manifest{id, version, PackDigest(source), ""};
  files.emplace(kManifest, Sealed(Unsealed(manifest, files)));
  return WriteArchive(files);
}

}  // namespace stepwise::rules
