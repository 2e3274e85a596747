// Program::Dump(): the bound program as an indented tree, one Expr a line, its input before its arguments.
#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "fhir/fhirpath/program.h"

namespace stepwise::fhirpath {
namespace {

// Where the static type of an expression stands.
enum class TypeFrom : std::uint8_t { kUnknown, kBoolean, kInteger, kFocus, kOwn };

struct KindRow {
  ExprKind kind;
  std::string_view name;
  TypeFrom type = TypeFrom::kUnknown;
};

constexpr KindRow kKinds[] = {
    {ExprKind::kNone, "none"},
    {ExprKind::kThis, "$this"},
    {ExprKind::kIndex, "$index", TypeFrom::kInteger},
    {ExprKind::kTotal, "$total"},
    {ExprKind::kLiteral, "literal", TypeFrom::kOwn},
    {ExprKind::kNothing, "{}"},
    {ExprKind::kVariable, "variable"},
    {ExprKind::kDefined, "defined variable"},
    {ExprKind::kResource, "%resource"},
    {ExprKind::kRootResource, "%rootResource"},
    {ExprKind::kContext, "%context"},
    {ExprKind::kChild, "child", TypeFrom::kOwn},
    {ExprKind::kTypeRoot, "root", TypeFrom::kOwn},
    {ExprKind::kIndexer, "[]", TypeFrom::kFocus},
    {ExprKind::kNegate, "-", TypeFrom::kFocus},
    {ExprKind::kAdd, "+"},
    {ExprKind::kSubtract, "-"},
    {ExprKind::kMultiply, "*"},
    {ExprKind::kDivide, "/"},
    {ExprKind::kDiv, "div"},
    {ExprKind::kMod, "mod"},
    {ExprKind::kConcat, "&"},
    {ExprKind::kUnion, "|"},
    {ExprKind::kIs, "is", TypeFrom::kBoolean},
    {ExprKind::kAs, "as", TypeFrom::kOwn},
    {ExprKind::kAnd, "and", TypeFrom::kBoolean},
    {ExprKind::kOr, "or", TypeFrom::kBoolean},
    {ExprKind::kXor, "xor", TypeFrom::kBoolean},
    {ExprKind::kImplies, "implies", TypeFrom::kBoolean},
    {ExprKind::kEqual, "=", TypeFrom::kBoolean},
    {ExprKind::kNotEqual, "!=", TypeFrom::kBoolean},
    {ExprKind::kEquivalent, "~", TypeFrom::kBoolean},
    {ExprKind::kNotEquivalent, "!~", TypeFrom::kBoolean},
    {ExprKind::kLess, "<", TypeFrom::kBoolean},
    {ExprKind::kLessOrEqual, "<=", TypeFrom::kBoolean},
    {ExprKind::kGreater, ">", TypeFrom::kBoolean},
    {ExprKind::kGreaterOrEqual, ">=", TypeFrom::kBoolean},
    {ExprKind::kIn, "in", TypeFrom::kBoolean},
    {ExprKind::kContains, "contains", TypeFrom::kBoolean},
    {ExprKind::kExists, "exists", TypeFrom::kBoolean},
    {ExprKind::kAll, "all", TypeFrom::kBoolean},
    {ExprKind::kEmpty, "empty", TypeFrom::kBoolean},
    {ExprKind::kNot, "not", TypeFrom::kBoolean},
    {ExprKind::kWhere, "where", TypeFrom::kFocus},
    {ExprKind::kSelect, "select"},
    {ExprKind::kCount, "count", TypeFrom::kInteger},
    {ExprKind::kFirst, "first", TypeFrom::kFocus},
    {ExprKind::kSkip, "skip", TypeFrom::kFocus},
    {ExprKind::kTake, "take", TypeFrom::kFocus},
    {ExprKind::kOfType, "ofType", TypeFrom::kOwn},
    {ExprKind::kRepeat, "repeat"},
    {ExprKind::kRepeatAll, "repeatAll"},
    {ExprKind::kSort, "sort", TypeFrom::kFocus},
    {ExprKind::kAggregate, "aggregate"},
    {ExprKind::kIif, "iif"},
    {ExprKind::kCoalesce, "coalesce"},
    {ExprKind::kTrace, "trace", TypeFrom::kFocus},
    {ExprKind::kDefineVariable, "defineVariable", TypeFrom::kFocus},
    {ExprKind::kChildren, "children"},
    {ExprKind::kDescendants, "descendants"},
    {ExprKind::kInstance, "instance", TypeFrom::kOwn},
    {ExprKind::kCall, "call"},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    if (kKinds[i].kind != static_cast<ExprKind>(i)) return false;
  }
  return kKinds[std::size(kKinds) - 1].kind == ExprKind::kCall;
}
static_assert(InOrder(), "kKinds has a row for each ExprKind, in its order");

std::string TypeIdText(TypeId type) { return ValueText(Item::TypeInfo(type)); }

class Dumper {
 public:
  explicit Dumper(const ProgramData& program) : program_(program) {}

