#include "fhir/model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fhir/model/tables.h"

namespace stepwise {

using model_internal::FindText;
using model_internal::kNameChoices;
using model_internal::kNameTable;
using model_internal::kTypeKinds;
using model_internal::kTypeTable;
using model_internal::TypeRow;

std::string_view FhirVersionText(FhirVersion version) {
  return version == FhirVersion::kR4 ? "4.0.1" : "5.0.0";
}

std::optional<FhirVersion> ParseFhirVersion(std::string_view text) {
  using Row = std::pair<std::string_view, FhirVersion>;
  static constexpr Row kTexts[] = {
      {"4.0.1", FhirVersion::kR4}, {"4.0", FhirVersion::kR4}, {"4", FhirVersion::kR4},
      {"R4", FhirVersion::kR4},    {"r4", FhirVersion::kR4},  {"5.0.0", FhirVersion::kR5},
      {"5.0", FhirVersion::kR5},   {"5", FhirVersion::kR5},   {"R5", FhirVersion::kR5},
      {"r5", FhirVersion::kR5},
  };
  for (const auto& [known, version] : kTexts) {
    if (known == text) return version;
  }
  return std::nullopt;
}

NameId FindName(std::string_view text) { return FindText(kNameTable, text); }
std::string_view NameText(NameId name) { return kNameTable.Text(name); }
NameId ChoiceBase(NameId name) { return kNameChoices[name].base; }

std::string_view TypeName(TypeId type) { return kTypeTable.Text(type); }
TypeId FindFhirType(std::string_view name) { return static_cast<TypeId>(FindText(kTypeTable, name)); }

TypeId FindSystemType(std::string_view name) {
  for (TypeId type = types::kSystemAny; IsSystemType(type); ++type) {
    if (TypeName(type) == name) return type;
  }
  return types::kNone;
}

constinit const Model Model::kR4{FhirVersion::kR4, model_internal::kR4Tables};
constinit const Model Model::kR5{FhirVersion::kR5, model_internal::kR5Tables};

const Model& Model::Get(FhirVersion version) { return version == FhirVersion::kR4 ? kR4 : kR5; }

bool Model::Has(TypeId type) const { return tables_.rows[type].enter != 0; }
TypeKind Model::Kind(TypeId type) const { return static_cast<TypeKind>(kTypeKinds[type]); }
bool Model::IsAbstract(TypeId type) const { return tables_.rows[type].is_abstract; }
TypeId Model::Base(TypeId type) const { return tables_.rows[type].base; }

bool Model::IsA(TypeId type, TypeId ancestor) const {
  if (type == ancestor) return true;
  const std::uint16_t enter = tables_.rows[type].enter;
  return tables_.rows[ancestor].enter <= enter && enter < tables_.rows[ancestor].leave;
}

std::span<const Element> Model::Elements(TypeId type) const {
  const TypeRow& row = tables_.rows[type];
  return {tables_.elements + row.first, row.count};
}

const Element* Model::Find(TypeId type, NameId json_name) const {
  const TypeRow& row = tables_.rows[type];
  // Wraps around for an empty cell (0) and for elements before this type's.
  const std::uint32_t index = std::uint32_t{tables_.cells[row.cell + json_name]} - 1u - row.first;
  return index < row.count ? tables_.elements + row.first + index : nullptr;
}

std::span<const Element> Model::FindBase(TypeId type, NameId base_name) const {
  if (const Element* element = Find(type, base_name); element != nullptr && !element->is_choice) {
    return {element, 1};
  }
  const NameId first = kNameChoices[base_name].first;
  if (first == kNoName) return {};
  const std::span<const Element> all = Elements(type);
  // The ids of a base's choice properties follow each other, hence so do the alternatives.
  const auto begin = std::ranges::lower_bound(all, first, {}, &Element::name);
  const auto end = std::find_if(begin, all.end(), [&](const Element& e) { return e.base != base_name; });
  return {begin, end};
}

std::span<const TypeId> Model::Types() const { return tables_.types; }

}  // namespace stepwise
