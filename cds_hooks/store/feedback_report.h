// FeedbackReport: how often cards were accepted and overridden, why, and after how long; by rule and version.
//
//   Result<FeedbackReport> report = MakeFeedbackReport(store, {.period = {since_ms}, .pack =
//   "org.example.pain"}); std::cout << ReportText(*report, ReportFormat::kTable);
//
// Counts are of cards: of one that was answered several times the last answer counts, and the first says how
// long it took. A card without feedback was not answered; nobody knows whether it was read. Answers dated
// before their card (a client's clock) count, their time does not. Feedback on cards that are not known is
// counted apart. Errors: the store's. Thread-safety: pure but for the store.
#ifndef STEPWISE_CDS_HOOKS_STORE_FEEDBACK_REPORT_H_
#define STEPWISE_CDS_HOOKS_STORE_FEEDBACK_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/store/store.h"

namespace stepwise::cds_hooks {

struct ReasonCount {
  std::string system, code;  // both "" when none was given
  std::int64_t cards = 0;
};

struct ReportLine {
  std::string pack, version, rule, title;
  std::int64_t shown = 0, answered = 0, accepted = 0, overridden = 0;
  std::vector<ReasonCount> reasons;               // of overridden ones, the commonest first
  std::optional<std::int64_t> median_ms, p90_ms;  // from shown to answered
};

struct FeedbackReport {
  std::vector<ReportLine> lines;   // by pack, version, rule
  std::int64_t unknown_cards = 0;  // answered, and in no record
};

Result<FeedbackReport> MakeFeedbackReport(Store& store, const CardFilter& filter);

enum class ReportFormat : std::uint8_t { kTable, kCsv, kJson };
std::optional<ReportFormat> ReportFormatOf(std::string_view name);  // "table", "csv", "json"
std::string_view MediaTypeOf(ReportFormat format);
std::string ReportText(const FeedbackReport& report, ReportFormat format);

// "2026-11-01" (its first moment in UTC) or a time with offset. Errors: kInvalidArgument.
Result<std::int64_t> ParseMoment(std::string_view text);

// What GET /admin/feedback answers. `query`: "format=csv&since=2026-11-01&until=...&pack=...&rule=...", or
// "". Errors: kInvalidArgument for what is not understood; the store's.
struct AdminAnswer {
  std::string_view media_type;
  std::string body;
};
Result<AdminAnswer> AdminFeedback(Store& store, std::string_view query);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_FEEDBACK_REPORT_H_
