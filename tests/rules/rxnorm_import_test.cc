#include "rules/medication/rxnorm_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>
#include <streambuf>

#include "rules/medication/drug_knowledge.h"
#include "rules/medication/rxnorm_release.h"
#include "rules/pack_reader.h"
#include "rules/table.h"
#include "rules/terminology_command.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kDoseForms =
    "# date: 2025-11\n# source: "
    "test\npart,release,route\nOral,immediate,oral\nInject,parenteral,parenteral\n";
constexpr std::string_view kIngredients =
    "# date: 2025-11\n# source: test\nrxcui,name,class\n7052,morphine,strong-opioid\n";

// A release in miniature; every name in its RXNCONSO.RRF is a case.
RxNormImportOptions MiniatureOptions() {
  const std::filesystem::path data = SourceDir() / "tests/rules/data/rxnorm";
  RxNormImportOptions options;
  options.rrf_dir = data.string();
  options.ingredients_files = {(data / "ingredients.csv").string()};
  options.dose_forms_file = (SourceDir() / "rules/packs/analgesics/tables/dose-forms.csv").string();
  return options;
}

struct Imported {
  std::string error, csv;
  RxNormImportReport report;
};
Imported Import(const RxNormImportOptions& options) {
  Imported out;
  std::ostringstream text;
  const auto report = ImportRxNorm(options, text, {});
  if (report) {
    out.report = *report;
  } else {
    out.error = report.error().ToString();
  }
  out.csv = text.str();
  return out;
}

// The cells of a column in the rows of one product.
std::vector<std::string> Cells(const std::string& csv, const std::string& rxcui, std::string_view column) {
  Errors errors;
  const Table table = Table::Read(csv, "products.csv", "", {}, &errors);
  EXPECT_TRUE(errors.empty()) << errors.front().ToString();
  std::vector<std::string> out;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (table.Cell(row, *table.Column("rxcui")) == rxcui) {
      out.push_back(table.Cell(row, table.Column(column).value_or(0)));
    }
  }
  return out;
}

// A copy of the miniature that a test may spoil.
class RxNormCopyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_ = MiniatureOptions();
    std::filesystem::copy(SourceDir() / "tests/rules/data/rxnorm/rrf", dir_.path() / "rrf");
    options_.rrf_dir = dir_.path().string();
  }
  std::string File(const std::string& name) const { return (dir_.path() / "rrf" / name).string(); }
  void Replace(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = ReadFile(File(name));
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    WriteFile(File(name), text.replace(at, from.size(), to));
  }

  TempDir dir_;
  RxNormImportOptions options_;
};

TEST(RxNormImportTest, WritesTheGoldenTable) {
  const Imported imported = Import(MiniatureOptions());
  ASSERT_EQ(imported.error, "");
  ExpectGolden("tests/rules/data/rxnorm/products.csv", imported.csv);
  EXPECT_EQ(imported.report.release, "20AA_251103F");
  EXPECT_THAT(
      imported.report.warnings,
      ElementsAre("1 listed ingredients are not in the release: 7238 nalbuphine",
                  "1 listed ingredients have another name in the release: tramadol hcl is tramadol (10689)",
                  StartsWith("1 rows have no strength: "), StartsWith("1 rows of packs have no strength, "),
                  "1 dose forms have no release and route: Intratympanic Foam"));
}

