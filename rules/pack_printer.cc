#include "rules/pack_printer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ostream>
#include <set>
#include <tuple>

#include "rules/pack_files.h"

namespace stepwise::rules {

std::string Printer::Paint(std::string_view colour, std::string_view text) const {
  constexpr std::string_view kPlain = "\x1b[0m";
  return colour_ ? std::string(colour) + std::string(text) + std::string(kPlain) : std::string(text);
}

void Printer::Print(const Error& error, bool warning) {
  const std::string kind = warning ? Paint(kYellow, "warning: ") : Paint(kRed, "error: ");
  Error place = error;
  place.message.clear();
  std::string where = place.ToString();
  out_ << where << (where.empty() ? "" : where.ends_with(' ') ? "" : ": ") << kind << error.message << "\n";
  if (error.span.file.empty() || error.span.line == 0) return;
  std::ifstream in(error.span.file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string lines = CaretLines(text, error.span);
  if (!lines.empty()) out_ << lines << "\n";
}

void Printer::Print(LoadReport& report) {
  const auto by_place = [](const Error& a, const Error& b) {
    return std::tie(a.span.file, a.span.line, a.span.column) <
           std::tie(b.span.file, b.span.line, b.span.column);
  };
  std::stable_sort(report.errors.begin(), report.errors.end(), by_place);
  std::stable_sort(report.warnings.begin(), report.warnings.end(), by_place);
  for (const Error& error : report.errors) Print(error, false);
  for (const Error& error : report.warnings) Print(error, true);
}

std::string Count(std::size_t number, std::string_view one) {
  return std::to_string(number) + " " + std::string(one) + (number == 1 ? "" : "s");
}

bool WantsColour() { return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

std::vector<const Pack*> NamedPacks(const KnowledgeBase& base, std::span<const std::string> dirs) {
  std::set<std::string> named;
  for (const std::string& dir : dirs) {
    for (const std::string& found : FindPackDirs(dir)) named.insert(found);
  }
  std::vector<const Pack*> out;
  for (const Pack& pack : base.packs()) {
    if (named.contains(pack.dir)) out.push_back(&pack);
  }
  return out;
}

}  // namespace stepwise::rules
