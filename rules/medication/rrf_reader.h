// RrfReader: lines of a file in NLM's Rich Release Format, streamed: fields that end in `|` each, UTF-8, no
// quoting.
//
//   RrfReader reader(in, "RXNSAT.RRF", 13);
//   while (true) {
//     STEPWISE_ASSIGN_OR_RETURN(const bool more, reader.Next());
//     if (!more) break;
//     use(reader[8]);            // valid until the next Next()
//   }
//
// Memory is one block, or the longest line; a line allocates nothing.
// Thread-safety: for one thread.
#ifndef STEPWISE_RULES_MEDICATION_RRF_READER_H_
#define STEPWISE_RULES_MEDICATION_RRF_READER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::rules {

// An RxNorm identifier: 1 to 9 digits, not 0.
std::optional<std::uint32_t> ParseRxcui(std::string_view text);

class RrfReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 1u << 20;
  static constexpr std::size_t kMaxColumns = 32;
  // Called now and then: lines and bytes that have been read.
  using Progress = std::function<void(std::uint64_t lines, std::uint64_t bytes)>;

  // `file` is for messages; `columns` (at most kMaxColumns) is how many fields every line has.
  RrfReader(std::istream& in, std::string file, std::size_t columns, Progress progress = {});

  // Moves to the next line; false when there is none. Errors: too few or too many fields, a line over the
  // limit, a stream that breaks.
  Result<bool> Next();
  std::string_view operator[](std::size_t column) const { return fields_[column]; }
  std::uint64_t lines() const { return line_; }
  const std::string& file() const { return file_; }
  std::size_t buffer_bytes() const { return buffer_.size(); }

  // The error that field `column` of the current line has.
  tl::unexpected<Error> Bad(std::size_t column, std::string message, Code code = Code::kSyntax) const;
  // The field as an RxNorm identifier: 1 to 9 digits, not 0.
  Result<std::uint32_t> Rxcui(std::size_t column) const;
  // The field as text that people read: well-formed, not empty, without control characters.
  Result<std::string> Text(std::size_t column) const;

 private:
  Result<bool> NextLine();
  SourceSpan Span(const char* at, std::size_t length) const;

  std::istream& in_;
  std::string file_;
  std::size_t columns_;
  Progress progress_;
  std::string buffer_;  // [at_, end_) is read and not yet given
  std::size_t at_ = 0, end_ = 0;
  bool eof_ = false;
  std::string_view current_;  // the line, without its end
  std::array<std::string_view, kMaxColumns> fields_;
  std::uint64_t line_ = 0, bytes_ = 0;
};

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_MEDICATION_RRF_READER_H_
