// Canonicals: things found by "url" or "url|version".
//
// "url" finds the newest version, "url|version" exactly that one, else one that has no version.
// Thread-safety: immutable once filled.
#ifndef STEPWISE_FHIR_TERMINOLOGY_CANONICALS_H_
#define STEPWISE_FHIR_TERMINOLOGY_CANONICALS_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/terminology/codes.h"

namespace stepwise::terminology {

// Orders versions: runs of digits as numbers, all else as text, "1.0-draft" before "1.0", none before any.
inline bool OlderVersion(std::string_view a, std::string_view b) {
  const auto digits = [](std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    return n;
  };
  const auto number = [](std::string_view run) {
    while (run.size() > 1 && run.front() == '0') run.remove_prefix(1);
    return run;
  };
  while (!a.empty() && !b.empty()) {
    const std::size_t n = digits(a), m = digits(b);
    if (n > 0 && m > 0) {
      const std::string_view x = number(a.substr(0, n)), y = number(b.substr(0, m));
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      a.remove_prefix(n);
      b.remove_prefix(m);
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() && b.empty()) return false;
  return a.empty() ? b.front() != '-' : a.front() == '-';
}

template <typename T>
class Canonicals {
 public:
  // The one that is there already under that url and version, else nullptr and `value` is added.
  const T* Add(std::string_view url, std::string_view version, const T* value) {
    std::vector<Entry>& entries = by_url_[std::string(url)];
    for (const Entry& entry : entries) {
      if (entry.version == version) return entry.value;
    }
    const auto place = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return OlderVersion(entry.version, version); });
    entries.insert(place, {std::string(version), value});
    return nullptr;
  }
  const T* Find(std::string_view canonical) const {
    if (const std::vector<Entry>* entries = Versions(canonical)) return entries->front().value;
    const std::size_t bar = canonical.rfind('|');
    return bar == std::string_view::npos ? nullptr
                                         : Find(canonical.substr(0, bar), canonical.substr(bar + 1));
  }
  // `version` may be empty: the newest.
  const T* Find(std::string_view url, std::string_view version) const {
    const std::vector<Entry>* entries = Versions(url);
    if (entries == nullptr) return nullptr;
    if (version.empty()) return entries->front().value;
    for (const Entry& entry : *entries) {
      if (entry.version == version) return entry.value;
    }
    return entries->back().version.empty() ? entries->back().value : nullptr;
  }
  // "; version 2.0 is at hand" or "".
  std::string OtherVersions(std::string_view canonical) const {
    const std::vector<Entry>* entries = Versions(canonical.substr(0, canonical.rfind('|')));
    if (entries == nullptr) return "";
    std::string out = "; at hand: ";
    for (const Entry& entry : *entries) out += (&entry == entries->data() ? "" : ", ") + entry.version;
    return out;
  }

 private:
  struct Entry {
    std::string version;
    const T* value;
  };
  const std::vector<Entry>* Versions(std::string_view url) const {
    const auto found = by_url_.find(url);
    return found == by_url_.end() ? nullptr : &found->second;
  }
  TextMap<std::vector<Entry>> by_url_;  // the newest first
};

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_CANONICALS_H_
