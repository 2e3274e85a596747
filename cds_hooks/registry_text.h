// The state of the pack registry for operators: as JSON (GET /health) and for Prometheus (GET /metrics).
//
//   {"status":"ready","packs":[{"id":...,"version":...,"digest":...,"mode":"on"},...],
//    "registry":{"generation":3,"loaded":"2026-12-10T09:00:00.000Z","reload":"failed","failed":"...",
//                "errors":["registry/a/pack.yaml:3:1: ..."]}}
//   stepwise_pack_info{id="org.example.a",version="1.2.0",digest="sha256:...",mode="on"} 1
//
// A reload that failed does not change "ready": the last good packs go on answering. At most ten errors are
// told. Source: Prometheus, "Exposition formats", text format 0.0.4. Thread-safety: pure functions.
#ifndef STEPWISE_CDS_HOOKS_REGISTRY_TEXT_H_
#define STEPWISE_CDS_HOOKS_REGISTRY_TEXT_H_

#include <cstdint>
#include <string>

#include "rules/registry.h"

namespace stepwise::cds_hooks {

std::string HealthText(const rules::RegistryStatus& status);
// `shadows_skipped`: requests for which shadow versions were not tried, for want of room.
std::string MetricsText(const rules::RegistryStatus& status, std::uint64_t shadows_skipped);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_REGISTRY_TEXT_H_
