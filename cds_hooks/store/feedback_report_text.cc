#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cds_hooks/store/feedback_report.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::ordered_json;

struct Format {
  std::string_view name, media_type;
};
constexpr Format kFormats[] = {  // in the order of ReportFormat
    {"table", "text/plain; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"json", "application/json"}};

constexpr const char* kColumns[] = {"pack",       "version",    "rule",     "shown", "answered", "accepted",
                                    "overridden", "acceptance", "median_s", "p90_s", "reasons"};
constexpr std::size_t kFirstNumber = 3, kReasons = 10;
using Row = std::array<std::string, std::size(kColumns)>;

// One digit after the point; "" when not known.
std::string Tenths(std::optional<std::int64_t> tenths) {
  if (!tenths) return "";
  return std::to_string(*tenths / 10) + "." + std::to_string(*tenths % 10);
}

std::string Seconds(std::optional<std::int64_t> ms) { return ms ? Tenths((*ms + 50) / 100) : std::string(); }

std::optional<std::int64_t> AcceptanceInTenthsOfAPercent(const ReportLine& line) {
  if (line.answered == 0) return std::nullopt;
  return (line.accepted * 1000 + line.answered / 2) / line.answered;
}

Row RowOf(const ReportLine& line) {
  std::string reasons;
  for (const ReasonCount& reason : line.reasons) {
    reasons += (reasons.empty() ? "" : "; ") + (reason.code.empty() ? std::string("(none)") : reason.code) +
               " " + std::to_string(reason.cards);
  }
  const auto percent = AcceptanceInTenthsOfAPercent(line);
  return {line.pack,
          line.version,
          line.rule,
          std::to_string(line.shown),
          std::to_string(line.answered),
          std::to_string(line.accepted),
          std::to_string(line.overridden),
          percent ? Tenths(percent) + "%" : "",
          Seconds(line.median_ms),
          Seconds(line.p90_ms),
          reasons};
}

std::string Table(const FeedbackReport& report) {
  std::vector<Row> rows(1);
  std::ranges::copy(kColumns, rows[0].begin());
  for (const ReportLine& line : report.lines) rows.push_back(RowOf(line));
  std::array<std::size_t, std::size(kColumns)> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - row[i].size(), ' ');
      const bool right = i >= kFirstNumber && i < kReasons;
      text += (i == 0 ? "" : "  ") + (right ? gap + row[i] : row[i] + gap);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  if (report.unknown_cards > 0)
    out += "answered, and in no record: " + std::to_string(report.unknown_cards) + " cards\n";
  return out;
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string Csv(const FeedbackReport& report) {
  std::string out;
  for (const char* column : kColumns) out += (out.empty() ? "" : ",") + std::string(column);
  for (const ReportLine& line : report.lines) {
    out += "\r\n";
    const Row row = RowOf(line);
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + CsvField(row[i]);
  }
  return out + "\r\n";
}

std::string JsonText(const FeedbackReport& report) {
  Json lines = Json::array();
  for (const ReportLine& line : report.lines) {
    Json reasons = Json::array();
    for (const ReasonCount& reason : line.reasons)
      reasons.push_back({{"system", reason.system}, {"code", reason.code}, {"cards", reason.cards}});
    Json row = {{"pack", line.pack},         {"version", line.version},      {"rule", line.rule},
                {"title", line.title},       {"shown", line.shown},          {"answered", line.answered},
                {"accepted", line.accepted}, {"overridden", line.overridden}};
    const auto percent = AcceptanceInTenthsOfAPercent(line);
    row["acceptance"] = percent ? Json(static_cast<double>(*percent) / 1000) : Json(nullptr);
    row["medianSeconds"] = line.median_ms ? Json(static_cast<double>(*line.median_ms) / 1000) : Json(nullptr);
    row["p90Seconds"] = line.p90_ms ? Json(static_cast<double>(*line.p90_ms) / 1000) : Json(nullptr);
    row["reasons"] = std::move(reasons);
    lines.push_back(std::move(row));
  }
  const Json out = {{"rules", std::move(lines)}, {"unknownCards", report.unknown_cards}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::optional<ReportFormat> ReportFormatOf(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  if (found == std::end(kFormats)) return std::nullopt;
  return static_cast<ReportFormat>(found - std::begin(kFormats));
}

std::string_view MediaTypeOf(ReportFormat format) {
  return kFormats[static_cast<std::size_t>(format)].media_type;
}

std::string ReportText(const FeedbackReport& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::kTable: return Table(report);
    case ReportFormat::kCsv: return Csv(report);
    case ReportFormat::kJson: return JsonText(report);
  }
  return "";
}

}  // namespace stepwise::cds_hooks
