#include "rules/suppression.h"

#include <algorithm>
#include <charconv>

#include "rules/digest.h"
#include "rules/knowledge_base.h"

namespace stepwise::rules {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t minutes;
};
constexpr std::int64_t kHour = 60, kDay = 24 * kHour;
constexpr Unit kUnits[] = {{"min", 1}, {"h", kHour}, {"d", kDay}, {"wk", 7 * kDay}};
constexpr std::int64_t kMaxMinutes = 366 * kDay;  // longer is no pause, it is switching a rule off

// "12 h" -> 720; 0 when it is no such text.
std::int64_t Minutes(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 1) return 0;
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == std::end(kUnits) || number > kMaxMinutes / unit->minutes) return 0;
  return number * unit->minutes;
}

}  // namespace

SuppressRepeat ReadSuppressRepeat(const YamlNode& node, Errors* errors) {
  SuppressRepeat out;
  Fields fields(node, kSuppressRepeatSchema, errors);
  out.span = node.span;
  bool patient = false;
  for (SourceText& value : fields.Texts("per")) {
    if (value.text == "patient") {
      patient = true;
    } else {
      out.per.push_back(std::move(value));
    }
  }
  if (!patient && node.Find("per") != nullptr)
    fields.Fail(node.span,
                "`per` is a list with `patient`: one patient's override says nothing about another");
  const SourceText length = fields.Source("for");
  out.minutes = Minutes(length.text);
  if (length.span.line != 0 && out.minutes == 0) {
    fields.Fail(length.span,
                "`" + length.text +
                    "` is no time to keep quiet; write a whole number of min, h, d or wk, at most "
                    "a year, such as 12 h");
  }
  return out;
}

Result<std::string> SuppressionKey(const CompiledRule& rule, std::string_view patient_id,
                                   const RunExpression& run) {
  Sha256 hash;
  hash.AddField(patient_id);
  for (const fhirpath::Program& program : rule.suppress_per) {
    STEPWISE_ASSIGN_OR_RETURN(const fhirpath::Items items, run(program));
    if (items.empty()) return std::string();
    hash.AddField(std::to_string(items.size()));
    for (const fhirpath::Item& item : items) hash.AddField(fhirpath::ValueJson(item));
  }
  return rule.pack->id + "/" + rule.rule->id + "/" + hash.Hex().substr(0, 32);
}

std::optional<std::string> Suppressed(const std::string& key, std::int64_t minutes, const DateTime& now,
                                      std::span<const OverriddenCard> overridden) {
  constexpr std::int64_t kMillis = 60'000;
  const OverriddenCard* last = nullptr;
  for (const OverriddenCard& one : overridden) {
    if (one.key == key && (last == nullptr || last->at.ToUnixMillis() < one.at.ToUnixMillis())) last = &one;
  }
  if (last == nullptr) return std::nullopt;
  const std::int64_t until = last->at.ToUnixMillis() + minutes * kMillis;
  if (now.ToUnixMillis() >= until) return std::nullopt;
  const int offset = last->at.has_offset ? last->at.offset_minutes : 0;
  return "overridden at " + last->at.ToString() + ", silent until " +
         DateTime::FromUnixMillis(until, offset).ToString();
}

}  // namespace stepwise::rules
