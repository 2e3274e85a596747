// Constant: the typed value that %p.<parameter> gives, made from the text in pack.yaml or a site's overlay.
//
//   type: integer, unit: d, "7"  ->  the Quantity 7 days (calendar days, so that today() - %p.x works)
//   type: decimal, "0.10"        ->  the Decimal 0.10
//
// Thread-safety: immutable once made. An Item of a Quantity or String points into its Constant.
#ifndef STEPWISE_RULES_PARAMETER_H_
#define STEPWISE_RULES_PARAMETER_H_

#include <memory>
#include <string>

#include "fhir/fhirpath/fhirpath.h"
#include "rules/pack.h"

namespace stepwise::rules {

struct Constant {
  fhirpath::Item item;
  std::string text;  // as written, "7 d" with a unit
  fhirpath::UnitText unit;
  std::string unit_text;
};

// Text constant, such as %pack.version.
std::unique_ptr<const Constant> MakeConstant(std::string text);
// `text` as a value of the parameter's type, inside its bounds. Error kInvalidArgument: not of the type, or
// outside; the message says what is allowed.
Result<std::unique_ptr<const Constant>> MakeConstant(const PackParameter& parameter, const std::string& text);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PARAMETER_H_
