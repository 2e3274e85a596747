#include "cds_hooks/log.h"

#include <gtest/gtest.h>

#include <vector>

#include "cds_hooks/log_limit.h"

namespace stepwise::cds_hooks {
namespace {

AccessRecord Answered() {
  AccessRecord record;
  record.method = "POST";
  record.status = 200;
  record.duration_us = 412;
  record.request_bytes = 8192;
  record.response_bytes = 12;
  record.summary.route = "/cds-services/{id}";
  record.summary.service = "stepwise-order-sign";
  record.summary.hook = "order-sign";
  record.summary.decision = "id-1";
  return record;
}

constexpr std::string_view kLine =
    R"("event":"request","method":"POST","route":"/cds-services/{id}","status":200,"duration_us":412,)"
    R"("request_bytes":8192,"response_bytes":12,"service":"stepwise-order-sign","hook":"order-sign",)"
    R"("decision":"id-1","cards":0)";

TEST(Log, RequestLine) { EXPECT_EQ(RequestLine(Answered()), kLine); }

TEST(Log, WhoAskedTheTraceAndThePhasesThatTookPlace) {
  AccessRecord record = Answered();
  record.summary.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  record.summary.request_id = "00f067aa0ba902b7";
  record.summary.caller = "north-ehr";
  record.summary.auth_us = 0;
  record.summary.evaluate_us = 250;
  EXPECT_EQ(RequestLine(record), std::string(kLine) +
                                     R"(,"caller":"north-ehr","trace":"4bf92f3577b34da6a3ce929d0e0e4736",)" +
                                     R"("request":"00f067aa0ba902b7","auth_us":0,"evaluate_us":250)");
}

TEST(Log, SuppressedLine) {
  EXPECT_EQ(SuppressedLine("request", 400, 712),
            R"("event":"suppressed","of":"request","status":400,"lines":712)");
  EXPECT_EQ(SuppressedLine("reload-failed", 0, 1), R"("event":"suppressed","of":"reload-failed","lines":1)");
}

TEST(LogLimit, TheFirstOfAFloodThenOneASecond) {
  LogLimit limit({.burst = 3, .per_second = 1});
  const struct {
    int at_ms, status;
    bool write;
    std::uint64_t suppressed;
  } rows[] = {
      {0, 400, true, 0},       {1, 400, true, 0},       {2, 400, true, 0},
      {3, 400, false, 0},      {4, 400, false, 0},      {5, 500, true, 0},  // another kind
      {1'100, 400, true, 2},   {1'200, 400, false, 0},  {2'150, 400, true, 1},
      {60'000, 400, true, 0},  {60'001, 400, true, 0},  {60'002, 400, true, 0},
      {60'003, 400, false, 0}, {60'002, 400, false, 0},  // two threads, the later one first
  };
  for (const auto& row : rows) {
    const LogLimit::Verdict verdict =
        limit.Ask("request", row.status, LogLimit::Time(std::chrono::milliseconds(row.at_ms)));
    EXPECT_EQ(verdict.write, row.write) << row.at_ms;
    EXPECT_EQ(verdict.suppressed, row.suppressed) << row.at_ms;
  }
  const std::vector<LogLimit::Rest> rest = limit.TakeRest();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].event, "request");
  EXPECT_EQ(rest[0].status, 400);
  EXPECT_EQ(rest[0].suppressed, 2U);
  EXPECT_TRUE(limit.TakeRest().empty());
}

}  // namespace
}  // namespace stepwise::cds_hooks
