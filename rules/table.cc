#include "rules/table.h"

#include <algorithm>
#include <cctype>

namespace stepwise::rules {
namespace {

// "source: ..." or "Sources, collected 2026-11-20: ...", in any case, with something behind the colon.
bool NamesSource(const std::string& comment) {
  std::string lower = comment;
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!lower.starts_with("source")) return false;
  const std::size_t colon = lower.find(':');
  return colon != std::string::npos && lower.find_first_not_of(" \t", colon + 1) != std::string::npos;
}

// A year and month, YYYY-MM, anywhere.
bool NamesDate(const std::string& comment) {
  const auto digits = [&](std::size_t at, std::size_t count) {
    for (std::size_t i = at; i < at + count; ++i) {
      if (i >= comment.size() || comment[i] < '0' || comment[i] > '9') return false;
    }
    return true;
  };
  for (std::size_t i = 0; i + 7 <= comment.size(); ++i) {
    if (digits(i, 4) && comment[i + 4] == '-' && digits(i + 5, 2)) return true;
  }
  return false;
}

}  // namespace

Table Table::Read(std::string_view text, const std::string& file, const std::string& key,
                  const SourceSpan& key_span, Errors* errors) {
  const std::size_t before = errors->size();
  Table table;
  table.file_ = file;
  table.csv_ = ParseCsv(text, file, errors);
  const SourceSpan top{.file = file, .line = 1, .column = 1};
  if (std::ranges::none_of(table.csv_.comments, NamesSource)) {
    AddError(errors, top,
             "a knowledge table says where it comes from: add a line `# source: ...` above the header");
  }
  if (std::ranges::none_of(table.csv_.comments, NamesDate)) {
    AddError(errors, top,
             "a knowledge table says how old it is: add a line `# date: YYYY-MM-DD` above the header");
  }
  table.usable_ = errors->size() == before;
  if (key.empty() || !table.usable_) return table;
  table.key_ = table.Column(key);
  if (!table.key_) {
    AddError(errors, key_span,
             "table " + file + " has no column `" + key + "`" + Suggest(key, table.columns()));
    table.usable_ = false;
    return table;
  }
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string& value = table.Cell(row, *table.key_);
    const auto [at, inserted] = table.by_key_.emplace(value, row);
    if (!inserted) {
      AddError(errors, table.RowSpan(row),
               "key `" + value + "` is given twice; the first one is in line " +
                   std::to_string(table.csv_.lines[at->second]));
      table.usable_ = false;
    }
  }
  return table;
}

std::optional<std::size_t> Table::Column(std::string_view name) const {
  const auto found = std::ranges::find(csv_.header, name);
  if (found == csv_.header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - csv_.header.begin());
}

std::optional<std::size_t> Table::Find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace stepwise::rules