TEST(RxNormImportTest, TableHasTheColumnsOfThePack) {
  const Imported imported = Import(MiniatureOptions());
  Errors errors;
  const Table made = Table::Read(imported.csv, "made", "", {}, &errors);
  const std::string shipped_text = ReadFile(SourceDir() / "rules/packs/analgesics/tables/products.csv");
  const Table shipped = Table::Read(shipped_text, "shipped", "", {}, &errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(made.columns(), shipped.columns());
  EXPECT_EQ(made.rows(), imported.report.rows);
}

TEST(RxNormImportTest, ThePackTakesTheTable) {
  TempDir dir;
  const std::filesystem::path pack_dir = dir.path() / "analgesics";
  std::filesystem::copy(SourceDir() / "rules/packs/analgesics", pack_dir,
                        std::filesystem::copy_options::recursive);
  WriteFile(pack_dir / "tables/products.csv", Import(MiniatureOptions()).csv);
  Errors errors;
  const std::optional<Pack> pack = ReadPack(pack_dir.string(), &errors);
  ASSERT_TRUE(pack) << errors.front().ToString();
  const auto knowledge = medication::DrugKnowledge::Read(*pack, &errors);
  ASSERT_THAT(errors, IsEmpty());
  const medication::Product* patch = knowledge->FindProduct("9000606");
  ASSERT_NE(patch, nullptr);
  EXPECT_EQ(patch->release, "transdermal");
  ASSERT_EQ(patch->parts.size(), 1u);
  EXPECT_EQ(patch->parts[0].ingredient->name, "fentanyl");
  EXPECT_EQ(knowledge->FindProduct("9000604")->parts.size(), 2u);
}

TEST(RxNormImportTest, SameBytesAgain) {
  EXPECT_EQ(Import(MiniatureOptions()).csv, Import(MiniatureOptions()).csv);
}

TEST(RxNormImportTest, AllProducts) {
  RxNormImportOptions options = MiniatureOptions();
  const Imported few = Import(options);
  options.all = true;
  const Imported all = Import(options);
  EXPECT_THAT(few.csv,
              Not(HasSubstr("atorvastatin 10 MG Oral Tablet,83367,atorvastatin,,10,MG,317541,Oral Tablet,"
                            "immediate,oral,,1\n")));
  EXPECT_THAT(all.csv,
              HasSubstr("atorvastatin 10 MG Oral Tablet,83367,atorvastatin,,10,MG,317541,Oral Tablet,"
                        "immediate,oral,,1\n"));
  // Local treatment is in the table, but in no class.
  EXPECT_THAT(all.csv, HasSubstr("Topical Cream,6387,lidocaine,,0.04,"));
  EXPECT_THAT(all.csv, HasSubstr("# Products: all of the release, without suppressed ones.\n"));
  EXPECT_THAT(
      all.report.warnings,
      ::testing::Contains(StartsWith("1 products have no ingredient in the release and are left out")));
}

TEST(RxNormImportTest, SuppressedProducts) {
  RxNormImportOptions options = MiniatureOptions();
  EXPECT_THAT(Import(options).csv, Not(HasSubstr("morphine sulfate 15 MG Oral Tablet")));
  options.include_suppressed = true;
  const Imported imported = Import(options);
  EXPECT_THAT(imported.csv,
              HasSubstr("morphine sulfate 15 MG Oral Tablet,7052,morphine,strong-opioid,15,MG,"));
  EXPECT_THAT(imported.csv, HasSubstr(",morphine sulfate 30 MG Extended Release Oral Tablet,7052,"));
  // A suppressed name does not replace the one that counts.
  EXPECT_THAT(imported.csv, Not(HasSubstr("(old name)")));
}

TEST(RxNormImportTest, SiteListWithoutClasses) {
  TempDir dir;
  RxNormImportOptions options = MiniatureOptions();
  const std::string list = (dir.path() / "mine.csv").string();
  WriteFile(list, "# date: 2025-11\n# source: formulary\nrxcui\n6387\n");
  options.ingredients_files = {list};
  const Imported imported = Import(options);
  EXPECT_EQ(imported.report.products, 2u);  // the patch and the cream
  EXPECT_THAT(imported.csv, HasSubstr("ingredient of mine.csv"));
}

TEST(RxNormImportTest, PacksOwnTablesAreReadable) {
  RxNormImportOptions options = MiniatureOptions();
  options.ingredients_files.clear();
  for (const std::string& file : RxNormImportOptions().ingredients_files) {
    options.ingredients_files.push_back((SourceDir() / file).string());
  }
  const Imported imported = Import(options);
  ASSERT_EQ(imported.error, "");
  // tilidine and domperidone have no identifier in atc.csv: found by name.
  EXPECT_THAT(imported.csv, HasSubstr(",10471,tilidine,weak-opioid,50,MG,"));
  EXPECT_THAT(imported.csv, HasSubstr(",3626,domperidone,antiemetic,10,MG,"));
}

TEST(RxNormImportTest, Strengths) {
  const struct {
    std::string text, value, unit;
  } kRows[] = {
      {"10 MG", "10", "MG"},
      {"0.0250 MG/HR", "0.025", "MG/HR"},
      {"7.50 MG/ML", "7.5", "MG/ML"},
      {"1000 [USP'U]/ML", "1000", "[USP'U]/ML"},
      {"0.65 %", "0.65", "%"},
      {"", "", ""},
      {"10", "", ""},
      {"10 ", "", ""},
      {"0 MG", "", ""},
      {"0.000 MG", "", ""},
      {"-5 MG", "", ""},
      {"1e3 MG", "", ""},
      {"5-10 MG", "", ""},
      {"1.2.3 MG", "", ""},
      {"10 MG per ML", "", ""},
      {"MG 10", "", ""},
      {"1" + std::string(60, '0') + " MG", "", ""},
  };
  for (const auto& row : kRows) {
    const auto strength = ParseRxNormStrength(row.text);
    EXPECT_EQ(strength ? strength->value.ToString() : "", row.value) << row.text;
    EXPECT_EQ(strength ? strength->unit : "", row.unit) << row.text;
  }
}

TEST_F(RxNormCopyTest, StrengthsOfTheBasis) {
  // Without RXN_STRENGTH: 10 MG per 5 ML, 100 MG per 1 EACH.
  const std::string csv = Import(options_).csv;
  EXPECT_THAT(csv, HasSubstr("Oral Solution,7052,morphine,strong-opioid,2,MG/ML,"));
  EXPECT_THAT(
      csv,
      HasSubstr("24 HR tramadol hydrochloride 100 MG Oral Capsule,10689,tramadol hcl,weak-opioid,100,MG,"));
  Replace("RXNSAT.RRF", "DENOM_VALUE|RXNORM|5|", "DENOM_VALUE|RXNORM|0|");
  EXPECT_THAT(Import(options_).csv, HasSubstr("Oral Solution,7052,morphine,strong-opioid,,,"));
}

TEST_F(RxNormCopyTest, SaltsAddUpOrSayNothing) {
  EXPECT_THAT(Cells(Import(options_).csv, "9000611", "strength_value"), ElementsAre("12.5"));
  EXPECT_THAT(Cells(Import(options_).csv, "9000611", "ingredients"), ElementsAre("1"));
  Replace("RXNSAT.RRF", "|RXNORM|7.5 MG|", "|RXNORM|7.5 MEQ|");
  EXPECT_THAT(Cells(Import(options_).csv, "9000611", "strength_value"), ElementsAre(""));
  Replace("RXNSAT.RRF", "|RXNORM|7.5 MEQ|", "|RXNORM|some|");
  EXPECT_THAT(Cells(Import(options_).csv, "9000611", "strength_value"), ElementsAre(""));
}

TEST_F(RxNormCopyTest, MalformedLines) {
  const struct {
    std::string file, from, to, where, what;
  } kRows[] = {
      {"RXNCONSO.RRF", "acetaminophen||N|4096|\n", "acetaminophen||N|\n",
       ":1:66: ", "ends in field 18 of 18"},
      {"RXNCONSO.RRF", "aspirin||N|4096|\n", "aspirin||N|4096|more\n",
       ":2:68: ", "text after the last of 18 fields"},
      {"RXNCONSO.RRF", "\n1191|", "\n\n1191|", ":2:1: ", "ends in field 1 of 18"},
      {"RXNCONSO.RRF", "\n1191|", "\nA1191|", ":2:1: ", "not an RxNorm identifier"},
      {"RXNCONSO.RRF", "\n1191|", "\n1191191191191|", ":2:1: ", "not an RxNorm identifier"},
      {"RXNCONSO.RRF", "|aspirin|", "||", ":2:52: ", "the field is empty"},
      {"RXNCONSO.RRF", "|aspirin|", "|\xE9spirin|", ":2:52: ", "not UTF-8"},
      {"RXNCONSO.RRF", "|aspirin|", "|asp\tirin|", ":2:52: ", "control character"},
      {"RXNCONSO.RRF", "|aspirin||N|", "|\xC3\xA9spirin||N", ":2:67: ", "ends in field 18 of 18"},
      {"RXNREL.RRF", "7052||CUI|RO|9000301|", "7052||CUI|RO|x|", ":1:14: ", "not an RxNorm identifier"},
      {"RXNREL.RRF", "7052||CUI|RO|9000301|", "|7052||CUI|RO|9000301|",
       ":1:", "text after the last of 16 fields"},
      {"RXNSAT.RRF", "9000101|||", "9000101||", ":1:", "ends in field 13 of 13"},
      {"RXNSAB.RRF", "|RXNORM|", "|", ":1:", "ends in field 25 of 25"},
  };
  for (const auto& row : kRows) {
    const std::string before = ReadFile(File(row.file));
    Replace(row.file, row.from, row.to);
    const Imported imported = Import(options_);
    EXPECT_THAT(imported.error, StartsWith(File(row.file) + row.where)) << row.to;
    EXPECT_THAT(imported.error, HasSubstr(row.what)) << row.to;
    EXPECT_EQ(imported.csv, "") << row.to;
    WriteFile(File(row.file), before);
  }
}

TEST_F(RxNormCopyTest, TruncatedFile) {
  const std::string text = ReadFile(File("RXNREL.RRF"));
  WriteFile(File("RXNREL.RRF"), text.substr(0, text.size() - 10));
  EXPECT_THAT(Import(options_).error, HasSubstr("is the file complete?"));
  WriteFile(File("RXNREL.RRF"), text.substr(0, text.size() - 1));  // only the last newline
  EXPECT_EQ(Import(options_).error, "");
}

TEST_F(RxNormCopyTest, WindowsLineEnds) {
  const std::string expected = Import(options_).csv;
  for (const std::string name : {"RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF", "RXNSAB.RRF"}) {
    std::string text;
    for (const char c : ReadFile(File(name))) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
    WriteFile(File(name), text);
  }
  EXPECT_EQ(Import(options_).csv, expected);
}

TEST_F(RxNormCopyTest, MissingFiles) {
  for (const std::string name : {"RXNSAT.RRF", "RXNREL.RRF"}) {
    std::filesystem::remove(File(name));
    EXPECT_THAT(Import(options_).error, StartsWith(File(name) + ": cannot be read: No such file"));
  }
  std::filesystem::remove(File("RXNCONSO.RRF"));
  EXPECT_THAT(Import(options_).error, HasSubstr("neither this folder nor rrf/ in it holds RXNCONSO.RRF"));
  options_.rrf_dir += "/nowhere";
  EXPECT_THAT(Import(options_).error, EndsWith("/nowhere: no such folder"));
  options_ = MiniatureOptions();
  options_.dose_forms_file = "nowhere.csv";
  EXPECT_EQ(Import(options_).error, "nowhere.csv: cannot be read; name the file with --dose-forms");
  options_.ingredients_files = {"nowhere.csv"};
  EXPECT_EQ(Import(options_).error, "nowhere.csv: cannot be read; name the file with --ingredients");
}

TEST_F(RxNormCopyTest, EmptyAndForeignFiles) {
  const std::string rel = ReadFile(File("RXNREL.RRF"));
  WriteFile(File("RXNREL.RRF"), "");
  EXPECT_THAT(Import(options_).error, HasSubstr("no relation between the concepts"));
  WriteFile(File("RXNREL.RRF"), rel);
  WriteFile(File("RXNCONSO.RRF"), "");
  EXPECT_THAT(Import(options_).error, HasSubstr("this is no RxNorm release"));
  WriteFile(File("RXNCONSO.RRF"), std::string(RrfReader::kMaxLineBytes + 1, 'x'));
  EXPECT_THAT(Import(options_).error, HasSubstr("RXNCONSO.RRF:1:1: a line of more than 1048576 bytes"));
}

TEST_F(RxNormCopyTest, DateOfTheRelease) {
  std::filesystem::remove(File("RXNSAB.RRF"));
  EXPECT_THAT(Import(options_).error, HasSubstr("say it with --release-date YYYY-MM-DD"));
  options_.release_date = "2025-12-01";
  EXPECT_THAT(Import(options_).csv,
              HasSubstr("# date: 2025-12-01\n# source: RxNorm release of 2025-12-01 ("));
  options_.release_date.clear();
  for (const std::string name : {"RxNorm_full_11032025", "RxNorm_full_prescribe_11032025"}) {
    std::filesystem::create_directories(dir_.path() / name);
    std::filesystem::copy(dir_.path() / "rrf", dir_.path() / name / "rrf",
                          std::filesystem::copy_options::recursive);
    options_.rrf_dir = (dir_.path() / name).string();
    EXPECT_THAT(Import(options_).csv, HasSubstr("# date: 2025-11-03\n# source: RxNorm release " + name));
    options_.rrf_dir = (dir_.path() / name / "rrf").string();
    EXPECT_THAT(Import(options_).csv, HasSubstr("# date: 2025-11-03\n"));
  }
  std::filesystem::copy(dir_.path() / "rrf", dir_.path() / "RxNorm_full_13452025");
  options_.rrf_dir = (dir_.path() / "RxNorm_full_13452025").string();
  EXPECT_THAT(Import(options_).error, HasSubstr("--release-date"));
}

TEST(IngredientListTest, Errors) {
  const struct {
    std::string text, error;
  } kRows[] = {
      {"rxcui\n161\n", "add a line `# source: ...`"},
      {"# source: s\n# date: 2025-11\ncode\n161\n", "a column `rxcui` or `ingredient_rxcui`"},
      {"# source: s\n# date: 2025-11\nrxcui,name\nx,morphine\n",
       "list.csv:4:1: `x` is not an RxNorm identifier"},
      {"# source: s\n# date: 2025-11\nrxcui,name\n,\n", "list.csv:4:1: an ingredient needs"},
  };
  for (const auto& row : kRows) {
    IngredientList list;
    Errors errors;
    list.Read(row.text, "list.csv", &errors);
    ASSERT_FALSE(errors.empty()) << row.text;
    EXPECT_THAT(errors.front().ToString(), HasSubstr(row.error));
  }
}

TEST(DoseFormsTest, FirstRowDecides) {
  Errors errors;
  const DoseForms forms = DoseForms::Read(
      ReadFile(SourceDir() / "rules/packs/analgesics/tables/dose-forms.csv"), "dose-forms.csv", &errors);
  EXPECT_THAT(errors, IsEmpty());
  const struct {
    std::string form, expected;
  } kRows[] = {
      {"Oral Tablet", "immediate oral"},
      {"Extended Release Oral Capsule", "modified oral"},
      {"Delayed Release Oral Tablet", "modified oral"},
      {"Sublingual Tablet", "transmucosal sublingual"},
      {"Oral Lozenge", "transmucosal oromucosal"},
      {"Rectal Gel", "rectal rectal"},
      {"Injectable Suspension", "parenteral parenteral"},
      {"Auto-Injector", "parenteral parenteral"},
      {"Drug Implant", "other implant"},
      {"Medicated Patch", "topical topical"},
      {"Transdermal System", "transdermal transdermal"},
      {"Intratympanic Foam", "none"},
  };
  for (const auto& row : kRows) {
    const DoseForms::Row* found = forms.Find(row.form);
    EXPECT_EQ(found == nullptr ? "none" : found->release + " " + found->route, row.expected) << row.form;
  }
}

// --- Streaming: lines that exist only while they are read.

class GeneratedLines : public std::streambuf {
 public:
  GeneratedLines(std::size_t count, std::function<std::string(std::size_t)> line)
      : count_(count), line_(std::move(line)) {}

 protected:
  int_type underflow() override {
    if (next_ == count_) return traits_type::eof();
    current_ = line_(next_++);
    setg(current_.data(), current_.data(), current_.data() + current_.size());
    return traits_type::to_int_type(current_[0]);
  }

 private:
  std::size_t count_, next_ = 0;
  std::function<std::string(std::size_t)> line_;
  std::string current_;
};

std::size_t PeakKilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss);
}

