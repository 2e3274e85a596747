// CSV as RFC 4180 has it, with `#` comment lines above the header.
//
//   # source: WHO 2018, annex 3
//   code,drug
//   7052,"morphine, oral"
//
// A record may span lines inside quotes; a quote in quotes is doubled. Every record has as many fields as the
// header. Errors (all of them, with line and column): ragged records, unclosed quotes, text after a closing
// quote, a field given twice in the header, no header. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_CSV_H_
#define STEPWISE_RULES_CSV_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/schema_reader.h"

namespace stepwise::rules {

struct CsvFile {
  std::vector<std::string> comments;  // text after `#`, trimmed
  std::vector<std::string> header;
  std::vector<std::string> cells;    // row by row, header.size() a row
  std::vector<std::uint32_t> lines;  // line of each row

  std::size_t rows() const { return lines.size(); }
};

// What could be read; usable when no error was added.
CsvFile ParseCsv(std::string_view text, const std::string& file, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_CSV_H_
