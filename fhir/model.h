// Model: what FHIR R4 and R5 say about types and elements, as constant tables.
//
// Names of JSON properties and of types are interned into small integers once, at build time, so that
// nothing compares strings while evaluating: documents carry NameIds, programs carry NameIds and TypeIds.
//
//   const Model& r4 = Model::Get(FhirVersion::kR4);
//   const Element* e = r4.Find(types::kObservation, names::kValueQuantity);
//   e->base == names::kValue, e->type == types::kQuantity, e->is_choice
//
// The tables (fhir/model/*_tables.cc) are generated from the published StructureDefinitions by
// fhir/model/generate.py; each says from which package and when. Name and type ids are shared by all versions.
// Thread-safety: immutable.
#ifndef STEPWISE_FHIR_MODEL_H_
#define STEPWISE_FHIR_MODEL_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fhir/model/names.h"
#include "fhir/model/types.h"

namespace stepwise {

enum class FhirVersion : std::uint8_t { kR4, kR5 };
std::string_view FhirVersionText(FhirVersion version);                    // "4.0.1", "5.0.0"
std::optional<FhirVersion> ParseFhirVersion(std::string_view text);       // "4.0.1", "4.0", "R4", "r4", "5.0.0", ...

// Id of a JSON property name that any FHIR version knows, or kNoName.
NameId FindName(std::string_view text);
std::string_view NameText(NameId name);
inline std::uint32_t NameCount();
// The FHIRPath name that a choice property stands for in some type (valueQuantity -> value), or kNoName.
NameId ChoiceBase(NameId name);

enum class TypeKind : std::uint8_t { kSystem, kPrimitive, kComplex, kBackbone, kResource };

// One JSON property of a type. A choice element (value[x]) is one Element per allowed type.
struct Element {
  NameId name;      // JSON property name: valueQuantity
  NameId base;      // FHIRPath name: value; the same as `name` unless is_choice
  TypeId type;      // type of each value; the BackboneElement's own type where it is one (Patient.contact)
  std::uint8_t min;  // 0 or 1 (more counts as 1)
  bool many;        // max > 1
  bool is_choice;
};

// Name ("Patient", "Patient.contact", "string") and kind of a type; the same in all versions.
std::string_view TypeName(TypeId type);
// The id of a FHIR type that any version knows, by its name without "FHIR."; types::kNone if unknown.
TypeId FindFhirType(std::string_view name);
// The id of a System type by its name without "System."; types::kNone if unknown.
TypeId FindSystemType(std::string_view name);

class Model {
 public:
  static const Model& Get(FhirVersion version);
  FhirVersion version() const { return version_; }

  bool Has(TypeId type) const;                     // this version defines the type
  TypeKind Kind(TypeId type) const;
  TypeId Base(TypeId type) const;                  // parent type, types::kNone at the root
  bool IsA(TypeId type, TypeId ancestor) const;    // reflexive
  // All elements including inherited ones, sorted by name id.
  std::span<const Element> Elements(TypeId type) const;
  const Element* Find(TypeId type, NameId json_name) const;           // by JSON property name
  // By FHIRPath name: the element itself, or every alternative of a choice (contiguous? no: in name order).
  // Empty when the type has no such element.
  std::span<const Element> FindBase(TypeId type, NameId base_name) const;
  std::span<const TypeId> Types() const;           // every FHIR type of this version

 private:
  friend struct ModelTables;
  FhirVersion version_ = FhirVersion::kR4;
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_MODEL_H_
