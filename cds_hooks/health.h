// Health of the server for those who watch it, as a function from what is known to an answer.
//
//   GET /health/live    200 {"status":"up"} while the process runs
//   GET /health/ready   200 {"status":"ready"} | {"status":"degraded",...}, 503 {"status":"unready",...}
//   GET /health         the same status in detail:
//   {"status":"ready","packs":[{"id":...,"version":...,"digest":...,"mode":"on"},...],
//    "registry":{"generation":3,"loaded":"2026-12-10T09:00:00.000Z","reload":"failed","failed":"...",
//                "errors":["registry/a/pack.yaml:3:1: ..."]},"store":"ok"}
//
// Ready: packs are loaded (or an evaluator answers) and the server is not stopping. Degraded is ready too: no
// record can be written at the moment, advice goes on. A reload that failed changes neither: the last good
// packs go on answering. At most ten of its errors are told. Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_HEALTH_H_
#define STEPWISE_CDS_HOOKS_HEALTH_H_

#include <string>
#include <vector>

#include "fhir/result.h"
#include "rules/evaluator.h"
#include "rules/registry.h"

namespace stepwise::cds_hooks {

// The pointers and views live as long as the call.
struct HealthInputs {
  Result<std::vector<rules::PackInfo>> packs;       // what ListPacks() of the evaluator says
  const rules::RegistryStatus* registry = nullptr;  // where packs are loaded in this process
  bool draining = false;                            // stopping: no new requests
  bool store_configured = false, store_up = false;
};

struct Health {
  int status = 200;  // of HTTP
  std::string body;
};

Health ReadyHealth(const HealthInputs& inputs);
Health HealthText(const HealthInputs& inputs);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_HEALTH_H_
