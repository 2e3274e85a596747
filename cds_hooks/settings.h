// The settings of stepwise-server as one table: path, member of Config, type, range, one sentence.
//
//   const Setting* setting = FindSetting("tls.certificate");
//   FlagOf(*setting) == "--tls-certificate";   std::get<TextMember>(setting->member)(config) == ""
//
// The check of the YAML file, the options of the command line, their --help, the man page and the documented
// file (packaging/stepwise.yaml) are made from these rows. To add a setting: a member with its default in
// cds_hooks/config.h, its row here, and UPDATE_GOLDEN=1 on ConfigText.Example. A new section is a row in
// Sections() besides. Thread-safety: constant.
#ifndef STEPWISE_CDS_HOOKS_SETTINGS_H_
#define STEPWISE_CDS_HOOKS_SETTINGS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cds_hooks/config.h"
#include "rules/pack_schema.h"

namespace stepwise::cds_hooks {

using TextMember = std::string& (*)(Config&);
using TextsMember = std::vector<std::string>& (*)(Config&);
using NumberMember = std::int64_t& (*)(Config&);
using SwitchMember = bool& (*)(Config&);
using IssuersMember = std::vector<IssuerConfig>& (*)(Config&);  // a list of objects: in the file only

// What was expected of a text (each text of a list) that is not "", or "" when it is right.
using TextCheck = std::string_view (*)(std::string_view);

struct Setting {
  std::string_view path;  // "listen", "tls.certificate"
  std::variant<TextMember, TextsMember, NumberMember, SwitchMember, IssuersMember> member;
  std::string_view help;
  std::int64_t min = 0, max = 0;                   // of numbers
  std::span<const std::string_view> allowed = {};  // of texts
  TextCheck check = nullptr;                       // of texts
  bool is_path = false;                            // in the file: relative to its folder
  std::string_view flag = {};                      // where the option is not called as the path is
  const rules::ObjectSchema* item = nullptr;       // of lists of objects
  bool commas = true;                              // one option may name several, separated by commas
};

struct Section {
  std::string_view name;   // "tls"; "" is the top of the file
  std::string_view title;  // in --help and the man page
};

std::span<const Section> Sections();
std::span<const Setting> Settings();  // those of a section stand together, in the order of Sections()

const Setting* FindSetting(std::string_view path);
std::string_view SectionOf(const Setting& setting);
std::string_view KeyOf(const Setting& setting);  // the path without its section
std::string FlagOf(const Setting& setting);

// The whole file as rules/schema_reader.h checks it, and one entry of trust.issuers.
const rules::ObjectSchema& ConfigSchema();
extern const rules::ObjectSchema kIssuerSchema;

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_SETTINGS_H_
