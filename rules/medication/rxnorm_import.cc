#include "rules/medication/rxnorm_import.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <utility>

#include "rules/medication/rxnorm_release.h"
#include "rules/pack_files.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSabRsab = 3, kSabSver = 6;  // columns of RXNSAB, counted from 0

void WriteCell(std::string_view text, std::ostream& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out << text;
    return;
  }
  out << '"';
  for (const char c : text) out << (c == '"' ? "\"\"" : std::string_view(&c, 1));
  out << '"';
}

void WriteRow(const ProductRow& row, std::ostream& out) {
  const auto code = [](std::uint32_t value) { return value == 0 ? std::string() : std::to_string(value); };
  const std::string cells[] = {
      code(row.rxcui),    row.name,          code(row.ingredient_rxcui),     row.ingredient, row.drug_class,
      row.strength_value, row.strength_unit, code(row.dose_form_rxcui),      row.dose_form,  row.release,
      row.route,          row.hours,         std::to_string(row.ingredients)};
  bool first = true;
  for (const std::string& cell : cells) {
    if (!first) out << ',';
    first = false;
    WriteCell(cell, out);
  }
  out << '\n';
}

Result<std::string> ReadTable(const std::string& path, std::string_view option) {
  std::error_code ignored;
  std::ifstream in(path, std::ios::binary);
  if (!in || !fs::is_regular_file(path, ignored)) {
    return Fail(Code::kNotFound, "cannot be read; name the file with " + std::string(option), {.file = path});
  }
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

struct OpenFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::ifstream in;
};

// The release is dir/, or dir/rrf/.
Result<std::string> FindRrfFolder(const std::string& dir) {
  std::error_code ignored;
  for (const fs::path& folder : {fs::path(dir), fs::path(dir) / "rrf"}) {
    if (fs::is_regular_file(folder / "RXNCONSO.RRF", ignored)) return folder.string();
  }
  if (!fs::is_directory(dir, ignored)) return Fail(Code::kNotFound, "no such folder", {.file = dir});
  return Fail(Code::kNotFound,
              "neither this folder nor rrf/ in it holds RXNCONSO.RRF: unpack an RxNorm release here",
              {.file = dir});
}

Result<OpenFile> Open(const std::string& folder, std::string_view name) {
  OpenFile file;
  file.path = (fs::path(folder) / name).string();
  std::error_code code;
  file.bytes = fs::file_size(file.path, code);
  if (!code) file.in.open(file.path, std::ios::binary);
  if (code || !file.in) {
    return Fail(Code::kNotFound, "cannot be read" + (code ? ": " + code.message() : ""), {.file = file.path});
  }
  return file;
}

struct Version {
  std::string name, date;
};

// "20AA_251103F" -> 2025-11-03.
std::string DateOfVersion(std::string_view version) {
  const std::size_t at = version.rfind('_');
  if (at == std::string_view::npos || version.size() < at + 7) return "";
  const std::string_view d = version.substr(at + 1, 6);
  const std::string date = "20" + std::string(d.substr(0, 2)) + "-" + std::string(d.substr(2, 2)) + "-" +
                           std::string(d.substr(4, 2));
  return IsIsoDate(date) ? date : "";
}

// "RxNorm_full_11032025" -> 2025-11-03.
std::string DateOfFolder(std::string_view name) {
  if (!name.starts_with("RxNorm_") || name.size() < 8) return "";
  const std::string_view d = name.substr(name.size() - 8);
  const std::string date =
      std::string(d.substr(4)) + "-" + std::string(d.substr(0, 2)) + "-" + std::string(d.substr(2, 2));
  return IsIsoDate(date) ? date : "";
}

Result<Version> FindVersion(const RxNormImportOptions& options, const std::string& folder) {
  Version version;
  std::error_code code;
  if (fs::exists(fs::path(folder) / "RXNSAB.RRF", code)) {
    STEPWISE_ASSIGN_OR_RETURN(OpenFile file, Open(folder, "RXNSAB.RRF"));
    RrfReader sab(file.in, file.path, RxNormRelease::kSourceColumns);
    while (version.name.empty()) {
      STEPWISE_ASSIGN_OR_RETURN(const bool more, sab.Next());
      if (!more) break;
      if (sab[kSabRsab] != "RXNORM") continue;
      STEPWISE_ASSIGN_OR_RETURN(version.name, sab.Text(kSabSver));
    }
    version.date = DateOfVersion(version.name);
  }
  fs::path named = fs::canonical(folder, code);
  if (named.filename() == "rrf") named = named.parent_path();
  if (version.date.empty()) {
    version.date = DateOfFolder(named.filename().string());
    if (version.name.empty() && !version.date.empty()) version.name = named.filename().string();
  }
  if (!options.release_date.empty()) version.date = options.release_date;
  if (version.date.empty()) {
    return Fail(Code::kFailedPrecondition,
                "the date of the release is neither in RXNSAB.RRF nor in the folder's name "
                "(RxNorm_full_MMDDYYYY); say it with --release-date YYYY-MM-DD",
                {.file = options.rrf_dir});
  }
  if (version.name.empty()) version.name = "of " + version.date;
  return version;
}

std::string FileNames(const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths)
    text += (text.empty() ? "" : ", ") + fs::path(path).filename().string();
  return text;
}

