#include "rules/pack_terminology.h"

#include <algorithm>

namespace stepwise::rules {

PackTerminology::PackTerminology(const Pack& pack, std::vector<const PackTerminology*> required,
                                 Errors* errors)
    : required_(std::move(required)) {
  for (const PackTable& table : pack.tables) tables_.emplace(table.name, &table.table);
  const auto find_table = [this](std::string_view name) { return FindTable(name); };
  for (const PackValueSet& set : pack.value_sets) {
    value_sets_.emplace(set.name, CodeSet::Build(set.source, find_table, errors));
  }
  const auto usable = [](const PackTable& table) { return table.table.usable(); };
  if (std::ranges::all_of(pack.tables, usable)) drugs_ = medication::DrugKnowledge::Read(pack, errors);
}

Membership PackTerminology::Subsumes(std::string_view, std::string_view ancestor,
                                     std::string_view code) const {
  return ancestor == code ? Membership::kIn : Membership::kUnknown;
}

const CodeSet* PackTerminology::FindCodes(std::string_view name) const {
  if (const auto found = value_sets_.find(name); found != value_sets_.end()) return found->second.get();
  const std::size_t bar = name.find('|');
  const std::string_view url = name.substr(0, bar);
  for (const auto& [own_name, set] : value_sets_) {
    if (set->url() == url && (bar == std::string_view::npos || name.substr(bar + 1) == set->version()))
      return set.get();
  }
  for (const PackTerminology* other : required_) {
    if (const CodeSet* found = other->FindCodes(name)) return found;
  }
  return nullptr;
}

const Table* PackTerminology::FindTable(std::string_view name) const {
  if (const auto found = tables_.find(name); found != tables_.end()) return found->second;
  for (const PackTerminology* other : required_) {
    if (const Table* found = other->FindTable(name)) return found;
  }
  return nullptr;
}

const medication::DrugKnowledge* PackTerminology::drugs() const {
  if (drugs_ != nullptr) return drugs_.get();
  for (const PackTerminology* other : required_) {
    if (const medication::DrugKnowledge* found = other->drugs()) return found;
  }
  return nullptr;
}

std::vector<std::string> PackTerminology::TableNames() const {
  std::vector<std::string> out;
  for (const auto& [name, table] : tables_) out.push_back(name);
  for (const PackTerminology* other : required_)
    std::ranges::copy(other->TableNames(), std::back_inserter(out));
  return out;
}

std::vector<std::string> PackTerminology::ValueSetNames() const {
  std::vector<std::string> out;
  for (const auto& [name, set] : value_sets_) out.push_back(name);
  for (const PackTerminology* other : required_)
    std::ranges::copy(other->ValueSetNames(), std::back_inserter(out));
  return out;
}

}  // namespace stepwise::rules
