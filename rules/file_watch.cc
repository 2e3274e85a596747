#include "rules/file_watch.h"

#include <algorithm>
#include <system_error>

namespace stepwise::rules {

namespace fs = std::filesystem;

std::vector<std::string> FileWatch::Look(std::span<const std::string> dirs) {
  std::map<std::string, Stamp> now;
  std::error_code code;
  for (const std::string& dir : dirs) {
    for (fs::recursive_directory_iterator at(dir, code), end; !code && at != end; at.increment(code)) {
      const std::string name = at->path().filename().string();
      std::error_code gone;  // a file that goes away while we look is one that changed
      if (name.starts_with('.') || name.ends_with('~') || !at->is_regular_file(gone)) continue;
      const auto time = at->last_write_time(gone);
      const auto size = at->file_size(gone);
      if (!gone) now[at->path().string()] = {time, size};
    }
    code.clear();
  }
  std::vector<std::string> changed;
  for (const auto& [path, stamp] : now) {
    const auto before = files_.find(path);
    if (before == files_.end() || before->second != stamp) changed.push_back(path);
  }
  for (const auto& [path, stamp] : files_) {
    if (!now.contains(path)) changed.push_back(path);
  }
  std::ranges::sort(changed);
  files_ = std::move(now);
  if (first_) changed.clear();
  first_ = false;
  return changed;
}

}  // namespace stepwise::rules
