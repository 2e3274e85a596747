#include "fhir/ucum/unit_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fhir/utf8.h"

namespace stepwise::ucum {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr int kMaxExponent = 99;
constexpr std::size_t kMaxFactorDigits = 18;

// "'x'", or the bytes that are no printable ASCII as the whole code point that they begin.
std::string Quoted(std::string_view text, std::size_t at) {
  return "'" + std::string(text.substr(at, CodePointSize(text, at))) + "'";
}

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options) : text_(text), options_(options) {}

  Result<std::vector<Term>> Run() {
    if (text_.empty()) return Fail(Code::kSyntax, "empty unit: write '1' for the unity");
    if (text_.size() > options_.max_length) {
      return Fail(Code::kLimit, "unit of " + std::to_string(text_.size()) + " bytes; at most " +
                                    std::to_string(options_.max_length) + " are read");
    }
    // A leading '/' inverts the first component only: "/m.s" is s/m.
    const bool inverse = Take('/');
    STEPWISE_RETURN_IF_ERROR(ParseProduct(1, inverse ? -1 : 1, 0));
    if (!AtEnd()) return Unexpected();
    return std::move(terms_);
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // Everything before an error is ASCII, so that bytes are code points.
  tl::unexpected<Error> FailAt(Code code, std::string message, std::size_t at, std::size_t length) const {
    SourceSpan span{"", 1, static_cast<std::uint32_t>(at + 1), static_cast<std::uint32_t>(length)};
    if (length != text_.size()) message += " (in '" + std::string(text_) + "')";
    return Fail(code, std::move(message), std::move(span));
  }

  tl::unexpected<Error> Unexpected() const {
    if (AtEnd()) return FailAt(Code::kSyntax, "the unit ends where a unit code is expected", at_, 0);
    const auto c = static_cast<unsigned char>(text_[at_]);
    std::string message = "unexpected " + Quoted(text_, at_);
    if (c == ')') {
      message += ": there is no '(' for it";
    } else if (c == ' ') {
      message += ": a unit has no blanks; write '.' between factors";
    } else if (c == '*' || c == 0xC2 || c == 0xC3) {  // U+00B0 degree, U+00B5 micro, U+00B7 and U+00D7 times
      message += ": write '.' for times, 'u' for micro, 'Cel' or 'deg' for degrees";
    } else if (c == '^') {
      message += ": an exponent follows its unit directly, as in m2";
    } else if (c >= 0x80) {
      message += ": UCUM codes are plain ASCII ('u' for micro)";
    } else if (c == '(' || c == '{' || IsDigit(text_[at_]) || c == '+' || c == '-') {
      message += ": write '.' or '/' before it";
    } else {
      message += ": expected '.', '/' or the end";
    }
    return FailAt(Code::kSyntax, std::move(message), at_, 1);
  }

  // component (('.' | '/') component)*; sign is that of the whole product, own_sign that of its first
  // component.
  Status ParseProduct(int sign, int own_sign, int depth) {
    while (true) {
      STEPWISE_RETURN_IF_ERROR(ParseComponent(own_sign, depth));
      if (Take('.')) {
        own_sign = sign;
      } else if (Take('/')) {
        own_sign = -sign;
      } else {
        return {};
      }
    }
  }

  Status ParseComponent(int sign, int depth) {
    if (Peek() == '(') {
      if (depth >= options_.max_depth) {
        return FailAt(Code::kLimit,
                      "more than " + std::to_string(options_.max_depth) + " parentheses inside each other",
                      at_, 1);
      }
      const std::size_t open = at_++;
      STEPWISE_RETURN_IF_ERROR(ParseProduct(sign, sign, depth + 1));
      if (!Take(')')) {
        if (!AtEnd()) return Unexpected();
        return FailAt(Code::kSyntax, "this '(' is never closed", open, 1);
      }
      return SkipAnnotation();
    }
    if (Peek() == '{') {
      const std::size_t start = at_;
      STEPWISE_RETURN_IF_ERROR(SkipAnnotation());
      terms_.push_back({Term::Kind::kAnnotation, text_.substr(start, at_ - start), sign});
      return {};
    }
    if (IsDigit(Peek()) && !IsPowerOfTen()) {
      STEPWISE_RETURN_IF_ERROR(ParseFactor(sign));
    } else {
      STEPWISE_RETURN_IF_ERROR(ParseAtom(sign));
    }
    return SkipAnnotation();
  }

  bool IsPowerOfTen() const {
    const std::string_view code = text_.substr(at_, 3);
    return code == "10*" || code == "10^";
  }

  Status ParseFactor(int sign) {
    const std::size_t start = at_;
    while (IsDigit(Peek())) ++at_;
    Term term{Term::Kind::kFactor, text_.substr(start, at_ - start), sign};
    if (term.text.size() > kMaxFactorDigits) {
      return FailAt(Code::kLimit, "a factor of more than 18 digits; write powers of ten as in 10*20", start,
                    at_ - start);
    }
    std::from_chars(term.text.data(), term.text.data() + term.text.size(), term.factor);
    if (term.factor == 0) return FailAt(Code::kSemantic, "0 is no unit factor", start, at_ - start);
    terms_.push_back(term);
    return {};
  }

  Status ParseAtom(int sign) {
    const std::size_t start = at_;
    if (IsPowerOfTen()) {
      at_ += 3;
    } else {
      STEPWISE_RETURN_IF_ERROR(SkipAtom());
    }
    if (at_ == start) return Unexpected();
    Term term{Term::Kind::kAtom, text_.substr(start, at_ - start), sign};
    STEPWISE_RETURN_IF_ERROR(ParseExponent(&term));
    if (FindAtom(term.text, &term.unit, &term.prefix)) {
      terms_.push_back(term);
      return {};
    }
    std::string message = "unknown unit '" + std::string(term.text) + "'";
    const std::string meant = Suggestion(term.text);
    if (!meant.empty()) message += ": did you mean '" + meant + "'?";
    return FailAt(Code::kSemantic, std::move(message), start, term.text.size());
  }

  // Letters and the like, and brackets with anything in them: "mm[Hg]", "[m/s2/Hz^(1/2)]", "B[10.nV]".
  Status SkipAtom() {
    while (!AtEnd()) {
      const char c = Peek();
      if (c == '[') {
        const std::size_t close = text_.find(']', at_);
        if (close == std::string_view::npos) return FailAt(Code::kSyntax, "this '[' is never closed", at_, 1);
        for (std::size_t i = at_; i < close; ++i) {
          if (text_[i] > ' ' && text_[i] <= '~') continue;
          at_ = i;
          return Unexpected();
        }
        at_ = close + 1;
      } else if (c <= ' ' || c > '~' || IsDigit(c) ||
                 std::string_view("./(){}+-]*^").find(c) != std::string_view::npos) {
        return {};
      } else {
        ++at_;
      }
    }
    return {};
  }

  Status ParseExponent(Term* term) {
    const std::size_t start = at_;
    const bool negative = Peek() == '-';
    if (negative || Peek() == '+') ++at_;
    const std::size_t digits = at_;
    int exponent = 0;
    for (; IsDigit(Peek()); ++at_) exponent = std::min(exponent * 10 + (Peek() - '0'), kMaxExponent + 1);
    if (at_ == start) return {};
    if (at_ == digits) return FailAt(Code::kSyntax, "a sign without the digits of an exponent", start, 1);
    if (exponent > kMaxExponent) {
      return FailAt(Code::kLimit, "exponents go up to " + std::to_string(kMaxExponent), start, at_ - start);
    }
    term->exponent *= negative ? -exponent : exponent;
    return {};
  }

  // "{...}" or nothing.
  Status SkipAnnotation() {
    if (Peek() != '{') return {};
    const std::size_t start = at_++;
    for (; !AtEnd(); ++at_) {
      const char c = text_[at_];
      if (c == '}') {
        ++at_;
        return {};
      }
      if (c > ' ' && c <= '~' && c != '{') continue;
      return FailAt(
          Code::kSyntax,
          Quoted(text_, at_) + " inside an annotation: it holds printable ASCII without blanks and braces",
          at_, 1);
    }
    return FailAt(Code::kSyntax, "this '{' is never closed", start, 1);
  }

  std::string_view text_;
  const ParseOptions& options_;
  std::size_t at_ = 0;
  std::vector<Term> terms_;
};

}  // namespace

const UnitRow* FindRow(std::string_view code) {
  const auto rows = Units();
  const auto row = std::lower_bound(rows.begin(), rows.end(), code,
                                    [](const UnitRow& r, std::string_view c) { return r.code < c; });
  return row != rows.end() && row->code == code ? &*row : nullptr;
}

bool FindAtom(std::string_view text, const UnitRow** unit, const PrefixRow** prefix) {
  *prefix = nullptr;
  *unit = FindRow(text);
  if (*unit != nullptr) return true;
  for (const PrefixRow& row : Prefixes()) {
    if (text.size() <= row.code.size() || text.substr(0, row.code.size()) != row.code) continue;
    const UnitRow* base = FindRow(text.substr(row.code.size()));
    if (base == nullptr || !base->metric) continue;
    *prefix = &row;
    *unit = base;
    return true;
  }
  return false;
}

Result<std::vector<Term>> ParseTerms(std::string_view expression, const ParseOptions& options) {
  return Parser(expression, options).Run();
}

}  // namespace stepwise::ucum
