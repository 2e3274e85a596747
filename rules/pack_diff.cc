#include "rules/pack_diff.h"

#include <algorithm>
#include <set>

namespace stepwise::rules {
namespace {

// Is the thing that `name` is part of in `wholes`: "rule X" of "rule X, line a: text"?
bool IsPart(const std::string& name, const std::set<std::string, std::less<>>& wholes) {
  for (std::size_t at = name.find_first_of(",:"); at != std::string::npos;
       at = name.find_first_of(",:", at + 1)) {
    if (wholes.contains(std::string_view(name).substr(0, at))) return true;
  }
  return false;
}

std::vector<PackChange> CompareItems(const PackItems& before, const PackItems& after) {
  std::set<std::string, std::less<>> names, wholes;
  for (const auto& [name, item] : before) names.insert(name);
  for (const auto& [name, item] : after) names.insert(name);
  std::vector<PackChange> out;
  for (const std::string& name : names) {  // "a" is before its parts "a, b" and "a: b"
    const auto old_item = before.find(name), new_item = after.find(name);
    const bool came = old_item == before.end(), went = new_item == after.end();
    if (!came && !went && old_item->second.value == new_item->second.value) continue;
    if (IsPart(name, wholes)) continue;
    if (came || went) wholes.insert(name);
    PackChange change{
        BumpOf(came ? nullptr : &old_item->second, went ? nullptr : &new_item->second), name, {}, {}};
    if (!came) change.before = old_item->second.value;
    if (!went) change.after = new_item->second.value;
    out.push_back(std::move(change));
  }
  return out;
}

Bump Claim(const Version& before, const Version& after) {
  if (before.major != after.major) return Bump::kMajor;
  if (before.minor != after.minor) return before.major == 0 ? Bump::kMajor : Bump::kMinor;
  if (before.patch != after.patch) return before.major == 0 ? Bump::kMinor : Bump::kPatch;
  // 1.2.0-rc.1 to 1.2.0: what the release claims was claimed against the release before it.
  return before == after ? Bump::kNone : Bump::kMajor;
}

}  // namespace

Version NextVersion(const Version& version, Bump bump) {
  if (bump == Bump::kNone) return version;
  if (version.major == 0) bump = bump == Bump::kMajor ? Bump::kMinor : Bump::kPatch;
  if (bump == Bump::kMajor) return {.major = version.major + 1};
  if (bump == Bump::kMinor) return {.major = version.major, .minor = version.minor + 1};
  return {.major = version.major, .minor = version.minor, .patch = version.patch + 1};
}

PackDiff DiffPacks(const KnowledgeBase& old_base, const Pack& old_pack, const KnowledgeBase& new_base,
                   const Pack& new_pack) {
  PackDiff out;
  out.changes = CompareItems(ListItems(old_base, old_pack), ListItems(new_base, new_pack));
  out.advice = CompareAdvice(old_base, old_pack, new_base, new_pack);
  for (const PackChange& change : out.changes) out.needed = std::max(out.needed, change.bump);
  // A required pack that is another one here can change advice without a word of this pack.
  for (const AdviceChange& change : out.advice.changes) out.needed = std::max(out.needed, change.bump);
  const bool same = old_pack.digest == new_pack.digest;
  if (!same) out.needed = std::max(out.needed, Bump::kPatch);  // a comment, or the order of lines
  const Version &before = old_pack.version, &after = new_pack.version;
  out.claimed = Claim(before, after);
  if (old_pack.id != new_pack.id) {
    out.claimed = out.needed;  // two packs: their versions have nothing to do with each other
  } else if (after < before) {
    out.fault = "the version goes back";
  } else if (before == after && !same) {
    out.fault = "the same version has two digests: a released version never changes, so raise it to " +
                NextVersion(before, out.needed).ToString();
  } else if (before == after && out.needed > Bump::kNone) {
    out.fault = "the same pack advises differently, since a pack that it requires is another one";
  } else if (out.claimed < out.needed) {
    out.fault = "the version must be at least " + NextVersion(before, out.needed).ToString();
  }
  return out;
}

}  // namespace stepwise::rules
