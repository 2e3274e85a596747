// The state of the pack registry as metrics for Prometheus.
//
//   stepwise_pack_info{id="org.example.a",version="1.2.0",digest="sha256:...",mode="on"} 1
//
// Labels come from packs, so there are as many as packs, versions and rules. Thread-safety: a pure function.
#ifndef STEPWISE_CDS_HOOKS_REGISTRY_METRICS_H_
#define STEPWISE_CDS_HOOKS_REGISTRY_METRICS_H_

#include <prometheus/metric_family.h>

#include <cstdint>
#include <vector>

#include "rules/registry.h"

namespace stepwise::cds_hooks {

std::vector<prometheus::MetricFamily> RegistryMetrics(const rules::RegistryStatus& status);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_REGISTRY_METRICS_H_
