// ConnectRemoteEvaluator: evaluators in other processes (rules/evaluator_service.h) as an Evaluator.
//
//   auto evaluator = ConnectRemoteEvaluator({"10.0.0.7:50051", "10.0.0.8:50051"}, std::chrono::seconds(2));
//
// Calls go round the addresses, over one connection each that is kept. An address that does not answer, is
// stopping or is busy is passed over for the next, once round, within the time limit: evaluations have no
// side effects, so asking twice is harmless. Sends exactly the bytes of the document. Connects at the first
// call, so evaluators may start later, and come back.
//
// Snapshot() gives what the evaluators have on, listed every few seconds of `now`, and again when none of
// them agrees any more. An evaluator that has other packs on, or others in canary, is passed over like one
// that is busy; when all of them do, the request goes on with what they have now, which the decision names.
// Evaluators of another site are passed over too. What is in shadow they evaluate and count themselves.
//
// Errors: those of the evaluator, with code, message, path and span; kLimit when the answer did not come in
// time; kUnavailable when no address answered (the message says why, address by address);
// kInternal when the answer makes no sense here (a newer evaluator).
// Thread-safety: as every Evaluator: many threads at once.
#ifndef STEPWISE_RULES_REMOTE_EVALUATOR_H_
#define STEPWISE_RULES_REMOTE_EVALUATOR_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "rules/evaluator.h"

namespace stepwise::rules {

// `addresses`: HOST:PORT or unix:PATH. `timeout`: of a call; Evaluate() takes the shorter of this and its
// own. Zero or less means "not given", and 30 s when neither is. `site`: "" takes evaluators of any.
std::unique_ptr<Evaluator> ConnectRemoteEvaluator(std::vector<std::string> addresses,
                                                  std::chrono::milliseconds timeout,
                                                  const std::string& site = {});

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_REMOTE_EVALUATOR_H_
