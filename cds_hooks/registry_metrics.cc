#include "cds_hooks/registry_metrics.h"

#include <string>
#include <utility>

namespace stepwise::cds_hooks {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<prometheus::ClientMetric::Label>;

MetricFamily Family(std::string_view name, MetricType type, std::string_view help) {
  MetricFamily family;
  family.name = "stepwise_" + std::string(name);
  family.help = std::string(help);
  family.type = type;
  return family;
}

void Add(MetricFamily& family, Labels labels, std::uint64_t value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) =
      static_cast<double>(value);
  family.metric.push_back(std::move(metric));
}

MetricFamily Gauge(std::string_view name, std::string_view help, std::uint64_t value) {
  MetricFamily family = Family(name, MetricType::Gauge, help);
  Add(family, {}, value);
  return family;
}

}  // namespace

std::vector<MetricFamily> RegistryMetrics(const rules::RegistryStatus& status) {
  MetricFamily reloads =
      Family("reloads_total", MetricType::Counter, "Attempts to load the packs, the first one included.");
  Add(reloads, {{"result", "ok"}}, status.reloads_ok);
  Add(reloads, {{"result", "failed"}}, status.reloads_failed);
  MetricFamily packs =
      Family("pack_info", MetricType::Gauge, "Versions of packs that are loaded, and how each is on now.");
  for (const rules::PackState& pack : status.packs) {
    Add(packs,
        {{"id", pack.ref.id},
         {"version", pack.ref.version},
         {"digest", pack.ref.digest},
         {"mode", std::string(pack.mode)}},
        1);
  }
  MetricFamily shadow = Family("shadow_outcomes_total", MetricType::Counter,
                               "Rules of versions in shadow that fired as the shown ones did, or otherwise.");
  for (const auto& [one, count] : status.shadow) {
    Add(shadow,
        {{"pack", one.pack},
         {"version", one.version},
         {"rule", one.rule},
         {"kind", std::string(one.kind)},
         {"line", one.line}},
        count);
  }
  return {std::move(reloads),
          Gauge("reload_failing", "1 while the last reload failed and older packs go on answering.",
                status.errors.empty() ? 0 : 1),
          Gauge("registry_generation", "Number of the snapshot that answers.", status.generation),
          std::move(packs), std::move(shadow)};
}

}  // namespace stepwise::cds_hooks
