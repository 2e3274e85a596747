#include "cds_hooks/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <variant>

#include "fhir/date_time.h"

namespace stepwise::cds_hooks {
namespace {

using Json = nlohmann::json;
using Text = std::string Config::*;
using List = std::vector<std::string> Config::*;
using Number = std::int64_t Config::*;

struct Setting {
  std::string_view key;
  std::variant<Text, List, Number> member;
  std::string_view help;
  std::int64_t min = 0, max = 0;  // of numbers
};

constexpr std::int64_t kHourMs = 3'600'000;
const Setting kSettings[] = {
    {"listen", &Config::listen, "HOST:PORT to listen on; port 0 takes any free port"},
    {"packs", &Config::packs, "Folder of rule packs; may be given several times"},
    {"activation", &Config::activation, "File that says which versions of packs are on; without it all are"},
    {"site", &Config::site, "Site whose activation and overlays of packs count"},
    {"evaluators", &Config::evaluators,
     "HOST:PORT,... of gRPC evaluators instead of evaluating in this process"},
    {"now", &Config::now, "Fixed time of every decision, such as 2026-12-10T09:00:00Z"},
    {"path_prefix", &Config::path_prefix, "Path before /cds-services, such as /cds"},
    {"cors_origins", &Config::cors_origins, "Origins that browsers may call from; * is any"},
    {"max_body_bytes", &Config::max_body_bytes, "Largest request body", 1, 1 << 30},
    {"max_header_bytes", &Config::max_header_bytes, "Largest HTTP header", 256, 1 << 20},
    {"max_depth", &Config::max_depth, "Deepest nesting of JSON", 8, 1000},
    {"max_cards", &Config::max_cards, "Cards of a response, the last one names the rest; 0 is no limit", 0,
     1000},
    {"max_issued_cards", &Config::max_issued_cards, "Cards remembered for feedback", 0, 100'000'000},
    {"request_timeout_ms", &Config::request_timeout_ms, "To receive a request or send an answer", 1, kHourMs},
    {"idle_timeout_ms", &Config::idle_timeout_ms, "Between two requests on a connection", 1, kHourMs},
    {"evaluation_timeout_ms", &Config::evaluation_timeout_ms, "For the rules of one request", 1, kHourMs},
    {"drain_time_ms", &Config::drain_time_ms, "For requests in flight when stopping", 0, kHourMs},
    {"reload_poll_ms", &Config::reload_poll_ms, "Between two looks at the packs; 0: reload on SIGHUP only", 0,
     kHourMs},
    {"max_connections", &Config::max_connections, "Connections open at once", 1, 1'000'000},
    {"worker_threads", &Config::worker_threads, "Threads that answer requests; 0 is one a core", 0, 1024},
    {"max_shadows", &Config::max_shadows, "Requests that versions in shadow are tried for at once", 0, 1024},
    {"log_level", &Config::log_level, "trace, debug, info, warn, error or off"},
};

tl::unexpected<Error> Wrong(std::string_view key, std::string message, const std::string& file = "") {
  return Fail(Code::kInvalidArgument, std::string(key) + ": " + std::move(message),
              SourceSpan{file, 0, 0, 0});
}

const Setting* FindSetting(std::string_view key) {
  const auto* found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                   [&](const Setting& setting) { return setting.key == key; });
  return found == std::end(kSettings) ? nullptr : found;
}

// Levenshtein distance, for keys: both texts are short.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view NearestKey(std::string_view key) {
  const auto score = [&](const Setting& setting) {
    return setting.key.starts_with(key) ? 0
                                        : Distance(setting.key, key);  // "cors" means cors_origins, not now
  };
  const auto* nearest =
      std::min_element(std::begin(kSettings), std::end(kSettings),
                       [&](const Setting& a, const Setting& b) { return score(a) < score(b); });
  return nearest->key;
}

Status SetNumber(const Setting& setting, std::int64_t value, const std::string& file, Config& config) {
  if (value < setting.min || value > setting.max) {
    return Wrong(setting.key,
                 std::to_string(value) + " is not between " + std::to_string(setting.min) + " and " +
                     std::to_string(setting.max),
                 file);
  }
  config.*std::get<Number>(setting.member) = value;
  return {};
}

