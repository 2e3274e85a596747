#include "rules/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "fhir/json_text.h"
#include "fhir/utf8.h"
#include "rules/yaml_scan.h"

namespace stepwise::rules {

namespace {

struct Refusal {  // thrown by our event handler, caught in ParseYaml
  Error error;
};

std::uint32_t CodePoints(std::string_view text) { return static_cast<std::uint32_t>(CountCodePoints(text)); }

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Offsets of the text -> line and column.
class Places {
 public:
  Places(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
    lines_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
  }
  std::string_view text() const { return text_; }

  SourceText::Piece Piece(std::size_t at, std::uint32_t offset) const {
    at = std::min(at, text_.size());
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), at);
    const auto line = static_cast<std::uint32_t>(after - lines_.begin());
    return {offset, line, CodePoints(text_.substr(*(after - 1), at - *(after - 1))) + 1};
  }
  SourceSpan Span(std::size_t at, std::uint32_t length = 1) const {
    const SourceText::Piece piece = Piece(at, 0);
    return {.file = file_, .line = piece.line, .column = piece.column, .length = length};
  }

  // Walks value and file side by side: whitespace may differ (folding, indentation), everything else is the
  // same but for escapes, after which the places are those of the line's last known character.
  SourceText Align(std::string value, std::size_t at) const {
    SourceText out;
    std::size_t file = at;
    if (file < text_.size() && (text_[file] == '|' || text_[file] == '>')) {
      file = std::min(text_.find('\n', file), text_.size());
    } else if (file < text_.size() && (text_[file] == '"' || text_[file] == '\'')) {
      ++file;
    }
    bool fresh = true;
    std::size_t spaces = 0;  // before value[i]
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (IsSpace(value[i])) {
        ++spaces;
        continue;
      }
      const std::size_t file_spaces = file;
      while (file < text_.size() && IsSpace(text_[file])) ++file;
      // The same run of whitespace on both sides keeps the piece going.
      fresh |=
          text_.substr(file_spaces, file - file_spaces) != std::string_view(value).substr(i - spaces, spaces);
      fresh |= text_.substr(file_spaces, file - file_spaces).find('\n') != std::string_view::npos;
      spaces = 0;
      const bool escape = file + 1 < text_.size() && (text_[file] == '\\' || text_[file] == '\'') &&
                          text_[file] != value[i] && text_[file + 1] == value[i];
      const bool doubled = value[i] == '\'' && text_.substr(file).starts_with("''");
      if (escape || doubled) {  // \" and '' stand for one character
        ++file;
        fresh = true;
      }
      if (file >= text_.size() || text_[file] != value[i]) continue;
      if (fresh) out.pieces.push_back(Piece(file, static_cast<std::uint32_t>(i)));
      fresh = false;
      ++file;
    }
    out.span = Span(at, std::max<std::uint32_t>(1, CodePoints(value)));
    if (out.pieces.empty()) out.pieces.push_back(Piece(at, 0));
    out.text = std::move(value);
    return out;
  }

 private:
  std::string_view text_;
  std::string file_;
  std::vector<std::size_t> lines_;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  // `faults`: what is not part of our subset and can be read around, so that one reading finds them all.
  TreeBuilder(const Places& places, const YamlOptions& options, std::vector<Error>* faults)
      : places_(places), options_(options), faults_(faults) {}

  bool done() const { return done_; }
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override { done_ = true; }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node = Make(mark, YamlKind::kNull);
    Add(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    YamlNode node = Make(mark, YamlKind::kScalar);
    node.quoted = tag == "!";
    node.value = places_.Align(value, At(mark));
    Add(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {  // yaml-cpp knows the name, so the node is still open
      Refuse(Code::kSyntax, mark, "this alias stands inside the node that it names; repeat the text instead");
    }
    nodes_ += found->second.second;
    CheckNodes(mark);
    YamlNode copy = found->second.first;
    copy.key = {};
    Add(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlKind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlKind::kMap);
  }
  void OnMapEnd() override { Close(); }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    if (!options_.anchors) {
      Fault(places_.Span(At(mark)),
            "anchor `&" + name + "`; anchors and aliases are allowed in test files only: write the text out");
    }
  }

  [[noreturn]] void Refuse(Code code, const YAML::Mark& mark, std::string message) const {
    throw Refusal{Error{code, std::move(message), places_.Span(At(mark))}};
  }

 private:
  struct Level {
    YamlNode node;
    YAML::anchor_t anchor;
    std::size_t nodes_before;
    std::optional<SourceText> key;  // of the value that comes next
    bool drop = false;              // that value, because its key is at fault
    std::map<std::string, SourceSpan, std::less<>> keys;
  };

  void Fault(const SourceSpan& span, std::string message) const {
    faults_->push_back(Error{Code::kSyntax, std::move(message), span});
  }
  static std::size_t At(const YAML::Mark& mark) {
    return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
  }

  YamlNode Make(const YAML::Mark& mark, YamlKind kind) {
    ++nodes_;
    CheckNodes(mark);
    YamlNode node;
    node.kind = kind;
    node.span = places_.Span(At(mark));
    return node;
  }
  void CheckNodes(const YAML::Mark& mark) const {
    if (nodes_ > options_.max_nodes) {
      Refuse(Code::kLimit, mark,
             "more than " + std::to_string(options_.max_nodes) +
                 " nodes (aliases count as what they stand for)");
    }
  }
  void CheckTag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      Fault(places_.Span(At(mark)), "tag `" + tag + "`; tags are not part of the rule format: remove it");
    }
  }
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlKind kind) {
    CheckTag(mark, tag);
    if (static_cast<int>(levels_.size()) >= options_.max_depth) {
      Refuse(Code::kLimit, mark, "nested deeper than " + std::to_string(options_.max_depth) + " levels");
    }
    const std::size_t before = nodes_;
    levels_.push_back({Make(mark, kind), anchor, before, std::nullopt, false, {}});
  }
  void Close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    Store(level.node, level.anchor, nodes_ - level.nodes_before);
    Place(std::move(level.node));
  }
  void Add(YamlNode node, YAML::anchor_t anchor) {
    Store(node, anchor, 1);
    Place(std::move(node));
  }
  void Store(const YamlNode& node, YAML::anchor_t anchor, std::size_t count) {
    if (anchor != 0) anchors_[anchor] = {node, count};
  }
  void Place(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.is_list()) {
      level.node.children.push_back(std::move(node));
    } else if (!level.key) {
      TakeKey(level, std::move(node));
    } else {
      node.key = std::move(*level.key);
      level.key.reset();
      if (!level.drop) level.node.children.push_back(std::move(node));
    }
  }
  void TakeKey(Level& level, YamlNode node) const {
    level.drop = true;
    if (!node.is_scalar()) {
      Fault(node.span, "a key must be plain text on one line");
    } else if (node.value.text == "<<" && !node.quoted) {
      Fault(node.span, "merge key `<<`; merge keys are not part of the rule format: write the entries out");
    } else if (const auto [at, inserted] = level.keys.emplace(node.value.text, node.span); !inserted) {
      Fault(node.span, "key `" + node.value.text + "` is given twice; the first one is in line " +
                           std::to_string(at->second.line));
    } else {
      level.drop = false;
    }
    level.key = std::move(node.value);
  }

  const Places& places_;
  const YamlOptions& options_;
  std::vector<Error>* faults_;
  YamlNode root_;
  bool done_ = false;
  std::size_t nodes_ = 0;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, std::pair<YamlNode, std::size_t>> anchors_;
};

