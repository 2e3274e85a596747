// Terminology offline: value sets and code systems given to the evaluator, and the three answers that they
// can give.
//
//   Membership m = set.Contains("http://www.nlm.nih.gov/research/umls/rxnorm", "7052");
//
// in: the code is a member. out: the set covers the code's system and the code is not a member. unknown: the
// set says nothing about that system, so nobody may conclude "not a member".
// Source: FHIR R4 "FHIRPath" page, memberOf(), subsumes(), subsumedBy().
// Thread-safety: const methods are safe from many threads.
#ifndef STEPWISE_FHIR_TERMINOLOGY_H_
#define STEPWISE_FHIR_TERMINOLOGY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/model.h"
#include "fhir/result.h"

namespace stepwise {

enum class Membership : std::uint8_t { kOut, kIn, kUnknown };

class ValueSet {
 public:
  virtual ~ValueSet() = default;
  // `system` may be empty (a bare `code`): in when the code is a member under any system.
  virtual Membership Contains(std::string_view system, std::string_view code) const = 0;
  // Could a code of this system be a member at all? Where not, an unknown answer takes nothing from what
  // other codings of the same concept say.
  virtual bool IsAbout(std::string_view system) const = 0;
  // Why Contains() answers kUnknown, for people; "" when there is nothing to add.
  virtual std::string WhyUnknown(std::string_view /*system*/, std::string_view /*code*/) const { return {}; }
};

class Terminology {
 public:
  virtual ~Terminology() = default;
  // By name or canonical URL (a "|version" suffix must match when the set has a version); nullptr if unknown.
  virtual const ValueSet* FindValueSet(std::string_view name) const = 0;
  // Does `ancestor` subsume `code` in `system` (reflexive)? kUnknown when the system's hierarchy is not known
  // or does not hold both codes.
  virtual Membership Subsumes(std::string_view system, std::string_view ancestor,
                              std::string_view code) const = 0;
};

}  // namespace stepwise

#endif  // STEPWISE_FHIR_TERMINOLOGY_H_
