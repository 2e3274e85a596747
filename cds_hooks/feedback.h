// Feedback: what clinicians did with cards, as CDS clients report it.
//
//   POST /cds-services/{id}/feedback
//   {"feedback":[{"card":"<uuid>","outcome":"overridden","overrideReason":{...},
//                 "outcomeTimestamp":"2026-12-10T09:00:00Z"}]}
//
//   Result<std::vector<Feedback>> all = ReadFeedback(document);
//
// Reasons and comments are read over: nothing here keeps them. Errors: kInvalidArgument with path.
// Source: CDS Hooks 2.0.1, "Feedback". Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_FEEDBACK_H_
#define STEPWISE_CDS_HOOKS_FEEDBACK_H_

#include <string>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/document.h"
#include "fhir/result.h"

namespace stepwise::cds_hooks {

struct Feedback {
  std::string card;         // uuid
  bool overridden = false;  // else accepted
  DateTime at;
};

Result<std::vector<Feedback>> ReadFeedback(const Document& document);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_FEEDBACK_H_
