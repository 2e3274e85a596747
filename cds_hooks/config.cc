#include "cds_hooks/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "cds_hooks/settings.h"
#include "rules/schema_reader.h"

namespace stepwise::cds_hooks {
namespace {

using rules::Errors;
using rules::Fields;
using rules::SourceText;
using rules::YamlNode;

// Reads settings into a Config and remembers where each was set, for messages.
class Reader {
 public:
  explicit Reader(Errors* errors) : errors_(errors) {}

  void ReadYaml(std::string_view text, const std::string& file);
  void ReadOption(const Setting& setting, const std::vector<std::string>& values);
  void CheckTogether();
  Config& config() { return config_; }

 private:
  void ReadSection(const Fields& fields, std::string_view section);
  void ReadIssuers(const YamlNode& list, std::vector<IssuerConfig>& issuers);
  void SetNumber(const Setting& setting, std::int64_t value, const SourceSpan& span);
  // False and an error: the text cannot be a value of the setting.
  bool CheckText(const Setting& setting, const SourceText& text);
  std::string Place(const std::string& path) const;  // of a path in the file
  // An error where the setting was set, or of what it lacks.
  void Complain(std::string_view path, const std::string& message);

  Errors* errors_;
  std::filesystem::path folder_;  // of the file
  Config config_;
  std::map<std::string_view, SourceSpan> places_;  // by path; no line: on the command line
};

// What stands before a message: the key in a file, or the option.
std::string Name(const Setting& setting, const SourceSpan& span) {
  return span.line == 0 ? FlagOf(setting) + ": " : "`" + std::string(setting.path) + "`: ";
}

std::string Quote(std::string_view text) { return "\"" + std::string(text.substr(0, 60)) + "\""; }

std::string Alternatives(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  }
  return out;
}

std::string Reader::Place(const std::string& path) const {
  return path.empty() ? path : (folder_ / path).lexically_normal().string();
}

void Reader::Complain(std::string_view path, const std::string& message) {
  const auto place = places_.find(path);
  const SourceSpan span = place == places_.end() ? SourceSpan{} : place->second;
  const Setting& setting = *FindSetting(path);
  const std::string name = place == places_.end() ? "`" + std::string(path) + "`: " : Name(setting, span);
  rules::AddError(errors_, span, name + message, Code::kInvalidArgument);
}

void Reader::SetNumber(const Setting& setting, std::int64_t value, const SourceSpan& span) {
  if (value < setting.min || value > setting.max) {
    rules::AddError(errors_, span,
                    Name(setting, span) + std::to_string(value) + " is not between " +
                        std::to_string(setting.min) + " and " + std::to_string(setting.max),
                    Code::kInvalidArgument);
    return;
  }
  std::get<NumberMember>(setting.member)(config_) = value;
}

bool Reader::CheckText(const Setting& setting, const SourceText& text) {
  std::string expected;
  if (!setting.allowed.empty() && std::ranges::find(setting.allowed, text.text) == setting.allowed.end())
    expected = Alternatives(setting.allowed);
  if (setting.check != nullptr && !text.empty()) expected = setting.check(text.text);
  if (expected.empty()) return true;
  rules::AddError(errors_, text.span,
                  Name(setting, text.span) + "expected " + expected + ", found " + Quote(text.text),
                  Code::kInvalidArgument);
  return false;
}

void Reader::ReadYaml(std::string_view text, const std::string& file) {
  folder_ = std::filesystem::path(file).parent_path();
  rules::YamlOptions options;
  options.file = file;
  const std::optional<YamlNode> node = rules::ParseYaml(text, options, errors_);
  if (!node || node->is_null()) return;  // a file of comments sets nothing
  const Fields fields(*node, ConfigSchema(), errors_);
  if (!node->is_map()) return;
  for (const Section& section : Sections()) {
    if (section.name.empty()) {
      ReadSection(fields, "");
    } else if (const YamlNode* map = fields.Map(section.name)) {
      ReadSection(Fields(*map, *ConfigSchema().Find(section.name)->object, errors_), section.name);
    }
  }
}

void Reader::ReadSection(const Fields& fields, std::string_view section) {
  for (const Setting& setting : Settings()) {
    if (SectionOf(setting) != section) continue;
    const std::string_view key = KeyOf(setting);
    const YamlNode* node = fields.Node(key);
    if (node == nullptr) continue;
    places_[setting.path] = node->span;
    if (const auto* text = std::get_if<TextMember>(&setting.member)) {
      const SourceText value = fields.Source(key);
      if (CheckText(setting, value)) (*text)(config_) = setting.is_path ? Place(value.text) : value.text;
    } else if (const auto* list = std::get_if<TextsMember>(&setting.member)) {
      std::vector<std::string>& values = (*list)(config_);
      values.clear();
      for (const SourceText& value : fields.Texts(key)) {
        if (CheckText(setting, value)) values.push_back(setting.is_path ? Place(value.text) : value.text);
      }
    } else if (std::holds_alternative<NumberMember>(setting.member)) {
      SetNumber(setting, *fields.Integer(key), node->span);
    } else if (const auto* on = std::get_if<SwitchMember>(&setting.member)) {
      (*on)(config_) = fields.Boolean(key);
    } else if (const auto* issuers = std::get_if<IssuersMember>(&setting.member)) {
      ReadIssuers(*node, (*issuers)(config_));
    }
  }
}

void Reader::ReadIssuers(const YamlNode& list, std::vector<IssuerConfig>& issuers) {
  const auto texts = [](const Fields& fields, std::string_view key) {
    std::vector<std::string> out;
    for (const SourceText& text : fields.Texts(key)) out.push_back(text.text);
    return out;
  };
  std::set<std::string> seen;
  for (const YamlNode& item : list.children) {
    Fields fields(item, kIssuerSchema, errors_);
    if (!item.is_map()) continue;
    IssuerConfig issuer;
    issuer.iss = fields.Text("iss");
    issuer.jwks_file = Place(fields.Text("jwks-file"));
    issuer.jku = texts(fields, "jku");
    issuer.tenants = texts(fields, "tenants");
    issuer.audiences = texts(fields, "audiences");
    if (fields.Node("iss") != nullptr && issuer.iss.empty()) fields.Fail(item.span, "`iss` is empty");
    const YamlNode* const jku = fields.Node("jku");
    const bool no_urls = issuer.jku.empty() && (jku == nullptr || jku->children.empty());
    if (issuer.jwks_file.empty() && no_urls && !fields.Lost("jwks-file") && !fields.Lost("jku")) {
      rules::AddError(errors_, item.span, "an issuer needs `jwks-file` or `jku`: where its keys are");
    }
    if (!issuer.iss.empty() && !seen.insert(issuer.iss).second)
      rules::AddError(errors_, item.span, "this `iss` is in the list already");
    issuers.push_back(std::move(issuer));
  }
}

void Reader::ReadOption(const Setting& setting, const std::vector<std::string>& values) {
  places_[setting.path] = SourceSpan{};
  const auto source = [](const std::string& text) {
    return SourceText{.text = text, .span = {}, .pieces = {}};
  };
  const std::string last = values.empty() ? "" : values.back();
  const auto expected = [&](std::string_view what) {
    rules::AddError(errors_, {},
                    FlagOf(setting) + ": expected " + std::string(what) + ", found " + Quote(last),
                    Code::kInvalidArgument);
  };
  if (const auto* text = std::get_if<TextMember>(&setting.member)) {
    if (CheckText(setting, source(last))) (*text)(config_) = last;
  } else if (const auto* list = std::get_if<TextsMember>(&setting.member)) {
    std::vector<std::string>& member = (*list)(config_);
    member.clear();
    for (const std::string& value : values) {
      if (CheckText(setting, source(value))) member.push_back(value);
    }
  } else if (std::holds_alternative<NumberMember>(setting.member)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), number);
    if (error != std::errc() || end != last.data() + last.size()) return expected("a whole number");
    SetNumber(setting, number, {});
  } else if (const auto* on = std::get_if<SwitchMember>(&setting.member)) {
    if (last != "true" && last != "false") return expected("true or false");
    (*on)(config_) = last == "true";
  }
}

