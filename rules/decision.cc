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

std::string_view RuleStatusName(RuleStatus status) {
  switch (status) {
    case RuleStatus::kFired: return "fired";
    case RuleStatus::kStopped: return "stopped";
    case RuleStatus::kAbsorbed: return "absorbed";
    case RuleStatus::kShadow: return "shadow";
    case RuleStatus::kFailed: return "failed";
    case RuleStatus::kSuppressed: return "suppressed";
    case RuleStatus::kFolded: return "folded";
  }
  return "";
}

bool HasFired(RuleStatus status) {
  return status == RuleStatus::kFired || status == RuleStatus::kAbsorbed || status == RuleStatus::kShadow ||
         status == RuleStatus::kFolded;
}

}  // namespace stepwise::rules
