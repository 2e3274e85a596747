// Printer: errors with their place and a caret, and the small words that the pack commands share.
//
//   Printer printer(WantsColour(), std::cout);
//   printer.Print(report);      // file:line:column: error: what is wrong, the line and a caret under it
//
// Not thread-safe.
#ifndef STEPWISE_RULES_PACK_PRINTER_H_
#define STEPWISE_RULES_PACK_PRINTER_H_

#include <cstddef>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/knowledge_base.h"

namespace stepwise::rules {

inline constexpr std::string_view kRed = "\x1b[31m", kYellow = "\x1b[33m", kGreen = "\x1b[32m";

class Printer {
 public:
  Printer(bool colour, std::ostream& out) : colour_(colour), out_(out) {}

  std::ostream& out() { return out_; }
  std::string Paint(std::string_view colour, std::string_view text) const;
  void Print(const Error& error, bool warning);
  // Sorts by place; errors first.
  void Print(LoadReport& report);

 private:
  bool colour_;
  std::ostream& out_;
};

std::string Count(std::size_t number, std::string_view one);  // "1 error", "2 errors"

// Is standard output a terminal, and NO_COLOR not set?
bool WantsColour();

// The packs that the folders name: not those that were only loaded because they are required.
std::vector<const Pack*> NamedPacks(const KnowledgeBase& base, std::span<const std::string> dirs);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_PRINTER_H_