TEST(RxNormStreamingTest, MillionsOfLinesNeedTheMemoryOfAFew) {
  constexpr std::size_t kLines = 200'000;
  IngredientList list;
  Errors errors;
  list.Read(kIngredients, "list", &errors);
  const DoseForms forms = DoseForms::Read(kDoseForms, "forms", &errors);
  ASSERT_THAT(errors, IsEmpty());
  RxNormRelease release(list, forms, false);
  const std::string filler(100, 'x');

  const std::size_t before = PeakKilobytes();
  std::size_t calls = 0;
  const auto count = [&](std::uint64_t, std::uint64_t) { ++calls; };
  const std::string known[] = {
      "7052|ENG||||||1|1|7052||RXNORM|IN|7052|morphine||N|4096|\n",
      "2|ENG||||||2|2|2||RXNORM|SCDC|2|morphine 10 MG||N|4096|\n",
      "3|ENG||||||3|3|3||RXNORM|SCD|3|morphine 10 MG Oral Tablet||N|4096|\n",
      "4|ENG||||||4|4|4||RXNORM|DF|4|Oral Tablet||N|4096|\n",
  };
  GeneratedLines conso_lines(kLines, [&](std::size_t i) {
    if (i % 50'000 == 0) return known[i / 50'000];
    return std::to_string(1000 + i) + "|ENG||||||1|1|1||MTHSPL|SU|1|" + filler + "||N||\n";
  });
  std::istream conso_in(&conso_lines);
  RrfReader conso(conso_in, "RXNCONSO.RRF", RxNormRelease::kConceptColumns, count);
  ASSERT_TRUE(release.ReadConcepts(conso));
  EXPECT_EQ(conso.lines(), kLines);
  EXPECT_EQ(release.concepts(), 4u);

  const std::string relations[] = {"2||CUI|RO|3||CUI|consists_of|||RXNORM||||N|4096|\n",
                                   "7052||CUI|RO|2||CUI|has_ingredient|||RXNORM||||N|4096|\n",
                                   "4||CUI|RO|3||CUI|has_dose_form|||RXNORM||||N|4096|\n"};
  GeneratedLines rel_lines(kLines, [&](std::size_t i) {
    if (i >= kLines - 3) return relations[kLines - 1 - i];
    return std::to_string(1000 + i) + "||CUI|RO|" + std::to_string(5000 + i) +
           "||CUI|consists_of|||RXNORM||||N|4096|\n";
  });
  std::istream rel_in(&rel_lines);
  RrfReader rel(rel_in, "RXNREL.RRF", RxNormRelease::kRelationColumns, count);
  ASSERT_TRUE(release.ReadRelations(rel));
  release.Select(false);
  EXPECT_EQ(release.products(), 1u);

  GeneratedLines sat_lines(kLines, [&](std::size_t i) {
    if (i == 7) return std::string("2|||1|AUI|2|||RXN_STRENGTH|RXNORM|10 MG|N|4096|\n");
    return std::to_string(1000 + i) + "|||1|AUI|1|||RXN_STRENGTH|RXNORM|" + filler + "|N|4096|\n";
  });
  std::istream sat_in(&sat_lines);
  RrfReader sat(sat_in, "RXNSAT.RRF", RxNormRelease::kAttributeColumns, count);
  ASSERT_TRUE(release.ReadStrengths(sat));
  EXPECT_EQ(release.strengths(), 1u);
  EXPECT_LE(sat.buffer_bytes(), 64u << 10);
  EXPECT_GE(calls, 30u);

  const std::vector<ProductRow> rows = release.Rows(nullptr);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].strength_value + " " + rows[0].strength_unit, "10 MG");
  // 600,000 lines are 70 MB. The sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)before;
