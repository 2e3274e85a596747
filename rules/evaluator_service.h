// EvaluatorServer: any Evaluator as a gRPC service (proto/stepwise/rules/v1/rule_evaluation.proto).
//
//   auto server = EvaluatorServer::Start(*evaluator, {.listen = "127.0.0.1:0"});
//   (*server)->address() == "127.0.0.1:41234"
//   (*server)->Shutdown(10s);
//
// gRPC's threads only receive: a bounded pool evaluates. A call that finds the queue full is answered at once
// (RESOURCE_EXHAUSTED, code kUnavailable: another server may have room), one whose caller has gone or whose
// deadline has passed is not evaluated. A caller that names another site than ours, or other packs than those
// that are on now, gets no decision: it asks another server, or lists the packs again. Versions in shadow are
// evaluated when the answer is on its way. The deadline is the time limit of the evaluation. Exceptions stop
// here.
//
// The health service (grpc.health.v1) says SERVING from Start() to Shutdown(). No TLS and no authentication:
// patient data travel in clear, so listen where only the CDS service (or a proxy that does both) can connect.
// Thread-safety: all methods may be called from any thread.
#ifndef STEPWISE_RULES_EVALUATOR_SERVICE_H_
#define STEPWISE_RULES_EVALUATOR_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "fhir/document.h"
#include "fhir/result.h"
#include "rules/evaluator.h"

namespace stepwise::rules {

struct EvaluatorServerOptions {
  // HOST:PORT, or unix:PATH; port 0 takes a free one. A port that another process listens on is an error.
  std::string listen = "127.0.0.1:50051";

  // Of the packs that are on; calls of another site are refused. "": the default site
  std::string site = {};

  // --- work ---
  std::size_t threads = 0;  // that evaluate; 0: as many as there are processors
  // Requests that wait for a thread. They and those that run are held in memory: at most
  // (threads + queue_size) * document_limits.max_bytes, and the trees of those that run.
  std::size_t queue_size = 128;
  // Time limit of an evaluation whose caller gives a later deadline, or none.
  std::chrono::milliseconds max_evaluation{30'000};

  // --- input ---
  DocumentLimits document_limits = {};  // gRPC refuses messages that are over 64 KiB longer than max_bytes

  // --- connections ---
  // After so long a connection is asked to go, so that callers spread over new servers; 0: never.
  std::chrono::milliseconds max_connection_age{std::chrono::minutes(10)};
};

class EvaluatorServer {
 public:
  // Listens and serves. `evaluator` outlives the server. Errors: kUnavailable when the address cannot be had.
  static Result<std::unique_ptr<EvaluatorServer>> Start(Evaluator& evaluator,
                                                        const EvaluatorServerOptions& options);
  ~EvaluatorServer();  // Shutdown(0)
  EvaluatorServer(const EvaluatorServer&) = delete;
  EvaluatorServer& operator=(const EvaluatorServer&) = delete;

  // As in the options, with the port that was taken.
  const std::string& address() const { return address_; }

  // Health NOT_SERVING and no new calls; calls in flight get so long, then they are cancelled. Returns when
  // none is left: an evaluation that runs is not interrupted, it ends at its own deadline at the latest.
  void Shutdown(std::chrono::milliseconds drain);

 private:
  struct Impl;
  explicit EvaluatorServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_EVALUATOR_SERVICE_H_
