// Metrics: what the server counts, for Prometheus (GET /metrics, text format 0.0.4).
//
//   Metrics metrics;
//   metrics.RequestAnswered(record);                       // the observer of HttpServer
//   metrics.Count(Metrics::kFhirCalls, "timeout");
//   metrics.Watch(Metrics::kConnections, [&] { return server.connections(); });
//   std::string text = metrics.Text(&registry.status());
//
// Nothing of a patient becomes a label, and nothing that a client chooses freely: values are names from our
// own tables (routes, error codes, enumerations) or from packs (keys, rules). A metric that is given more
// than Metrics::kMaxSeries values all the same counts the further ones as "other", so memory stays bounded.
//
// What it does not do: listen, push, or remember across restarts.
// Thread-safety: all methods from many threads; counting takes no lock once a value was seen, except the
// short one inside a histogram.
#ifndef STEPWISE_CDS_HOOKS_METRICS_H_
#define STEPWISE_CDS_HOOKS_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "rules/registry.h"

namespace stepwise::cds_hooks {

struct AccessRecord;

class Metrics {
 public:
  static constexpr std::size_t kMaxSeries = 512;  // of one metric

  // Counters with one or two labels; metrics.cc has their names, labels and help.
  enum Counter : std::uint8_t {
    kCards,            // {rule, indicator}
    kPrefetch,         // {key, state}: supplied, empty, failed, absent, fetched
    kFhirCalls,        // {outcome}
    kAuthentications,  // {result}: ok, or the reason it failed
    kFeedback,         // {outcome}: accepted, overridden
    kRecords,          // {result}: written, spooled, lost
    kOverload,         // {reason}: what was refused for want of room
    kShadowSkipped,    // no label
    kCounters
  };
  enum Histogram : std::uint8_t { kFhirCall, kStoreWrite, kHistograms };  // seconds
  enum Gauge : std::uint8_t {
    kConnections,
    kQueuedEvaluations,
    kCertificateExpiry,  // seconds since 1970
    kStoreUp,            // 1 or 0
    kStoreQueued,        // records
    kSpoolBytes,
    kGauges
  };

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Requests by route and status, their duration by route, and the duration of the phases that took place.
  void RequestAnswered(const AccessRecord& record);
  void Count(Counter counter, std::string_view first = "", std::string_view second = "");
  void Observe(Histogram histogram, std::int64_t duration_us);
  // `read` is called whenever the metrics are asked for, from the thread that asks; it does not throw. A
  // gauge that nobody watches is not shown. Called before the first Text().
  void Watch(Gauge gauge, std::function<double()> read);

  // All of it, and the state of the registry unless it is nullptr.
  std::string Text(const rules::RegistryStatus* registry) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_METRICS_H_