#else
  EXPECT_LT(PeakKilobytes() - before, 8u << 10);
#endif
}

TEST(RrfReaderTest, LinesAcrossBlocks) {
  // Lines of all lengths around the block size come out whole.
  std::string text;
  std::size_t total = 0;
  for (std::size_t size = 65'530; size < 65'545; ++size, ++total) text += std::string(size, 'a') + "|b|\n";
  std::istringstream in(text);
  RrfReader reader(in, "file", 2);
  std::size_t lines = 0;
  while (true) {
    const auto more = reader.Next();
    ASSERT_TRUE(more) << more.error().ToString();
    if (!*more) break;
    EXPECT_EQ(reader[0].size(), 65'530 + lines++);
    EXPECT_EQ(reader[1], "b");
  }
  EXPECT_EQ(lines, total);
}

// --- The command.

int RunCommand(const std::vector<std::string>& arguments) {
  CLI::App app("test");
  int exit_code = 0;
  AddTerminologyCommand(app, exit_code);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError&) {
    return 2;
  }
  return exit_code;
}

TEST(TerminologyCommandTest, WritesTheFileAndSaysSo) {
  TempDir dir;
  const std::string output = (dir.path() / "products.csv").string();
  std::ostringstream out, err;
  EXPECT_EQ(ImportRxNormTo(MiniatureOptions(), output, false, out, err), 0);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(),
              HasSubstr("warning: 1 listed ingredients are not in the release: 7238 nalbuphine\n"));
  EXPECT_THAT(err.str(), HasSubstr(" products in " + output + "\n"));
  ExpectGolden("tests/rules/data/rxnorm/products.csv", ReadFile(output));
  EXPECT_FALSE(std::filesystem::exists(output + ".part"));
}

