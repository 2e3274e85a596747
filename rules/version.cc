#include "rules/version.h"

#include <algorithm>
#include <charconv>

namespace stepwise::rules {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Takes digits off the front; leading zeros and more than 9 digits are refused.
std::optional<int> TakeNumber(std::string_view* text) {
  const std::size_t end = std::min(text->find_first_not_of("0123456789"), text->size());
  const std::string_view digits = text->substr(0, end);
  if (digits.empty() || digits.size() > 9 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  text->remove_prefix(end);
  return value;
}

bool TakePoint(std::string_view* text) {
  if (!text->starts_with('.')) return false;
  text->remove_prefix(1);
  return true;
}

bool IsPrerelease(std::string_view text) {
  while (true) {
    const std::size_t point = text.find('.');
    const std::string_view part = text.substr(0, point);
    const bool known = std::ranges::all_of(part, [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    if (part.empty() || !known || (IsNumber(part) && part.size() > 1 && part[0] == '0')) return false;
    if (point == std::string_view::npos) return true;
    text.remove_prefix(point + 1);
  }
}

// semver 11.4: numbers by value and before words, words by bytes, fewer fields first.
std::strong_ordering ComparePrerelease(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();
  while (true) {
    const std::string_view x = a.substr(0, a.find('.')), y = b.substr(0, b.find('.'));
    const bool x_number = IsNumber(x), y_number = IsNumber(y);
    std::strong_ordering order = y_number <=> x_number;
    if (x_number && y_number) order = x.size() != y.size() ? x.size() <=> y.size() : x.compare(y) <=> 0;
    if (!x_number && !y_number) order = x.compare(y) <=> 0;
    if (order != 0) return order;
    const bool a_ends = x.size() == a.size(), b_ends = y.size() == b.size();
    if (a_ends || b_ends) return b_ends <=> a_ends;
    a.remove_prefix(x.size() + 1);
    b.remove_prefix(y.size() + 1);
  }
}

}  // namespace

std::optional<Version> Version::Parse(std::string_view text) {
  Version version;
  int* const parts[] = {&version.major, &version.minor, &version.patch};
  for (int* part : parts) {
    if (part != parts[0] && !TakePoint(&text)) return std::nullopt;
    const auto number = TakeNumber(&text);
    if (!number) return std::nullopt;
    *part = *number;
  }
  if (text.empty()) return version;
  if (text[0] != '-' || !IsPrerelease(text.substr(1))) return std::nullopt;
  version.prerelease = text.substr(1);
  return version;
}

std::string Version::ToString() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch) +
         (prerelease.empty() ? "" : "-" + prerelease);
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  return ComparePrerelease(a.prerelease, b.prerelease);
}

std::optional<VersionRange> VersionRange::Parse(std::string_view text) {
  if (!text.starts_with('^')) {
    const auto exact = Version::Parse(text);
    return exact ? std::optional<VersionRange>({*exact, std::nullopt}) : std::nullopt;
  }
  text.remove_prefix(1);
  VersionRange range;
  const auto major = TakeNumber(&text);
  if (!major) return std::nullopt;
  range.low.major = *major;
  for (int* part : {&range.low.minor, &range.low.patch}) {
    if (text.empty()) break;
    if (!TakePoint(&text)) return std::nullopt;
    const auto number = TakeNumber(&text);
    if (!number) return std::nullopt;
    *part = *number;
  }
  if (!text.empty()) return std::nullopt;
  range.below = range.low.major > 0   ? Version{range.low.major + 1, 0, 0}
                : range.low.minor > 0 ? Version{0, range.low.minor + 1, 0}
                                      : Version{0, 0, range.low.patch + 1};
  return range;
}

bool VersionRange::Contains(const Version& version) const {
  if (!below) return version == low;
  // A prerelease of the first version outside is outside too.
  const Version release{version.major, version.minor, version.patch};
  return version >= low && release < *below;
}

}  // namespace stepwise::rules
