// Helpers that the tests of every floor share: where things are, files, and golden files.
//
//   SKIP_WITHOUT(SharedData("fhirpath-r4"));                  // skips the test and says what is missing
//   const std::string text = ReadFile(SourceDir() / "tests/fhir/cases/dates.tsv");
//   ExpectGolden("tests/rules/golden/cards.json", cards);    // UPDATE_GOLDEN=1 ctest --preset dev rewrites
//   it
//
// ctest sets STEPWISE_SOURCE_DIR, STEPWISE_BIN_DIR and STEPWISE_SHARED_DATA; a test binary that is run by
// hand finds the same places from where it lies (build/<preset>/bin).
#ifndef STEPWISE_TESTS_TESTING_H_
#define STEPWISE_TESTS_TESTING_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace stepwise {

inline std::optional<std::string> TestEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// The folder of the programs under test.
inline std::filesystem::path BinDir() {
  if (auto dir = TestEnvironment("STEPWISE_BIN_DIR")) return *dir;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

// The root of the source tree.
inline std::filesystem::path SourceDir() {
  if (auto dir = TestEnvironment("STEPWISE_SOURCE_DIR")) return *dir;
  return BinDir().parent_path().parent_path().parent_path();
}

// Other people's test data (suites, specification examples); not part of the project. nullopt where absent.
inline std::optional<std::filesystem::path> SharedDataDir() {
  const auto named = TestEnvironment("STEPWISE_SHARED_DATA");
  const std::filesystem::path dir = named ? std::filesystem::path(*named) : SourceDir() / "../shared/data";
  if (!std::filesystem::is_directory(dir)) return std::nullopt;
  return std::filesystem::canonical(dir);
}

// A file or folder in SharedDataDir(), by its path from there; nullopt where absent.
inline std::optional<std::filesystem::path> SharedData(std::string_view name) {
  const auto dir = SharedDataDir();
  if (!dir || !std::filesystem::exists(*dir / name)) return std::nullopt;
  return *dir / name;
}

// The bytes of a file. Fails the test and returns "" when it cannot be read.
inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    ADD_FAILURE() << "cannot read " << path.string();
    return "";
  }
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Writes a file and the folders above it. Fails the test when it cannot.
inline void WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) ADD_FAILURE() << "cannot write " << path.string();
}

// A new, empty folder that goes away with the object.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stepwise-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "cannot create " << pattern;
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Compares `actual` with the file `name` (a path from the root) and fails at the first line that differs.
// With UPDATE_GOLDEN=1 in the environment it writes the file instead: review the diff like code.
inline void ExpectGolden(std::string_view name, std::string_view actual) {
  const std::filesystem::path path = SourceDir() / name;
  if (TestEnvironment("UPDATE_GOLDEN")) {
    WriteFile(path, actual);
    return;
  }
  if (!std::filesystem::exists(path)) {
    ADD_FAILURE() << name << " does not exist; UPDATE_GOLDEN=1 writes it. Actual text:\n" << actual;
    return;
  }
  const std::string expected = ReadFile(path);
  if (expected == actual) return;
  std::string_view left = expected, right = actual;
  for (int line = 1;; ++line) {
    const std::string_view expected_line = left.substr(0, left.find('\n'));
    const std::string_view actual_line = right.substr(0, right.find('\n'));
    const bool left_ends = expected_line.size() == left.size();
    const bool right_ends = actual_line.size() == right.size();
    if (expected_line != actual_line || left_ends || right_ends) {
      ADD_FAILURE() << name << ":" << line
                    << " differs (UPDATE_GOLDEN=1 rewrites the file)\n  expected: " << expected_line
                    << (left_ends ? " [end of file]" : "") << "\n  actual:   " << actual_line
                    << (right_ends ? " [end of file]" : "");
      return;
    }
    left.remove_prefix(expected_line.size() + 1);
    right.remove_prefix(actual_line.size() + 1);
  }
}

// For SKIP_WITHOUT: does the path (or the optional path) exist?
inline bool IsThere(const std::filesystem::path& path) { return std::filesystem::exists(path); }
inline bool IsThere(const std::optional<std::filesystem::path>& path) { return path && IsThere(*path); }

}  // namespace stepwise

// Skips the running test when a file or folder is absent, and prints what was skipped. Takes a path or an
// optional path; use it in SetUp() or in the test body.
#define SKIP_WITHOUT(what)                                                   \
  while (!::stepwise::IsThere((what))) /* an if would invite a stray else */ \
  GTEST_SKIP() << "skipped: " << #what << " is not on this machine"

#endif  // STEPWISE_TESTS_TESTING_H_
