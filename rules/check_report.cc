#include "rules/check_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <tuple>

namespace stepwise::rules {
namespace {

using Json = nlohmann::ordered_json;

struct CheckRow {
  std::string_view name, doc;
};

constexpr CheckRow kChecks[] = {
    {"invalid-argument", "A value that its declaration does not allow"},
    {"syntax", "Text that does not parse: YAML, FHIRPath, templates"},
    {"semantic", "Text that parses and cannot mean anything: unknown keys and names, wrong types"},
    {"not-found", "A file that does not exist or that nobody names"},
    {"limit", "Longer, deeper or larger than allowed"},
    {"warning", "Compiles, and probably does not do what was meant"},
    {"constant", "A line or comparison with the same answer whatever the data are"},
    {"never-fires", "A rule that no data can make fire"},
    {"overlap", "Two rules that speak about the same order at the same hook and topic"},
    {"evidence", "A rule that names no source"},
    {"summary-length", "A card's summary that can be longer than CDS Hooks allows"},
    {"raw-html", "HTML in a card"},
    {"placeholder", "A placeholder in a card whose value has no text form"},
    {"override-code", "An override reason that changed its meaning between two versions"},
    {"tests", "A test file that cannot be used"},
};

const CheckRow& RowOf(std::string_view check) {
  const auto row = std::ranges::find(kChecks, check, &CheckRow::name);
  return row == std::end(kChecks) ? kChecks[2] : *row;
}

auto Place(const Finding& finding) {
  const SourceSpan& span = finding.error.span;
  return std::tie(span.file, span.line, span.column, finding.warning, finding.error.message);
}

std::string_view Level(const Finding& finding) { return finding.warning ? "warning" : "error"; }

// A path as a URI reference: bytes other than unreserved ones and / are percent-encoded (RFC 3986).
std::string Uri(std::string_view path) {
  std::string out;
  constexpr char kHex[] = "0123456789ABCDEF";
  constexpr std::string_view kSafe = "-._~/";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kSafe.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return path.starts_with('/') ? "file://" + out : out;
}

// Text from files may hold bytes that are not UTF-8.
std::string Dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

}  // namespace

void CheckReport::Add(std::string_view check, bool warning, Errors errors) {
  for (Error& error : errors)
    findings.push_back(
        {warning, std::string(check.empty() ? CodeName(error.code) : check), std::move(error)});
}

void CheckReport::Finish() {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) { return Place(a) < Place(b); });
  const auto twice = [](const Finding& a, const Finding& b) { return Place(a) == Place(b); };
  findings.erase(std::unique(findings.begin(), findings.end(), twice), findings.end());
  if (errors() > 0) base = nullptr;
}

std::size_t CheckReport::errors() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(findings, [](const Finding& finding) { return !finding.warning; }));
}

void WriteText(const CheckReport& report, Printer* printer) {
  std::ostream& out = printer->out();
  for (const Finding& finding : report.findings) printer->Print(finding.error, finding.warning);
  if (report.base != nullptr) {
    for (const Pack& pack : report.base->packs()) {
      const auto off = std::ranges::count(pack.rules, RuleMode::kOff, &Rule::mode);
      out << pack.id << " " << pack.version.ToString() << "  " << pack.digest << "\n  "
          << Count(pack.rules.size(), "rule") << (off > 0 ? " (" + std::to_string(off) + " off)" : "") << ", "
          << Count(pack.value_sets.size(), "value set") << ", " << Count(pack.tables.size(), "table") << ", "
          << Count(pack.facts.size(), "fact") << ", " << pack.status << "\n";
    }
  }
  out << (report.errors() == 0 ? printer->Paint(kGreen, "good")
                               : printer->Paint(kRed, Count(report.errors(), "error")));
  if (report.warnings() > 0) out << ", " << Count(report.warnings(), "warning");
  out << "\n";
}

void WriteJson(const CheckReport& report, std::ostream& out) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    const SourceSpan& span = finding.error.span;
    findings.push_back({{"level", Level(finding)},
                        {"check", RowOf(finding.check).name},
                        {"file", span.file},
                        {"line", span.line},
                        {"column", span.column},
                        {"length", span.length},
                        {"message", finding.error.message}});
  }
  const Json json = {
      {"errors", report.errors()}, {"warnings", report.warnings()}, {"findings", std::move(findings)}};
  out << Dump(json) << "\n";
}

void WriteSarif(const CheckReport& report, std::ostream& out) {
  Json rules = Json::array(), results = Json::array();
  for (const CheckRow& row : kChecks)
    rules.push_back({{"id", row.name}, {"shortDescription", {{"text", row.doc}}}});
  for (const Finding& finding : report.findings) {
    const CheckRow& row = RowOf(finding.check);
    const SourceSpan& span = finding.error.span;
    Json place = {{"artifactLocation", {{"uri", Uri(span.file)}}}};
    if (span.line != 0) {
      place["region"] = {{"startLine", span.line},
                         {"startColumn", std::max(span.column, 1u)},
                         {"endColumn", std::max(span.column, 1u) + std::max(span.length, 1u)}};
    }
    Json result = {{"ruleId", row.name},
                   {"ruleIndex", &row - kChecks},
                   {"level", Level(finding)},
                   {"message", {{"text", finding.error.message}}}};
    if (!span.file.empty()) {
      Json location;
      location["physicalLocation"] = std::move(place);
      result["locations"] = Json::array({std::move(location)});
    }
    results.push_back(std::move(result));
  }
  Json run;
  run["tool"]["driver"] = {{"name", "stepwise pack check"}, {"rules", std::move(rules)}};
  run["columnKind"] = "unicodeCodePoints";
  run["results"] = std::move(results);
  Json log;
  log["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json";
  log["version"] = "2.1.0";
  log["runs"] = Json::array({std::move(run)});
  out << Dump(log) << "\n";
}

}  // namespace stepwise::rules