TEST(TerminologyCommandTest, StandardOutput) {
  std::ostringstream out, err;
  EXPECT_EQ(ImportRxNormTo(MiniatureOptions(), "-", false, out, err), 0);
  EXPECT_EQ(out.str(), Import(MiniatureOptions()).csv);
}

TEST(TerminologyCommandTest, AnErrorLeavesTheOldFile) {
  TempDir dir;
  const std::string output = (dir.path() / "products.csv").string();
  WriteFile(output, "old");
  RxNormImportOptions options = MiniatureOptions();
  options.rrf_dir = dir.path().string();
  std::ostringstream out, err;
  EXPECT_EQ(ImportRxNormTo(options, output, false, out, err), 1);
  EXPECT_THAT(err.str(), HasSubstr(": error: neither this folder"));
  EXPECT_EQ(ReadFile(output), "old");
  EXPECT_FALSE(std::filesystem::exists(output + ".part"));
  EXPECT_EQ(ImportRxNormTo(MiniatureOptions(), (dir.path() / "no/such/folder.csv").string(), false, out, err),
            1);
}

TEST(TerminologyCommandTest, ExitCodes) {
  TempDir dir;
  const RxNormImportOptions options = MiniatureOptions();
  const std::string output = (dir.path() / "products.csv").string();
  const std::vector<std::string> good = {"terminology",
                                         "import-rxnorm",
                                         "--rrf",
                                         options.rrf_dir,
                                         "-o",
                                         output,
                                         "--ingredients",
                                         options.ingredients_files[0],
                                         "--dose-forms",
                                         options.dose_forms_file};
  const auto with = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> out = good;
    out.insert(out.end(), more);
    return out;
  };
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunCommand(good), 0);
  EXPECT_EQ(RunCommand(with({"--all", "--include-suppressed", "--release-date", "2025-11-03"})), 0);
  EXPECT_EQ(RunCommand(with({"--release-date", "yesterday"})), 2);
  EXPECT_EQ(RunCommand(with({"--unknown"})), 2);
  EXPECT_EQ(RunCommand({"terminology", "import-rxnorm"}), 2);
  EXPECT_EQ(RunCommand({"terminology"}), 2);
  EXPECT_EQ(RunCommand({"terminology", "import-rxnorm", "--rrf", "nowhere", "-o", output}), 1);
  ::testing::internal::GetCapturedStderr();
}

