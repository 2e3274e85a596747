// ImportRxNorm: a site's own product table (products.csv of the analgesics pack) from an RxNorm release.
//
//   RxNormImportOptions options;
//   options.rrf_dir = "RxNorm_full_11032025";  // RXNCONSO.RRF, RXNREL.RRF, RXNSAT.RRF, or rrf/ with them
//   Result<RxNormImportReport> report = ImportRxNorm(options, out, {});
//
// The files have millions of lines: each is streamed once. A line that is not as documented ends the import:
// half a release gives wrong tables. Thread-safety: a pure function of the files.
#ifndef STEPWISE_RULES_MEDICATION_RXNORM_IMPORT_H_
#define STEPWISE_RULES_MEDICATION_RXNORM_IMPORT_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "fhir/result.h"

namespace stepwise::rules {

struct RxNormImportOptions {
  std::string rrf_dir;
  std::vector<std::string> ingredients_files = {"rules/packs/analgesics/tables/ingredients.csv",
                                                "rules/packs/analgesics/tables/atc.csv"};
  std::string dose_forms_file = "rules/packs/analgesics/tables/dose-forms.csv";
  std::string release_date;  // YYYY-MM-DD; "": from RXNSAB.RRF or the name of the folder
  bool all = false;
  bool include_suppressed = false;
};

struct RxNormImportReport {
  std::size_t products = 0, rows = 0;
  std::string release;  // "20AA_251103F"
  std::vector<std::string> warnings;
};

// Called now and then while `file` is read.
using RxNormProgress = std::function<void(const std::string& file, std::uint64_t lines, std::uint64_t bytes,
                                          std::uint64_t total_bytes)>;

// Writes the whole table to `out`, or nothing. The same files and options give the same bytes.
Result<RxNormImportReport> ImportRxNorm(const RxNormImportOptions& options, std::ostream& out,
                                        const RxNormProgress& progress);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_MEDICATION_RXNORM_IMPORT_H_
