#include "rules/value_set_codes.h"

#include <algorithm>

namespace stepwise::rules {
namespace {

// The codes in a column of a table, in the rows that meet the include's filters.
void ListFromTable(const ValueSetSource::Include& include, const Table& table, Errors* errors,
                   std::vector<ListedCode>* out) {
  const auto column_of = [&](const SourceText& name) {
    const auto column = table.Column(name.text);
    if (!column) {
      AddError(errors, name.span,
               "table `" + include.table.text + "` has no column `" + name.text + "`" +
                   Suggest(name.text, table.columns()));
    }
    return column;
  };
  const auto codes = column_of(include.column);
  std::vector<std::pair<std::size_t, const std::vector<SourceText>*>> filters;
  bool usable = codes.has_value();
  for (const auto& [name, cells] : include.where) {
    const auto column = column_of(name);
    if (column) filters.emplace_back(*column, &cells);
    usable = usable && column.has_value();
  }
  if (!usable) return;
  bool any = false;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const bool wanted = std::ranges::all_of(filters, [&](const auto& filter) {
      return std::ranges::any_of(
          *filter.second, [&](const SourceText& cell) { return cell.text == table.Cell(row, filter.first); });
    });
    if (!wanted || table.Cell(row, *codes).empty()) continue;
    out->push_back({include.system, table.Cell(row, *codes), "", include.descendants});
    any = true;
  }
  if (!any) AddError(errors, include.span, "no row of table `" + include.table.text + "` meets this include");
}

}  // namespace

std::vector<ListedCode> ListCodes(const ValueSetSource& source,
                                  const std::function<const Table*(std::string_view)>& find_table,
                                  Errors* errors) {
  std::vector<ListedCode> out;
  for (const ValueSetSource::Include& include : source.includes) {
    for (const ValueSetSource::Code& code : include.codes)
      out.push_back({include.system, code.code, code.display, include.descendants});
    if (include.table.empty()) continue;
    if (const Table* table = find_table(include.table.text)) {
      if (table->usable()) ListFromTable(include, *table, errors, &out);
    } else {
      AddError(errors, include.table.span,
               "no table `" + include.table.text + "` in this pack or one that it requires");
    }
  }
  return out;
}

}  // namespace stepwise::rules
