#include "rules/mutation.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "fhir/fhirpath/ast.h"
#include "fhir/utf8.h"
#include "rules/pack_test.h"

namespace stepwise::rules {
namespace {

using fhirpath::Ast;

struct Flip {
  std::string_view from, to;
};
constexpr Flip kFlips[] = {{"=", "!="}, {"!=", "="}, {"<", "<="}, {"<", ">"},   {"<=", "<"},   {"<=", ">="},
                           {">", ">="}, {">", "<"},  {">=", ">"}, {">=", "<="}, {"and", "or"}, {"or", "and"}};

// Calls visit(where, text) for each expression that decides something.
template <typename PackType, typename Visit>
void VisitExpressions(PackType& pack, Visit visit) {
  for (auto& fact : pack.facts) visit("fact " + fact.name.text, fact.expression);
  for (auto& rule : pack.rules) {
    if (rule.mode == RuleMode::kOff) continue;
    if (rule.for_each) visit(rule.id + " for-each " + rule.for_each->name.text, rule.for_each->expression);
    for (auto& let : rule.lets) visit(rule.id + " let " + let.name.text, let.expression);
    for (auto& line : rule.lines) visit(rule.id + " line " + line.id, line.expression);
  }
}

// Byte at which a line and column of a parsed text stand.
std::size_t OffsetOf(std::string_view text, const SourceSpan& span) {
  std::size_t offset = 0;
  for (std::uint32_t line = 1; line < span.line; ++line) offset = text.find('\n', offset) + 1;
  for (std::uint32_t column = 1; column < span.column && offset < text.size(); ++column)
    offset += CodePointSize(text, offset);
  return offset;
}

void CollectOperators(const Ast& ast, std::vector<const Ast*>* out) {
  if (ast.kind == fhirpath::AstKind::kBinary) out->push_back(&ast);
  for (const auto& child : ast.children) {
    if (child != nullptr) CollectOperators(*child, out);
  }
}

struct Equivalent {
  std::string in, was, becomes;
  SourceSpan span;
  bool used = false;

  // Does replacing one `was` by `becomes` make this mutant?
  bool Means(const Mutant& mutant) const {
    if (mutant.where != in || was.empty()) return false;
    for (std::size_t at = mutant.was.find(was); at != std::string::npos; at = mutant.was.find(was, at + 1)) {
      std::string text = mutant.was;
      if (text.replace(at, was.size(), becomes) == mutant.becomes) return true;
    }
    return false;
  }
};

std::vector<Equivalent> ReadEquivalents(const Pack& pack, Errors* errors) {
  std::vector<Equivalent> out;
  const std::string path = pack.dir + "/mutants.yaml";
  std::ifstream in(path, std::ios::binary);
  if (!in) return out;
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto tree = ParseYaml(text, {.file = path});
  if (!tree) {
    errors->push_back(tree.error());
    return out;
  }
  const Fields fields(*tree, kMutantsSchema, errors);
  const YamlNode* list = fields.List("equivalent");
  if (list == nullptr) return out;
  for (const YamlNode& node : list->children) {
    const Fields entry(node, kMutantSchema, errors);
    out.push_back({entry.Text("in"), entry.Text("was"), entry.Text("becomes"), node.span});
  }
  return out;
}

// All cases of the named packs, ready to run again and again.
struct Suites {
  std::map<std::string, std::vector<TestCase>> by_pack;

  bool Fails(const KnowledgeBase& base, const Mutant& mutant) {
    const Pack* changed = base.FindPack(mutant.pack);
    const std::string rule = mutant.where.substr(0, mutant.where.find(' '));  // "fact": no rule's id
    // The rule's own cases are the likeliest to fail.
    for (const bool own : {true, false}) {
      for (const auto& [id, cases] : by_pack) {
        const Pack* pack = base.FindPack(id);
        if (pack != changed && !Requires(base, *pack, *changed)) continue;
        for (const TestCase& one : cases) {
          if ((pack == changed && one.rule == rule) != own) continue;
          if (!RunTestCase(engine, base, *pack, one).empty()) return true;
        }
      }
    }
    return false;
  }

