#include "cds_hooks/hook.h"

namespace stepwise::cds_hooks {
namespace {

using enum FieldType;
constexpr bool kRequired = true, kOptional = false, kToken = true, kNoToken = false;

constexpr ContextField kPatientView[] = {
    {"userId", kReference, kRequired, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},
};
constexpr ContextField kOrderSelect[] = {
    {"userId", kReference, kRequired, kToken},     {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},       {"selections", kReferences, kRequired, kNoToken},
    {"draftOrders", kBundle, kRequired, kNoToken},
};
constexpr ContextField kOrderSign[] = {
    {"userId", kReference, kRequired, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},
    {"draftOrders", kBundle, kRequired, kNoToken},
};
// dispatchedOrders may be a token by the library's table, but is an array: the specification forbids that.
constexpr ContextField kOrderDispatch[] = {
    {"patientId", kId, kRequired, kToken},
    {"dispatchedOrders", kReferences, kRequired, kNoToken},
    {"performer", kReference, kRequired, kToken},
    {"fulfillmentTasks", kResources, kOptional, kNoToken, "fulfillment-tasks"},
};
constexpr ContextField kEncounter[] = {
    {"userId", kReference, kRequired, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kRequired, kToken},
};
constexpr ContextField kAppointmentBook[] = {
    {"userId", kReference, kRequired, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},
    {"appointments", kBundle, kRequired, kNoToken},
};
constexpr ContextField kMedicationRefill[] = {
    {"userId", kReference, kOptional, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},
    {"medications", kBundle, kRequired, kNoToken},
};
constexpr ContextField kMedicationVerify[] = {
    {"userId", kReference, kRequired, kToken},
    {"patientId", kId, kRequired, kToken},
    {"encounterId", kId, kOptional, kToken},
    {"medication", kResource, kRequired, kNoToken, "order"},
};

constexpr HookSpec kHooks[] = {
    {"patient-view", "1.0", "stepwise-patient-view", "Stepwise: patient review",
     "Reviews the open chart against the clinical rule packs in force and gives advice that needs no order.",
     kPatientView},
    {"order-select", "1.0", "stepwise-order-select", "Stepwise: advice while ordering",
     "Checks the selected draft orders, together with the chart, against the clinical rule packs in force "
     "while they can still be changed easily.",
     kOrderSelect},
    {"order-sign", "1.0", "stepwise-order-sign", "Stepwise: order review",
     "Checks the draft orders that are about to be signed, together with the chart, against the clinical "
     "rule packs in force. Advice only: nothing is blocked.",
     kOrderSign},
    {"order-dispatch", "1.1", "stepwise-order-dispatch", "Stepwise: review of dispatched orders",
     "Checks orders that are handed to a performer, together with the chart, against the clinical rule packs "
     "in force.",
     kOrderDispatch},
    {"encounter-start", "1.0", "stepwise-encounter-start", "Stepwise: review at the start of an encounter",
     "Reviews the chart against the clinical rule packs in force when an encounter begins.", kEncounter},
    {"encounter-discharge", "1.0", "stepwise-encounter-discharge", "Stepwise: review before discharge",
     "Reviews the chart against the clinical rule packs in force before a patient is discharged.",
     kEncounter},
    {"appointment-book", "1.0", "stepwise-appointment-book", "Stepwise: advice on appointments",
     "Reviews the chart and the proposed appointments against the clinical rule packs in force.",
     kAppointmentBook},
    {"medication-refill", "0.1.0", "stepwise-medication-refill", "Stepwise: review of refills",
     "Checks medications that are to be refilled, together with the chart, against the clinical rule packs "
     "in force.",
     kMedicationRefill},
    {"medication-verify", "0.1.0", "stepwise-medication-verify", "Stepwise: review at verification",
     "Checks a medication order that a pharmacist verifies, together with the chart, against the clinical "
     "rule packs in force.",
     kMedicationVerify},
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
