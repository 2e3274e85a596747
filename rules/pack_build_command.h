// `stepwise pack build`: makes the package of one version of a pack (rules/package.h).
//
//   stepwise pack build rules/packs/cancer-pain -o dist      dist/cancer-pain-1.2.0.tgz and its digest
//
// The same source gives the same bytes, in whatever folder and on whatever machine. A package that is already
// there is never replaced by another one: a released version is immutable.
// Exit codes: 0 built, 1 errors, 2 wrong usage.
#ifndef STEPWISE_RULES_PACK_BUILD_COMMAND_H_
#define STEPWISE_RULES_PACK_BUILD_COMMAND_H_

#include <iosfwd>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

void AddPackBuildCommand(CLI::App& pack, int& exit_code);

struct BuildOptions {
  std::string output = ".";  // a folder, or for one pack a file that ends in .tgz
  bool force = false;        // replace another package of the same version
};
int BuildPacks(std::span<const std::string> dirs, const BuildOptions& options, bool colour,
               std::ostream& out);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_PACK_BUILD_COMMAND_H_
