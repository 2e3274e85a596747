#include "conformance/requirements.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "rules/csv.h"

namespace stepwise::conformance {
namespace {

constexpr std::string_view kHeader[] = {"id", "level", "versions", "requirement", "binds", "test"};
constexpr std::string_view kSuite = "Requirement.", kNone = "-: ";

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Two or three letters, the separator, two digits: "HK-01", "PRE_11".
bool IsId(std::string_view text, char separator) {
  const std::size_t letters = std::min(text.find(separator), text.size());
  return (letters == 2 || letters == 3) && text.size() == letters + 3 &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(letters), IsUpper) &&
         IsDigit(text[letters + 1]) && IsDigit(text[letters + 2]);
}

// Reads the last column into the requirement; what is wrong with it, or "".
std::string ReadTests(const std::string& cell, Requirement* requirement) {
  if (cell.starts_with(kNone)) {
    requirement->no_test = cell.substr(kNone.size());
    return requirement->no_test.empty() ? "no test and no reason" : "";
  }
  std::istringstream words(cell);
  for (std::string test; words >> test;) requirement->tests.push_back(test);
  return requirement->tests.empty() ? "no test and no reason; write \"-: reason\" where none is possible"
                                    : "";
}

std::string TestsText(const Requirement& requirement) {
  if (requirement.tests.empty()) return "none: " + requirement.no_test;
  std::string text;
  for (const std::string& test : requirement.tests) text += (text.empty() ? "" : " ") + test;
  return text;
}

}  // namespace

Result<std::vector<Requirement>> ReadRequirements(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fail(Code::kNotFound, "cannot read the table of requirements", {file});
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  rules::Errors errors;
  const rules::CsvFile csv = rules::ParseCsv(text, file, &errors);
  if (!errors.empty()) return tl::unexpected(errors.front());
  if (!std::equal(csv.header.begin(), csv.header.end(), std::begin(kHeader), std::end(kHeader)))
    return Fail(Code::kSyntax, "expected the columns id,level,versions,requirement,binds,test", {file});
  std::vector<Requirement> all;
  std::set<std::string> ids;
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    const std::string* cell = &csv.cells[row * std::size(kHeader)];
    Requirement one{cell[0], cell[1], cell[2], cell[3], cell[4], {}, {}};
    const auto wrong = [&](std::string message) {
      return Fail(Code::kSemantic, one.id + ": " + std::move(message), {file, csv.lines[row], 1, 0});
    };
    if (!IsId(one.id, '-'))
      return wrong("an id is two or three letters, \"-\" and two digits, such as PRE-11");
    if (!ids.insert(one.id).second) return wrong("the id is there twice");
    if (const std::string fault = ReadTests(cell[5], &one); !fault.empty()) return wrong(fault);
    all.push_back(std::move(one));
  }
  return all;
}

std::string RequirementsText(std::span<const Requirement> requirements) {
  const auto column = [](std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
  };
  std::string out;
  for (const Requirement& one : requirements) {
    const std::string binds = one.binds.substr(0, one.binds.find(':'));
    out += column(one.id, 8) + column(one.level, 13) + column(binds, 9) + TestsText(one) + "\n";
  }
  return out;
}

std::string RequirementOfTest(const std::string& test) {
  if (!test.starts_with(kSuite)) return "";
  const std::string name = test.substr(kSuite.size());
  const std::size_t letters = name.find('_');
  if (letters == std::string::npos) return "";
  const std::string id = name.substr(0, name.find('_', letters + 1));
  return IsId(id, '_') ? id.substr(0, letters) + "-" + id.substr(letters + 1) : "";
}

std::vector<std::string> UncoveredRequirements(std::span<const Requirement> requirements,
                                               const std::set<std::string>& tests) {
  std::vector<std::string> faults;
  std::set<std::string> ids;
  for (const Requirement& one : requirements) {
    ids.insert(one.id);
    bool carried = one.tests.empty();  // there is a reason
    for (const std::string& test : one.tests) {
      carried = carried || RequirementOfTest(test) == one.id;
      if (!tests.contains(test)) faults.push_back(one.id + ": there is no test " + test);
    }
    if (!carried) faults.push_back(one.id + ": no test carries the id in its name");
  }
  for (const std::string& test : tests) {
    const std::string id = RequirementOfTest(test);
    if (test.starts_with(kSuite) && !ids.contains(id))
      faults.push_back(test + ": the table has no requirement " + (id.empty() ? "for it" : id));
  }
  return faults;
}

}  // namespace stepwise::conformance
