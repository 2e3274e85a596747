#include "cds_hooks/store/feedback_report.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "fhir/date_time.h"

namespace stepwise::cds_hooks {
namespace {

using LineKey = std::tuple<std::string, std::string, std::string>;  // pack, version, rule

// The answers to one card, in the order of their times.
struct Answers {
  const AnsweredCard* first = nullptr;
  const AnsweredCard* last = nullptr;
};

// Nearest rank.
std::optional<std::int64_t> Percentile(const std::vector<std::int64_t>& sorted, std::size_t percent) {
  if (sorted.empty()) return std::nullopt;
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void Count(const Answers& answers, ReportLine* line, std::vector<std::int64_t>* times) {
  ++line->answered;
  const AnsweredCard& last = *answers.last;
  if (last.overridden) {
    ++line->overridden;
    const auto same = std::ranges::find_if(line->reasons, [&](const ReasonCount& reason) {
      return reason.system == last.reason_system && reason.code == last.reason_code;
    });
    if (same != line->reasons.end()) {
      ++same->cards;
    } else {
      line->reasons.push_back({last.reason_system, last.reason_code, 1});
    }
  } else {
    ++line->accepted;
  }
  const std::int64_t took = answers.first->at_ms - answers.first->shown_ms;
  if (took >= 0) times->push_back(took);
}

}  // namespace

Result<FeedbackReport> MakeFeedbackReport(Store& store, const CardFilter& filter) {
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<ShownCards> shown, store.Shown(filter));
  STEPWISE_ASSIGN_OR_RETURN(const std::vector<AnsweredCard> answered, store.Answered(filter));
  FeedbackReport out;
  std::map<LineKey, ReportLine> lines;
  for (const ShownCards& row : shown) {
    lines[{row.pack, row.version, row.rule}] = {row.pack, row.version, row.rule, row.title, row.cards, 0,
                                                0,        0,           {},       {},        {}};
  }
  std::map<std::string_view, Answers> cards;
  for (const AnsweredCard& row : answered) {
    Answers& answers = cards[row.card];
    if (answers.first == nullptr) answers.first = &row;
    answers.last = &row;
  }
  std::map<LineKey, std::vector<std::int64_t>> times;
  for (const auto& [uuid, answers] : cards) {
    const LineKey key{answers.last->pack, answers.last->version, answers.last->rule};
    const auto line = lines.find(key);
    if (line == lines.end()) {
      ++out.unknown_cards;
    } else {
      Count(answers, &line->second, &times[key]);
    }
  }
  for (auto& [key, line] : lines) {
    std::vector<std::int64_t>& took = times[key];
    std::ranges::sort(took);
    line.median_ms = Percentile(took, 50);
    line.p90_ms = Percentile(took, 90);
    std::ranges::sort(line.reasons, [](const ReasonCount& a, const ReasonCount& b) {
      return std::tie(b.cards, a.system, a.code) < std::tie(a.cards, b.system, b.code);
    });
    out.lines.push_back(std::move(line));
  }
  return out;
}

Result<std::int64_t> ParseMoment(std::string_view text) {
  std::optional<DateTime> moment = DateTime::ParseDateTime(text);
  const bool good = moment && (moment->precision == Precision::kDay || moment->has_offset);
  if (!good) {
    return Fail(
        Code::kInvalidArgument,
        "expected a date such as 2026-11-01, or a time with offset such as 2026-11-01T00:00:00+01:00");
  }
  return moment->ToUnixMillis();
}

Result<AdminAnswer> AdminFeedback(Store& store, std::string_view query) {
  CardFilter filter;
  ReportFormat format = ReportFormat::kJson;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view value = pair.substr(std::min(name.size() + 1, pair.size()));
    const auto moment = [&](std::int64_t* out) -> Status {
      std::string text(value);  // the only sign of a time that must be escaped
      for (std::size_t at; (at = text.find("%2B")) != std::string::npos;) text.replace(at, 3, "+");
      STEPWISE_ASSIGN_OR_RETURN(*out, ParseMoment(text));
      return {};
    };
    if (name == "format" && ReportFormatOf(value)) {
      format = *ReportFormatOf(value);
    } else if (name == "since") {
      STEPWISE_RETURN_IF_ERROR(moment(&filter.period.since_ms));
    } else if (name == "until") {
      STEPWISE_RETURN_IF_ERROR(moment(&filter.period.until_ms));
    } else if (name == "pack") {
      filter.pack = value;
    } else if (name == "rule") {
      filter.rule = value;
    } else if (!pair.empty()) {
      return Fail(Code::kInvalidArgument, "expected format=table, csv or json; since=, until=, pack=, rule=");
    }
  }
  STEPWISE_ASSIGN_OR_RETURN(const FeedbackReport report, MakeFeedbackReport(store, filter));
  return AdminAnswer{MediaTypeOf(format), ReportText(report, format)};
}

}  // namespace stepwise::cds_hooks
