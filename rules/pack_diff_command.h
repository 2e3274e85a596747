// `stepwise pack diff A B`: what changed from A to B, who would get different advice, and whether B's version
// number says so.
//
//   stepwise pack diff dist/cancer-pain-1.2.0.tgz rules/packs/cancer-pain --with rules/packs/analgesics
//
// Exit codes: 0 the version is honest, 1 it is not, or errors, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_DIFF_COMMAND_H_
#define STEPWISE_RULES_PACK_DIFF_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackDiffCommand(CLI::App& pack, int& exit_code);

struct DiffOptions {
  std::vector<std::string> with = {};  // packs that A and B require, where they are not beside them
  bool json = false;
  std::size_t max_shown = 20;  // changes of one kind of thing (codes, table rows) that text shows
};
int DiffPackCommand(const std::string& old_path, const std::string& new_path, const DiffOptions& options,
                    bool colour, std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_DIFF_COMMAND_H_
