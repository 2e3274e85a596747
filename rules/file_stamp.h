// StampFiles: a digest of which files lie where, how large and how old they are; nothing is opened.
//
//   StampFiles({"registry", "activation.yaml"}) == before      // nothing was written, added or removed
//
// Every path may be a file or a folder; links are followed, folders eight deep. What cannot be looked at
// counts as absent. A write that keeps the size within one tick of the file system's clock (milliseconds) of
// the last look may go unnoticed. Thread-safety: pure but for the disk.
#ifndef STEPWISE_RULES_FILE_STAMP_H_
#define STEPWISE_RULES_FILE_STAMP_H_

#include <span>
#include <string>

namespace stepwise::rules {

std::string StampFiles(std::span<const std::string> paths);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_FILE_STAMP_H_
