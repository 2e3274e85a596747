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
// fhir/model/generate.py; each says from which package and when. Name and type ids are shared by all versions
// and change when the tables are generated anew: they are never stored or sent.
//
// Functions that take a NameId or a TypeId expect kNoName, types::kNone or an id of this build.
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
// "4.0.1" or "5.0.0".
std::string_view FhirVersionText(FhirVersion version);
// Accepts "4.0.1", "4.0", "4", "R4" and "r4", and "5.0.0" and so on.
std::optional<FhirVersion> ParseFhirVersion(std::string_view text);

// Id of a JSON property name that any FHIR version knows, or kNoName. Neither "_birthDate" (strip the
// underscore) nor a name that only some CDS Hooks service knows has an id.
NameId FindName(std::string_view text);
// The text of a name; "" for kNoName.
std::string_view NameText(NameId name);
// One more than the largest NameId: ids are 1 .. NameCount() - 1.
inline constexpr std::uint32_t NameCount() { return kNameCount; }
// The FHIRPath name that a choice property stands for in some type (valueQuantity -> value), or kNoName.
// Some names are a choice property in one type and an ordinary one in another (effectivePeriod in
// Observation and in Library): only Model::Find knows which.
NameId ChoiceBase(NameId name);

// kBackbone: the anonymous type of an element with children of its own, named by its path (Patient.contact,
// Timing.repeat). Resource and DomainResource are kResource; Element and BackboneElement are kComplex.
enum class TypeKind : std::uint8_t { kSystem, kPrimitive, kComplex, kBackbone, kResource };

// One JSON property of a type. A choice element (value[x]) is one Element per allowed type.
struct Element {
  NameId name;       // JSON property name: valueQuantity
  NameId base;       // FHIRPath name: value; the same as `name` unless is_choice
  TypeId type;       // type of each value; the backbone type where it is one (Patient.contact), also of an
                     // element that refers to another's content (Questionnaire.item.item: Questionnaire.item)
  std::uint8_t min;  // 0 or 1 (more counts as 1); of a choice, for all alternatives together
  bool many;         // max > 1
  bool is_choice;
};

// Name of a type without its namespace ("Patient", "Patient.contact", "string"; "Quantity" both for
// System.Quantity and for FHIR.Quantity); "" for types::kNone. The same in all versions.
std::string_view TypeName(TypeId type);
// The id of a FHIR type that any version knows, by its name without "FHIR."; types::kNone if unknown.
TypeId FindFhirType(std::string_view name);
// The id of a System type by its name without "System."; types::kNone if unknown.
TypeId FindSystemType(std::string_view name);

// Primitives and System types have consecutive ids, so that asking is cheap.
inline constexpr bool IsSystemType(TypeId type) {
  return types::kSystemAny <= type && type < types::kBoolean;
}
inline constexpr bool IsPrimitiveType(TypeId type) {
  return types::kBoolean <= type && type <= types::kXhtml;
}

namespace model_internal {
struct VersionTables;
}  // namespace model_internal

class Model {
 public:
  static const Model& Get(FhirVersion version);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  FhirVersion version() const { return version_; }

  // Whether this version defines the type. Every version has the System types.
  bool Has(TypeId type) const;
  // The same in all versions.
  TypeKind Kind(TypeId type) const;
  // Whether no instance can have exactly this type: Resource, DomainResource, Element, System.Any, ...
  bool IsAbstract(TypeId type) const;
  // Parent type, types::kNone at the root (R4: Element, Resource; R5: Base; System.Any).
  TypeId Base(TypeId type) const;
  // Reflexive; false where this version lacks either type, unless they are the same.
  bool IsA(TypeId type, TypeId ancestor) const;
  // All elements including inherited ones, sorted by name id. Empty for System types. The value of a
  // primitive is not an element: primitives have `id` and `extension`. resourceType is not one either.
  std::span<const Element> Elements(TypeId type) const;
  // By JSON property name, in constant time; nullptr when the type has no such property.
  const Element* Find(TypeId type, NameId json_name) const;
  // By FHIRPath name: the element itself, or every alternative of a choice in name order. Empty when the type
  // has no such element.
  std::span<const Element> FindBase(TypeId type, NameId base_name) const;
  // Every FHIR type of this version, abstract and backbone ones too, by id.
  std::span<const TypeId> Types() const;

 private:
  constexpr Model(FhirVersion version, const model_internal::VersionTables& tables)
      : tables_(tables), version_(version) {}

  static const Model kR4, kR5;

  const model_internal::VersionTables& tables_;
  FhirVersion version_;
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_MODEL_H_
