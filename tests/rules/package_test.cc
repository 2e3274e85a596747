// Packages: the same bytes from the same source, loadable where a folder is, and no byte changes unseen.
#include "rules/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include "rules/pack_files.h"
#include "rules/pack_test.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

using testing::HasSubstr;

constexpr std::string_view kRule = R"yaml(rule: scores
id: X-01
title: High score
hooks: [patient-view]
when:
  - { id: high, text: "a high score", if: "%scores.where($this > 3).exists()" }
unknown: { high: silent }
card: { summary: "Score {{%scores}}", indicator: warning }
)yaml";

constexpr std::string_view kTests = R"yaml(tests-for: X-01
now: "2026-12-10T09:00:00Z"
base: { hook: patient-view, patient: { resourceType: Patient, id: p1 } }
cases:
  - name: fires
    pain: [ { resourceType: Observation, valueQuantity: { value: 7 } } ]
    expect: { fires: true }
)yaml";

FileMap SmallSource() {
  return {{"pack.yaml", std::string(kTestPack)},
          {"rules/r.yaml", std::string(kRule)},
          {"tests/r.yaml", std::string(kTests)}};
}

std::string SmallPackage() {
  const auto bytes =
      WritePackage("org.example.test", "1.2.3", SmallSource(), {{"package.json", R"({"name":"x"})"}});
  EXPECT_TRUE(bytes) << bytes.error().ToString();
  return bytes.value_or("");
}

TEST(Package, HoldsTheSource) {
  const auto package = ReadPackage(SmallPackage(), "a.tgz");
  ASSERT_TRUE(package) << package.error().ToString();
  EXPECT_EQ(package->Source(), SmallSource());
  EXPECT_EQ(package->manifest.id, "org.example.test");
  EXPECT_EQ(package->manifest.version, "1.2.3");
  EXPECT_EQ(package->files.at("package/package.json"), R"({"name":"x"})");
  EXPECT_EQ(package->files.count("package/tests/r.yaml"), 1u);
  EXPECT_EQ(package->manifest.digest, PackDigest(SmallSource()));
}

TEST(Package, IsLoadedWhereAFolderIs) {
  PackFixture folder({{"rules/r.yaml", std::string(kRule)}, {"tests/r.yaml", std::string(kTests)}});
  const auto from_folder = folder.Load();
  TempDir dir;
  WriteFile(dir.path() / "dist/a.tgz", SmallPackage());
  for (const auto& path : {dir.path() / "dist/a.tgz", dir.path() / "dist"}) {
    const std::string dirs[] = {path.string()};
    LoadReport report;
    const auto base = KnowledgeBase::LoadFolders(dirs, &report);
    for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
    ASSERT_NE(base, nullptr);
    EXPECT_EQ(base->packs()[0].digest, from_folder->packs()[0].digest);
    const PackTestReport tests = RunPackTests(*base, base->packs()[0]);
    EXPECT_EQ(tests.cases.size(), 1u);
    EXPECT_EQ(tests.failed(), 0u);
  }
}

TEST(Package, SaysWhichFileOfItIsWrong) {
  FileMap source = SmallSource();
  source["rules/r.yaml"] = "rule: x\ntitel: y\n";
  TempDir dir;
  WriteFile(dir.path() / "a.tgz", *WritePackage("org.example.test", "1.2.3", source, {}));
  const std::string path = (dir.path() / "a.tgz").string();
  LoadReport report;
  EXPECT_EQ(KnowledgeBase::LoadFolders(std::span(&path, 1), &report), nullptr);
  ASSERT_FALSE(report.errors.empty());
  EXPECT_THAT(report.errors[0].ToString(), HasSubstr("a.tgz/rules/r.yaml:"));
}

// The promise: whichever byte of the file is changed, it is refused, and the message says so.
TEST(Package, RefusesEveryChangedByte) {
  const std::string bytes = SmallPackage();
  std::size_t named = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    const auto package = ReadPackage(changed, "a.tgz");
    ASSERT_FALSE(package) << "byte " << at << " of " << bytes.size();
    EXPECT_TRUE(package.error().ToString().starts_with("a.tgz: ")) << package.error().ToString();
    named += package.error().message.find("package/") != std::string::npos;
  }
  EXPECT_GT(named, SmallSource()["pack.yaml"].size());
  for (std::size_t length = 0; length < bytes.size(); length += 97)
    EXPECT_FALSE(ReadPackage(bytes.substr(0, length), "a.tgz")) << length;
  EXPECT_FALSE(ReadPackage(bytes + "x", "a.tgz"));
}

