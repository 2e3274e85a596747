// Whatever bytes arrive: an archive is read or refused with a message, and what is accepted as a package is,
// byte for byte, what is written again. A package of which one byte is changed is never accepted.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/package.h"

using stepwise::rules::FileMap;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const stepwise::rules::ArchiveLimits limits{
      .max_entries = 64, .max_entry_bytes = 1u << 20, .max_total_bytes = 4u << 20};
  if (const auto files = stepwise::rules::ReadArchive(bytes, "f", limits)) {
    if (!stepwise::rules::WriteArchive(*files)) std::abort();
  } else if (files.error().message.empty()) {
    std::abort();
  }
  if (const auto package = stepwise::rules::ReadPackage(bytes, "f")) {
    if (*stepwise::rules::WriteArchive(package->files) != bytes) std::abort();
  }

  const FileMap source = {{"pack.yaml", std::string(bytes.substr(5))}, {"rules/a.yaml", "a"}};
  const auto own = stepwise::rules::WritePackage("a", "1.0.0", source, {});
  if (!own || !stepwise::rules::ReadPackage(*own, "f")) std::abort();
  const std::size_t at = (data[0] + std::size_t{256} * data[1] + std::size_t{65536} * data[2]) % own->size();
  if (data[3] == 0) return 0;
  std::string changed = *own;
  changed[at] = static_cast<char>(changed[at] ^ data[3]);
  if (stepwise::rules::ReadPackage(changed, "f")) std::abort();
  return 0;
}
