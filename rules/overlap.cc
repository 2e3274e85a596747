#include "rules/overlap.h"

#include <algorithm>
#include <set>

#include "fhir/fhirpath/ast.h"

namespace stepwise::rules {
namespace {

using fhirpath::Ast;
using fhirpath::AstKind;

struct Subject {  // what a rule's orders must be
  const CompiledRule* rule;
  std::string items;  // text of the for-each expression
  std::vector<const CodeSet*> sets;
  SourceSpan place;  // of the first memberOf()
};

class SubjectReader {
 public:
  SubjectReader(const CompiledRule& rule, const PackTerminology& terminology)
      : rule_(*rule.rule), terminology_(terminology) {
    out_.rule = &rule;
  }

  Subject Read() {
    if (!rule_.for_each) return std::move(out_);
    const auto items = fhirpath::Parse(rule_.for_each->expression.text);
    if (!items) return std::move(out_);
    out_.items = ToText(**items);
    for (const RuleLine& line : rule_.lines) {
      if (!line.unless) Criterion(line.expression, 0);
    }
    return std::move(out_);
  }

 private:
  void Criterion(const SourceText& text, int depth) {
    const auto ast = fhirpath::Parse(text.text);
    if (ast) All(**ast, text, depth);
  }

  // What must hold for `ast` to be true: both sides of `and`, lets by name, memberOf() on the item.
  void All(const Ast& ast, const SourceText& text, int depth) {
    if (ast.kind == AstKind::kBinary && ast.text == "and") {
      All(*ast.children[0], text, depth);
      All(*ast.children[1], text, depth);
    } else if (ast.kind == AstKind::kVariable && depth < 8) {
      const auto let =
          std::ranges::find(rule_.lets, ast.text, [](const NamedExpression& e) { return e.name.text; });
      if (let != rule_.lets.end()) Criterion(let->expression, depth + 1);
    } else if (ast.kind == AstKind::kCall && ast.text == "memberOf" && ast.children.size() == 2 &&
               ast.children[0] != nullptr && OfItem(*ast.children[0]) &&
               ast.children[1]->kind == AstKind::kString) {
      const CodeSet* set = terminology_.FindCodes(ast.children[1]->text);
      if (set == nullptr) return;
      if (out_.sets.empty()) out_.place = text.At(ast.span, 0);
      out_.sets.push_back(set);
    }
  }

  bool OfItem(const Ast& ast) const {
    if (ast.kind == AstKind::kVariable) return ast.text == rule_.for_each->name.text;
    const bool chain = ast.kind == AstKind::kMember || (ast.kind == AstKind::kCall && ast.text == "ofType");
    return chain && !ast.children.empty() && ast.children[0] != nullptr && OfItem(*ast.children[0]);
  }

  const Rule& rule_;
  const PackTerminology& terminology_;
  Subject out_;
};

// A code that all sets have, or "".
std::string CommonCode(const Subject& a, const Subject& b) {
  std::vector<const CodeSet*> all = a.sets;
  all.insert(all.end(), b.sets.begin(), b.sets.end());
  std::string common;
  for (const CodeSet* set : all) {
    set->ForEach([&](std::string_view system, std::string_view code) {
      if (!common.empty()) return;
      const auto in = [&](const CodeSet* other) { return other->Contains(system, code) == Membership::kIn; };
      if (std::ranges::all_of(all, in)) common = code;
    });
    if (!common.empty()) break;
  }
  return common;
}

std::string TopicOf(const Rule& rule) {
  return rule.card && !rule.card->topic.empty() ? rule.card->topic : rule.cause;
}

std::string CommonHook(const Rule& a, const Rule& b) {
  const auto found = std::ranges::find_first_of(a.hooks, b.hooks);
  return found == a.hooks.end() ? "" : *found;
}

// Of the first rule, with its pack where that is another.
std::string NameOf(const Subject& a, const Subject& b) {
  const std::string& pack = a.rule->pack->id;
  return (pack == b.rule->pack->id ? "" : pack + ": ") + a.rule->rule->id;
}

}  // namespace

void CheckOverlaps(const KnowledgeBase& base, Errors* warnings) {
  std::vector<Subject> subjects;
  for (const auto& rule : base.rules()) {
    Subject subject = SubjectReader(*rule, base.terminology(rule->pack_index)).Read();
    if (!subject.sets.empty()) subjects.push_back(std::move(subject));
  }
  for (std::size_t j = 1; j < subjects.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      const Subject &a = subjects[i], &b = subjects[j];
      const Rule &first = *a.rule->rule, &second = *b.rule->rule;
      const std::string hook = CommonHook(first, second);
      const bool joined = !first.cause.empty() && first.cause == second.cause;
      if (hook.empty() || joined || a.items != b.items || TopicOf(first) != TopicOf(second)) continue;
      const std::string code = CommonCode(a, b);
      if (code.empty()) continue;
      AddError(
          warnings, b.place,
          "rules `" + NameOf(a, b) + "` and `" + second.id + "` can both speak about one order at " + hook +
              " (both take code " + code +
              "); give them the same `cause` for one card, or each its own `topic` in the card's source");
    }
  }
}

}  // namespace stepwise::rules
