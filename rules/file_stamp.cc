#include "rules/file_stamp.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 8;  // a link to a folder above would never end

std::string StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return path + " -";
  std::string out = path;
  // The time of the change of the inode too: copies may keep the time of the content.
  for (const std::int64_t number :
       {static_cast<std::int64_t>(info.st_ino),
        static_cast<std::int64_t>(S_ISDIR(info.st_mode) ? 0 : info.st_size),
        static_cast<std::int64_t>(info.st_mtim.tv_sec), static_cast<std::int64_t>(info.st_mtim.tv_nsec),
        static_cast<std::int64_t>(info.st_ctim.tv_sec), static_cast<std::int64_t>(info.st_ctim.tv_nsec)}) {
    out += " " + std::to_string(number);
  }
  return out;
}

}  // namespace

std::string StampFiles(std::span<const std::string> paths) {
  std::vector<std::string> stamps;
  for (const std::string& path : paths) {
    stamps.push_back(StampOf(path));
    std::error_code code;
    fs::recursive_directory_iterator at(path, fs::directory_options::follow_directory_symlink, code), end;
    while (!code && at != end) {
      stamps.push_back(StampOf(at->path().string()));
      if (at.depth() >= kMaxDepth) at.disable_recursion_pending();
      at.increment(code);
    }
  }
  std::ranges::sort(stamps);
  Sha256 hash;
  for (const std::string& stamp : stamps) hash.AddField(stamp);
  return hash.Hex();
}

}  // namespace stepwise::rules