Status SetFromJson(const Setting& setting, const Json& value, const std::string& file, Config& config) {
  if (const Text* text = std::get_if<Text>(&setting.member)) {
    if (!value.is_string()) return Wrong(setting.key, "expected a string", file);
    config.** text = value.get<std::string>();
    return {};
  }
  if (const List* list = std::get_if<List>(&setting.member)) {
    const bool strings = value.is_array() && std::all_of(value.begin(), value.end(),
                                                         [](const Json& item) { return item.is_string(); });
    if (!strings) return Wrong(setting.key, "expected an array of strings", file);
    config.** list = value.get<std::vector<std::string>>();
    return {};
  }
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() ||
                     value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (!fits) return Wrong(setting.key, "expected a whole number", file);
  return SetNumber(setting, value.get<std::int64_t>(), file, config);
}

Status SetFromText(const Setting& setting, const std::vector<std::string>& values, Config& config) {
  if (const Text* text = std::get_if<Text>(&setting.member)) {
    config.** text = values.empty() ? "" : values.back();
    return {};
  }
  if (const List* list = std::get_if<List>(&setting.member)) {
    config.** list = values;
    return {};
  }
  const std::string text = values.empty() ? "" : values.back();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Wrong(setting.key, "expected a whole number, found \"" + text + "\"");
  }
  return SetNumber(setting, number, "", config);
}

Status CheckConfig(const Config& config) {
  constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log_level) == std::end(kLevels)) {
    return Wrong("log_level", "expected trace, debug, info, warn, error or off");
  }
  if (!config.now.empty()) {
    const std::optional<DateTime> now = DateTime::ParseDateTime(config.now);
    if (!now || !now->has_offset)
      return Wrong("now", "expected a time with offset, such as 2026-12-10T09:00:00Z");
  }
  if (!config.evaluators.empty() && !config.activation.empty())
    return Wrong("activation", "evaluators say themselves what is on; give them the file");
  if (config.max_cards == 1)
    return Wrong("max_cards", "1 leaves no place for advice beside the card that names the rest");
  const std::string& prefix = config.path_prefix;
  if (!prefix.empty() && (prefix.front() != '/' || prefix.back() == '/')) {
    return Wrong("path_prefix", "expected a path that starts with / and does not end with it, such as /cds");
  }
  if (config.listen.rfind(':') == std::string::npos) return Wrong("listen", "expected HOST:PORT");
  return {};
}

std::string FlagOf(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

}  // namespace

Status ApplyJson(std::string_view text, const std::string& file, Config& config) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Fail(Code::kSyntax, "expected one JSON object", SourceSpan{file, 0, 0, 0});
  for (const auto& [key, value] : json.items()) {
    const Setting* setting = FindSetting(key);
    if (setting == nullptr) {
      return Wrong(key, "no such setting; did you mean " + std::string(NearestKey(key)) + "?", file);
    }
    STEPWISE_RETURN_IF_ERROR(SetFromJson(*setting, value, file, config));
  }
  return {};
}

Status ApplyJsonFile(const std::string& file, Config& config) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    return Fail(Code::kNotFound, "the file cannot be read, or is empty", SourceSpan{file, 0, 0, 0});
  }
  return ApplyJson(text.str(), file, config);
}

void AddOptions(CLI::App& app, Overrides& overrides) {
  app.add_option("--config", overrides.file, "JSON file with the same settings; options win")
      ->type_name("FILE");
  const Config defaults;
  for (const Setting& setting : kSettings) {
    CLI::Option* option = app.add_option_function<std::vector<std::string>>(
        FlagOf(setting.key),
        [key = std::string(setting.key), &overrides](const std::vector<std::string>& values) {
          overrides.given.emplace_back(key, values);
        },
        std::string(setting.help));
    option->type_name("");
    if (std::holds_alternative<List>(setting.member)) {
      if (setting.key != "packs") option->delimiter(',');  // a folder may have a comma in its name
      continue;
    }
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    if (const Number* number = std::get_if<Number>(&setting.member)) {
      option->default_str(std::to_string(defaults.**number));
    } else if (const std::string& text = defaults.*std::get<Text>(setting.member); !text.empty()) {
      option->default_str(text);
    }
  }
}

Result<Config> MakeConfig(const Overrides& overrides) {
  Config config;
  if (!overrides.file.empty()) STEPWISE_RETURN_IF_ERROR(ApplyJsonFile(overrides.file, config));
  for (const auto& [key, values] : overrides.given) {
    STEPWISE_RETURN_IF_ERROR(SetFromText(*FindSetting(key), values, config));
  }
  STEPWISE_RETURN_IF_ERROR(CheckConfig(config));
  return config;
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
