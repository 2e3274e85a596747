#include "rules/yaml_scan.h"

#include <cstdint>
#include <optional>

#include "fhir/utf8.h"
#include "rules/yaml.h"

namespace stepwise::rules {
namespace {

// One pass over the lines. Knows just enough of YAML to tell a quote that starts a scalar from an apostrophe:
// comments, flow brackets, block scalars and plain scalars that go on over several lines.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Status Run() {
    while (begin_ < text_.size()) {
      const std::size_t newline = text_.find('\n', begin_);
      const std::size_t end = newline == std::string_view::npos ? text_.size() : newline;
      ++line_;
      if (Status status = Line(text_.substr(begin_, end - begin_)); !status) return status;
      begin_ = end + 1;
    }
    return {};
  }

 private:
  tl::unexpected<Error> FailAt(std::string_view line, std::size_t at, std::size_t bytes,
                               std::string message) const {
    const std::uint32_t column = 1 + static_cast<std::uint32_t>(CountCodePoints(line.substr(0, at)));
    return Fail(
        Code::kSyntax, std::move(message),
        {.file = file_, .line = line_, .column = column, .length = static_cast<std::uint32_t>(bytes)});
  }

  Status Encoding(std::string_view line) const {
    for (std::size_t i = 0; i < line.size();) {
      const std::size_t length = Utf8SequenceSize(line.substr(i));
      if (length == 0) return FailAt(line, i, 1, "this byte is not UTF-8; save the file as UTF-8");
      const auto byte = static_cast<unsigned char>(line[i]);
      const bool line_end = byte == '\r' && i + 1 == line.size();
      if ((byte < 0x20 && byte != '\t' && !line_end) || byte == 0x7F) {
        return FailAt(line, i, 1, "control character; remove it or write it as an escape in double quotes");
      }
      i += length;
    }
    return {};
  }

  Status Line(std::string_view line) {
    if (Status status = Encoding(line); !status) return status;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos) return {};  // blank: belongs to whatever is open
    if (block_scalar_) {
      if (!block_indent_) block_indent_ = indent;
      if (indent >= *block_indent_ && indent > block_parent_) return {};
      block_scalar_ = false;
    }
    if (line[indent] == '\t' && depth_ == 0 && line.find_first_not_of(" \t") != std::string_view::npos) {
      return FailAt(line, indent, 1, "tab in the indentation; indent with spaces");
    }
    // A plain scalar goes on in deeper lines; quotes in there are ordinary characters.
    const bool goes_on = depth_ == 0 && plain_open_ && indent > plain_indent_;
    if (!goes_on) plain_indent_ = indent;
    bool start = !goes_on && !(depth_ > 0 && plain_open_);
    plain_open_ = goes_on;
    return Tokens(line, indent, start);
  }

  Status Tokens(std::string_view line, std::size_t at, bool start) {
    for (std::size_t i = at; i < line.size();) {
      const char c = line[i];
      const bool before_space = i + 1 == line.size() || line[i + 1] == ' ';
      if (c == ' ' || c == '\t') {
        ++i;
        continue;
      }
      if (c == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) break;
      if (start && (c == '"' || c == '\'')) {
        const std::optional<std::size_t> end = Close(line, i);
        if (!end) {
          return FailAt(
              line, i, 1,
              "the quote opened by `" + std::string(line.substr(i, 24)) +
                  "` is not closed on this line; close it, or use a block (| or >) for longer text");
        }
        i = *end;
        start = false;
        plain_open_ = false;
        continue;
      }
      if (start && (c == '|' || c == '>') && depth_ == 0) {
        block_scalar_ = true;
        block_indent_.reset();
        block_parent_ = line.find_first_not_of(' ');
        plain_open_ = false;
        break;
      }
      if ((start || depth_ > 0) && (c == '[' || c == '{')) {
        ++depth_;
        start = true;
        plain_open_ = false;
      } else if (depth_ > 0 && (c == ']' || c == '}')) {
        --depth_;
        start = false;
        plain_open_ = false;
      } else if (depth_ > 0 && c == ',') {
        start = true;
        plain_open_ = false;
      } else if ((c == ':' && (before_space || depth_ > 0)) ||
                 (start && (c == '-' || c == '?') && before_space)) {
        start = true;
        plain_open_ = false;
      } else if (start && (c == '&' || c == '*' || c == '!')) {
        while (i + 1 < line.size() && line[i + 1] != ' ' && line[i + 1] != ',') ++i;  // the node follows
      } else {
        start = false;
        plain_open_ = true;
      }
      ++i;
    }
    return {};
  }

  // Index past the closing quote, or nullopt.
  static std::optional<std::size_t> Close(std::string_view line, std::size_t open) {
    const char quote = line[open];
    for (std::size_t i = open + 1; i < line.size(); ++i) {
      if (quote == '"' && line[i] == '\\') {
        ++i;
      } else if (line[i] == quote) {
        if (quote == '\'' && i + 1 < line.size() && line[i + 1] == '\'') {
          ++i;
        } else {
          return i + 1;
        }
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t begin_ = 0;
  std::uint32_t line_ = 0;
  int depth_ = 0;            // open [ and {
  bool plain_open_ = false;  // the last token of the line before was a plain scalar
  std::size_t plain_indent_ = 0;
  bool block_scalar_ = false;
  std::size_t block_parent_ = 0;             // indentation of the line with the | or >
  std::optional<std::size_t> block_indent_;  // of the first line of the block
};

}  // namespace

Status ScanYaml(std::string_view text, const std::string& file) { return Scanner(text, file).Run(); }

}  // namespace stepwise::rules
