#include "cds_hooks/prefetch.h"

#include "rules/facts.h"

namespace stepwise::cds_hooks {
namespace {

std::string WhatToSend(rules::FactState state, const std::string& query) {
  switch (state) {
    case rules::FactState::kAbsent:
    case rules::FactState::kFailed: return "send the answer to " + query + ", or null if there is none";
    case rules::FactState::kPartial: return "send all pages of " + query + " as one Bundle";
    case rules::FactState::kKnownEmpty:
    case rules::FactState::kPresent: break;
  }
  return "";
}

}  // namespace

std::vector<Error> MissingPrefetch(const Request& request,
                                   std::span<const rules::PrefetchTemplate> templates) {
  const rules::Facts facts{request.hook->hook, request.patient_id, request.context, request.prefetch};
  std::vector<Error> errors;
  for (const rules::PrefetchTemplate& needed : templates) {
    if (!needed.required) continue;
    const rules::Fact fact = facts.Read(needed.key, needed.query);
    if (fact.known()) continue;
    errors.push_back({Code::kFailedPrecondition,
                      fact.why + ", and rules cannot do without it; " + WhatToSend(fact.state, needed.query),
                      {},
                      "prefetch." + needed.key});
  }
  return errors;
}

}  // namespace stepwise::cds_hooks
