// FileWatch: what changed in some folders since the last look.
//
//   FileWatch watch;
//   watch.Look(dirs);                      // the first look finds nothing changed
//   for (;;) { Sleep(); for (const std::string& path : watch.Look(dirs)) ... }
//
// Compares size and time of modification of every regular file below the folders, file system time against
// file system time; no clock is read. Polling, because it works on every file system. Hidden files and
// editors' backups (name~) are not looked at. Thread-safety: one thread at a time.
#ifndef STEPWISE_RULES_FILE_WATCH_H_
#define STEPWISE_RULES_FILE_WATCH_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace stepwise::rules {

class FileWatch {
 public:
  // Files that are new, changed or gone, sorted.
  std::vector<std::string> Look(std::span<const std::string> dirs);

 private:
  using Stamp = std::pair<std::filesystem::file_time_type, std::uintmax_t>;
  bool first_ = true;
  std::map<std::string, Stamp> files_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FILE_WATCH_H_
