// `stepwise terminology import-rxnorm`: tables of a site from the releases of terminologies.
//
//   stepwise terminology import-rxnorm --rrf RxNorm_full_11032025 -o products.csv
//   stepwise terminology import-rxnorm --rrf rrf --ingredients formulary.csv --release-date 2025-11-03
//
// Progress goes to stderr: one line that changes on a terminal, else a plain line every ten seconds. The
// output file appears when it is complete, or stays as it was. Exit codes: 0 good (warnings are on stderr), 1
// an error, 2 wrong usage.
#ifndef STEPWISE_RULES_TERMINOLOGY_COMMAND_H_
#define STEPWISE_RULES_TERMINOLOGY_COMMAND_H_

#include <chrono>
#include <iosfwd>
#include <string>

#include "rules/medication/rxnorm_import.h"

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddTerminologyCommand(CLI::App& app, int& exit_code);

// What the command does. `output`: a file, or "-" for `out`. `terminal`: whether `err` is one.
int ImportRxNormTo(const RxNormImportOptions& options, const std::string& output, bool terminal,
                   std::ostream& out, std::ostream& err);

// "RXNSAT.RRF  43 %  3,100,000 lines", as often as a reader can use it.
class ProgressPrinter {
 public:
  ProgressPrinter(bool terminal, std::ostream& err) : terminal_(terminal), err_(err) {}

  void Show(const std::string& file, std::uint64_t lines, std::uint64_t bytes, std::uint64_t total_bytes,
            std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());
  // Removes the line on a terminal.
  void Clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::ostream& err_;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TERMINOLOGY_COMMAND_H_
