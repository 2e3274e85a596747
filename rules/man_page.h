// ManPage: the manual page of a program, made from the help texts of its options and subcommands.
//
//   AddManOption(app, {.section = 8, .files = "/etc/stepwise/stepwise.yaml\nSettings, see
//   --example-config."}); stepwise-server --help-man > stepwise-server.8
//
// Every option that --help shows is in the page, subcommands of subcommands included; --help-man itself is in
// neither, being of use when a package is built. Source: man(7), groff_man(7). Thread-safety: pure functions.
#ifndef STEPWISE_RULES_MAN_PAGE_H_
#define STEPWISE_RULES_MAN_PAGE_H_

#include <string>

namespace CLI {
class App;
}

namespace stepwise::rules {

// What no option says. Plain text, an empty line between paragraphs; "" leaves the section out.
struct ManText {
  int section = 1;
  std::string description = {};
  std::string exit_status = {};
  std::string files = {};     // a path a line, then a line that says what it is
  std::string signals = {};   // the same with names of signals
  std::string see_also = {};  // "stepwise(1), stepwise-server(8)"
};

std::string ManPage(const CLI::App& app, const ManText& text);

// Adds --help-man, which prints the page and ends the program. `app` outlives the parsing.
void AddManOption(CLI::App& app, ManText text);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_MAN_PAGE_H_