void Reader::CheckTogether() {
  const Config& c = config_;
  const struct {
    bool wrong;
    std::string_view path;
    std::string_view message;
  } rules[] = {
      {!c.evaluators.empty() && !c.activation.empty(), "activation",
       "evaluators say themselves what is on; give them the file"},
      {c.max_cards == 1, "max-cards", "1 leaves no place for advice beside the card that names the rest"},
      {c.listen.empty(), "listen", "expected HOST:PORT"},
      {c.tls.certificate.empty() && !c.tls.private_key.empty(), "tls.private-key",
       "a key is of no use without tls.certificate"},
      {!c.tls.certificate.empty() && c.tls.private_key.empty(), "tls.certificate",
       "a certificate needs its tls.private-key"},
      {c.tls.client_certificates != "none" && c.tls.client_ca.empty(), "tls.client-certificates",
       "certificates of clients need tls.client-ca, which says who issues them"},
      {c.tls.client_certificates != "none" && c.tls.certificate.empty(), "tls.client-certificates",
       "certificates of clients need TLS: tls.certificate"},
      {c.trust.accept != "jwt" && c.tls.client_certificates == "none", "trust.accept",
       "no client can show a certificate while tls.client-certificates is none"},
      {c.trust.required == "yes" && c.trust.accept != "client-certificate" && c.trust.accept != "either" &&
           c.trust.issuers.empty(),
       "trust.required", "nobody can be believed without trust.issuers"},
      {c.fhir.max_total_bytes < c.fhir.max_response_bytes, "fhir.max-total-bytes",
       "one answer of fhir.max-response-bytes must fit"},
      {c.store.keep_input && c.store.url == "none", "store.keep-input", "there is no store to keep it in"},
  };
  for (const auto& rule : rules) {
    if (rule.wrong) Complain(rule.path, std::string(rule.message));
  }
}

