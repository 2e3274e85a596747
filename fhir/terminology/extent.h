// Extent: what a value set, or a part of one, holds: for each code system that it is about, the answers for
// codes.
//
// Thread-safety: plain values; tables are immutable and shared.
#ifndef STEPWISE_FHIR_TERMINOLOGY_EXTENT_H_
#define STEPWISE_FHIR_TERMINOLOGY_EXTENT_H_

#include <memory>
#include <string>
#include <string_view>

#include "fhir/terminology.h"
#include "fhir/terminology/codes.h"
#include "fhir/terminology/reading.h"

namespace stepwise::terminology {

using Answers = CodeMap<Membership>;

// The answers for the codes of one system.
struct Part {
  std::shared_ptr<const Answers> codes;  // keys in lower case where case does not count; may be null
  Membership rest = Membership::kOut;    // for all other codes; never kIn
  CaseRule case_rule = CaseRule::kUnspecified;
  std::string why;  // why some answers are unknown, for people

  Membership Find(std::string_view code) const;
};

// Fills a part's table; keeps to its case rule.
class PartBuilder {
 public:
  PartBuilder(Membership rest, CaseRule case_rule) : rest_(rest), case_rule_(case_rule) {}
  // True if the code is new. What was set first stays.
  bool Set(std::string_view code, Membership answer);
  Part Build(std::string why = "") &&;

 private:
  Answers codes_;
  Membership rest_;
  CaseRule case_rule_;
};

struct Extent {
  TextMap<Part> parts;  // by system; "about" these systems
  // For codes of all other systems: kOut, or kUnknown where something is missing that may hold them.
  Membership elsewhere = Membership::kOut;
  std::string why;  // why, if elsewhere is unknown
};

enum class Op : std::uint8_t {
  kOr,         // in either
  kAnd,        // in both
  kMinus,      // in the first and not in the second; about the systems of the first only
  kElseKnown,  // what the first knows, else what the second says
};
// Errors: kLimit. `at` is where the result stands.
Result<Extent> Combine(Op op, Extent a, Extent b, Node at, Reading* reading);

// All unknown, for that reason.
Extent UnknownExtent(std::string why);
// "a; b", each reason once, and no more than people read.
void AddReason(std::string* reasons, std::string_view reason);

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_EXTENT_H_
