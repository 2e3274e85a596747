// Decisions and pack descriptions as protobuf messages, and back.
// The messages: proto/stepwise/rules/v1/rule_evaluation.proto.
//
//   v1::Decision message;
//   ToProto(decision, &message);
//   Result<Decision> same = FromProto(message);  // equal in every member
//
// Nothing is lost either way. Errors of FromProto: kSemantic for what this version of Stepwise does not know
// (an enum value of a newer peer, a time that is none); `path` names the place in the message
// ("rules[2].status"). Texts must be UTF-8, as protobuf wants it; those of a Decision are.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_DECISION_PROTO_H_
#define STEPWISE_RULES_DECISION_PROTO_H_

#include "fhir/result.h"
#include "rules/decision.h"
#include "rules/evaluator.h"

namespace stepwise::rules {

namespace v1 {
class Decision;
class EvaluateRequest;
class PackInfo;
}  // namespace v1

// `message` is empty before.
void ToProto(const Decision& decision, v1::Decision* message);
void ToProto(const PackInfo& info, v1::PackInfo* message);

// All but the time limit, which is the call's deadline.
void ToProto(const EvaluateOptions& options, v1::EvaluateRequest* message);

Result<Decision> FromProto(const v1::Decision& message);
Result<EvaluateOptions> FromProto(const v1::EvaluateRequest& message);
PackInfo FromProto(const v1::PackInfo& message);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_DECISION_PROTO_H_
