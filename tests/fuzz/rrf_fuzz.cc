// Three files in one, parted by form feeds: whatever they hold, reading ends with a table or a message with
// its line, and rows name products of the release and, where they have a strength, a number and a unit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "rules/medication/rxnorm_release.h"

namespace rules = stepwise::rules;

namespace {

template <typename Read>
bool ReadPart(std::string_view text, std::size_t columns, Read read) {
  std::istringstream in{std::string(text)};
  rules::RrfReader reader(in, "file", columns);
  const stepwise::Status status = read(reader);
  if (!status && (status.error().message.empty() || status.error().span.file.empty())) std::abort();
  return status.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\f');
  if (first == std::string_view::npos) {
    (void)rules::ParseRxNormStrength(text);
    return 0;
  }
  const std::size_t second = text.find('\f', first + 1);
  if (second == std::string_view::npos) return 0;

  rules::Errors errors;
  rules::IngredientList list;
  list.Read("# date: 2025-11\n# source: s\nrxcui,name,atc,class\n7,a,,non-opioid\n,b,N02,nsaid\n", "list",
            &errors);
  const rules::DoseForms forms = rules::DoseForms::Read(
      "# date: 2025-11\n# source: s\npart,release,route\nOral,immediate,oral\n", "forms", &errors);
  if (!errors.empty()) std::abort();

  rules::RxNormRelease release(list, forms, size % 2 == 0);
  using Release = rules::RxNormRelease;
  if (!ReadPart(text.substr(0, first), Release::kConceptColumns,
                [&](rules::RrfReader& in) { return release.ReadConcepts(in); }) ||
      !ReadPart(text.substr(first + 1, second - first - 1), Release::kRelationColumns,
                [&](rules::RrfReader& in) { return release.ReadRelations(in); })) {
    return 0;
  }
  release.Select(size % 3 == 0);
  if (!ReadPart(text.substr(second + 1), Release::kAttributeColumns,
                [&](rules::RrfReader& in) { return release.ReadStrengths(in); })) {
    return 0;
  }
  std::vector<std::string> warnings;
  std::uint32_t last = 0;
  for (const rules::ProductRow& row : release.Rows(&warnings)) {
    if (row.rxcui < last || row.ingredient_rxcui == 0 || row.name.empty() || row.ingredients == 0)
      std::abort();
    if (row.strength_value.empty() != row.strength_unit.empty()) std::abort();
    last = row.rxcui;
  }
  return 0;
}
