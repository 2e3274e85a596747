#include "cds_hooks/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "cds_hooks/http_server.h"

namespace stepwise::cds_hooks {
namespace {

using testing::HasSubstr;
using testing::Not;

AccessRecord Record(std::string_view route, int status) {
  AccessRecord record;
  record.summary.route = route;
  record.status = status;
  record.duration_us = 3'000;
  return record;
}

TEST(Metrics, RequestsByRouteAndStatus) {
  Metrics metrics;
  for (int i = 0; i < 3; ++i) metrics.RequestAnswered(Record("/cds-services/{id}", 200));
  metrics.RequestAnswered(Record("/cds-services/{id}", 400));
  metrics.RequestAnswered(Record("/patients/of/somebody", 418));
  const std::string text = metrics.Text(nullptr);
  for (const char* line : {
           "# TYPE stepwise_requests_total counter\n",
           "stepwise_requests_total{route=\"/cds-services/{id}\",status=\"200\"} 3\n",
           "stepwise_requests_total{route=\"/cds-services/{id}\",status=\"400\"} 1\n",
           "stepwise_requests_total{route=\"other\",status=\"other\"} 1\n",
           "stepwise_request_duration_seconds_count{route=\"/cds-services/{id}\"} 4\n",
           "stepwise_request_duration_seconds_bucket{route=\"other\",le=\"0.0025\"} 0\n",
           "stepwise_request_duration_seconds_bucket{route=\"other\",le=\"0.005\"} 1\n",
           "stepwise_shadow_skipped_total 0\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("somebody")));
  EXPECT_THAT(text, Not(HasSubstr("stepwise_phase_duration_seconds_count")));
}

TEST(Metrics, OnlyPhasesThatTookPlace) {
  Metrics metrics;
  AccessRecord record = Record("/cds-services/{id}", 200);
  record.summary.auth_us = 0;
  record.summary.evaluate_us = 600;
  metrics.RequestAnswered(record);
  const std::string text = metrics.Text(nullptr);
  EXPECT_THAT(text, HasSubstr("stepwise_phase_duration_seconds_count{phase=\"auth\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("stepwise_phase_duration_seconds_bucket{phase=\"evaluate\",le=\"0.0005\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("phase=\"fetch\"")));
}

TEST(Metrics, CountersHistogramsAndGauges) {
  Metrics metrics;
  metrics.Count(Metrics::kCards, "ADJ-03", "warning");
  metrics.Count(Metrics::kPrefetch, "meds", "absent");
  metrics.Count(Metrics::kPrefetch, "meds", "absent");
  metrics.Count(Metrics::kPrefetch, "meds", "supplied");
  metrics.Count(Metrics::kFhirCalls, "timeout");
  metrics.Count(Metrics::kAuthentications, "signature");
  metrics.Count(Metrics::kFeedback, "overridden");
  metrics.Count(Metrics::kRecords, "spooled");
  metrics.Count(Metrics::kOverload, "queue");
  metrics.Count(Metrics::kShadowSkipped);
  metrics.Observe(Metrics::kFhirCall, 20'000);
  metrics.Watch(Metrics::kConnections, [] { return 7.0; });
  metrics.Watch(Metrics::kCertificateExpiry, [] { return 1796893200.0; });
  const std::string text = metrics.Text(nullptr);
  for (const char* line : {
           "stepwise_cards_total{indicator=\"warning\",rule=\"ADJ-03\"} 1\n",
           "stepwise_prefetch_total{key=\"meds\",state=\"absent\"} 2\n",
           "stepwise_prefetch_total{key=\"meds\",state=\"supplied\"} 1\n",
           "stepwise_fhir_calls_total{outcome=\"timeout\"} 1\n",
           "stepwise_authentications_total{result=\"signature\"} 1\n",
           "stepwise_feedback_total{outcome=\"overridden\"} 1\n",
           "stepwise_records_total{result=\"spooled\"} 1\n",
           "stepwise_overload_total{reason=\"queue\"} 1\n",
           "stepwise_shadow_skipped_total 1\n",
           "stepwise_fhir_call_duration_seconds_sum 0.02\n",
           "stepwise_connections 7\n",
           "stepwise_tls_certificate_expiry_timestamp_seconds 1796893200\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("stepwise_store_up")));  // nobody watches it
}

TEST(Metrics, ValuesAreBounded) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kMaxSeries + 10; ++i)
    metrics.Count(Metrics::kPrefetch, "key-" + std::to_string(i), "absent");
  const std::string text = metrics.Text(nullptr);
  EXPECT_THAT(text, HasSubstr("key=\"key-511\""));
  EXPECT_THAT(text, Not(HasSubstr("key=\"key-512\"")));
  EXPECT_THAT(text, HasSubstr("stepwise_prefetch_total{key=\"other\",state=\"other\"} 10\n"));
}

TEST(Metrics, ConcurrentCountsAreAllThere) {
  Metrics metrics;
  constexpr int kThreads = 4, kRounds = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        metrics.RequestAnswered(Record("/cds-services", 200));
        metrics.Count(Metrics::kCards, "R-" + std::to_string(i % 5), "info");
        if (i % 100 == 0) metrics.Text(nullptr);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics.Text(nullptr);
  EXPECT_THAT(text, HasSubstr("stepwise_requests_total{route=\"/cds-services\",status=\"200\"} 2000\n"));
  EXPECT_THAT(text, HasSubstr("stepwise_cards_total{indicator=\"info\",rule=\"R-4\"} 400\n"));
}

}  // namespace
}  // namespace stepwise::cds_hooks
