// Nearest: the known name that somebody most likely meant.
#ifndef STEPWISE_FHIR_NEAREST_H_
#define STEPWISE_FHIR_NEAREST_H_

#include <span>
#include <string>
#include <string_view>

namespace stepwise {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours; case counts half) from
// `name`, or "" when none is close: at most a third of its letters may differ. Ties go to the first.
std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates);
std::string_view Nearest(std::string_view name, std::span<const std::string> candidates);

// " (did you mean 'family'?)" or "".
std::string DidYouMean(std::string_view nearest);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_NEAREST_H_
