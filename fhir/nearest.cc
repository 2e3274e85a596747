#include "fhir/nearest.h"

#include <algorithm>
#include <vector>

namespace stepwise {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edits in halves, so that a wrong case counts 1 and everything else 2.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = 2 * j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = 2 * i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = a[i - 1] == b[j - 1] ? 0 : Lower(a[i - 1]) == Lower(b[j - 1]) ? 1 : 2;
      row[j] = std::min({last[j] + 2, row[j - 1] + 2, last[j - 1] + replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 2);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

template <typename Text>
std::string_view NearestOf(std::string_view name, std::span<const Text> candidates) {
  constexpr std::size_t kLongestName = 100;  // nobody means a name that is this long
  if (name.size() > kLongestName) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(2, name.size() * 2 / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > name.size() + 4 || name.size() > candidate.size() + 4) continue;
    const std::size_t distance = Distance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates) {
  return NearestOf(name, candidates);
}
std::string_view Nearest(std::string_view name, std::span<const std::string> candidates) {
  return NearestOf(name, candidates);
}

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? "" : " (did you mean '" + std::string(nearest) + "'?)";
}

}  // namespace stepwise
