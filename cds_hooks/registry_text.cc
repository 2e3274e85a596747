#include "cds_hooks/registry_text.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace stepwise::cds_hooks {
namespace {

constexpr std::size_t kMaxErrors = 10;

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// Samples of one metric stand together, under its HELP and TYPE.
class Exposition {
 public:
  void Metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "stepwise_" + std::string(name);
    text_ +=
        "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void Sample(const Labels& labels, std::uint64_t value) {
    text_ += name_;
    char before = '{';
    for (const auto& [label, text] : labels) {
      text_ += std::exchange(before, ',') + std::string(label) + "=\"" + Escape(text) + "\"";
    }
    if (!labels.empty()) text_ += '}';
    text_ += " " + std::to_string(value) + "\n";
  }
  std::string Take() { return std::move(text_); }

 private:
  static std::string Escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\\' || c == '"') out += '\\';
      out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return out;
  }

  std::string name_, text_;
};

}  // namespace

std::string HealthText(const rules::RegistryStatus& status) {
  nlohmann::ordered_json health = {{"status", "ready"}, {"packs", nlohmann::ordered_json::array()}};
  for (const rules::PackState& pack : status.packs) {
    health["packs"].push_back({{"id", pack.ref.id},
                               {"version", pack.ref.version},
                               {"digest", pack.ref.digest},
                               {"mode", pack.mode}});
  }
  nlohmann::ordered_json& registry = health["registry"];
  registry = {{"generation", status.generation},
              {"loaded", status.loaded_at.ToString()},
              {"digest", status.digest},
              {"reload", status.errors.empty() ? "ok" : "failed"}};
  if (status.failed_at) registry["failed"] = status.failed_at->ToString();
  for (const Error& error : status.errors) {
    if (registry["errors"].size() < kMaxErrors) registry["errors"].push_back(error.ToString());
  }
  return health.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string MetricsText(const rules::RegistryStatus& status, std::uint64_t shadows_skipped) {
  Exposition out;
  out.Metric("reloads_total", "counter", "Attempts to load the packs, the first one included.");
  out.Sample({{"result", "ok"}}, status.reloads_ok);
  out.Sample({{"result", "failed"}}, status.reloads_failed);
  out.Metric("reload_failing", "gauge", "1 while the last reload failed and older packs go on answering.");
  out.Sample({}, status.errors.empty() ? 0 : 1);
  out.Metric("registry_generation", "gauge", "Number of the snapshot that answers.");
  out.Sample({}, status.generation);
  out.Metric("pack_info", "gauge", "Versions of packs that are loaded, and how each is on now.");
  for (const rules::PackState& pack : status.packs) {
    out.Sample({{"id", pack.ref.id},
                {"version", pack.ref.version},
                {"digest", pack.ref.digest},
                {"mode", pack.mode}},
               1);
  }
  out.Metric("shadow_outcomes_total", "counter",
             "Rules of versions in shadow that fired as the shown ones did, or otherwise.");
  for (const auto& [one, count] : status.shadow) {
    out.Sample({{"pack", one.pack},
                {"version", one.version},
                {"rule", one.rule},
                {"kind", one.kind},
                {"line", one.line}},
               count);
  }
  out.Metric("shadow_skipped_total", "counter", "Requests for which no version in shadow was tried.");
  out.Sample({}, shadows_skipped);
  return out.Take();
}

}  // namespace stepwise::cds_hooks
