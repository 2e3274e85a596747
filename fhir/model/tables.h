// Shapes of the generated tables: internal to fhir/model.cc and fhir/model/*_tables.cc.
//
// Everything is constant-initialised plain data. fhir/model/generate.py writes the arrays and knows these
// layouts; change both together.
#ifndef STEPWISE_FHIR_MODEL_TABLES_H_
#define STEPWISE_FHIR_MODEL_TABLES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "fhir/model.h"
#include "fhir/model/names.h"
#include "fhir/model/types.h"

namespace stepwise::model_internal {

// Texts by id, and a hash table (open addressing, linear probing, 0 marks a free slot) from text to id.
struct TextTable {
  const char* text;              // all texts, one after the other
  const std::uint32_t* entries;  // by id: offset into `text` << 8 | length
  const std::uint16_t* slots;
  std::uint64_t k1, k2;  // multipliers of the hash, chosen for few collisions
  unsigned shift;
  std::uint32_t mask;  // number of slots - 1

  std::string_view Text(std::uint32_t id) const {
    const std::uint32_t entry = entries[id];
    return {text + (entry >> 8), entry & 0xFF};
  }
};

// The first and the last up to eight bytes of a text: both the input of the hash and, together with the
// length, all of a text of at most sixteen bytes.
struct Ends {
  std::uint64_t head, tail;
  bool operator==(const Ends&) const = default;
};

inline Ends EndsOf(const char* data, std::size_t size) {
  static_assert(std::endian::native == std::endian::little, "the generated hash tables are little-endian");
  if (size >= 8) {
    Ends ends;
    std::memcpy(&ends.head, data, 8);
    std::memcpy(&ends.tail, data + size - 8, 8);
    return ends;
  }
  if (size >= 4) {
    std::uint32_t head, tail;
    std::memcpy(&head, data, 4);
    std::memcpy(&tail, data + size - 4, 4);
    return {head, tail};
  }
  if (size == 0) return {0, 0};
  const auto byte = [data](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(data[i])}; };
  return {byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16, 0};
}

// Id of `text`, or 0.
inline std::uint32_t FindText(const TextTable& table, std::string_view text) {
  const Ends ends = EndsOf(text.data(), text.size());
  const std::uint64_t hash = (ends.head * table.k1) ^ ((ends.tail + text.size()) * table.k2);
  for (std::size_t at = hash >> table.shift;; at = (at + 1) & table.mask) {
    const std::uint32_t id = table.slots[at];
    if (id == 0) return 0;
    const std::string_view other = table.Text(id);
    if (other.size() == text.size() && EndsOf(other.data(), other.size()) == ends &&
        (text.size() <= 16 || std::memcmp(other.data() + 8, text.data() + 8, text.size() - 16) == 0)) {
      return id;
    }
  }
}

// What a name has to do with choices.
struct NameChoice {
  std::uint16_t base;   // of a choice property (valueQuantity): its base (value); else 0
  std::uint16_t first;  // of a base: its first choice property, the others follow it; else 0
};

// One type of one version; all zero where the version does not define the type.
struct TypeRow {
  std::uint16_t cell;   // VersionTables::cells[cell + name] is 1 + the index of the element of that name ...
  std::uint16_t first;  // ... if that index lies in [first, first + count); else the cell is another type's
  std::uint16_t count;
  TypeId base;
  std::uint16_t enter, leave;  // preorder interval in the type tree; the interval of a subtype lies inside
  bool is_abstract;
};

struct VersionTables {
  const TypeRow* rows;      // by TypeId
  const Element* elements;  // of each type together, sorted by name; types with equal elements share them
  const std::uint16_t* cells;
  std::span<const TypeId> types;
};

extern const TextTable kNameTable;
extern const TextTable kTypeTable;  // finds FHIR types only
extern const NameChoice kNameChoices[kNameCount];
extern const std::uint8_t kTypeKinds[kTypeCount];
extern const VersionTables kR4Tables;
extern const VersionTables kR5Tables;

}  // namespace stepwise::model_internal

#endif  // STEPWISE_FHIR_MODEL_TABLES_H_