std::optional<Config> Finish(Reader& reader, const Errors& errors) {
  return errors.empty() ? std::optional(std::move(reader.config())) : std::nullopt;
}

}  // namespace

void AddOptions(CLI::App& app, Overrides& overrides) {
  app.add_option("--config", overrides.file, "YAML file with the same settings; options win")
      ->type_name("FILE");
  Config defaults;
  for (const Setting& setting : Settings()) {
    if (std::holds_alternative<IssuersMember>(setting.member)) continue;
    std::string help(setting.help);
    if (!setting.allowed.empty()) help += ": " + Alternatives(setting.allowed);
    CLI::Option* option = app.add_option_function<std::vector<std::string>>(
        FlagOf(setting),
        [path = std::string(setting.path), &overrides](const std::vector<std::string>& values) {
          overrides.given.emplace_back(path, values);
        },
        help);
    option->type_name("");
    for (const Section& section : Sections()) {
      if (section.name == SectionOf(setting)) option->group(std::string(section.title));
    }
    if (std::holds_alternative<TextsMember>(setting.member)) {
      if (setting.commas) option->delimiter(',');  // but the name of a file may have one
      continue;
    }
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    if (const auto* number = std::get_if<NumberMember>(&setting.member)) {
      option->default_str(std::to_string((*number)(defaults)));
    } else if (const auto* on = std::get_if<SwitchMember>(&setting.member)) {
      option->default_str((*on)(defaults) ? "true" : "false");
    } else if (const std::string& text = std::get<TextMember>(setting.member)(defaults); !text.empty()) {
      option->default_str(text);
    }
  }
}

std::optional<Config> MakeConfig(const Overrides& overrides, Errors* errors) {
  Reader reader(errors);
  if (!overrides.file.empty()) {
    std::ifstream in(overrides.file, std::ios::binary);
    std::ostringstream text;
    if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
    if (in.bad() || !in.is_open() || std::filesystem::is_directory(overrides.file)) {
      errors->push_back({Code::kNotFound, "the file cannot be read", {overrides.file, 0, 0, 0}, ""});
    } else {
      reader.ReadYaml(text.str(), overrides.file);
    }
  }
  for (const auto& [path, values] : overrides.given) reader.ReadOption(*FindSetting(path), values);
  reader.CheckTogether();
  return Finish(reader, *errors);
}

std::optional<Config> ReadConfig(std::string_view yaml, const std::string& file, Errors* errors) {
  Reader reader(errors);
  reader.ReadYaml(yaml, file);
  reader.CheckTogether();
  return Finish(reader, *errors);
}

std::string StateDir(const StoreConfig& store, const std::function<const char*(const char*)>& getenv) {
  if (!store.state_dir.empty()) return store.state_dir;
  const auto variable = [&](const char* name) {
    const char* value = getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const std::string folders = variable("STATE_DIRECTORY"); !folders.empty())
    return folders.substr(0, folders.find(':'));
  if (const std::string state = variable("XDG_STATE_HOME"); !state.empty()) return state + "/stepwise";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.local/state/stepwise";
}

std::string DefaultPacksDir() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "";
  for (const char* place : {"../../../rules/packs", "../share/stepwise/packs"}) {
    const std::filesystem::path folder = (program.parent_path() / place).lexically_normal();
    if (std::filesystem::is_directory(folder, error)) return folder.string();
  }
  return "";
}

}  // namespace stepwise::cds_hooks
