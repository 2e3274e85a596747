#include "cds_hooks/hook.h"

namespace stepwise::cds_hooks {
namespace {

constexpr ContextField kPatientView[] = {
    // name         type                   required  prefetch token
    {"userId", FieldType::kReference, true, true},
    {"patientId", FieldType::kId, true, true},
    {"encounterId", FieldType::kId, false, true},
};
constexpr ContextField kOrderSelect[] = {
    {"userId", FieldType::kReference, true, true},    {"patientId", FieldType::kId, true, true},
    {"encounterId", FieldType::kId, false, true},     {"selections", FieldType::kReferences, true, false},
    {"draftOrders", FieldType::kBundle, true, false},
};
constexpr ContextField kOrderSign[] = {
    {"userId", FieldType::kReference, true, true},
    {"patientId", FieldType::kId, true, true},
    {"encounterId", FieldType::kId, false, true},
    {"draftOrders", FieldType::kBundle, true, false},
};

constexpr HookSpec kHooks[] = {
    {"patient-view", "stepwise-patient-view", "Stepwise: patient review",
     "Reviews the open chart against the clinical rule packs in force and gives advice that needs no order.",
     kPatientView},
    {"order-select", "stepwise-order-select", "Stepwise: advice while ordering",
     "Checks the selected draft orders, together with the chart, against the clinical rule packs in force "
     "while "
     "they can still be changed easily.",
     kOrderSelect},
    {"order-sign", "stepwise-order-sign", "Stepwise: order review",
     "Checks the draft orders that are about to be signed, together with the chart, against the clinical "
     "rule "
     "packs in force. Advice only: nothing is blocked.",
     kOrderSign},
};

}  // namespace

std::span<const HookSpec> Hooks() { return kHooks; }

const HookSpec* FindHook(std::string_view hook) {
  for (const HookSpec& spec : kHooks) {
    if (spec.hook == hook) return &spec;
  }
  return nullptr;
}

const HookSpec* FindService(std::string_view service_id) {
  for (const HookSpec& spec : kHooks) {
    if (spec.service_id == service_id) return &spec;
  }
  return nullptr;
}

}  // namespace stepwise::cds_hooks
