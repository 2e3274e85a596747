// SiteOverlay: what one site changes in a pack, inside what the pack allows: sites/<site>.yaml.
//
//   site: north-campus
//   for: "org.example.cancer-pain@^1.2"
//   parameters: { pain_min_score: 5 }                       inside the declared bounds
//   rules: { prn-only-strong-opioid: { mode: shadow } }     on | shadow | off; off needs `why`
//   approved-by: "North Campus P&T 2026-11-19"
//
// An overlay has its own digest: the effective digest of the pack is made of both, so a decision names
// exactly what was in force. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_SITE_OVERLAY_H_
#define STEPWISE_RULES_SITE_OVERLAY_H_

#include <string>

#include "rules/pack.h"

namespace stepwise::rules {

// Changes `pack` as the overlay says; all errors are added, and then the pack must not be used.
// `text`: bytes of the file, for the digest.
void ApplyOverlay(const YamlNode& node, const std::string& text, Pack* pack, Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_SITE_OVERLAY_H_
