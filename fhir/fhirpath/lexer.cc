#include "fhir/fhirpath/lexer.h"

#include <optional>

#include "fhir/utf8.h"

namespace stepwise::fhirpath {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view text, const SourceSpan& origin)
      : text_(text),
        file_(origin.file),
        line_(origin.line == 0 ? 1 : origin.line),
        column_(origin.column == 0 ? 1 : origin.column) {}

  Result<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    for (;;) {
      STEPWISE_RETURN_IF_ERROR(SkipBlank());
      begin_ = at_;
      start_ = Here();
      Token token;
      if (at_ == text_.size()) {
        token.span = start_;
        tokens.push_back(std::move(token));
        return tokens;
      }
      STEPWISE_RETURN_IF_ERROR(Next(token));
      token.span = start_;
      token.span.length = CodePoints(begin_, at_);
      tokens.push_back(std::move(token));
    }
  }

 private:
  SourceSpan Here() const { return {file_, line_, column_, 1}; }
  char Peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void Advance(std::size_t count = 1) {
    for (; count > 0 && at_ < text_.size(); --count, ++at_) {
      if (text_[at_] == '\n') {
        ++line_;
        column_ = 1;
      } else if (!IsContinuation(text_[at_])) {
        ++column_;
      }
    }
  }
  std::uint32_t CodePoints(std::size_t begin, std::size_t end) const {
    return static_cast<std::uint32_t>(CountCodePoints(text_.substr(begin, end - begin)));
  }
  tl::unexpected<Error> Error_(std::string message) const {
    SourceSpan span = start_;
    span.length = std::max<std::uint32_t>(1, CodePoints(begin_, at_));
    return Fail(Code::kSyntax, std::move(message), std::move(span));
  }

  Status SkipBlank() {
    for (;;) {
      const char c = Peek();
      if (at_ < text_.size() && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
        Advance();
      } else if (c == '/' && Peek(1) == '/') {
        while (at_ < text_.size() && Peek() != '\n') Advance();
      } else if (c == '/' && Peek(1) == '*') {
        begin_ = at_;
        start_ = Here();
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) {
          Advance(2);
          return Error_("a comment is not closed; expected */");
        }
        Advance(end + 2 - at_);
      } else {
        return {};
      }
    }
  }

  Status Next(Token& token) {
    const char c = Peek();
    if (IsLetter(c)) {
      token.kind = TokenKind::kIdentifier;
      while (IsLetter(Peek()) || IsDigit(Peek())) Advance();
      token.text = text_.substr(begin_, at_ - begin_);
      return {};
    }
    if (IsDigit(c)) return Number(token);
    switch (c) {
      case '\'': token.kind = TokenKind::kString; return Quoted('\'', token.text);
      case '`': token.kind = TokenKind::kDelimited; return Quoted('`', token.text);
      case '"': token.kind = TokenKind::kDelimited; return Quoted('"', token.text);
      case '@': return Temporal(token);
      case '$':
        Advance();
        while (IsLetter(Peek())) Advance();
        token.kind = TokenKind::kSpecial;
        token.text = text_.substr(begin_, at_ - begin_);
        if (token.text != "$this" && token.text != "$index" && token.text != "$total") {
          return Error_("unknown variable " + token.text + "; there are $this, $index and $total");
        }
        return {};
      default: break;
    }
    token.kind = TokenKind::kSymbol;
    static constexpr std::string_view kTwo[] = {"!=", "!~", "<=", ">="};
    for (const std::string_view symbol : kTwo) {
      if (text_.substr(at_).starts_with(symbol)) {
        token.text = symbol;
        Advance(2);
        return {};
      }
    }
    if (std::string_view("()[]{}.,+-*/&|=~<>%:").find(c) != std::string_view::npos) {
      token.text = std::string(1, c);
      Advance();
      return {};
    }
    do Advance();
    while (at_ < text_.size() && IsContinuation(text_[at_]));
    return Error_("unexpected character '" + std::string(text_.substr(begin_, at_ - begin_)) + "'");
  }

  Status Number(Token& token) {
    token.kind = TokenKind::kNumber;
    while (IsDigit(Peek())) Advance();
    if (Peek() == 'L') {
      token.kind = TokenKind::kLong;
      token.text = text_.substr(begin_, at_ - begin_);
      Advance();
      return {};
    }
    if (Peek() == '.' && IsDigit(Peek(1))) {
      Advance();
      while (IsDigit(Peek())) Advance();
    }
    token.text = text_.substr(begin_, at_ - begin_);
    return {};
  }

  Status Quoted(char quote, std::string& out) {
    Advance();
    while (Peek() != quote) {
      if (at_ >= text_.size()) {
        at_ = text_.size();
        return Error_(std::string("no closing ") + quote + " for the text that opens here");
      }
      if (Peek() != '\\') {
        out += Peek();
        Advance();
        continue;
      }
      Advance();
      const char c = Peek();
      static constexpr std::string_view kFrom = "'\"`\\/rntf", kTo = "'\"`\\/\r\n\t\f";
      const std::size_t simple = at_ < text_.size() ? kFrom.find(c) : std::string_view::npos;
      if (simple != std::string_view::npos) {
        out += kTo[simple];
        Advance();
      } else if (c == 'u') {
        STEPWISE_RETURN_IF_ERROR(UnicodeEscape(out));
      } else {
        return Error_("unknown escape \\" + std::string(1, c) +
                      "; use one of \\' \\\" \\` \\\\ \\/ \\r \\n \\t \\f \\uXXXX");
      }
    }
    Advance();
    return {};
  }

  std::optional<std::uint32_t> Hex4() {
    Advance();  // u
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = Peek();
      std::uint32_t digit = 0;
      if (IsDigit(c))
        digit = static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        digit = static_cast<std::uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        digit = static_cast<std::uint32_t>(c - 'A' + 10);
      else
        return std::nullopt;
      value = value * 16 + digit;
      Advance();
    }
    return value;
  }

  Status UnicodeEscape(std::string& out) {
    const auto high = Hex4();
    if (!high) return Error_("\\u wants four hexadecimal digits");
    std::uint32_t code = *high;
    if (code >= 0xD800 && code < 0xE000) {
      if (code >= 0xDC00 || Peek() != '\\' || Peek(1) != 'u')
        return Error_("half a surrogate pair in \\u escape");
      Advance();
      const auto low = Hex4();
      if (!low || *low < 0xDC00 || *low >= 0xE000) return Error_("half a surrogate pair in \\u escape");
      code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
    }
    AppendCodePoint(&out, code);
    return {};
  }

  // @2014, @2014-01T, @2014-01-25T14:30:14.559Z, @T14:30: takes what looks like one, then asks the parser of
  // dates whether there is such a day.
  Status Temporal(Token& token) {
    Advance();
    token.kind = TokenKind::kTemporal;
    if (Peek() == 'T') {
      Advance();
      const std::size_t from = at_;
      TimeText();
      const std::string_view text = text_.substr(from, at_ - from);
      if (Peek() == 'Z' ||
          ((Peek() == '+' || Peek() == '-') && IsDigit(Peek(1)) && IsDigit(Peek(2)) && Peek(3) == ':')) {
        Advance();
        return Error_("a time has no zone; write @T" + std::string(text));
      }
      const auto time = DateTime::ParseTime(text);
      if (!time)
        return Error_("'" + std::string(text_.substr(begin_, at_ - begin_)) +
                      "' is not a time; expected @Thh:mm:ss.fff");
      token.temporal = *time;
      return {};
    }
    const std::size_t from = at_;
    Digits(4);
    if (Peek() == '-' && IsDigit(Peek(1))) {
      Advance();
      Digits(2);
      if (Peek() == '-' && IsDigit(Peek(1))) {
        Advance();
        Digits(2);
      }
    }
    std::string_view text = text_.substr(from, at_ - from);
    if (Peek() != 'T') {
      const auto date = DateTime::ParseDate(text);
      if (!date)
        return Error_("'" + std::string(text) + "' is not a date; expected @YYYY, @YYYY-MM or @YYYY-MM-DD");
      token.temporal = *date;
      return {};
    }
    Advance();
    if (IsDigit(Peek())) {
      TimeText();
      if (Peek() == 'Z') {
        Advance();
      } else if ((Peek() == '+' || Peek() == '-') && IsDigit(Peek(1)) && IsDigit(Peek(2)) && Peek(3) == ':') {
        Advance(4);
        Digits(2);
      }
      text = text_.substr(from, at_ - from);
    }
    const auto value = DateTime::ParseDateTime(text);
    if (!value) {
      return Error_("'" + std::string(text) +
                    "' is not a date and time; expected @YYYY-MM-DDThh:mm:ss.fff+hh:mm");
    }
    token.temporal = *value;
    token.temporal.kind = TemporalKind::kDateTime;
    return {};
  }

  void Digits(int count) {
    for (; count > 0 && IsDigit(Peek()); --count) Advance();
  }
  void TimeText() {
    Digits(2);
    for (int part = 0; part < 2 && Peek() == ':' && IsDigit(Peek(1)); ++part) {
      Advance();
      Digits(2);
    }
    if (Peek() == '.' && IsDigit(Peek(1))) {
      Advance();
      while (IsDigit(Peek())) Advance();
    }
  }

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  // of the present token
  std::uint32_t line_, column_;
  SourceSpan start_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text, const SourceSpan& origin) {
  return Lexer(text, origin).Run();
}

}  // namespace stepwise::fhirpath