TEST(ProgressPrinterTest, PlainLinesEveryTenSeconds) {
  std::ostringstream err;
  ProgressPrinter printer(false, err);
  const std::chrono::steady_clock::time_point start(std::chrono::hours(1));
  printer.Show("rrf/RXNSAT.RRF", 1, 1, 100, start);
  printer.Show("rrf/RXNSAT.RRF", 2, 2, 100, start + std::chrono::seconds(9));
  EXPECT_EQ(err.str(), "");
  printer.Show("rrf/RXNSAT.RRF", 3'100'000, 43, 100, start + std::chrono::seconds(10));
  printer.Show("rrf/RXNSAT.RRF", 3'100'001, 43, 100, start + std::chrono::seconds(11));
  printer.Clear();
  EXPECT_EQ(err.str(), "RXNSAT.RRF  43 %  3,100,000 lines\n");
}

TEST(ProgressPrinterTest, OneLineOnATerminal) {
  std::ostringstream err;
  ProgressPrinter printer(true, err);
  const std::chrono::steady_clock::time_point start(std::chrono::hours(1));
  printer.Show("RXNREL.RRF", 999, 50, 100, start);
  printer.Show("RXNREL.RRF", 1000, 51, 100, start + std::chrono::milliseconds(50));
  printer.Show("RXNREL.RRF", 1000, 52, 100, start + std::chrono::milliseconds(100));
  printer.Clear();
  EXPECT_EQ(err.str(), "\r\x1b[KRXNREL.RRF  50 %  999 lines\r\x1b[KRXNREL.RRF  52 %  1,000 lines\r\x1b[K");
}

}  // namespace
}  // namespace stepwise::rules
