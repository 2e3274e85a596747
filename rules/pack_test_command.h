// `stepwise pack test`: runs the packs' own test cases and says what they do not cover.
//
//   stepwise pack test rules/packs --filter LAD-06         failed cases as a diff, with their explanation
//   stepwise pack test rules/packs --coverage              every rule and line, and how often it was what
//   stepwise pack test rules/packs --fail-under 95 --junit results.xml
//   stepwise pack test rules/packs --watch                 again after each change, until Ctrl-C
//
// Exit codes: 0 good, 1 errors, failed cases or too little coverage, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_TEST_COMMAND_H_
#define STEPWISE_RULES_PACK_TEST_COMMAND_H_

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stepwise::rules {

// `pack`: the subcommand `stepwise pack`.
void AddPackTestCommand(CLI::App& pack, int& exit_code);

struct TestPacksOptions {
  std::vector<std::string> dirs;
  std::string filter;                // only cases whose "rule: name" contains it; nothing is said of coverage
  bool coverage = false;             // list all rules and lines, not only what is missing
  bool no_coverage = false;          // list none
  std::optional<double> fail_under;  // least coverage of each pack, in percent
  std::string junit;                 // file for JUnit XML; "" for none
  bool explain = false;              // explain passed cases too
  bool colour = false;
};

int TestPacks(const TestPacksOptions& options, std::ostream& out);

// TestPacks() now and after each change of a file in the folders. `wait` passes some time between two looks
// and says whether to go on; the result is that of the last run.
int WatchPacks(const TestPacksOptions& options, const std::function<bool()>& wait, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_TEST_COMMAND_H_
