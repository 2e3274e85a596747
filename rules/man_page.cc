#include "rules/man_page.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iostream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace stepwise::rules {
namespace {

// Text as roff shows it: no escapes, no requests, hyphens that can be copied into a shell.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Bold(std::string_view text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Roff(text) + "\\fR"; }

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

bool IsShown(const CLI::Option* option) { return !option->get_group().empty(); }

// "-o, --out FILE", or the name of a positional.
std::string Names(const CLI::Option& option) {
  if (!option.nonpositional()) return Italic(option.get_name(/*positional=*/true));
  std::string out;
  for (const std::string& name : option.get_snames()) out += (out.empty() ? "" : ", ") + Bold("-" + name);
  for (const std::string& name : option.get_lnames()) out += (out.empty() ? "" : ", ") + Bold("--" + name);
  const bool takes_value = option.get_items_expected_max() > 0;
  const std::string type = option.get_type_name();
  if (takes_value) out += " " + Italic(type.empty() ? "VALUE" : type);
  return out;
}

std::string OptionText(const CLI::Option& option) {
  std::string out = ".TP\n" + Names(option) + "\n" + Roff(option.get_description());
  if (!option.get_default_str().empty()) out += " (default: " + Roff(option.get_default_str()) + ")";
  if (option.get_required()) out += " (required)";
  return out + "\n";
}

// Options of one command by their groups; `heading` begins a group that has a name of its own.
std::string OptionsText(const CLI::App& app, std::string_view heading) {
  std::string out;
  for (const std::string& group : app.get_groups()) {
    const auto options = app.get_options(
        [&](const CLI::Option* option) { return IsShown(option) && option->get_group() == group; });
    if (options.empty()) continue;
    if (group != "Options" && !heading.empty()) out += std::string(heading) + " " + Roff(group) + "\n";
    for (const CLI::Option* option : options) out += OptionText(*option);
  }
  return out;
}

std::vector<const CLI::App*> Subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::string Synopsis(const CLI::App& app, const std::string& name) {
  std::string out = Bold(name) + " [" + Italic("OPTION") + "...]";
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* one) { return IsShown(one) && !one->nonpositional(); })) {
    const std::string positional = Italic(option->get_name(true));
    out += option->get_required() ? " " + positional : " [" + positional + "]";
  }
  return out + "\n";
}

// The commands at the ends of the tree, each under its whole name.
void AppendCommands(const CLI::App& app, const std::string& name, std::string& out) {
  for (const CLI::App* command : Subcommands(app)) {
    const std::string whole = name + " " + command->get_name();
    if (!Subcommands(*command).empty()) {
      AppendCommands(*command, whole, out);
      continue;
    }
    out += ".SS " + Roff(whole) + "\n" + Synopsis(*command, whole) + ".PP\n" +
           Roff(command->get_description()) + "\n" + OptionsText(*command, "");
  }
}

// Paragraphs as they are.
void AppendSection(std::string_view title, const std::string& text, std::string& out) {
  if (text.empty()) return;
  out += ".SH " + std::string(title) + "\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += line.empty() ? ".PP\n" : Roff(line) + "\n";
}

// Lines by twos: what, and what it is.
void AppendList(std::string_view title, const std::string& text, std::string& out) {
  if (text.empty()) return;
  out += ".SH " + std::string(title) + "\n";
  std::istringstream lines(text);
  for (std::string what, says; std::getline(lines, what) && std::getline(lines, says);)
    out += ".TP\n" + Italic(what) + "\n" + Roff(says) + "\n";
}

}  // namespace

std::string ManPage(const CLI::App& app, const ManText& text) {
  const std::string& name = app.get_name();
  std::string out = ".\\\" Made by " + name + " --help-man\n.TH " + Roff(UpperCase(name)) + " " +
                    std::to_string(text.section) + " \"\" Stepwise\n.SH NAME\n" + Roff(name) + " \\- " +
                    Roff(app.get_description()) + "\n.SH SYNOPSIS\n" + Synopsis(app, name);
  const std::vector<const CLI::App*> commands = Subcommands(app);
  if (!commands.empty()) {
    out += ".br\n" + Bold(name) + " " + Italic("COMMAND") + " [" + Italic("OPTION") + "...]\n";
  }
  AppendSection("DESCRIPTION", text.description, out);
  out += ".SH OPTIONS\n" + OptionsText(app, ".SS");
  if (!commands.empty()) {
    out += ".SH COMMANDS\n";
    AppendCommands(app, name, out);
  }
  AppendSection("EXIT STATUS", text.exit_status, out);
  AppendList("SIGNALS", text.signals, out);
  AppendList("FILES", text.files, out);
  AppendSection("SEE ALSO", text.see_also, out);
  return out;
}

void AddManOption(CLI::App& app, ManText text) {
  app.add_flag_callback(
         "--help-man",
         [&app, text = std::move(text)] {
           std::cout << ManPage(app, text);
           throw CLI::Success();
         },
         "Print the manual page")
      ->trigger_on_parse()
      ->group("");
}

}  // namespace stepwise::rules
