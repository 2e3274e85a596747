// PackFiles: the files of one pack folder, read once, and the digest of what they say.
//
//   Result<PackFiles> files = PackFiles::Open("rules/packs/cancer-pain", &errors);
//   files->Text("pack.yaml")
//
// Only regular files inside the folder count: a symlink that leads out of it is refused, and so are files
// over the size limit. The digest covers pack.yaml, rules/, valuesets/ and tables/ (path and bytes, sorted by
// path); tests/ and sites/ are not part of what a pack says. Thread-safety: immutable once opened.
#ifndef STEPWISE_RULES_PACK_FILES_H_
#define STEPWISE_RULES_PACK_FILES_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/schema_reader.h"

namespace stepwise::rules {

class PackFiles {
 public:
  static constexpr std::size_t kMaxFileBytes = 8u << 20;

  // Files that cannot be used are errors; what could be read is there.
  static PackFiles Open(const std::string& dir, Errors* errors);

  // Bytes of a file by its path from the folder ("rules/a.yaml"), or nullptr.
  const std::string* Find(std::string_view path) const;
  // Paths below a folder ("rules/") that end in `suffix`, sorted.
  std::vector<std::string> List(std::string_view folder, std::string_view suffix) const;
  // The path as the user would name it.
  std::string Shown(std::string_view path) const;
  std::string Digest() const;

 private:
  std::string dir_;
  std::map<std::string, std::string, std::less<>> files_;
};

// Folders that hold a pack.yaml: `dir` itself, or else its direct children, sorted.
std::vector<std::string> FindPackDirs(const std::string& dir);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_FILES_H_