TEST(Package, NamesWhatWasChanged) {
  const auto package = ReadPackage(SmallPackage(), "a.tgz");
  ASSERT_TRUE(package);
  struct Row {
    const char* what;
    void (*change)(FileMap*);
    const char* message;
  };
  const Row rows[] = {
      {"changed", [](FileMap* f) { (*f)["package/other/rules/r.yaml"] += " "; },
       "package/other/rules/r.yaml: its bytes have sha256:"},
      {"test", [](FileMap* f) { (*f)["package/tests/r.yaml"] += " "; }, "package/tests/r.yaml: its bytes"},
      {"resource", [](FileMap* f) { (*f)["package/package.json"] += " "; },
       "package/package.json: its bytes"},
      {"added", [](FileMap* f) { (*f)["package/other/rules/s.yaml"] = "x"; },
       "package/other/rules/s.yaml: is not in the manifest"},
      {"removed", [](FileMap* f) { f->erase("package/tests/r.yaml"); },
       "package/tests/r.yaml: is in the manifest and missing"},
      {"no manifest", [](FileMap* f) { f->erase("package/other/stepwise.json"); }, "not found"},
      {"manifest", [](FileMap* f) { (*f)["package/other/stepwise.json"] = "[]"; }, "is not a JSON object"},
      {"spaces", [](FileMap* f) { (*f)["package/other/stepwise.json"] += "\n"; },
       "is not what its seal says"},
  };
  for (const Row& row : rows) {
    FileMap files = package->files;
    row.change(&files);
    const auto again = ReadPackage(*WriteArchive(files), "a.tgz");
    ASSERT_FALSE(again) << row.what;
    EXPECT_THAT(again.error().ToString(), HasSubstr(row.message)) << row.what;
  }
}

// Archives that WriteArchive does not make.
class ForeignArchive {
 public:
  ForeignArchive() : writer_(archive_write_new()) {
    archive_write_add_filter_gzip(writer_);
    archive_write_set_format_pax_restricted(writer_);
    bytes_.resize(1 << 16);
    archive_write_open_memory(writer_, bytes_.data(), bytes_.size(), &used_);
  }
  void Add(const char* path, std::string_view content, unsigned type = AE_IFREG,
           const char* target = nullptr) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_mtime(entry, 1'700'000'000, 5);
    if (target != nullptr) archive_entry_set_symlink(entry, target);
    archive_write_header(writer_, entry);
    archive_write_data(writer_, content.data(), content.size());
    archive_entry_free(entry);
  }
  std::string Take() {
    archive_write_close(writer_);
    archive_write_free(writer_);
    return bytes_.substr(0, used_);
  }

 private:
  archive* writer_;
  std::string bytes_;
  std::size_t used_ = 0;
};

TEST(Archive, ReadsForeignOnesAndRefusesWhatIsUnsafe) {
  ForeignArchive good;
  good.Add("package", "", AE_IFDIR);
  good.Add("package/a.json", "{}");
  const auto files = ReadArchive(good.Take(), "x.tgz");
  ASSERT_TRUE(files) << files.error().ToString();
  EXPECT_EQ(*files, (FileMap{{"package/a.json", "{}"}}));

  struct Row {
    const char* path;
    unsigned type;
    const char* target;
    const char* message;
  };
  const Row rows[] = {{"/etc/passwd", AE_IFREG, nullptr, "an absolute path is refused"},
                      {"a/../../b", AE_IFREG, nullptr, "`.` or `..` is refused"},
                      {"./a", AE_IFREG, nullptr, "`.` or `..` is refused"},
                      {"a//b", AE_IFREG, nullptr, "with an empty part"},
                      {"a\\b", AE_IFREG, nullptr, "printable ASCII"},
                      {"a", AE_IFLNK, "/etc/passwd", "links and devices are refused"},
                      {"a", AE_IFIFO, nullptr, "links and devices are refused"}};
  for (const Row& row : rows) {
    ForeignArchive bad;
    bad.Add(row.path, "", row.type, row.target);
    const auto read = ReadArchive(bad.Take(), "x.tgz");
    ASSERT_FALSE(read) << row.path;
    EXPECT_THAT(read.error().ToString(), HasSubstr(row.message));
  }
  ForeignArchive twice;
  twice.Add("a", "1");
  twice.Add("a", "2");
  EXPECT_THAT(ReadArchive(twice.Take(), "x.tgz").error().message, HasSubstr("a: is in the archive twice"));
  EXPECT_FALSE(WriteArchive({{"../a", ""}}));
}

TEST(Archive, KeepsItsLimits) {
  const std::string bytes = *WriteArchive({{"a", "12345"}, {"b", "123"}});
  EXPECT_TRUE(ReadArchive(bytes, "x", {.max_entries = 2, .max_entry_bytes = 5, .max_total_bytes = 8}));
  const std::pair<ArchiveLimits, const char*> rows[] = {{{.max_entries = 1}, "more than 1 files"},
                                                        {{.max_entry_bytes = 4}, "a: larger than 4 bytes"},
                                                        {{.max_total_bytes = 7}, "unpacks to more than 7"}};
  for (const auto& [limits, message] : rows) {
    const auto read = ReadArchive(bytes, "x", limits);
    ASSERT_FALSE(read) << message;
    EXPECT_EQ(read.error().code, Code::kLimit);
    EXPECT_THAT(read.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace stepwise::rules
