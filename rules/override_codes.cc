#include "rules/override_codes.h"

#include <algorithm>
#include <iterator>

#include "rules/pack_files.h"
#include "rules/pack_reader.h"

namespace stepwise::rules {
namespace {

const std::vector<OverrideReason>& ReasonsOf(const Rule& rule) {
  static const std::vector<OverrideReason> kNone;
  return rule.card ? rule.card->override_reasons : kNone;
}

// As clients see it.
const std::string& SystemOf(const OverrideReason& reason, const Pack& pack) {
  return reason.system.empty() ? pack.canonical : reason.system;
}

}  // namespace

void CheckOverrideCodes(const Pack& before, const Pack& now, Errors* errors) {
  const bool major = now.version.major > before.version.major;
  const std::string since = " in version " + before.version.ToString();
  const std::string remedy =
      "; keep it, or raise the major version (" + std::to_string(before.version.major + 1) + ".0.0)";
  for (const Rule& old_rule : before.rules) {
    const auto rule = std::ranges::find(now.rules, old_rule.id, &Rule::id);
    if (rule == now.rules.end()) {
      if (!major && !ReasonsOf(old_rule).empty()) {
        AddError(
            errors, now.span,
            "rule `" + old_rule.id + "` is gone, with the override reasons that it had" + since + remedy);
      }
      continue;
    }
    for (const OverrideReason& old_reason : ReasonsOf(old_rule)) {
      const auto& reasons = ReasonsOf(*rule);
      const auto reason = std::ranges::find(reasons, old_reason.code, &OverrideReason::code);
      if (reason == reasons.end()) {
        if (!major) {
          AddError(errors, rule->card ? rule->card->span : rule->span,
                   "override reason `" + old_reason.code + "` of rule `" + rule->id + "` was here" + since +
                       " and is gone" + remedy);
        }
      } else if (reason->display != old_reason.display) {
        AddError(errors, reason->span,
                 "override reason `" + reason->code + "` says `" + reason->display + "`, but said `" +
                     old_reason.display + "`" + since + "; a code keeps its meaning: take a new code");
      } else if (SystemOf(*reason, now) != SystemOf(old_reason, before)) {
        AddError(errors, reason->span,
                 "override reason `" + reason->code + "` is of system `" + SystemOf(*reason, now) +
                     "`, but was of `" + SystemOf(old_reason, before) + "`" + since +
                     "; a code keeps its system: take a new code");
      }
    }
  }
}

std::vector<Pack> ReadEarlier(const std::string& path, Errors* errors) {
  std::vector<Pack> out;
  for (const std::string& dir : FindPackDirs(path)) {
    Errors old;  // what was wrong with an earlier version is not this author's to mend
    Pack pack = ReadPackDraft(dir, &old);
    if (pack.id.empty()) std::ranges::move(old, std::back_inserter(*errors));
    if (!pack.id.empty()) out.push_back(std::move(pack));
  }
  if (out.empty() && errors->empty())
    AddError(errors, {.file = path}, "neither a pack (pack.yaml) nor a folder of packs", Code::kNotFound);
  return out;
}

}  // namespace stepwise::rules
