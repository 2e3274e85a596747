#include "rules/line_unknown.h"

#include <algorithm>
#include <memory>
#include <set>

#include "fhir/fhirpath/ast.h"

namespace stepwise::rules {
namespace {

using fhirpath::Ast;
using fhirpath::AstKind;

// Functions that answer whatever they are asked about, and mark nothing as unknown.
constexpr std::string_view kAlwaysAnswer[] = {"all",        "allFalse", "allTrue",   "anyFalse",
                                              "anyTrue",    "count",    "empty",     "exists",
                                              "isDistinct", "subsetOf", "supersetOf"};
// Functions that only hand on what they get: none of them consults a table that may not know.
constexpr std::string_view kPlain[] = {
    "as",   "code",  "combine",   "distinct", "endsWith", "first",  "hasValue", "iif",  "intersect",  "is",
    "last", "lower", "not",       "now",      "ofType",   "select", "single",   "skip", "startsWith", "tail",
    "take", "today", "timeOfDay", "toString", "trim",     "union",  "upper",    "where"};

bool In(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

class Analysis {
 public:
  explicit Analysis(const KnowledgeBase& base) : base_(base) {}

  bool Program(const fhirpath::Program& program) {
    const auto tree = fhirpath::Parse(program.text());
    if (!tree || CanBeEmpty(**tree) || Consults(**tree)) return true;
    return std::ranges::any_of(program.variables(), [&](int slot) { return Reads(slot); });
  }

 private:
  // Does what a slot holds depend on data that may be absent, or on tables that may not know?
  bool Reads(int index) {
    if (!seen_.insert(index).second) return false;
    const Slot& slot = base_.slots()[static_cast<std::size_t>(index)];
    if (slot.kind == SlotKind::kPrefetch) return true;
    if (!slot.program || slot.kind == SlotKind::kForEach) return false;  // the item itself is there
    const auto tree = fhirpath::Parse(slot.program->text());
    if (!tree || Consults(**tree)) return true;
    return std::ranges::any_of(slot.program->variables(), [&](int inner) { return Reads(inner); });
  }

  static bool Consults(const Ast& ast) {
    if (ast.kind == AstKind::kCall && !In(kAlwaysAnswer, ast.text) && !In(kPlain, ast.text)) return true;
    return std::ranges::any_of(ast.children,
                               [](const auto& child) { return child != nullptr && Consults(*child); });
  }

  static bool CanBeEmpty(const Ast& ast) {
    const auto any_child = [&] {
      return std::ranges::any_of(ast.children,
                                 [](const auto& child) { return child == nullptr || CanBeEmpty(*child); });
    };
    if (IsLiteral(ast.kind)) return false;
    switch (ast.kind) {
      case AstKind::kBinary: return ast.text != "~" && ast.text != "!~" && any_child();
      case AstKind::kUnary: return any_child();
      case AstKind::kCall:
        if (In(kAlwaysAnswer, ast.text)) return false;
        return ast.text != "not" || any_child();
      default: return true;
    }
  }

  const KnowledgeBase& base_;
  std::set<int> seen_;
};

}  // namespace

bool CanBeUnknown(const KnowledgeBase& base, const fhirpath::Program& program) {
  return Analysis(base).Program(program);
}

}  // namespace stepwise::rules
