#include "fhir/json_place.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fhir/utf8.h"

namespace stepwise {

SourceSpan SpanAt(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::string_view line = newline == std::string_view::npos ? before : before.substr(newline + 1);
  SourceSpan span;
  span.line = 1 + static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n'));
  span.column = 1 + static_cast<std::uint32_t>(CountCodePoints(line));
  span.length = 1;
  return span;
}

std::string JsonPathAt(std::string_view text, std::size_t offset) {
  constexpr std::size_t kDeepest = 100, kLongestName = 60;
  struct Level {
    bool array;
    bool named;  // the property's name has been read
    std::size_t index;
    std::string name;
  };
  std::vector<Level> levels;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        if (levels.size() == kDeepest)
          i = text.size();
        else
          levels.push_back({text[i] == '[', false, 0, ""});
        break;
      case '}':
      case ']':
        if (!levels.empty()) levels.pop_back();
        break;
      case ',':
        if (!levels.empty()) {
          ++levels.back().index;
          levels.back().named = false;
        }
        break;
      case '"': {
        const std::size_t begin = ++i;
        while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        if (i >= offset || levels.empty() || levels.back().array || levels.back().named) break;
        levels.back().name = text.substr(begin, std::min(i - begin, kLongestName));
        levels.back().named = true;
        break;
      }
      default: break;
    }
  }
  std::string path = "$";
  for (const Level& level : levels) {
    if (level.array)
      path += "[" + std::to_string(level.index) + "]";
    else if (level.named)
      path += "." + level.name;
  }
  return path == "$" ? "" : path;
}

std::size_t FirstInvalidUtf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = Utf8SequenceSize(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

std::size_t FirstControlInString(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside && c == '\\')
      ++i;
    else if (c == '"')
      inside = !inside;
    else if (inside && static_cast<unsigned char>(c) < 0x20)
      return i;
  }
  return 0;
}

}  // namespace stepwise
