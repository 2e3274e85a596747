// The hooks this service answers, as one table: what a request for each must carry.
//
//   const HookSpec* sign = FindHook("order-sign");
//   sign->service_id == "stepwise-order-sign"
//
// Source: CDS Hooks hook library (HL7/cds-hooks-library, 2026-04), whose examples differ from its tables in a
// few names: what either says is taken. To answer another hook, add a row.
// Thread-safety: immutable.
#ifndef STEPWISE_CDS_HOOKS_HOOK_H_
#define STEPWISE_CDS_HOOKS_HOOK_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace stepwise::cds_hooks {

enum class FieldType : std::uint8_t {
  kId,          // string: a FHIR id; "Patient/123" is taken for "123"
  kReference,   // string: "Practitioner/123"
  kReferences,  // array of such strings
  kBundle,      // object: a FHIR Bundle
  kResource,    // object: a FHIR resource, bare or as {"resource": {...}}
  kResources,   // array of such objects
};

struct ContextField {
  std::string_view name;
  FieldType type;
  bool required;
  bool prefetch_token;         // may be written as {{context.<name>}} in a prefetch template
  std::string_view also = {};  // another name that the hook's own examples use
};

struct HookSpec {
  std::string_view hook;
  std::string_view version;  // of the hook's published definition
  std::string_view service_id;
  std::string_view title;
  std::string_view description;
  std::span<const ContextField> fields;
};

std::span<const HookSpec> Hooks();
const HookSpec* FindHook(std::string_view hook);           // nullptr: a hook we do not answer
const HookSpec* FindService(std::string_view service_id);  // nullptr: no such service

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HOOK_H_
