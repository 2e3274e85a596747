#include "rules/decision.h"

namespace stepwise::rules {

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFalse: return "false";
    case Outcome::kTrue: return "true";
    case Outcome::kUnknown: return "unknown";
  }
  return "";
}

bool HasFired(RuleStatus status) {
  return status == RuleStatus::kFired || status == RuleStatus::kAbsorbed || status == RuleStatus::kShadow ||
         status == RuleStatus::kFolded;
}

}  // namespace stepwise::rules
