// Package: one released version of a pack as one immutable file, a FHIR NPM package (.tgz).
//
//   package/package.json, .index.json, ImplementationGuide-*.json, PlanDefinition-*.json ...  the FHIR form
//   package/tests/*.yaml                                                             the pack's own test
//   cases package/other/pack.yaml, rules/, valuesets/, tables/, sites/                     the source, byte
//   for byte package/other/stepwise.json                                                      the manifest
//
// The manifest names the pack, its digest (that of the folder: "what the pack says"), the SHA-256 of every
// other file, and a `seal`: the SHA-256 of the manifest itself. ReadPackage checks all of them, and that the
// archive around the files is the one WritePackage makes, so that no byte can change unseen. What is signed
// (rules/package_signature.h) is digest and seal.
//
//   STEPWISE_ASSIGN_OR_RETURN(std::string bytes, WritePackage("org.example.pack", "1.2.0", source,
//   resources)); Result<Package> package = ReadPackage(bytes, "org.example.pack-1.2.0.tgz");
//
// Errors: those of ReadArchive; kInvalidArgument with the file that is missing, added or changed.
// Thread-safety: pure functions and plain values.
#ifndef STEPWISE_RULES_PACKAGE_H_
#define STEPWISE_RULES_PACKAGE_H_

#include <string>
#include <string_view>

#include "rules/archive.h"

namespace stepwise::rules {

inline constexpr std::string_view kPackageSuffix = ".tgz";

struct PackageManifest {
  std::string id, version;
  std::string digest;  // of the source, as PackFiles::Digest
  std::string seal;    // "sha256:..." over everything the manifest says: names this very package
};

struct Package {
  PackageManifest manifest;
  FileMap files;  // by path in the package, the manifest included

  // The pack's folder again: "pack.yaml", "rules/a.yaml", "tests/a.yaml".
  FileMap Source() const;
};

// `name`: of the file, for messages.
Result<Package> ReadPackage(std::string_view bytes, const std::string& name);

// `source`: the pack's folder; `resources`: further files by their path below package/. Same input, same
// bytes.
Result<std::string> WritePackage(const std::string& id, const std::string& version, const FileMap& source,
                                 const FileMap& resources);

// Digest of what a pack says: path and bytes of all source files but tests/ and sites/.
std::string PackDigest(const FileMap& source);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACKAGE_H_
