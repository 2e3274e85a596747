// Tables keyed by codes that can be asked in either case without allocating.
//
// The hash ignores the case of ASCII letters, equality does not: find(code) is exact, find(AnyCase{code})
// finds a code that differs in case only.
#ifndef STEPWISE_FHIR_TERMINOLOGY_CODES_H_
#define STEPWISE_FHIR_TERMINOLOGY_CODES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stepwise::terminology {

// Whether codes of a system that differ in case only are the same code.
enum class CaseRule : std::uint8_t { kSensitive, kInsensitive, kUnspecified };

inline char FoldCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct AnyCase {
  std::string_view text;
};

struct CodeHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view code) const {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : code) hash = (hash ^ static_cast<unsigned char>(FoldCase(c))) * 0x100000001b3;
    return static_cast<std::size_t>(hash);
  }
  std::size_t operator()(AnyCase code) const { return (*this)(code.text); }
};

struct CodeEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  bool operator()(AnyCase a, std::string_view b) const {
    return std::equal(a.text.begin(), a.text.end(), b.begin(), b.end(),
                      [](char x, char y) { return FoldCase(x) == FoldCase(y); });
  }
  bool operator()(std::string_view a, AnyCase b) const { return (*this)(b, a); }
};

template <typename T>
using CodeMap = std::unordered_map<std::string, T, CodeHash, CodeEqual>;

// The same for URLs and names, where case counts.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

}  // namespace stepwise::terminology

#endif  // STEPWISE_FHIR_TERMINOLOGY_CODES_H_
