#include "rules/pack_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"rules", "valuesets", "tables", "tests", "sites"};

bool IsInside(const fs::path& path, const fs::path& root) {
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end == root.end();
}

}  // namespace

PackFiles PackFiles::Open(const std::string& dir, Errors* errors) {
  PackFiles out;
  out.dir_ = dir;
  while (out.dir_.size() > 1 && out.dir_.back() == '/') out.dir_.pop_back();
  std::error_code code;
  const fs::path root = fs::canonical(dir, code);
  const auto fail = [&](const std::string& path, std::string message) {
    AddError(errors, {.file = out.Shown(path)}, std::move(message), Code::kNotFound);
  };
  if (code || !fs::is_directory(root)) {
    fail("", "no such folder");
    return out;
  }
  const auto read = [&](const std::string& path) {
    const fs::path real = fs::canonical(root / path, code);
    if (code) return fail(path, "cannot be read: " + code.message());
    if (!IsInside(real, root))
      return fail(path, "a link that leads out of the pack; copy the file into the pack");
    if (!fs::is_regular_file(real)) return;
    if (fs::file_size(real, code) > kMaxFileBytes) {
      return fail(path, "larger than " + std::to_string(kMaxFileBytes) + " bytes");
    }
    std::ifstream in(real, std::ios::binary);
    if (!in) return fail(path, "cannot be read");
    out.files_[path] = {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  };
  if (!fs::exists(root / "pack.yaml")) {
    fail("pack.yaml", "not found: a pack is a folder with a pack.yaml");
    return out;
  }
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
  return out;
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

std::string PackFiles::Digest() const {
  Sha256 hash;
  for (const auto& [path, bytes] : files_) {
    if (path.starts_with("tests/") || path.starts_with("sites/")) continue;
    hash.AddField(path);
    hash.AddField(bytes);
  }
  return "sha256:" + hash.Hex();
}

std::vector<std::string> FindPackDirs(const std::string& dir) {
  std::error_code code;
  if (fs::exists(fs::path(dir) / "pack.yaml", code)) return {dir};
  std::vector<std::string> out;
  for (fs::directory_iterator at(dir, code), end; !code && at != end; at.increment(code)) {
    if (fs::exists(at->path() / "pack.yaml")) out.push_back(at->path().string());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace stepwise::rules
