// Archives: a set of files <-> the bytes of a .tgz, safe to read from strangers and the same bytes for ever.
//
//   Result<std::string> bytes = WriteArchive({{"package/package.json", "{}"}});
//   Result<FileMap> files = ReadArchive(*bytes, "a.tgz");
//
// Written: ustar, sorted by path, mode 0644, no times, no owners; gzip with stored blocks, because what a
// compressor makes of the same input depends on its version, and a package is known by its bytes. HTTP and
// disks compress well enough.
// Read: any gzip, any tar of plain files. Refused: links, devices, absolute paths, `.` and `..`, backslashes,
// a path given twice, more than the limits allow.
// Errors: kSyntax (damaged, or a path or kind that is refused), kLimit. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_ARCHIVE_H_
#define STEPWISE_RULES_ARCHIVE_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::rules {

// Path ("rules/a.yaml") -> bytes.
using FileMap = std::map<std::string, std::string, std::less<>>;

struct ArchiveLimits {
  std::size_t max_entries = 4096;
  std::size_t max_entry_bytes = 8u << 20;
  std::size_t max_total_bytes = 64u << 20;  // of all entries, unpacked
};

// `name`: of the file, for messages.
Result<FileMap> ReadArchive(std::string_view bytes, const std::string& name,
                            const ArchiveLimits& limits = {});

// Error kInvalidArgument: a path that ReadArchive would refuse, that is not printable ASCII, or over 200
// bytes.
Result<std::string> WriteArchive(const FileMap& files);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_ARCHIVE_H_
