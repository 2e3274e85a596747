// Precedence climbing over fhirpath.g4. One table of binary operators; recursion only for nesting, bounded by
// ParseOptions::max_depth.
#include <algorithm>

#include "fhir/fhirpath/ast.h"
#include "fhir/fhirpath/lexer.h"
#include "fhir/utf8.h"

namespace stepwise::fhirpath {
namespace {

struct BinaryOperator {
  std::string_view text;
  int precedence;  // higher binds tighter
};
// Source: fhirpath.g4, rule `expression`, alternatives from first (tightest) to last.
constexpr BinaryOperator kBinary[] = {
    {"*", 12},  {"/", 12}, {"div", 12}, {"mod", 12},     {"+", 11},  {"-", 11}, {"&", 11},  {"is", 10},
    {"as", 10}, {"|", 9},  {"<=", 8},   {"<", 8},        {">", 8},   {">=", 8}, {"=", 7},   {"~", 7},
    {"!=", 7},  {"!~", 7}, {"in", 6},   {"contains", 6}, {"and", 5}, {"or", 4}, {"xor", 4}, {"implies", 3}};

class Parser {
 public:
  Parser(std::vector<Token> tokens, const ParseOptions& options)
      : tokens_(std::move(tokens)), options_(options) {}

  Result<std::unique_ptr<Ast>> Run() {
    STEPWISE_ASSIGN_OR_RETURN(auto ast, Expression(0));
    if (Now().kind != TokenKind::kEnd) return Unexpected("an operator or the end of the expression");
    return ast;
  }

 private:
  using Ptr = std::unique_ptr<Ast>;

  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead(std::size_t n) const { return tokens_[std::min(at_ + n, tokens_.size() - 1)]; }
  bool IsSymbol(std::string_view text) const {
    return Now().kind == TokenKind::kSymbol && Now().text == text;
  }
  bool Take(std::string_view symbol) {
    if (!IsSymbol(symbol)) return false;
    ++at_;
    return true;
  }
  tl::unexpected<Error> Unexpected(std::string_view expected) const {
    const Token& token = Now();
    const std::string found =
        token.kind == TokenKind::kEnd ? "the expression ends" : "unexpected '" + token.text + "'";
    return Fail(Code::kSyntax, found + "; expected " + std::string(expected), token.span);
  }
  Status Expect(std::string_view symbol) {
    if (Take(symbol)) return {};
    return Unexpected("'" + std::string(symbol) + "'");
  }

  Result<Ptr> Make(AstKind kind, const Token& token, std::vector<Ptr> children) {
    auto ast = std::make_unique<Ast>();
    ast->kind = kind;
    ast->text = token.text;
    ast->span = token.span;
    for (const Ptr& child : children) {
      if (child != nullptr) ast->depth = std::max(ast->depth, child->depth + 1);
    }
    ast->children = std::move(children);
    // A chain of a thousand operators nests as deep as a thousand parentheses once it is a tree.
    if (ast->depth > options_.max_depth) return TooDeep(token.span);
    return ast;
  }
  template <typename... Children>
  static std::vector<Ptr> List(Children... children) {
    std::vector<Ptr> list;
    (list.push_back(std::move(children)), ...);
    return list;
  }
  tl::unexpected<Error> TooDeep(const SourceSpan& span) const {
    return Fail(Code::kLimit,
                "the expression is nested deeper than the limit of " + std::to_string(options_.max_depth),
                span);
  }

  const BinaryOperator* Operator() const {
    const Token& token = Now();
    if (token.kind != TokenKind::kSymbol && token.kind != TokenKind::kIdentifier) return nullptr;
    for (const BinaryOperator& op : kBinary) {
      if (op.text == token.text) return &op;
    }
    return nullptr;
  }

  Result<Ptr> Expression(int least) {
    if (++depth_ > options_.max_depth) return TooDeep(Now().span);
    STEPWISE_ASSIGN_OR_RETURN(Ptr left, Unary());
    for (const BinaryOperator* op = Operator(); op != nullptr && op->precedence >= least; op = Operator()) {
      const Token token = Now();
      ++at_;
      if (op->text == "is" || op->text == "as") {
        STEPWISE_ASSIGN_OR_RETURN(std::vector<std::string> type, TypeName());
        STEPWISE_ASSIGN_OR_RETURN(left, Make(AstKind::kTypeTest, token, List(std::move(left))));
        left->type = std::move(type);
        continue;
      }
      STEPWISE_ASSIGN_OR_RETURN(Ptr right, Expression(op->precedence + 1));
      STEPWISE_ASSIGN_OR_RETURN(left, Make(AstKind::kBinary, token, List(std::move(left), std::move(right))));
    }
    --depth_;
    return left;
  }

  Result<std::vector<std::string>> TypeName() {
    std::vector<std::string> names;
    do {
      if (Now().kind != TokenKind::kIdentifier && Now().kind != TokenKind::kDelimited)
        return Unexpected("a type name");
      names.push_back(Now().text);
      ++at_;
    } while (Take("."));
    return names;
  }

