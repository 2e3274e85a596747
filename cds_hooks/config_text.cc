#include "cds_hooks/config_text.h"

#include <string_view>

#include "cds_hooks/settings.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kIntroduction =
    "# Settings of stepwise-server, each with what it does and its default. Take the \"#\" away where one "
    "stands\n"
    "# without a space behind it. Any setting is an option too, which wins: `tls: { certificate: FILE }` is\n"
    "# --tls-certificate FILE. Paths are relative to the folder of this file. `stepwise-server "
    "--check-config\n"
    "# --config FILE` checks it all; a change counts from the next start.\n";

std::string InYaml(const Setting& setting, Config& defaults) {
  struct {
    Config& config;
    std::string operator()(TextMember text) { return text(config).empty() ? "\"\"" : text(config); }
    std::string operator()(TextsMember list) {
      std::string out;
      for (const std::string& text : list(config)) out += (out.empty() ? "\"" : ", \"") + text + "\"";
      return "[" + out + "]";
    }
    std::string operator()(NumberMember number) { return std::to_string(number(config)); }
    std::string operator()(SwitchMember on) { return on(config) ? "true" : "false"; }
    std::string operator()(IssuersMember) { return "[]"; }
  } text{defaults};
  return std::visit(text, setting.member);
}

std::string Detail(const Setting& setting) {
  std::string out;
  for (const std::string_view word : setting.allowed) out += (out.empty() ? ": " : " | ") + std::string(word);
  if (setting.max > 0) out = " (" + std::to_string(setting.min) + " to " + std::to_string(setting.max) + ")";
  return out;
}

}  // namespace

std::string ConfigExample() {
  Config defaults;
  std::string out(kIntroduction);
  for (const Section& section : Sections()) {
    const std::string indent(section.name.empty() ? 0 : 2, ' ');
    out += "\n# --- " + std::string(section.title) + "\n";
    if (!section.name.empty()) out += std::string(section.name) + ":\n";
    for (const Setting& setting : Settings()) {
      if (SectionOf(setting) != section.name) continue;
      out += indent + "# " + std::string(setting.help) + Detail(setting) + "\n";
      if (setting.item != nullptr) {
        for (const rules::KeySchema& key : setting.item->keys) {
          const std::string_view optional = key.required ? ": " : " (optional): ";
          out +=
              indent + "#   " + std::string(key.name) + std::string(optional) + std::string(key.doc) + "\n";
        }
      }
      out += indent + "#" + std::string(KeyOf(setting)) + ": " + InYaml(setting, defaults) + "\n";
    }
  }
  return out;
}

}  // namespace stepwise::cds_hooks
