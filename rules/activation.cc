#include "rules/activation.h"

#include <algorithm>
#include <set>

#include "rules/digest.h"

namespace stepwise::rules {
namespace {

constexpr std::string_view kDefaultSite = "default";
constexpr std::string_view kSha256 = "sha256:";
constexpr std::size_t kMaxEntries = 100;  // of one pack at one site
constexpr int kMyriad = 10'000;

// "10", "0.5", "12.25": per cent in steps of a hundredth.
std::optional<int> ParsePercent(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
  const bool formed = !digits.empty() && digits.size() <= 3 && fraction.size() <= 2 &&
                      (point == std::string_view::npos || !fraction.empty());
  fraction.resize(2, '0');
  digits += fraction;
  if (!formed || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int value = std::stoi(digits);
  return value <= kMyriad ? std::optional(value) : std::nullopt;
}

std::int64_t ReadMoment(Fields& fields, std::string_view key, std::int64_t fallback) {
  const SourceText text = fields.Source(key);
  if (text.span.line == 0) return fallback;
  const std::optional<DateTime> moment = DateTime::ParseDateTime(text.text);
  if (moment && moment->has_offset) return moment->ToUnixMillis();
  fields.Fail(text.span, "`" + std::string(key) + "` is a time with its offset, such as " +
                             "2026-12-01T00:00:00+01:00, not `" + text.text + "`");
  return fallback;
}

ActivationEntry ReadEntry(const YamlNode& node, const std::string& pack, Errors* errors) {
  ActivationEntry out;
  Fields fields(node, kActivationEntrySchema, errors);
  out.span = node.span;
  const SourceText version = fields.Source("version");
  if (const auto choice = VersionChoice::Parse(version.text)) {
    out.version = *choice;
  } else if (version.span.line != 0) {
    fields.Fail(version.span, "`" + version.text +
                                  "` names no version; write 1.2.0, ^1.2 (the highest 1.x from 1.2 on) or "
                                  "sha256: and 64 digits");
  }
  out.mode = static_cast<ActivationMode>(fields.Choice("mode").value_or(0));
  const SourceText percent = fields.Source("percent"), salt = fields.Source("salt");
  out.salt = salt.empty() ? pack : salt.text;
  if (out.mode != ActivationMode::kCanary) {
    for (const SourceText* text : {&percent, &salt}) {
      if (text->span.line != 0) fields.Fail(text->span, "only `mode: canary` has a percentage and a salt");
    }
  } else if (percent.span.line == 0) {
    if (node.is_map()) fields.Fail(node.span, "a canary says its `percent` of patients, 0 to 100");
  } else if (const auto share = ParsePercent(percent.text)) {
    out.per_myriad = *share;
  } else {
    fields.Fail(percent.span, "`" + percent.text + "` is no percentage; write 0 to 100, such as 10 or 0.25");
  }
  out.from_ms = ReadMoment(fields, "from", out.from_ms);
  out.to_ms = ReadMoment(fields, "to", out.to_ms);
  if (out.to_ms <= out.from_ms) fields.Fail(node.span, "the period ends before it begins");
  return out;
}

void CheckOverlaps(const PackActivation& pack, Errors* errors) {
  for (std::size_t i = 0; i < pack.entries.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const ActivationEntry &a = pack.entries[j], &b = pack.entries[i];
      if (a.to_ms <= b.from_ms || b.to_ms <= a.from_ms) continue;
      const bool same_mode = a.mode == b.mode && a.mode != ActivationMode::kShadow;
      if (!same_mode && a.version.text != b.version.text) continue;
      AddError(errors, b.span,
               "overlaps the entry in line " + std::to_string(a.span.line) + ": a pack has one version `" +
                   std::string(kActivationModes[static_cast<std::size_t>(b.mode)]) +
                   "` at a time, and a version one mode; let `to` of one be `from` of the other");
      break;
    }
  }
}

PackActivation ReadPackActivation(const YamlNode& node, Errors* errors) {
  PackActivation out{node.key.text, node.key.span, {}};
  if (!node.is_list()) {
    AddError(errors, node.span, "a pack has a list of entries, such as [ { version: 1.2.0 } ]; [] is none");
    return out;
  }
  if (node.children.size() > kMaxEntries) {
    AddError(errors, node.span, "more than " + std::to_string(kMaxEntries) + " entries", Code::kLimit);
    return out;
  }
  for (const YamlNode& child : node.children) out.entries.push_back(ReadEntry(child, out.pack, errors));
  CheckOverlaps(out, errors);
  return out;
}

bool Includes(const ActivationEntry& entry, std::int64_t millis) {
  return entry.from_ms <= millis && millis < entry.to_ms;
}

template <typename T>
void SortOnce(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::int64_t DayNumber(const DateTime& date) { return DaysFromCivil(date.year, date.month, date.day); }

}  // namespace

std::optional<VersionChoice> VersionChoice::Parse(std::string_view text) {
  VersionChoice out{std::string(text), VersionRange::Parse(text)};
  if (out.range) return out;
  const std::string_view digits = text.starts_with(kSha256) ? text.substr(kSha256.size()) : "";
  const bool digest =
      digits.size() == 64 && digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return digest ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<Activation> ReadActivation(std::string_view text, const std::string& file, Errors* errors) {
  const std::size_t before = errors->size();
  const Result<YamlNode> node = ParseYaml(text, {.file = file});
  if (!node) {
    errors->push_back(node.error());
    return std::nullopt;
  }
  Activation out{file, {}};
  {
    Fields fields(*node, kActivationSchema, errors);
    fields.Choice("activation");  // the format: there is one
    const YamlNode* sites = fields.Map("sites");
    for (const YamlNode& site : sites == nullptr ? std::vector<YamlNode>() : sites->children) {
      std::vector<PackActivation>& packs = out.sites[site.key.text];
      if (site.is_null()) continue;
      if (!site.is_map()) {
        fields.Fail(site.span, "a site is a map from the id of a pack to its versions");
        continue;
      }
      for (const YamlNode& pack : site.children) packs.push_back(ReadPackActivation(pack, errors));
    }
  }
  if (errors->size() > before) return std::nullopt;
  return out;
}

bool TakesPatient(const Canary& canary, std::string_view patient_id) {
  if (patient_id.empty()) return false;
  Sha256 hash;
  hash.AddField(canary.salt);
  hash.AddField(patient_id);
  const auto bytes = hash.Finish();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number % kMyriad < static_cast<std::uint64_t>(canary.per_myriad);
}

Schedule::Schedule(const Activation* activation, const std::string& site, std::span<const Pack> packs,
                   Errors* errors)
    : packs_(packs) {
  if (activation == nullptr) {
    std::set<std::string> ids;
    for (const Pack& pack : packs) ids.insert(pack.id);
    ActivationEntry any;
    any.version.range = VersionRange{{}, Version{std::numeric_limits<int>::max(), 0, 0}};
    for (const std::string& id : ids) AddRow({id, {}, {any}}, errors);
  } else {
    std::map<std::string_view, const PackActivation*> chosen;  // the site's own wins
    bool found = false;
    for (const std::string_view name : {kDefaultSite, std::string_view(site)}) {
      const auto at = activation->sites.find(name);
      if (at == activation->sites.end()) continue;
      found = true;
      for (const PackActivation& pack : at->second) chosen[pack.pack] = &pack;
    }
    if (!found) {
      std::vector<std::string> known;
      for (const auto& [name, ignored] : activation->sites) known.push_back(name);
      AddError(errors, {.file = activation->file},
               "says nothing about the site `" + site + "` and has no site `default`" + Suggest(site, known));
    }
    for (const auto& [id, pack] : chosen) AddRow(*pack, errors);
  }
  AddBoundaries();
}

void Schedule::AddRow(const PackActivation& activation, Errors* errors) {
  Row row{activation.pack, {}};
  std::string loaded;
  for (const Pack& pack : packs_) {
    if (pack.id == row.pack) loaded += (loaded.empty() ? "" : ", ") + pack.version.ToString();
  }
  if (loaded.empty() && !activation.entries.empty()) {
    std::vector<std::string> ids;
    for (const Pack& pack : packs_) ids.push_back(pack.id);
    SortOnce(ids);
    return AddError(errors, activation.span, "no pack `" + row.pack + "` is loaded" + Suggest(row.pack, ids));
  }
  for (const ActivationEntry& what : activation.entries) {
    Entry entry{what, {}};
    for (std::size_t i = packs_.size(); i-- > 0;) {
      if (packs_[i].id == row.pack && what.version.Takes(packs_[i])) entry.candidates.push_back(i);
    }
    if (entry.candidates.empty()) {
      AddError(errors, what.span,
               "no version of `" + row.pack + "` that is loaded fits `" + what.version.text +
                   "`; loaded: " + loaded);
    }
    row.entries.push_back(std::move(entry));
  }
  rows_.push_back(std::move(row));
}

void Schedule::AddBoundaries() {
  for (const Row& row : rows_) {
    for (const Entry& entry : row.entries) {
      const ActivationEntry open;
      if (entry.what.from_ms != open.from_ms) instants_.push_back(entry.what.from_ms);
      if (entry.what.to_ms != open.to_ms) instants_.push_back(entry.what.to_ms);
      for (const std::size_t index : entry.candidates) {
        const Pack& pack = packs_[index];
        if (!pack.effective_from.empty()) days_.push_back(pack.effective_from);
        const auto last = DateTime::ParseDate(pack.effective_to);
        if (last && last->year < 9999) days_.push_back(DateFromDays(DayNumber(*last) + 1).ToString());
      }
    }
  }
  SortOnce(instants_);
  SortOnce(days_);
}

// A version that is not in force is on all the same when there is no other: evaluated, and not shown. In
// shadow a version may wait for its day; a canary waits with its patients on what the others have.
std::optional<std::size_t> Schedule::Choose(const Entry& entry, const DateTime& now) const {
  const auto first = [&](const auto& fits) -> std::optional<std::size_t> {
    const auto found = std::ranges::find_if(entry.candidates, fits);
    return found == entry.candidates.end() ? std::nullopt : std::optional(*found);
  };
  const auto live = [&](std::size_t index) { return packs_[index].status != "retired"; };
  if (entry.what.mode == ActivationMode::kShadow) return first(live);
  const auto in_force = first([&](std::size_t index) { return InForce(packs_[index], now); });
  if (in_force || entry.what.mode == ActivationMode::kCanary) return in_force;
  if (const auto alive = first(live)) return alive;
  return first([](std::size_t) { return true; });
}

Moment Schedule::At(const DateTime& now) const {
  Moment out;
  const std::int64_t millis = now.ToUnixMillis();
  for (const Row& row : rows_) {
    std::optional<std::size_t> chosen[std::size(kActivationModes)];
    std::vector<std::size_t> shadow;
    const ActivationEntry* canary = nullptr;
    for (const Entry& entry : row.entries) {
      if (!Includes(entry.what, millis)) continue;
      const auto pack = Choose(entry, now);
      chosen[static_cast<std::size_t>(entry.what.mode)] = pack;
      if (entry.what.mode == ActivationMode::kCanary) canary = &entry.what;
      if (entry.what.mode == ActivationMode::kShadow && pack) shadow.push_back(*pack);
    }
    const auto [on, tried, ignored] = chosen;
    if (on) out.on.push_back(*on);
    if (tried && tried != on) out.canaries.push_back({*tried, on, canary->per_myriad, canary->salt});
    for (const std::size_t pack : shadow) {
      if (pack != on && pack != tried) out.shadow.push_back(pack);
    }
  }
  SortOnce(out.shadow);
  return out;
}

Schedule::Stretch Schedule::StretchOf(const DateTime& now) const {
  const auto passed = [](const auto& boundaries, const auto& value) {
    return static_cast<std::size_t>(std::ranges::upper_bound(boundaries, value) - boundaries.begin());
  };
  return {passed(instants_, now.ToUnixMillis()), passed(days_, now.AsDate().ToString())};
}

std::vector<DateTime> Schedule::Samples() const {
  constexpr std::int64_t kDayMillis = 86'400'000;
  std::vector<std::int64_t> moments = instants_;
  for (const std::string& day : days_) moments.push_back(DayNumber(*DateTime::ParseDate(day)) * kDayMillis);
  SortOnce(moments);
  moments.insert(moments.begin(), moments.empty() ? 0 : moments.front() - 1);
  std::vector<DateTime> out;
  for (const std::int64_t moment : moments) out.push_back(DateTime::FromUnixMillis(moment));
  return out;
}

Status Schedule::Pin(std::string_view pack, std::string_view version, Moment* moment) const {
  const auto row = std::ranges::find(rows_, pack, &Row::pack);
  if (row == rows_.end()) return Fail(Code::kInvalidArgument, "no such pack is on here");
  const auto choice = VersionChoice::Parse(version);
  if (!choice || !choice->exact())
    return Fail(Code::kInvalidArgument,
                "a pin is an exact version (1.2.0) or a digest (sha256: and 64 digits)");
  std::string loaded;
  std::optional<std::size_t> pinned;
  for (std::size_t i = 0; i < packs_.size(); ++i) {
    if (packs_[i].id != pack) continue;
    loaded += (loaded.empty() ? "" : ", ") + packs_[i].version.ToString();
    if (choice->Takes(packs_[i])) pinned = i;
  }
  if (!pinned) return Fail(Code::kInvalidArgument, "this version is not loaded; loaded: " + loaded);
  const auto other = [&](std::size_t index) { return packs_[index].id == pack; };
  std::erase_if(moment->on, other);
  std::erase_if(moment->canaries, [&](const Canary& canary) { return other(canary.pack); });
  std::erase(moment->shadow, *pinned);
  moment->on.push_back(*pinned);
  return {};
}

bool InForce(const Pack& pack, const DateTime& now) {
  if (pack.status == "retired") return false;
  const std::string day = now.AsDate().ToString();
  return (pack.effective_from.empty() || pack.effective_from <= day) &&
         (pack.effective_to.empty() || day <= pack.effective_to);
}

}  // namespace stepwise::rules
