// Table: a knowledge table of a pack (drug classes, conversion factors), read from CSV.
//
//   # source: WHO Guidelines 2018, annex 3
//   # date: 2018-11
//   code,drug,factor
//   7052,morphine,1.0
//
//   table.Find("7052") -> row, table.Cell(row, *table.Column("factor")) == "1.0"
//
// The comment lines must name a source and a date: facts without a source are refused. All cells are text, as
// written. With a key column, keys are unique and lookups are by hash, without allocation.
// Thread-safety: immutable.
#ifndef STEPWISE_RULES_TABLE_H_
#define STEPWISE_RULES_TABLE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rules/csv.h"

namespace stepwise::rules {

// Hash for containers of std::string that are asked with views.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class Table {
 public:
  // `key`: name of the key column, or "" for a table that is only scanned. All errors are added; the table is
  // usable when there were none. `key_span`: where the key was named, for messages.
  static Table Read(std::string_view text, const std::string& file, const std::string& key,
                    const SourceSpan& key_span, Errors* errors);

  // Was it read without errors? Nothing else should be asked of one that was not.
  bool usable() const { return usable_; }
  const std::string& file() const { return file_; }
  const std::vector<std::string>& columns() const { return csv_.header; }
  const std::vector<std::string>& comments() const { return csv_.comments; }
  std::size_t rows() const { return csv_.rows(); }
  bool has_key() const { return key_.has_value(); }
  std::size_t key_column() const { return *key_; }
  std::optional<std::size_t> Column(std::string_view name) const;
  const std::string& Cell(std::size_t row, std::size_t column) const {
    return csv_.cells[row * csv_.header.size() + column];
  }
  SourceSpan RowSpan(std::size_t row) const { return {.file = file_, .line = csv_.lines[row], .column = 1}; }
  // Row of a key; nullopt when there is none or the table has no key column.
  std::optional<std::size_t> Find(std::string_view key) const;

 private:
  std::string file_;
  bool usable_ = false;
  CsvFile csv_;
  std::optional<std::size_t> key_;
  std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_key_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TABLE_H_
