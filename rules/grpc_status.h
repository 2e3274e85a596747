// Errors as gRPC statuses, and back: the one table between Code and grpc::StatusCode.
//
//   grpc::Status status = ToGrpcStatus({Code::kInvalidArgument, "the request names no hook", {}, "hook"});
//   status.error_code() == INVALID_ARGUMENT
//   FromGrpcStatus(status) == the same Error
//
// Code, message, path and span travel in an ErrorDetail, serialized in the binary details of the status, so
// that they survive where several codes share one status. A status without it (of gRPC itself, of a proxy) is
// read by the table. Statuses travel in HTTP/2 trailers, of which most peers accept 8 KiB: texts are cut
// (1 KiB each in the detail, 256 bytes in the status itself), and bytes that are not UTF-8 become '?'.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_GRPC_STATUS_H_
#define STEPWISE_RULES_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "fhir/result.h"

namespace stepwise::rules {

grpc::Status ToGrpcStatus(const Error& error);
// `status` is not OK.
Error FromGrpcStatus(const grpc::Status& status);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_GRPC_STATUS_H_
