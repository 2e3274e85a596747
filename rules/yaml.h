// YAML as people write it in rule packs: text -> immutable tree, every node knowing where it stands.
//
// The one wrapper around yaml-cpp, and a restricted subset of YAML on purpose:
//   - scalars stay text ("no" is not false, 1.20 is not 1.2); who reads them decides their type;
//   - duplicate keys, tags (!!str), merge keys (<<) and keys that are not plain text are errors;
//   - anchors and aliases only where YamlOptions::anchors allows them (test files);
//   - a quoted text ends on the line where it starts (use | or > for longer text), so that a forgotten
//     quote is reported where it was opened and not at the end of the file.
//
//   Result<YamlNode> node = ParseYaml("a: [1, 'x']", {.file = "pack.yaml"});
//   node->Find("a")->children[1].value.text == "x"
//
// Errors: kSyntax (span = place, message = what, the offending text, what would be right) and kLimit.
// No exception leaves this file. Thread-safety: plain values.
#ifndef STEPWISE_RULES_YAML_H_
#define STEPWISE_RULES_YAML_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"

namespace stepwise::rules {

// A text from a file that still knows the place of each of its characters, whatever folding, indentation and
// escapes YAML removed.
struct SourceText {
  struct Piece {
    std::uint32_t offset;  // first byte of a run that stands in one line of the file, in order
    std::uint32_t line, column;
  };
  std::string text;
  SourceSpan span;            // of the whole, where it begins
  std::vector<Piece> pieces;  // at least one for texts read from a file

  bool empty() const { return text.empty(); }
  // Place of `length` bytes from byte `offset` of `text`.
  SourceSpan At(std::size_t offset, std::size_t length = 1) const;
  // The same for a line and column from 1 as a parser reports them that read `text` from byte `offset` on.
  SourceSpan At(const SourceSpan& inner, std::size_t offset) const;
};

enum class YamlKind : std::uint8_t { kNull, kScalar, kList, kMap };

struct YamlNode {
  YamlKind kind = YamlKind::kNull;
  bool quoted = false;             // scalar written in quotes or as a block
  SourceSpan span;                 // first character of the node
  SourceText key;                  // of an entry in a map
  SourceText value;                // scalars; of a null what was written ("", "~", "null")
  std::vector<YamlNode> children;  // items of a list, entries of a map, in order

  bool is_scalar() const { return kind == YamlKind::kScalar; }
  bool is_list() const { return kind == YamlKind::kList; }
  bool is_map() const { return kind == YamlKind::kMap; }
  bool is_null() const { return kind == YamlKind::kNull; }
  // Entry of a map, or nullptr.
  const YamlNode* Find(std::string_view name) const;
};

struct YamlOptions {
  std::string file = {};             // for messages
  bool anchors = false;              // allow &name and *name
  std::size_t max_bytes = 1u << 20;  // longer texts are refused before they are parsed
  int max_depth = 40;                // nested lists and maps
  std::size_t max_nodes = 200'000;   // nodes of the tree, copies made by aliases included
};

Result<YamlNode> ParseYaml(std::string_view text, const YamlOptions& options = {});
// The same with every error: what is not part of the subset (a key given twice, a tag, an anchor) is added
// and left out of the tree; nullopt where nothing can be read behind the last error.
std::optional<YamlNode> ParseYaml(std::string_view text, const YamlOptions& options,
                                  std::vector<Error>* errors);

// The node as JSON. Unquoted true, false, null and JSON numbers become what they look like, every other
// scalar a string; numbers keep the digits they were written with.
std::string YamlToJson(const YamlNode& node);
}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_YAML_H_
