#include "cds_hooks/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "cds_hooks/http_server.h"
#include "cds_hooks/registry_metrics.h"

namespace stepwise::cds_hooks {
namespace {

using prometheus::Labels;

constexpr std::string_view kOther = "other";

// Routes and statuses that have series of their own; the last of each stands for all others.
constexpr std::string_view kRoutes[] = {"/cds-services",
                                        "/cds-services/{id}",
                                        "/cds-services/{id}/feedback",
                                        "/health",
                                        "/health/live",
                                        "/health/ready",
                                        "/metrics",
                                        "/admin",
                                        kOther};
constexpr int kStatuses[] = {200, 204, 400, 401, 403, 404, 405, 408, 409, 411, 412,
                             413, 415, 422, 429, 431, 500, 501, 502, 503, 504, 0};
constexpr std::string_view kPhases[] = {"auth", "fetch", "evaluate"};

struct CounterRow {
  const char* name;
  const char* labels[2];  // "": none
  const char* help;
};
// By Metrics::Counter.
constexpr CounterRow kCounterRows[] = {
    {"cards_total", {"rule", "indicator"}, "Cards shown."},
    {"prefetch_total", {"key", "state"}, "Entries of prefetch, by what became of them."},
    {"fhir_calls_total", {"outcome", ""}, "Calls of FHIR servers."},
    {"authentications_total",
     {"result", ""},
     "Requests whose sender was checked; ok, or why it was refused."},
    {"feedback_total", {"outcome", ""}, "Cards that feedback came for."},
    {"records_total", {"result", ""}, "Decision records: written to the store, spooled on disk, or lost."},
    {"overload_total", {"reason", ""}, "Requests and connections refused for want of room."},
    {"shadow_skipped_total", {"", ""}, "Requests for which no version in shadow was tried."},
};
static_assert(std::size(kCounterRows) == Metrics::kCounters);

struct Row {
  const char* name;
  const char* help;
};
// By Metrics::Histogram.
constexpr Row kHistogramRows[] = {
    {"fhir_call_duration_seconds", "One call of a FHIR server, retries included."},
    {"store_write_duration_seconds", "One write to the store of records."},
};
static_assert(std::size(kHistogramRows) == Metrics::kHistograms);
// By Metrics::Gauge.
constexpr Row kGaugeRows[] = {
    {"connections", "Connections that are open."},
    {"queued_evaluations", "Requests that wait for a worker."},
    {"tls_certificate_expiry_timestamp_seconds", "When the server's certificate ends."},
    {"store_up", "1 while the store of records takes records."},
    {"store_queued", "Records that wait to be written."},
    {"spool_bytes", "Disk that spooled records take."},
};
static_assert(std::size(kGaugeRows) == Metrics::kGauges);

std::string Name(std::string_view name) { return "stepwise_" + std::string(name); }

// From a fast answer out of memory to the longest time a request may take.
prometheus::Histogram::BucketBoundaries Buckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
}

double Seconds(std::int64_t us) { return static_cast<double>(us) / 1e6; }

// The counters of one metric by the values of its labels. Series are made when they are first counted, never
// removed, and found again under a shared lock.
class Counters {
 public:
  Counters(const CounterRow& row, prometheus::Registry& registry)
      : row_(row),
        family_(prometheus::BuildCounter().Name(Name(row.name)).Help(row.help).Register(registry)) {
    if (*row.labels[0] == '\0') Make("", "");  // shown from the start
  }

  void Count(std::string_view first, std::string_view second) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = series_.find(std::pair(first, second)); found != series_.end())
        return found->second->Increment();
    }
    const std::unique_lock lock(mutex_);
    if (const auto found = series_.find(std::pair(first, second)); found != series_.end())
      return found->second->Increment();
    (series_.size() < Metrics::kMaxSeries ? Make(first, second) : Overflow()).Increment();
  }

 private:
  using Key = std::pair<std::string, std::string>;
  struct Less {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      const int order = std::string_view(a.first).compare(b.first);
      return order != 0 ? order < 0 : std::string_view(a.second) < std::string_view(b.second);
    }
  };

  prometheus::Counter& Make(std::string_view first, std::string_view second) {
    Labels labels;
    if (*row_.labels[0] != '\0') labels.emplace(row_.labels[0], first);
    if (*row_.labels[1] != '\0') labels.emplace(row_.labels[1], second);
    prometheus::Counter& counter = family_.Add(labels);
    series_.emplace(Key(first, second), &counter);
    return counter;
  }
  prometheus::Counter& Overflow() {
    const auto found = series_.find(std::pair(kOther, kOther));
    return found != series_.end() ? *found->second : Make(kOther, kOther);
  }

  const CounterRow& row_;
  prometheus::Family<prometheus::Counter>& family_;
  std::shared_mutex mutex_;
  std::map<Key, prometheus::Counter*, Less> series_;  // guarded by mutex_
};

}  // namespace

