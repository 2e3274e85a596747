// Whatever bytes arrive: a tree whose JSON parses as JSON again, or an error with a place. Every character
// that the tree gives a place for is inside the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/yaml.h"

using stepwise::rules::YamlNode;

namespace {

void CheckPlaces(const YamlNode& node, std::uint32_t lines) {
  for (const auto& piece : node.value.pieces) {
    if (piece.line == 0 || piece.line > lines || piece.column == 0 || piece.offset > node.value.text.size())
      std::abort();
  }
  for (const YamlNode& child : node.children) CheckPlaces(child, lines);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto node = stepwise::rules::ParseYaml(text, {.anchors = (data[0] & 1) != 0, .max_nodes = 2000});
  if (!node) {
    if (node.error().message.empty() || node.error().span.line == 0) std::abort();
    return 0;
  }
  CheckPlaces(*node, static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  const std::string json = stepwise::rules::YamlToJson(*node);
  // JSON is YAML, but for texts that our subset keeps on one line: escapes see to that.
  if (json.size() < 100'000 && !stepwise::rules::ParseYaml(json, {.max_nodes = 10'000})) std::abort();
  return 0;
}
