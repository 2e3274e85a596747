#include "rules/man_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace stepwise::rules {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ManPage, OptionsCommandsAndSections) {
  CLI::App app("Does things", "thing");
  std::string text;
  int number = 3;
  bool flag = false;
  app.add_option("-f,--file", text, "A file. 'quoted' a\\b")->type_name("FILE");
  app.add_option("--number", number, "How many")->capture_default_str()->group("Limits of things");
  app.add_flag("--hidden", flag, "Not shown")->group("");
  CLI::App* command = app.add_subcommand("pack", "About packs")->add_subcommand("check", "Check a pack");
  command->add_option("DIR", text, ".hidden folders too")->required();
  command->add_flag("--strict", flag, "Warnings are errors");
  app.add_subcommand("other", "Another")->group("");
  AddManOption(app, {});

  const std::string page = ManPage(app, {.section = 8,
                                         .description = "One.\n.Two\n\nThree.",
                                         .exit_status = "0: done.",
                                         .files = "/etc/thing\nIts file.",
                                         .see_also = "pack(1)"});
  for (const char* part : {
           ".TH THING 8 \"\" Stepwise\n.SH NAME\nthing \\- Does things\n",
           "\\fBthing\\fR [\\fIOPTION\\fR...]\n",
           ".SH DESCRIPTION\nOne.\n\\&.Two\n.PP\nThree.\n",
           "\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR\nA file. 'quoted' a\\eb\n",
           ".SS Limits of things\n.TP\n\\fB\\-\\-number\\fR \\fIINT\\fR\nHow many (default: 3)\n",
           ".SS thing pack check\n\\fBthing pack check\\fR [\\fIOPTION\\fR...] \\fIDIR\\fR\n.PP\nCheck a "
           "pack\n",
           "\\fIDIR\\fR\n\\&.hidden folders too (required)\n",
           "\\fB\\-\\-strict\\fR\nWarnings are errors\n",
           ".SH EXIT STATUS\n0: done.\n",
           ".SH FILES\n.TP\n\\fI/etc/thing\\fR\nIts file.\n",
           ".SH SEE ALSO\npack(1)\n",
       }) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(HasSubstr("hidden\\fR")));
  EXPECT_THAT(page, Not(HasSubstr("thing other")));
  EXPECT_THAT(page, Not(HasSubstr("help\\-man")));
  EXPECT_THAT(page, Not(HasSubstr("SIGNALS")));
}

}  // namespace
}  // namespace stepwise::rules
