// Feedback: what clinicians did with cards, as CDS clients report it.
//
//   POST /cds-services/{id}/feedback
//   {"feedback":[{"card":"<uuid>","outcome":"overridden",
//                 "overrideReason":{"reason":{"code":"incident-pain","system":"..."},"userComment":"..."},
//                 "outcomeTimestamp":"2026-12-10T09:00:00Z"}]}
//
//   FeedbackBatch batch = ReadFeedback(document);
//   Keep(batch.entries);
//   if (!batch.errors.empty()) Refuse(batch.Refusal());   // 400: the bad ones; the others were kept
//
// One bad entry loses no other. Also taken, because clients send them: a Coding or a CodeableConcept directly
// in overrideReason or in its reason, a text there (a comment), a reason without system or display, a comment
// without reason, suggestions as plain ids, "urn:uuid:" before an id; members that nobody knows are read
// over. Reasons, comments and even codes are what a client wrote: they may be about a patient. Errors:
// kInvalidArgument with path. Source: CDS Hooks 2.0.1, "Feedback". Thread-safety: pure.
#ifndef STEPWISE_CDS_HOOKS_FEEDBACK_H_
#define STEPWISE_CDS_HOOKS_FEEDBACK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/document.h"
#include "fhir/result.h"
#include "rules/decision.h"

namespace stepwise::cds_hooks {

struct Feedback {
  std::string card;         // uuid
  bool overridden = false;  // else accepted
  DateTime at;
  std::vector<std::string> suggestions;  // uuids of the accepted ones
  rules::Coding reason;                  // of an override; all "" when none was given
  std::string comment;                   // free text
};

struct FeedbackLimits {
  std::size_t max_entries = 1000;      // of one call; more are errors
  std::size_t max_suggestions = 100;   // of one entry; more are an error
  std::size_t max_text_bytes = 4'096;  // of a comment or another text; the rest is cut off
};

struct FeedbackBatch {
  std::vector<Feedback> entries;
  std::vector<Error> errors;  // empty only when there are entries

  // `errors`, and how many entries were kept.
  std::vector<Error> Refusal() const;
};

FeedbackBatch ReadFeedback(const Document& document, const FeedbackLimits& limits = {});

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_FEEDBACK_H_