// yaml-cpp speaks to programmers; these are the ones that authors meet.
std::string Explain(const std::string& message) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"end of map not found",
       "this line does not fit the map around it; check the indentation and the space after `:`"},
      {"end of map flow not found", "`{` is not closed, or an entry is not followed by `,` or `}`"},
      {"end of sequence not found",
       "this line does not fit the list around it; check the indentation of `-`"},
      {"end of sequence flow not found", "`[` is not closed, or an item is not followed by `,` or `]`"},
      {"illegal map value", "a second `: ` on one line; put text that contains `: ` in quotes"},
      {"unknown escape character: ",
       "unknown escape in double quotes; write `\\\\` for a backslash or use single quotes"},
      {"the referenced anchor is not defined", "this alias names an anchor that does not exist above"},
      {"illegal flow end", "a closing bracket without an opening one"},
  };
  for (const auto& [theirs, ours] : kWords) {
    if (message.starts_with(theirs)) return std::string(ours);
  }
  return message;
}

std::string_view Near(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  const std::size_t end = text.find('\n', at);
  std::string_view near =
      text.substr(at, std::min<std::size_t>(end == std::string_view::npos ? text.size() - at : end - at, 32));
  while (!near.empty() && IsSpace(near.back())) near.remove_suffix(1);
  return near;
}

}  // namespace

