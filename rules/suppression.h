// Suppression: after a clinician has overridden a card, the same advice keeps quiet for a while.
//
//   suppress-repeat: { per: [patient, "%order.medication.ofType(CodeableConcept).coding.code.first()"],
//                      for: 12 h, after: override }
//
// A card of such a rule carries a key made of rule, patient and the values of the `per` expressions. Whoever
// hears of overrides (the CDS Hooks service) hands the keys back with the next request; the engine keeps no
// memory. Where a `per` value is missing there is no key, and nothing is suppressed.
// Thread-safety: pure.
#ifndef STEPWISE_RULES_SUPPRESSION_H_
#define STEPWISE_RULES_SUPPRESSION_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/decision.h"
#include "rules/pack.h"
#include "rules/schema_reader.h"
#include "rules/template.h"

namespace stepwise::rules {

struct CompiledRule;

SuppressRepeat ReadSuppressRepeat(const YamlNode& node, Errors* errors);

// "pack/rule/32 hex digits", or "" when a value of `per` is missing or not known.
Result<std::string> SuppressionKey(const CompiledRule& rule, std::string_view patient_id,
                                   const RunExpression& run);

// "overridden at 2026-12-10T08:00:00Z, silent until 2026-12-10T20:00:00Z" when one of the overrides of the
// key still holds at `now`; of several the last one.
std::optional<std::string> Suppressed(const std::string& key, std::int64_t minutes, const DateTime& now,
                                      std::span<const OverriddenCard> overridden);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SUPPRESSION_H_
