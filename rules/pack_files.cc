#include "rules/pack_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules/package.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"rules", "valuesets", "tables", "tests", "sites"};

bool IsInside(const fs::path& path, const fs::path& root) {
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end();
}

Result<std::string> ReadBytes(const fs::path& path, std::size_t limit) {
  std::error_code code;
  if (fs::file_size(path, code) > limit)
    return Fail(Code::kLimit, "larger than " + std::to_string(limit) + " bytes");
  std::ifstream in(path, std::ios::binary);
  if (!in) return Fail(Code::kNotFound, "cannot be read");
  return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool IsPack(const fs::path& path) {
  std::error_code code;
  if (fs::is_regular_file(path, code)) return path.extension() == kPackageSuffix;
  return fs::exists(path / "pack.yaml", code);
}

}  // namespace

PackFiles PackFiles::Open(const std::string& path, Errors* errors) {
  std::error_code code;
  if (fs::is_regular_file(path, code)) {
    const auto bytes = ReadBytes(path, kMaxPackageBytes);
    if (bytes) return OpenPackage(*bytes, path, errors);
    AddError(errors, {.file = path}, bytes.error().message, bytes.error().code);
    return {};
  }
  PackFiles out;
  out.dir_ = path;
  while (out.dir_.size() > 1 && out.dir_.back() == '/') out.dir_.pop_back();
  out.ReadFolder(errors);
  return out;
}

PackFiles PackFiles::OpenPackage(std::string_view bytes, const std::string& name, Errors* errors) {
  PackFiles out;
  out.dir_ = name;
  if (const auto package = ReadPackage(bytes, name)) {
    out.files_ = package->Source();
  } else {
    errors->push_back(package.error());
  }
  return out;
}

PackFiles PackFiles::FromFiles(FileMap files, const std::string& name) {
  PackFiles out;
  out.dir_ = name;
  out.files_ = std::move(files);
  return out;
}

void PackFiles::ReadFolder(Errors* errors) {
  std::error_code code;
  const fs::path root = fs::canonical(dir_, code);
  const auto fail = [&](const std::string& path, std::string message) {
    AddError(errors, {.file = Shown(path)}, std::move(message), Code::kNotFound);
  };
  if (code || !fs::is_directory(root)) return fail("", "no such folder or package");
  const auto read = [&](const std::string& path) {
    const fs::path real = fs::canonical(root / path, code);
    if (code) return fail(path, "cannot be read: " + code.message());
    if (!IsInside(real, root))
      return fail(path, "a link that leads out of the pack; copy the file into the pack");
    if (!fs::is_regular_file(real)) return;
    auto bytes = ReadBytes(real, kMaxFileBytes);
    if (!bytes) return fail(path, bytes.error().message);
    files_[path] = std::move(*bytes);
  };
  if (!fs::exists(root / "pack.yaml"))
    return fail("pack.yaml", "not found: a pack is a folder with a pack.yaml, or a package");
  read("pack.yaml");
  for (const std::string_view folder : kFolders) {
    const fs::path below = root / folder;
    if (fs::is_symlink(below) && !IsInside(fs::weakly_canonical(below, code), root)) {
      fail(std::string(folder), "a link that leads out of the pack; copy the files into the pack");
      continue;
    }
    for (fs::directory_iterator at(below, code), end; !code && at != end; at.increment(code)) {
      const std::string name = at->path().filename().string();
      if (!name.starts_with('.')) read(std::string(folder) + "/" + name);
    }
    code.clear();
  }
}

const std::string* PackFiles::Find(std::string_view path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

std::vector<std::string> PackFiles::List(std::string_view folder, std::string_view suffix) const {
  std::vector<std::string> out;
  for (const auto& [path, bytes] : files_) {
    if (path.starts_with(folder) && path.ends_with(suffix)) out.push_back(path);
  }
  return out;
}

std::string PackFiles::Shown(std::string_view path) const {
  return path.empty() ? dir_ : dir_ + "/" + std::string(path);
}

std::string PackFiles::Digest() const { return PackDigest(files_); }

std::vector<std::string> FindPackDirs(const std::string& dir) {
  std::error_code code;
  if (IsPack(dir)) return {dir};
  std::vector<std::string> out;
  for (fs::directory_iterator at(dir, code), end; !code && at != end; at.increment(code)) {
    if (IsPack(at->path())) out.push_back(at->path().string());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace stepwise::rules
