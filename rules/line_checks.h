// Lines of rules that decide nothing, or stop every time, whatever the data are.
//
//   when: %p.days > 60, and the pack says days: { min: 1, max: 30 }
//     error: line `late` is always false (1 to 30 day > 60 day), so the rule never fires
//   unless: the same criterion as a line above; a comparison inside a longer criterion; a fact, a let
//
// What is said is so under every allowed value of the parameters (rules/forecast.h); not everything that is
// so is seen. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_LINE_CHECKS_H_
#define STEPWISE_RULES_LINE_CHECKS_H_

#include <span>

#include "rules/pack.h"
#include "rules/schema_reader.h"

namespace stepwise::rules {

// Errors: a rule that can never fire. Warnings: a line or comparison with one answer. `required`: the packs
// that `pack` requires, all the way down.
void CheckLines(const Pack& pack, std::span<const Pack* const> required, Errors* errors, Errors* warnings);

// Can the criterion be empty for another reason than that a prefetch answer is missing?
bool CanBeEmpty(const SourceText& criterion, const Pack& pack, std::span<const Pack* const> required,
                const Rule& rule);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_LINE_CHECKS_H_