  std::string Run() {
    if (program_.root >= 0) Write(program_.root, 0, "");
    const StaticType& result = program_.result;
    out_ += "result: ";
    out_ += result.type != types::kNone ? TypeIdText(result.type) : result.resource ? "any resource" : "any";
    out_ += result.many ? ", many" : ", one";
    if (!result.ordered) out_ += ", unordered";
    out_ += "\n";
    return std::move(out_);
  }

 private:
  static const KindRow& RowOf(const Expr& e) { return kKinds[static_cast<std::size_t>(e.kind)]; }

  TypeId StaticTypeOf(std::int32_t index) const {
    // A loop over the inputs: a chain may be as long as the text.
    while (index >= 0) {
      const Expr& e = program_.expr(index);
      switch (RowOf(e).type) {
        case TypeFrom::kBoolean: return types::kSystemBoolean;
        case TypeFrom::kInteger: return types::kSystemInteger;
        case TypeFrom::kOwn:
          if (e.kind == ExprKind::kLiteral) return e.literal.type();
          return e.kind == ExprKind::kChild ? e.element_type : e.type;
        case TypeFrom::kUnknown:
          if (e.kind != ExprKind::kCall || !e.row->same_type) {
            return e.row == nullptr ? types::kNone : e.row->result;
          }
          break;
        case TypeFrom::kFocus: break;
      }
      index = e.focus;
    }
    return types::kNone;
  }

  // What tells this expression from others of its kind.
  std::string Detail(const Expr& e) const {
    switch (e.kind) {
      case ExprKind::kLiteral:
        if (e.literal.kind() == ItemKind::kTemporal) return "@" + ValueText(e.literal);
        return e.literal.kind() == ItemKind::kString ? ValueJson(e.literal) : ValueText(e.literal);
      case ExprKind::kChild: {
        std::string name(e.name != kNoName ? NameText(e.name) : std::string_view(*e.text));
        if (e.type != types::kNone) name = std::string(TypeName(e.type)) + "." + name;
        return name + (e.element_choice ? "[x]" : "");
      }
      case ExprKind::kTypeRoot:
      case ExprKind::kIs:
      case ExprKind::kAs:
      case ExprKind::kOfType:
      case ExprKind::kInstance: return e.type == types::kNone ? "" : std::string(TypeName(e.type));
      case ExprKind::kVariable:
      case ExprKind::kDefined:
      case ExprKind::kDefineVariable: return "#" + std::to_string(e.slot);
      case ExprKind::kCall: return std::string(e.row->name) + "()";
      default: return "";
    }
  }

  std::string ArgumentLabel(const Expr& e, std::uint32_t i) const {
    if (e.kind == ExprKind::kInstance && e.text != nullptr) {
      std::string_view names = *e.text;
      for (std::uint32_t skipped = 0; skipped < i; ++skipped) {
        names.remove_prefix(std::min(names.size(), names.find('\n') + 1));
      }
      return std::string(names.substr(0, names.find('\n'))) + ": ";
    }
    if (e.kind == ExprKind::kSort && e.text != nullptr && i < e.text->size()) {
      return (*e.text)[i] == 'd' ? "desc: " : "asc: ";
    }
    if (e.row == nullptr || i >= e.row->params.size() || e.row->params[i].name.empty()) return "";
    return std::string(e.row->params[i].name) + ": ";
  }

  void Write(std::int32_t index, std::size_t depth, std::string_view label) {
    const Expr& e = program_.expr(index);
    out_.append(2 * depth, ' ');
    out_ += label;
    out_ += RowOf(e).name;
    if (const std::string detail = Detail(e); !detail.empty()) out_ += " " + detail;
    if (const TypeId type = StaticTypeOf(index); type != types::kNone) out_ += "  " + TypeIdText(type);
    out_ += e.many ? "  many" : "  one";
    if (e.span.line != 0) out_ += "  " + std::to_string(e.span.line) + ":" + std::to_string(e.span.column);
    out_ += "\n";
    if (e.focus >= 0) Write(e.focus, depth + 1, "");
    for (std::uint32_t i = 0; i < e.arg_count; ++i) {
      Write(program_.arg(e, i), depth + 1, ArgumentLabel(e, i));
    }
  }

  const ProgramData& program_;
  std::string out_;
};

}  // namespace

std::string Program::Dump() const { return Dumper(*data_).Run(); }

}  // namespace stepwise::fhirpath
