#include "rules/medication/rrf_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <istream>
#include <utility>

#include "fhir/utf8.h"

namespace stepwise::rules {
namespace {

constexpr std::size_t kFirstBlock = 64u << 10;
constexpr std::uint64_t kLinesBetweenProgress = 1u << 14;

}  // namespace

std::optional<std::uint32_t> ParseRxcui(std::string_view text) {
  std::uint32_t value = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

RrfReader::RrfReader(std::istream& in, std::string file, std::size_t columns, Progress progress)
    : in_(in),
      file_(std::move(file)),
      columns_(std::min(columns, kMaxColumns)),
      progress_(std::move(progress)) {
  buffer_.resize(kFirstBlock);
}

SourceSpan RrfReader::Span(const char* at, std::size_t length) const {
  const auto before = static_cast<std::size_t>(at - current_.data());
  const std::string_view text = current_.substr(before, length);
  return {.file = file_,
          .line = static_cast<std::uint32_t>(line_),
          .column = static_cast<std::uint32_t>(CountCodePoints(current_.substr(0, before)) + 1),
          .length = static_cast<std::uint32_t>(CountCodePoints(text))};
}

tl::unexpected<Error> RrfReader::Bad(std::size_t column, std::string message, Code code) const {
  return Fail(code, std::move(message), Span(fields_[column].data(), fields_[column].size()));
}

Result<std::uint32_t> RrfReader::Rxcui(std::size_t column) const {
  const auto value = ParseRxcui(fields_[column]);
  if (!value) return Bad(column, "not an RxNorm identifier: 1 to 9 digits are expected");
  return *value;
}

Result<std::string> RrfReader::Text(std::size_t column) const {
  const std::string_view text = fields_[column];
  if (text.empty()) return Bad(column, "the field is empty");
  if (!IsUtf8(text)) return Bad(column, "not UTF-8: RxNorm files are; was the file converted?");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return Bad(column, "a control character");
  }
  return std::string(text);
}

// Sets current_ to the next line.
Result<bool> RrfReader::NextLine() {
  std::size_t searched = at_;
  while (true) {
    const char* begin = buffer_.data() + at_;
    if (const void* newline = std::memchr(buffer_.data() + searched, '\n', end_ - searched)) {
      current_ = {begin, static_cast<std::size_t>(static_cast<const char*>(newline) - begin)};
      at_ += current_.size() + 1;
      bytes_ += current_.size() + 1;
      return true;
    }
    if (eof_) {
      current_ = {begin, end_ - at_};
      at_ = end_;
      bytes_ += current_.size();
      return !current_.empty();
    }
    // The rest of the line is not here yet: move what there is to the front, and read on behind it.
    const std::size_t rest = end_ - at_;
    std::memmove(buffer_.data(), begin, rest);
    at_ = 0;
    end_ = searched = rest;
    if (rest >= kMaxLineBytes) {
      return Fail(Code::kLimit,
                  "a line of more than " + std::to_string(kMaxLineBytes) + " bytes: this is no RRF file",
                  {.file = file_, .line = static_cast<std::uint32_t>(line_ + 1), .column = 1});
    }
    if (rest > buffer_.size() / 2) buffer_.resize(buffer_.size() * 2);
    in_.read(buffer_.data() + end_, static_cast<std::streamsize>(buffer_.size() - end_));
    end_ += static_cast<std::size_t>(in_.gcount());
    if (in_.bad()) return Fail(Code::kUnavailable, "the file cannot be read to its end", {.file = file_});
    eof_ = in_.eof() || in_.fail();
  }
}

Result<bool> RrfReader::Next() {
  STEPWISE_ASSIGN_OR_RETURN(const bool more, NextLine());
  if (!more) {
    if (progress_) progress_(line_, bytes_);
    return false;
  }
  ++line_;
  if (progress_ && line_ % kLinesBetweenProgress == 0) progress_(line_, bytes_);
  if (current_.ends_with('\r')) current_.remove_suffix(1);

  const char* at = current_.data();
  const char* end = at + current_.size();
  for (std::size_t column = 0; column < columns_; ++column) {
    const void* pipe = at == end ? nullptr : std::memchr(at, '|', static_cast<std::size_t>(end - at));
    if (pipe == nullptr) {
      return Fail(Code::kSyntax,
                  "the line ends in field " + std::to_string(column + 1) + " of " + std::to_string(columns_) +
                      ", each of which ends in `|`; is the file complete?",
                  Span(end, 0));
    }
    fields_[column] = {at, static_cast<std::size_t>(static_cast<const char*>(pipe) - at)};
    at = static_cast<const char*>(pipe) + 1;
  }
  if (at != end) {
    return Fail(
        Code::kSyntax,
        "text after the last of " + std::to_string(columns_) + " fields: not the RRF layout of this file",
        Span(at, static_cast<std::size_t>(end - at)));
  }
  return true;
}

}  // namespace stepwise::rules
