// JSON that two readers cannot understand differently: one object, no name given twice, bounded depth.
//
//   Result<nlohmann::json> header = ParseStrictObject(R"({"alg":"ES384"})");
//
// Tokens and key sets are read with it: which of two "alg" counts must not depend on who reads.
// Errors: kSyntax, kLimit; `path` is empty and the message holds nothing of the text. Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_TRUST_STRICT_JSON_H_
#define STEPWISE_CDS_HOOKS_TRUST_STRICT_JSON_H_

#include <nlohmann/json.hpp>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::trust {

inline constexpr int kMaxStrictJsonDepth = 16;  // nested objects and arrays

Result<nlohmann::json> ParseStrictObject(std::string_view text);

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_STRICT_JSON_H_
