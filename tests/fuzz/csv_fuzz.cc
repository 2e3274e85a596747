// Whatever bytes arrive: every row has as many cells as the header, or there is an error with a place. Cells
// written again in quotes are read as the same cells.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/csv.h"

namespace {

std::string Quoted(const std::string& cell) {
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using stepwise::rules::CsvFile;
  stepwise::rules::Errors errors;
  const CsvFile file = stepwise::rules::ParseCsv({reinterpret_cast<const char*>(data), size}, "f", &errors);
  if (file.cells.size() != file.rows() * file.header.size()) std::abort();
  for (const stepwise::Error& error : errors) {
    if (error.message.empty() || error.span.line == 0 || error.span.column == 0) std::abort();
  }
  if (!errors.empty()) return 0;
  std::string again;
  for (std::size_t i = 0; i < file.header.size(); ++i) again += (i == 0 ? "" : ",") + Quoted(file.header[i]);
  for (std::size_t i = 0; i < file.cells.size(); ++i)
    again += (i % file.header.size() == 0 ? "\n" : ",") + Quoted(file.cells[i]);
  const CsvFile second = stepwise::rules::ParseCsv(again, "f", &errors);
  // A row of one empty cell is a blank line.
  if (file.header.size() > 1 && (second.header != file.header || second.cells != file.cells)) std::abort();
  return 0;
}
