// RecordMaker: what is remembered of an answered call and of feedback, with patient data only in sealed
// parts.
//
//   RecordMaker maker({.site = "north", .keep_input = true}, sealer, pseudonyms);
//   DecisionRecord record = maker.Make(call);
//
// In the open (proto/stepwise/store/v1/record.proto): ids of rules, lines, packs and cards, outcomes,
// digests, times, types of resources and names of elements, and reasons that say nothing of a patient's data;
// the patient by pseudonym. References, subjects, other reasons, errors and notes are in the sealed answer
// only, with the answer's bytes. The hook instance is not kept.
//
// The input is kept when configured, and never with an access token in it: whoever hands it over has blanked
// the token's text (every character the same, so that offsets and digests are those of what was evaluated);
// an input in which that was not done is not kept, see input_refused.
// Thread-safety: immutable.
#ifndef STEPWISE_CDS_HOOKS_STORE_RECORD_H_
#define STEPWISE_CDS_HOOKS_STORE_RECORD_H_

#include <string>
#include <string_view>

#include "cds_hooks/feedback.h"
#include "cds_hooks/store/pseudonym.h"
#include "cds_hooks/store/sealed.h"
#include "cds_hooks/store/store.h"
#include "fhir/document.h"
#include "rules/decision.h"
#include "rules/evaluator.h"

namespace stepwise::cds_hooks {

// One call that was answered; everything lives as long as the call of the recorder.
struct DecidedCall {
  std::string_view service;     // id
  std::string_view patient_id;  // as in the request
  const rules::Decision& decision;
  const rules::EvaluateOptions& how;  // with which it was evaluated
  const Document& input;              // that was evaluated
  std::string_view response;          // bytes of the answer
  std::uint32_t fetch_us = 0, evaluation_us = 0, total_us = 0;
};

struct RecordOptions {
  std::string site;
  bool keep_input = false;  // takes a sealer that seals
};

// What the sealed parts of a record are about: a part does not open in the place of another.
std::string AnswerOf(std::string_view decision_id);
std::string InputOf(std::string_view decision_id);
std::string CommentOf(std::string_view feedback_key);

class RecordMaker {
 public:
  // Both outlive this.
  RecordMaker(RecordOptions options, const Sealer& sealer, const Pseudonyms& pseudonyms)
      : options_(std::move(options)), sealer_(sealer), pseudonyms_(pseudonyms) {}

  DecisionRecord Make(const DecidedCall& call) const;
  FeedbackRecord Make(std::string_view service, const Feedback& feedback, const DateTime& received) const;
  // The input would have been kept, had it not held a token.
  bool Refuses(const Document& input) const;

 private:
  const RecordOptions options_;
  const Sealer& sealer_;
  const Pseudonyms& pseudonyms_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_RECORD_H_