SourceSpan SourceText::At(std::size_t offset, std::size_t length) const {
  SourceSpan out = span;
  out.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, length));
  const auto after =
      std::upper_bound(pieces.begin(), pieces.end(), offset,
                       [](std::size_t value, const Piece& piece) { return value < piece.offset; });
  if (after == pieces.begin()) return out;
  const Piece& piece = *(after - 1);
  offset = std::min(offset, text.size());
  out.line = piece.line;
  out.column = piece.column + CodePoints(std::string_view(text).substr(piece.offset, offset - piece.offset));
  return out;
}

SourceSpan SourceText::At(const SourceSpan& inner, std::size_t offset) const {
  if (inner.line == 0) return At(offset);
  for (std::uint32_t line = 1; line < inner.line; ++line) {
    const std::size_t newline = text.find('\n', offset);
    if (newline == std::string::npos) break;
    offset = newline + 1;
  }
  for (std::uint32_t column = 1; column < inner.column && offset < text.size(); ++column) {
    offset += CodePointSize(text, offset);
  }
  return At(offset, inner.length);
}

const YamlNode* YamlNode::Find(std::string_view name) const {
  for (const YamlNode& child : children) {
    if (child.key.text == name && is_map()) return &child;
  }
  return nullptr;
}

namespace {

// Faults that can be read around go to `faults`; the error is what ends the reading.
Result<YamlNode> Read(std::string_view text, const YamlOptions& options, std::vector<Error>* faults) {
  const SourceSpan start{.file = options.file, .line = 1, .column = 1};
  if (text.size() > options.max_bytes) {
    return Fail(Code::kLimit, "longer than " + std::to_string(options.max_bytes) + " bytes", start);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (Status status = ScanYaml(text, options.file); !status) return tl::unexpected(status.error());
  const Places places(text, options.file);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(places, options, faults);
    if (!parser.HandleNextDocument(builder)) {
      YamlNode nothing;
      nothing.span = start;
      return nothing;
    }
    std::vector<Error> ignored;
    TreeBuilder second(places, options, &ignored);
    if (parser.HandleNextDocument(second)) {
      return Fail(Code::kSyntax, "a second document (`---`); one file holds one document", start);
    }
    return builder.take();
  } catch (const Refusal& refusal) {
    return tl::unexpected(refusal.error);
  } catch (const YAML::Exception& exception) {
    const auto at = static_cast<std::size_t>(std::max(exception.mark.pos, 0));
    std::string message = Explain(exception.msg);
    const std::string_view near = Near(text, at);
    message += near.empty() ? " (at the end of a line)" : ", at `" + std::string(near) + "`";
    return Fail(Code::kSyntax, std::move(message), places.Span(at));
  } catch (const std::exception& exception) {
    return Fail(Code::kSyntax, exception.what(), start);
  }
}

}  // namespace

std::optional<YamlNode> ParseYaml(std::string_view text, const YamlOptions& options,
                                  std::vector<Error>* errors) {
  Result<YamlNode> node = Read(text, options, errors);
  if (node) return std::move(*node);
  errors->push_back(std::move(node).error());
  return std::nullopt;
}

Result<YamlNode> ParseYaml(std::string_view text, const YamlOptions& options) {
  std::vector<Error> errors;
  std::optional<YamlNode> node = ParseYaml(text, options, &errors);
  if (!errors.empty()) return tl::unexpected(std::move(errors.front()));
  return std::move(*node);
}

std::string YamlToJson(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull: return "null";
    case YamlKind::kScalar: {
      const std::string& text = node.value.text;
      if (!node.quoted && (text == "true" || text == "false" || IsJsonNumber(text))) return text;
      return JsonQuote(text);
    }
    case YamlKind::kList:
    case YamlKind::kMap: {
      std::string out(1, node.is_list() ? '[' : '{');
      for (const YamlNode& child : node.children) {
        if (out.size() > 1) out += ',';
        if (node.is_map()) out += JsonQuote(child.key.text) + ":";
        out += YamlToJson(child);
      }
      return out += node.is_list() ? ']' : '}';
    }
  }
  return "null";
}

}  // namespace stepwise::rules
