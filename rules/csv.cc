#include "rules/csv.h"

#include <algorithm>

#include "fhir/utf8.h"

namespace stepwise::rules {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& file, Errors* errors)
      : text_(text), file_(file), errors_(errors) {}

  CsvFile Read() {
    CsvFile out;
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    while (at_ < text_.size()) {
      if (text_[at_] == '#' && out.header.empty()) {
        out.comments.push_back(Comment());
        continue;
      }
      const std::uint32_t line = line_;
      std::vector<std::string> record = Record();
      if (record.size() == 1 && record[0].empty()) continue;  // blank line
      if (out.header.empty()) {
        out.header = std::move(record);
        CheckHeader(out.header, line);
      } else if (record.size() != out.header.size()) {
        Fail(line, 1,
             std::to_string(record.size()) + " fields, the header has " + std::to_string(out.header.size()));
      } else {
        std::ranges::move(record, std::back_inserter(out.cells));
        out.lines.push_back(line);
      }
    }
    if (out.header.empty())
      Fail(std::max(line_, 1u), 1, "no header line: the first line that is no comment names the columns");
    return out;
  }

 private:
  void Fail(std::uint32_t line, std::uint32_t column, std::string message) {
    AddError(errors_, {.file = file_, .line = line, .column = column, .length = 1}, std::move(message),
             Code::kSyntax);
  }
  std::uint32_t Column() const {
    const std::string_view before = std::string_view(text_).substr(line_begin_, at_ - line_begin_);
    return 1 + static_cast<std::uint32_t>(CountCodePoints(before));
  }
  void NewLine() {
    ++line_;
    line_begin_ = at_;
  }

  std::string Comment() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view comment = text_.substr(at_ + 1, end - at_ - 1);
    at_ = std::min(end + 1, text_.size());
    NewLine();
    const std::size_t first = comment.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return "";
    return std::string(comment.substr(first, comment.find_last_not_of(" \t\r") - first + 1));
  }

  std::vector<std::string> Record() {
    std::vector<std::string> fields;
    while (true) {
      fields.push_back(at_ < text_.size() && text_[at_] == '"' ? Quoted() : Plain());
      if (at_ >= text_.size()) return fields;
      const char c = text_[at_++];
      if (c == ',') {
        if (at_ == text_.size()) fields.emplace_back();
        continue;
      }
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      NewLine();
      return fields;
    }
  }

  static bool EndsField(char c) { return c == ',' || c == '\n' || c == '\r'; }

  std::string Plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !EndsField(text_[at_])) {
      if (text_[at_] == '"') {
        Fail(line_, Column(),
             "a quote inside an unquoted field; put the whole field in quotes and double the quotes in it");
        while (at_ < text_.size() && !EndsField(text_[at_])) ++at_;
        break;
      }
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string Quoted() {
    const std::uint32_t line = line_, column = Column();
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '"') {
          out += '"';
          continue;
        }
        if (at_ < text_.size() && !EndsField(text_[at_])) {
          Fail(line_, Column(), "text after a closing quote; a quote inside a quoted field is doubled");
          while (at_ < text_.size() && !EndsField(text_[at_])) ++at_;
        }
        return out;
      }
      out += c;
      if (c == '\n') {
        ++line_;
        line_begin_ = at_ + 1;
      }
    }
    Fail(line, column, "the quote opened here is never closed");
    return out;
  }

  void CheckHeader(const std::vector<std::string>& header, std::uint32_t line) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (header[i].empty()) Fail(line, 1, "column " + std::to_string(i + 1) + " has no name");
      if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
          header.begin() + static_cast<std::ptrdiff_t>(i)) {
        Fail(line, 1, "column `" + header[i] + "` is named twice");
      }
    }
  }

  std::string_view text_;
  const std::string& file_;
  Errors* errors_;
  std::size_t at_ = 0, line_begin_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

CsvFile ParseCsv(std::string_view text, const std::string& file, Errors* errors) {
  return CsvReader(text, file, errors).Read();
}

}  // namespace stepwise::rules
