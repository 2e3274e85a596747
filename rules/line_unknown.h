// CanBeUnknown: may an expression answer "the data do not say"?
//
//   CanBeUnknown(base, "%meds.entry.exists()")     true: the prefetch may be absent
//   CanBeUnknown(base, "%order.id.exists()")       false: exists() always answers, and the order is there
//
// It may when it reads a prefetch key, directly or through facts and lets, when it calls a function that
// marks things as not known (memberOf and what looks into drug tables), or when its result can be empty.
// Where that is not certain the answer is true. Coverage (rules/test_coverage.h) asks for an unknown case
// only of lines that can have one. Thread-safety: pure.
#ifndef STEPWISE_RULES_LINE_UNKNOWN_H_
#define STEPWISE_RULES_LINE_UNKNOWN_H_

#include "fhir/fhirpath/fhirpath.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {

bool CanBeUnknown(const KnowledgeBase& base, const fhirpath::Program& program);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_LINE_UNKNOWN_H_