struct Metrics::Impl {
  prometheus::Histogram& Series(std::atomic<prometheus::Histogram*>& cached,
                                prometheus::Family<prometheus::Histogram>& family, const char* label,
                                std::string_view value) {
    if (auto* known = cached.load(std::memory_order_acquire)) return *known;
    prometheus::Histogram& made = family.Add({{label, std::string(value)}}, Buckets());  // the same each time
    cached.store(&made, std::memory_order_release);
    return made;
  }

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter().Name(Name("requests_total")).Help("Requests answered.").Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name(Name("request_duration_seconds"))
          .Help("From the last byte of a request to its answer being ready.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& phases =
      prometheus::BuildHistogram()
          .Name(Name("phase_duration_seconds"))
          .Help("Phases of requests: checking the sender, fetching, evaluating the rules.")
          .Register(registry);
  // Series that were counted before; they live as long as the registry.
  std::array<std::array<std::atomic<prometheus::Counter*>, std::size(kStatuses)>, std::size(kRoutes)>
      known_requests = {};
  std::array<std::atomic<prometheus::Histogram*>, std::size(kRoutes)> known_durations = {};
  std::array<std::atomic<prometheus::Histogram*>, std::size(kPhases)> known_phases = {};
  std::vector<std::unique_ptr<Counters>> counters;  // by Counter
  std::vector<prometheus::Histogram*> histograms;   // by Histogram
  std::array<std::function<double()>, kGauges> gauges;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  for (const CounterRow& row : kCounterRows)
    impl_->counters.push_back(std::make_unique<Counters>(row, impl_->registry));
  for (const Row& row : kHistogramRows) {
    auto& family = prometheus::BuildHistogram().Name(Name(row.name)).Help(row.help).Register(impl_->registry);
    impl_->histograms.push_back(&family.Add({}, Buckets()));
  }
}

Metrics::~Metrics() = default;

void Metrics::RequestAnswered(const AccessRecord& record) {
  const auto* const found_route = std::find(std::begin(kRoutes), std::end(kRoutes) - 1, record.summary.route);
  const auto* const found_status = std::find(std::begin(kStatuses), std::end(kStatuses) - 1, record.status);
  const auto route = static_cast<std::size_t>(found_route - std::begin(kRoutes));
  const auto status = static_cast<std::size_t>(found_status - std::begin(kStatuses));
  std::atomic<prometheus::Counter*>& cached = impl_->known_requests[route][status];
  prometheus::Counter* counter = cached.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &impl_->requests.Add(
        {{"route", std::string(kRoutes[route])},
         {"status", *found_status == 0 ? std::string(kOther) : std::to_string(*found_status)}});
    cached.store(counter, std::memory_order_release);
  }
  counter->Increment();
  impl_->Series(impl_->known_durations[route], impl_->durations, "route", kRoutes[route])
      .Observe(Seconds(record.duration_us));
  const std::int64_t phases[] = {record.summary.auth_us, record.summary.fetch_us, record.summary.evaluate_us};
  for (std::size_t i = 0; i < std::size(phases); ++i) {
    if (phases[i] < 0) continue;
    impl_->Series(impl_->known_phases[i], impl_->phases, "phase", kPhases[i]).Observe(Seconds(phases[i]));
  }
}

void Metrics::Count(Counter counter, std::string_view first, std::string_view second) {
  impl_->counters[counter]->Count(first, second);
}

void Metrics::Observe(Histogram histogram, std::int64_t duration_us) {
  impl_->histograms[histogram]->Observe(Seconds(duration_us));
}

void Metrics::Watch(Gauge gauge, std::function<double()> read) { impl_->gauges[gauge] = std::move(read); }

std::string Metrics::Text(const rules::RegistryStatus* registry) const {
  std::vector<prometheus::MetricFamily> families;
  if (registry != nullptr) families = RegistryMetrics(*registry);
  for (std::size_t i = 0; i < kGauges; ++i) {
    if (!impl_->gauges[i]) continue;
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = Name(kGaugeRows[i].name);
    family.help = kGaugeRows[i].help;
    family.type = prometheus::MetricType::Gauge;
    family.metric.resize(1);
    family.metric[0].gauge.value = impl_->gauges[i]();
  }
  for (prometheus::MetricFamily& family : impl_->registry.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace stepwise::cds_hooks
