// What counting costs on the way of a request.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "cds_hooks/http_server.h"
#include "cds_hooks/metrics.h"

namespace stepwise::cds_hooks {
namespace {

// The value of the line that begins so.
std::uint64_t Value(const std::string& text, const std::string& series) {
  const std::size_t at = text.find(series + " ");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + series.size() + 1));
}

// A request with its phases: one counter and four histograms. All threads share one Metrics, as the workers
// do.
void MetricsRequestAnswered(benchmark::State& state) {
  static Metrics metrics;
  AccessRecord record;
  record.status = 200;
  record.duration_us = 800;
  record.summary.route = "/cds-services/{id}";
  record.summary.auth_us = 50;
  record.summary.fetch_us = 400;
  record.summary.evaluate_us = 300;
  const std::string series = R"(stepwise_requests_total{route="/cds-services/{id}",status="200"})";
  const std::uint64_t before = Value(metrics.Text(nullptr), series);
  std::uint64_t mine = 0;
  for (auto _ : state) {
    metrics.RequestAnswered(record);
    ++mine;
  }
  if (Value(metrics.Text(nullptr), series) < before + mine) state.SkipWithError("requests are missing");
}
BENCHMARK(MetricsRequestAnswered)->Threads(1)->Threads(2);

// A counter found by the values of its labels, among those of a pack with many keys.
void MetricsCount(benchmark::State& state) {
  Metrics metrics;
  for (int i = 0; i < 40; ++i) metrics.Count(Metrics::kPrefetch, "key-" + std::to_string(i), "absent");
  std::uint64_t counted = 1;
  for (auto _ : state) {
    metrics.Count(Metrics::kPrefetch, "key-17", "absent");
    ++counted;
  }
  const std::string series = R"(stepwise_prefetch_total{key="key-17",state="absent"})";
  if (Value(metrics.Text(nullptr), series) != counted) state.SkipWithError("counts are missing");
}
BENCHMARK(MetricsCount);

}  // namespace
}  // namespace stepwise::cds_hooks