  // Polarity binds looser than '.' and '[]': -1.abs() is -(1.abs()).
  Result<Ptr> Unary() {
    if (IsSymbol("+") || IsSymbol("-")) {
      if (++depth_ > options_.max_depth) return TooDeep(Now().span);
      const Token token = Now();
      ++at_;
      STEPWISE_ASSIGN_OR_RETURN(Ptr operand, Unary());
      --depth_;
      return Make(AstKind::kUnary, token, List(std::move(operand)));
    }
    return Postfix();
  }

  Result<Ptr> Postfix() {
    STEPWISE_ASSIGN_OR_RETURN(Ptr left, Term());
    for (;;) {
      const Token token = Now();
      if (Take(".")) {
        STEPWISE_ASSIGN_OR_RETURN(left, Invocation(std::move(left)));
      } else if (Take("[")) {
        STEPWISE_ASSIGN_OR_RETURN(Ptr index, Expression(0));
        STEPWISE_RETURN_IF_ERROR(Expect("]"));
        STEPWISE_ASSIGN_OR_RETURN(left,
                                  Make(AstKind::kIndexer, token, List(std::move(left), std::move(index))));
      } else {
        return left;
      }
    }
  }

  // name, name(...), $this, $index, $total behind a dot or at the start of a term.
  Result<Ptr> Invocation(Ptr focus) {
    const Token token = Now();
    if (token.kind == TokenKind::kSpecial) {
      if (focus != nullptr && token.text != "$this") return Unexpected("a name");
      ++at_;
      if (focus != nullptr) return focus;  // x.$this is x
      return Make(token.text == "$this"    ? AstKind::kThis
                  : token.text == "$index" ? AstKind::kIndex
                                           : AstKind::kTotal,
                  token, {});
    }
    if (token.kind != TokenKind::kIdentifier && token.kind != TokenKind::kDelimited)
      return Unexpected("a name");
    ++at_;
    if (!IsSymbol("(")) {
      std::vector<Ptr> children;
      if (focus != nullptr) children.push_back(std::move(focus));
      STEPWISE_ASSIGN_OR_RETURN(Ptr member, Make(AstKind::kMember, token, std::move(children)));
      member->delimited = token.kind == TokenKind::kDelimited;
      if (IsSymbol("{")) return Instance(std::move(member));
      return member;
    }
    ++at_;
    std::vector<Ptr> children;
    std::string order;
    children.push_back(std::move(focus));
    if (!IsSymbol(")")) {
      do {
        STEPWISE_ASSIGN_OR_RETURN(Ptr argument, Expression(0));
        char direction = 'a';
        if (token.text == "sort") {
          if (Now().kind == TokenKind::kIdentifier && (Now().text == "asc" || Now().text == "desc")) {
            if (Now().text == "desc") direction = 'd';
            ++at_;
          } else if (argument->kind == AstKind::kUnary && argument->text == "-" && !argument->parenthesised) {
            // The older spelling of a descending key, which also works for keys that have no negative.
            direction = 'n';
            argument = std::move(argument->children[0]);
          }
        }
        order += direction;
        children.push_back(std::move(argument));
      } while (Take(","));
    }
    STEPWISE_RETURN_IF_ERROR(Expect(")"));
    STEPWISE_ASSIGN_OR_RETURN(Ptr call, Make(AstKind::kCall, token, std::move(children)));
    call->delimited = token.kind == TokenKind::kDelimited;
    call->order = std::move(order);
    return call;
  }

  // Type { element: expression, ... }, Type {:}
  Result<Ptr> Instance(Ptr member) {
    std::vector<std::string> type;
    for (const Ast* part = member.get(); part != nullptr;
         part = part->children.empty() ? nullptr : part->children[0].get()) {
      if (part->kind != AstKind::kMember) return Unexpected("a type name before '{'");
      type.insert(type.begin(), part->text);
    }
    ++at_;  // {
    std::vector<std::string> names;
    std::vector<Ptr> values;
    if (!Take(":")) {
      do {
        if (Now().kind != TokenKind::kIdentifier && Now().kind != TokenKind::kDelimited)
          return Unexpected("an element name");
        names.push_back(Now().text);
        ++at_;
        STEPWISE_RETURN_IF_ERROR(Expect(":"));
        STEPWISE_ASSIGN_OR_RETURN(Ptr value, Expression(0));
        values.push_back(std::move(value));
      } while (Take(","));
    }
    STEPWISE_RETURN_IF_ERROR(Expect("}"));
    Token token;
    token.span = member->span;
    token.text = member->text;
    STEPWISE_ASSIGN_OR_RETURN(Ptr instance, Make(AstKind::kInstance, token, std::move(values)));
    instance->type = std::move(type);
    instance->names = std::move(names);
    return instance;
  }