  static bool Requires(const KnowledgeBase& base, const Pack& pack, const Pack& wanted) {
    return std::ranges::any_of(pack.requires_packs, [&](const PackRequirement& requirement) {
      const Pack* next = base.FindPack(requirement.id);
      return next == &wanted || (next != nullptr && Requires(base, *next, wanted));
    });
  }

  Engine engine;
};

}  // namespace

std::vector<Mutant> MutantsOf(const Pack& pack) {
  std::vector<Mutant> out;
  std::size_t number = 0;
  VisitExpressions(pack, [&](const std::string& where, const SourceText& text) {
    const std::size_t expression = number++;
    const auto tree = fhirpath::Parse(text.text);
    if (!tree) return;
    std::vector<const Ast*> operators;
    CollectOperators(**tree, &operators);
    std::vector<std::pair<std::size_t, const Ast*>> placed;
    placed.reserve(operators.size());
    for (const Ast* op : operators) placed.emplace_back(OffsetOf(text.text, op->span), op);
    std::ranges::sort(placed);
    for (const auto& [offset, op] : placed) {
      for (const Flip& flip : kFlips) {
        if (flip.from != op->text) continue;
        Mutant mutant{pack.id,
                      expression,
                      where,
                      std::string(flip.from),
                      std::string(flip.to),
                      text.text,
                      text.text,
                      text.At(offset, flip.from.size())};
        mutant.becomes.replace(offset, flip.from.size(), flip.to);
        out.push_back(std::move(mutant));
      }
    }
  });
  return out;
}

std::size_t MutationReport::Number(MutantFate fate) const {
  return static_cast<std::size_t>(std::ranges::count(mutants, fate, &Mutant::fate));
}

double MutationReport::percent() const {
  const std::size_t caught = Number(MutantFate::kCaught), all = caught + Number(MutantFate::kSurvived);
  return all == 0 ? 100 : 100.0 * static_cast<double>(caught) / static_cast<double>(all);
}

MutationReport RunMutants(const KnowledgeBase& base, const std::set<std::string>& named,
                          const std::function<void(const Mutant&)>& done) {
  MutationReport report;
  Suites suites;
  for (const Pack& pack : base.packs()) {
    if (!named.contains(pack.id)) continue;
    TestSuite suite = ReadTestSuite(base, pack, "");
    std::ranges::move(suite.errors, std::back_inserter(report.errors));
    for (const TestCase& one : suite.cases) {
      if (!RunTestCase(suites.engine, base, pack, one).empty())
        AddError(&report.errors, one.span, "this case fails without any change: " + one.name);
    }
    suites.by_pack[pack.id] = std::move(suite.cases);
  }
  if (!report.errors.empty()) return report;

  for (const Pack& pack : base.packs()) {
    if (!named.contains(pack.id)) continue;
    std::vector<Equivalent> equivalents = ReadEquivalents(pack, &report.errors);
    for (Mutant& mutant : MutantsOf(pack)) {
      const auto same =
          std::ranges::find_if(equivalents, [&](const Equivalent& one) { return one.Means(mutant); });
      std::vector<Pack> changed(base.packs().begin(), base.packs().end());
      VisitExpressions(*std::ranges::find(changed, pack.id, &Pack::id),
                       [&, number = std::size_t{0}](const std::string&, SourceText& text) mutable {
                         if (number++ == mutant.expression) text.text = mutant.becomes;
                       });
      LoadReport load;
      const auto mutated = KnowledgeBase::Load(std::move(changed), &load);
      if (mutated == nullptr || suites.Fails(*mutated, mutant)) mutant.fate = MutantFate::kCaught;
      if (same != equivalents.end()) {
        same->used = true;
        if (mutant.fate == MutantFate::kCaught) {
          AddError(&report.errors, same->span, "this mutant is caught, so it is not equivalent: remove it");
        } else {
          mutant.fate = MutantFate::kEquivalent;
        }
      }
      if (done) done(mutant);
      report.mutants.push_back(std::move(mutant));
    }
    for (const Equivalent& one : equivalents) {
      if (!one.used)
        AddError(&report.errors, one.span,
                 "no mutant of `" + one.in + "` turns `" + one.was + "` into `" + one.becomes + "`");
    }
  }
  return report;
}

}  // namespace stepwise::rules
