// PackFiles: the source files of one pack, from its folder or from a package built of it (rules/package.h),
// and the digest of what they say, which is the same for both.
//
//   PackFiles files = PackFiles::Open("rules/packs/cancer-pain", &errors);
//   PackFiles same = PackFiles::Open("dist/cancer-pain-1.2.0.tgz", &errors);
//   files.Find("pack.yaml")
//
// Only regular files inside the folder count: a symlink that leads out of it is refused, and so are files
// over the size limit. A package is verified before anything of it is used. The digest covers pack.yaml,
// rules/, valuesets/ and tables/ (path and bytes, sorted by path); tests/ and sites/ are not part of what a
// pack says. Thread-safety: immutable once opened.
#ifndef STEPWISE_RULES_PACK_FILES_H_
#define STEPWISE_RULES_PACK_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "rules/archive.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

class PackFiles {
 public:
  static constexpr std::size_t kMaxFileBytes = 8u << 20;
  static constexpr std::size_t kMaxPackageBytes = 80u << 20;

  // A pack's folder, or a package. Files that cannot be used are errors; what could be read is there.
  static PackFiles Open(const std::string& path, Errors* errors);
  // A package that is already in memory; `name` is for messages.
  static PackFiles OpenPackage(std::string_view bytes, const std::string& name, Errors* errors);

  // Files that are nowhere on the disk; `name` is for messages.
  static PackFiles FromFiles(FileMap files, const std::string& name);

  // Bytes of a file by its path from the folder ("rules/a.yaml"), or nullptr.
  const std::string* Find(std::string_view path) const;
  // Paths below a folder ("rules/") that end in `suffix`, sorted.
  std::vector<std::string> List(std::string_view folder, std::string_view suffix) const;
  // The path as the user would name it.
  std::string Shown(std::string_view path) const;
  std::string Digest() const;
  const FileMap& files() const { return files_; }

 private:
  void ReadFolder(Errors* errors);

  std::string dir_;
  FileMap files_;
};

// Packs: `dir` itself when it is a package (*.tgz) or has a pack.yaml, or else such direct children, sorted.
std::vector<std::string> FindPackDirs(const std::string& dir);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_FILES_H_
