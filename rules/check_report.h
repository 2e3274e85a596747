// CheckReport: what `pack check` found, for people (text), programs (JSON) and code hosts (SARIF 2.1.0).
//
//   CheckReport report = CheckFolders(dirs, {});       // rules/pack_check.h
//   WriteJson(report, std::cout);
//     {"errors":1,"warnings":0,"findings":[{"level":"error","check":"semantic","file":"rules/x.yaml",
//      "line":7,"column":3,"length":6,"message":"unknown key ..."}]}
//
// Findings are in the order of their places, each once. Lines and columns count from 1, columns in code
// points. Source of the SARIF shape: OASIS "Static Analysis Results Interchange Format (SARIF)
// Version 2.1.0". Thread-safety: plain values.
#ifndef STEPWISE_RULES_CHECK_REPORT_H_
#define STEPWISE_RULES_CHECK_REPORT_H_

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "rules/pack_printer.h"

namespace stepwise::rules {

// Kinds of findings; what they mean is in one table (check_report.cc). The first are those of Code.
struct Finding {
  bool warning = false;
  std::string check;  // "syntax", "never-fires", ...
  Error error;
};

struct CheckReport {
  std::vector<Finding> findings;
  std::shared_ptr<const KnowledgeBase> base;  // nullptr when there are errors

  void Add(std::string_view check, bool warning, Errors errors);
  // Puts the findings in order and drops what was said twice.
  void Finish();
  std::size_t errors() const;
  std::size_t warnings() const { return findings.size() - errors(); }
};

enum class ReportFormat : std::uint8_t { kText, kJson, kSarif };

void WriteText(const CheckReport& report, Printer* printer);
void WriteJson(const CheckReport& report, std::ostream& out);
void WriteSarif(const CheckReport& report, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_CHECK_REPORT_H_
