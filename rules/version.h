// Version and VersionRange: semantic versions of packs, and what a pack may require of another.
//
//   Version::Parse("1.2.0")              major.minor.patch, and an optional -prerelease
//   VersionRange::Parse("^1.2")          1.2.0 and up, below 2.0.0 (below 0.3.0 for ^0.2)
//   VersionRange::Parse("1.2.0")         exactly that one
//
// Source: semver.org 2.0.0 (items 2, 9, 11); build metadata (+...) is refused, a released version is one
// thing. Thread-safety: plain values.
#ifndef STEPWISE_RULES_VERSION_H_
#define STEPWISE_RULES_VERSION_H_

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace stepwise::rules {

struct Version {
  int major = 0, minor = 0, patch = 0;
  std::string prerelease = {};  // "rc.1"; "" for a release, which is later than all its prereleases

  static std::optional<Version> Parse(std::string_view text);
  std::string ToString() const;
  friend bool operator==(const Version&, const Version&) = default;
};
std::strong_ordering operator<=>(const Version& a, const Version& b);

struct VersionRange {
  Version low;
  std::optional<Version> below;  // first version outside; nullopt: only `low` itself

  static std::optional<VersionRange> Parse(std::string_view text);
  bool Contains(const Version& version) const;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_VERSION_H_