  Result<Ptr> Term() {
    const Token token = Now();
    switch (token.kind) {
      case TokenKind::kString: ++at_; return Make(AstKind::kString, token, {});
      case TokenKind::kLong: ++at_; return Make(AstKind::kLong, token, {});
      case TokenKind::kNumber: ++at_; return Number(token);
      case TokenKind::kTemporal: {
        ++at_;
        STEPWISE_ASSIGN_OR_RETURN(Ptr ast, Make(AstKind::kTemporal, token, {}));
        ast->temporal = token.temporal;
        return ast;
      }
      case TokenKind::kIdentifier:
        // `true.not()` is a literal; `true` as a name needs back-ticks.
        if (token.text == "true" || token.text == "false") {
          ++at_;
          return Make(AstKind::kBoolean, token, {});
        }
        return Invocation(nullptr);
      case TokenKind::kDelimited:
      case TokenKind::kSpecial: return Invocation(nullptr);
      case TokenKind::kSymbol: break;
      case TokenKind::kEnd: return Unexpected("an expression");
    }
    if (Take("(")) {
      STEPWISE_ASSIGN_OR_RETURN(Ptr inner, Expression(0));
      STEPWISE_RETURN_IF_ERROR(Expect(")"));
      inner->parenthesised = true;
      return inner;
    }
    if (Take("{")) {
      STEPWISE_RETURN_IF_ERROR(Expect("}"));
      return Make(AstKind::kEmpty, token, {});
    }
    if (Take("%")) {
      const Token name = Now();
      if (name.kind != TokenKind::kIdentifier && name.kind != TokenKind::kDelimited &&
          name.kind != TokenKind::kString) {
        return Unexpected("a variable name after '%'");
      }
      ++at_;
      return Make(AstKind::kVariable, name, {});
    }
    return Unexpected("an expression");
  }

  Result<Ptr> Number(const Token& token) {
    const Token& next = Now();
    const bool calendar = next.kind == TokenKind::kIdentifier && CalendarKeyword(next.text).has_value();
    if (next.kind == TokenKind::kString || calendar) {
      ++at_;
      STEPWISE_ASSIGN_OR_RETURN(Ptr ast, Make(AstKind::kQuantity, token, {}));
      ast->unit = next.text;
      ast->calendar = calendar;
      ast->span.length = next.span.line == token.span.line
                             ? next.span.column + next.span.length - token.span.column
                             : token.span.length;
      return ast;
    }
    return Make(token.text.find('.') == std::string::npos ? AstKind::kInteger : AstKind::kDecimal, token, {});
  }

  std::vector<Token> tokens_;
  const ParseOptions& options_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

// Strings of the expression become results: what is not UTF-8 must not get in.
Status CheckUtf8(std::string_view text, const SourceSpan& origin) {
  if (IsUtf8(text)) return {};
  SourceSpan span{origin.file, std::max(1u, origin.line), std::max(1u, origin.column), 1};
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, CodePointSize(text, at));
    if (!IsUtf8(character)) break;
    ++span.column;
    if (character == "\n") {
      ++span.line;
      span.column = 1;
    }
    at += character.size();
  }
  return Fail(Code::kSyntax, "the expression is not valid UTF-8", std::move(span));
}

}  // namespace

Result<std::unique_ptr<Ast>> Parse(std::string_view text, const ParseOptions& options) {
  if (text.size() > options.max_length) {
    return Fail(
        Code::kLimit,
        "the expression is longer than the limit of " + std::to_string(options.max_length) + " bytes",
        {options.origin.file, std::max(1u, options.origin.line), std::max(1u, options.origin.column), 1});
  }
  STEPWISE_RETURN_IF_ERROR(CheckUtf8(text, options.origin));
  STEPWISE_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text, options.origin));
  return Parser(std::move(tokens), options).Run();
}

std::string ToText(const Ast& ast) {
  std::string head = ast.text;
  switch (ast.kind) {
    case AstKind::kEmpty: return "{}";
    case AstKind::kString: return "'" + ast.text + "'";
    case AstKind::kTemporal: return "@" + ast.temporal.ToString();
    case AstKind::kQuantity: return "(quantity " + ast.text + " " + ast.unit + ")";
    case AstKind::kVariable: return "%" + ast.text;
    case AstKind::kMember: head = "."; break;
    case AstKind::kIndexer: head = "[]"; break;
    case AstKind::kUnary: head = "unary" + ast.text; break;
    case AstKind::kInstance: head = "instance"; break;
    default: break;
  }
  if (ast.kind == AstKind::kMember && ast.children.empty()) return ast.text;
  if (ast.children.empty() && ast.type.empty()) return head;
  std::string out = "(" + head;
  for (const auto& child : ast.children) out += " " + (child ? ToText(*child) : std::string("$this"));
  if (ast.kind == AstKind::kMember) out += " " + ast.text;
  for (const std::string& name : ast.type) out += " " + name;
  return out + ")";
}

}  // namespace stepwise::fhirpath
