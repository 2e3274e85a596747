#include "rules/terminology_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "rules/schema_reader.h"

namespace stepwise::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kTerminalPause{100};
constexpr std::chrono::seconds kPlainPause{10};

std::string WithCommas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Count(std::size_t number, std::string_view one) {
  return WithCommas(number) + " " + std::string(one) + (number == 1 ? "" : "s");
}

int PrintError(const Error& error, std::ostream& err) {
  Error place = error;
  place.message.clear();
  const std::string where = place.ToString();
  err << where << (where.empty() || where.ends_with(' ') ? "" : ": ") << "error: " << error.message << "\n";
  return 1;
}

// "" or what is wrong, as CLI11 wants it.
std::string CheckDate(const std::string& text) {
  if (IsIsoDate(text)) return "";
  return "YYYY-MM-DD is expected, not " + text;
}

}  // namespace

void ProgressPrinter::Show(const std::string& file, std::uint64_t lines, std::uint64_t bytes,
                           std::uint64_t total_bytes, std::chrono::steady_clock::time_point now) {
  // The first plain line waits its time too: a small import is silent.
  if (!terminal_ && last_ == std::chrono::steady_clock::time_point{}) last_ = now;
  if (now - last_ < (terminal_ ? std::chrono::steady_clock::duration(kTerminalPause) : kPlainPause)) return;
  last_ = now;
  shown_ = true;
  const std::uint64_t percent =
      total_bytes == 0 ? 100 : std::min<std::uint64_t>(bytes * 100 / total_bytes, 100);
  err_ << (terminal_ ? "\r\x1b[K" : "") << fs::path(file).filename().string() << "  " << percent << " %  "
       << Count(lines, "line") << (terminal_ ? "" : "\n") << std::flush;
}

void ProgressPrinter::Clear() {
  if (terminal_ && shown_) err_ << "\r\x1b[K" << std::flush;
  shown_ = false;
}

int ImportRxNormTo(const RxNormImportOptions& options, const std::string& output, bool terminal,
                   std::ostream& out, std::ostream& err) {
  const bool to_file = output != "-";
  const std::string part = output + ".part";
  std::ofstream file;
  if (to_file) {
    file.open(part, std::ios::binary | std::ios::trunc);
    if (!file)
      return PrintError(
          {.code = Code::kInvalidArgument, .message = "cannot be written", .span = {.file = part}}, err);
  }
  ProgressPrinter printer(terminal, err);
  const auto report = ImportRxNorm(options, to_file ? static_cast<std::ostream&>(file) : out,
                                   [&](const std::string& name, std::uint64_t lines, std::uint64_t bytes,
                                       std::uint64_t total) { printer.Show(name, lines, bytes, total); });
  printer.Clear();
  if (!report) {
    std::error_code ignored;
    if (to_file) fs::remove(part, ignored);
    return PrintError(report.error(), err);
  }
  if (to_file) {
    file.close();
    std::error_code code;
    if (file) fs::rename(part, output, code);
    if (!file || code) {
      std::error_code ignored;
      fs::remove(part, ignored);
      const std::string why = code ? ": " + code.message() : "; is the disk full?";
      return PrintError(
          {.code = Code::kUnavailable, .message = "cannot be written" + why, .span = {.file = output}}, err);
    }
  } else if (!out.flush()) {
    return PrintError({.code = Code::kUnavailable, .message = "the output cannot be written"}, err);
  }
  for (const std::string& warning : report->warnings) err << "warning: " << warning << "\n";
  err << "RxNorm " << report->release << ": " << Count(report->rows, "row") << " of "
      << Count(report->products, "product") << (to_file ? " in " + output : "") << "\n";
  return 0;
}

void AddTerminologyCommand(CLI::App& app, int& exit_code) {
  struct Arguments {
    RxNormImportOptions options;
    std::string output = "-";
  };
  CLI::App* terminology = app.add_subcommand("terminology", "Make tables from the releases of terminologies");
  terminology->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  RxNormImportOptions& options = arguments->options;

  CLI::App* import =
      terminology->add_subcommand("import-rxnorm", "Make a table of drug products from an RxNorm release");
  import
      ->add_option("--rrf", options.rrf_dir,
                   "Folder with RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF, or with rrf/")
      ->required();
  import->add_option("-o,--output", arguments->output, "File to write; - is standard output")
      ->capture_default_str();
  import
      ->add_option("--ingredients", options.ingredients_files,
                   "Only products with an ingredient of these tables (columns rxcui, name, class, atc)")
      ->capture_default_str();
  import->add_option("--dose-forms", options.dose_forms_file, "Release and route of dose forms")
      ->capture_default_str();
  import->add_option("--release-date", options.release_date, "Date of the release, when its files do not say")
      ->check(&CheckDate);
  import->add_flag("--all", options.all, "All products of the release");
  import->add_flag("--include-suppressed", options.include_suppressed,
                   "Also what the release marks as suppressed: obsolete, or not to be prescribed");
  import->callback([arguments, &exit_code] {
    const bool terminal = isatty(STDERR_FILENO) != 0;
  exit_code = ImportRxNormTo(arguments->options, arguments->output, terminal, std::cout, std::cerr);
});
}  // namespace stepwise::rules

}  // namespace stepwise::rules
