#include "rules/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace stepwise::rules {
namespace {

constexpr std::size_t kMaxPath = 200;  // ustar splits longer ones in ways not every reader joins again
constexpr std::size_t kStoredBlock = 65535;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

// Why a path is refused, or "".
std::string_view PathFault(std::string_view path) {
  if (path.empty()) return "a file without a name";
  if (path.front() == '/') return "an absolute path";
  if (path.size() > kMaxPath) return "a path of more than 200 bytes";
  for (const char c : path) {
    if (c < ' ' || c > '~' || c == '\\') return "a path with other characters than printable ASCII";
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return "a path with an empty part, `.` or `..`";
    begin = end + 1;
  }
  return "";
}

std::string ArchiveMessage(archive* reader) {
  const char* text = archive_error_string(reader);
  return text == nullptr ? "damaged archive" : std::string("damaged archive: ") + text;
}

// Little-endian, as gzip has it.
void AppendNumber(std::uint32_t number, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) *out += static_cast<char>((number >> (8 * i)) & 0xFF);
}

// RFC 1952 around RFC 1951 blocks of type 00.
std::string GzipStored(std::string_view data) {
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
                  10);  // deflate, no name, no time, unknown system
  out.reserve(data.size() + data.size() / kStoredBlock * 5 + 32);
  std::string_view rest = data;
  do {
    const std::string_view block = rest.substr(0, kStoredBlock);
    rest.remove_prefix(block.size());
    const auto size = static_cast<std::uint32_t>(block.size());
    out += rest.empty() ? '\x01' : '\x00';
    AppendNumber(size, 2, &out);
    AppendNumber(~size & 0xFFFF, 2, &out);
    out += block;
  } while (!rest.empty());
  const auto* bytes = reinterpret_cast<const Bytef*>(data.data());
  AppendNumber(static_cast<std::uint32_t>(crc32_z(0, bytes, data.size())), 4, &out);
  AppendNumber(static_cast<std::uint32_t>(data.size()), 4, &out);
  return out;
}

la_ssize_t AppendTo(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

Result<FileMap> ReadArchive(std::string_view bytes, const std::string& name, const ArchiveLimits& limits) {
  const auto fail = [&](Code code, std::string message) {
    return Fail(code, std::move(message), SourceSpan{name, 0, 0, 0});
  };
  const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return fail(Code::kSyntax, ArchiveMessage(reader.get()) + "; a package is a .tgz");
  FileMap files;
  std::size_t total = 0;
  std::size_t entries = 0;
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return files;
    if (status != ARCHIVE_OK) return fail(Code::kSyntax, ArchiveMessage(reader.get()));
    if (++entries > limits.max_entries)
      return fail(Code::kLimit, "more than " + std::to_string(limits.max_entries) + " files");
    const char* raw = archive_entry_pathname(entry);
    std::string path = raw == nullptr ? "" : raw;
    const bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (folder && path.ends_with('/')) path.pop_back();
    if (const std::string_view fault = PathFault(path); !fault.empty())
      return fail(Code::kSyntax, "`" + path + "`: " + std::string(fault) + " is refused");
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr ||
        (!folder && archive_entry_filetype(entry) != AE_IFREG))
      return fail(Code::kSyntax, path + ": only plain files; links and devices are refused");
    if (folder) continue;
    const auto [at, fresh] = files.try_emplace(path);
    if (!fresh) return fail(Code::kSyntax, path + ": is in the archive twice");
    char buffer[1 << 14];
    while (true) {
      const la_ssize_t got = archive_read_data(reader.get(), buffer, sizeof buffer);
      if (got < 0) return fail(Code::kSyntax, path + ": " + ArchiveMessage(reader.get()));
      if (got == 0) break;
      at->second.append(buffer, static_cast<std::size_t>(got));
      total += static_cast<std::size_t>(got);
      if (at->second.size() > limits.max_entry_bytes)
        return fail(Code::kLimit,
                    path + ": larger than " + std::to_string(limits.max_entry_bytes) + " bytes");
      if (total > limits.max_total_bytes)
        return fail(Code::kLimit,
                    "unpacks to more than " + std::to_string(limits.max_total_bytes) + " bytes");
    }
  }
}

Result<std::string> WriteArchive(const FileMap& files) {
  std::string tar;
  const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
  archive_write_set_format_ustar(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);  // no padding beyond tar's own
  const auto fail = [&](const std::string& path, std::string_view message) {
    return Fail(Code::kInvalidArgument, path + ": " + std::string(message));
  };
  if (archive_write_open(writer.get(), &tar, nullptr, &AppendTo, nullptr) != ARCHIVE_OK)
    return fail("", ArchiveMessage(writer.get()));
  for (const auto& [path, bytes] : files) {
    if (const std::string_view fault = PathFault(path); !fault.empty())
      return fail(path, std::string(fault) + " cannot go into a package; rename the file");
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK ||
        archive_write_data(writer.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
      return fail(path, ArchiveMessage(writer.get()));
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return fail("", ArchiveMessage(writer.get()));
  return GzipStored(tar);
}

}  // namespace stepwise::rules
