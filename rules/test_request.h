// TestRequest: a CDS Hooks request as a test case describes it, as JSON bytes.
//
// What a case names replaces what `base` says; what nobody names and the rules would ask for is sent as known
// to be empty, so that a test states only what matters. Thread-safety: pure functions.
#ifndef STEPWISE_RULES_TEST_REQUEST_H_
#define STEPWISE_RULES_TEST_REQUEST_H_

#include <span>
#include <string>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

struct TestRequest {
  std::string hook;
  std::string json;
};

// `layers`: the last one that has a key decides; at least one. `slots`: of the knowledge base, for the
// prefetch keys that rules ask for.
TestRequest MakeTestRequest(std::span<const YamlNode* const> layers, std::span<const Slot> slots,
                            Errors* errors);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_TEST_REQUEST_H_
