// `stepwise pack show`: what a pack is, from its folder or its package, on one page.
//
//   stepwise pack show rules/packs/cancer-pain
//   stepwise pack show dist/cancer-pain-1.2.0.tgz --format json
//
// Identity and digest, status and period, people, evidence, parameters with their bounds, rules with their
// lines, value sets with their sizes, what it requires, and who has signed the package (not whether the
// signatures are good: that is `pack verify`). Exit codes: 0 shown, 1 errors, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_SHOW_COMMAND_H_
#define STEPWISE_RULES_PACK_SHOW_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackShowCommand(CLI::App& pack, int& exit_code);
struct ShowOptions {
  std::vector<std::string> with = {};  // packs that it requires, where they are not beside it
  bool json = false;
};
int ShowPack(const std::string& path, const ShowOptions& options, bool colour, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_SHOW_COMMAND_H_
