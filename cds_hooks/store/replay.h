// Replay: a recorded decision made once more, from its input and the versions of packs that it names.
//
//   Result<Replayed> again = Replay(record, sealer, evaluator);
//   if (again->differences.empty()) ...     // again->response is the recorded answer, byte for byte
//
// The evaluator must have those versions loaded; whether they are on does not matter.
// Errors: kFailedPrecondition when the input was not kept; the sealer's; kNotFound when a version is not
// loaded (the message names it); what the evaluator says. Thread-safety: as the evaluator.
#ifndef STEPWISE_CDS_HOOKS_STORE_REPLAY_H_
#define STEPWISE_CDS_HOOKS_STORE_REPLAY_H_

#include <string>
#include <vector>

#include "cds_hooks/store/sealed.h"
#include "cds_hooks/store/store.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

struct Replayed {
  std::string response;
  std::string recorded;                  // the recorded answer; "" when it was not sealed in the record
  std::vector<std::string> differences;  // what is not as recorded, for people
};

Result<Replayed> Replay(const DecisionRecord& record, const Sealer& sealer, rules::Evaluator& evaluator);

// Two JSON texts line by line: "- " before lines that only `before` has, "+ " before those of `after`.
std::string DiffLines(const std::string& before, const std::string& after);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_REPLAY_H_