void WriteHeader(const RxNormImportOptions& options, const Version& version, std::ostream& out) {
  out << "# Drug products: one row per product and ingredient.\n"
         "# Generated by `stepwise terminology import-rxnorm`: do not edit, import again.\n"
         "# date: "
      << version.date
      << "\n"
         "# source: RxNorm release "
      << version.name
      << " (RXNCONSO, RXNREL, RXNSAT; SAB RXNORM), National Library of "
         "Medicine.\n"
         "# RxNorm is produced by the U.S. National Library of Medicine (NLM). This product uses publicly "
         "available data "
         "courtesy of\n"
         "# NLM; NLM is not responsible for the product and does not endorse or recommend this or any other "
         "product.\n";
  if (options.all) {
    out << "# Products: all of the release";
  } else {
    out << "# Products: those with an ingredient of " << FileNames(options.ingredients_files)
        << " that are not for local treatment only";
  }
  out << (options.include_suppressed ? ", suppressed ones included.\n" : ", without suppressed ones.\n");
  out << "# strength as RxNorm writes it (MG, MG/ML, MG/HR for patches, MG/ACTUAT for sprays), salts of one "
         "ingredient "
         "added up;\n"
         "# empty when the release does not say, or when the parts of a pack differ.\n"
         "# ingredients: how many the product has. hours: \"NN HR\" of the name, how long one dose is made "
         "to last.\n"
         "# release, route: derived from the dose form and `hours`, empty when that says nothing; of a pack, "
         "from what "
         "it contains.\n"
         "# Oral aspirin of at most 100 MG is an antiplatelet here, not an analgesic (a convention).\n"
         "rxcui,name,ingredient_rxcui,ingredient,class,strength_value,strength_unit,dose_form_rxcui,dose_"
         "form,release,"
         "route,hours,ingredients\n";
}

}  // namespace

Result<RxNormImportReport> ImportRxNorm(const RxNormImportOptions& options, std::ostream& out,
                                        const RxNormProgress& progress) {
  Errors errors;
  IngredientList list;
  for (const std::string& file : options.ingredients_files) {
    STEPWISE_ASSIGN_OR_RETURN(const std::string text, ReadTable(file, "--ingredients"));
    list.Read(text, file, &errors);
    if (!errors.empty()) return tl::unexpected(errors.front());
  }
  STEPWISE_ASSIGN_OR_RETURN(const std::string forms_text, ReadTable(options.dose_forms_file, "--dose-forms"));
  const DoseForms forms = DoseForms::Read(forms_text, options.dose_forms_file, &errors);
  if (!errors.empty()) return tl::unexpected(errors.front());

  // All files are opened before the first is read: a missing one shows at once.
  STEPWISE_ASSIGN_OR_RETURN(const std::string folder, FindRrfFolder(options.rrf_dir));
  STEPWISE_ASSIGN_OR_RETURN(OpenFile conso, Open(folder, "RXNCONSO.RRF"));
  STEPWISE_ASSIGN_OR_RETURN(OpenFile rel, Open(folder, "RXNREL.RRF"));
  STEPWISE_ASSIGN_OR_RETURN(OpenFile sat, Open(folder, "RXNSAT.RRF"));
  STEPWISE_ASSIGN_OR_RETURN(const Version version, FindVersion(options, folder));

  const auto reader = [&](OpenFile& file, std::size_t columns) {
    RrfReader::Progress report;
    if (progress) {
      report = [&progress, read = &file](std::uint64_t lines, std::uint64_t bytes) {
        progress(read->path, lines, bytes, read->bytes);
      };
    }
    return RrfReader(file.in, file.path, columns, std::move(report));
  };
  RxNormRelease release(list, forms, options.include_suppressed);
  RrfReader conso_lines = reader(conso, RxNormRelease::kConceptColumns);
  STEPWISE_RETURN_IF_ERROR(release.ReadConcepts(conso_lines));
  RrfReader rel_lines = reader(rel, RxNormRelease::kRelationColumns);
  STEPWISE_RETURN_IF_ERROR(release.ReadRelations(rel_lines));
  release.Select(options.all);
  RrfReader sat_lines = reader(sat, RxNormRelease::kAttributeColumns);
  STEPWISE_RETURN_IF_ERROR(release.ReadStrengths(sat_lines));

  RxNormImportReport report{.products = 0, .rows = 0, .release = version.name, .warnings = {}};
  const std::vector<ProductRow> rows = release.Rows(&report.warnings);
  report.rows = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i)
    report.products += i == 0 || rows[i].rxcui != rows[i - 1].rxcui;
  if (rows.empty()) {
    report.warnings.push_back("no product has an ingredient of " + FileNames(options.ingredients_files));
  }
  std::ostringstream text;
  WriteHeader(options, version, text);
  for (const ProductRow& row : rows) WriteRow(row, text);
  if (text.view().size() > PackFiles::kMaxFileBytes) {
    report.warnings.push_back("the table has " + std::to_string(text.view().size()) +
                              " bytes; a pack takes files of at most " +
                              std::to_string(PackFiles::kMaxFileBytes));
  }
  out << text.view();
  return report;
}

}  // namespace stepwise::rules
