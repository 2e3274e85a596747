#include "rules/functions.h"

#include <vector>

#include "fhir/fhirpath/ast.h"
#include "rules/medication/functions.h"

namespace stepwise::rules {
namespace {

using fhirpath::Ast;
using fhirpath::AstKind;
using fhirpath::Builtin;
using fhirpath::Call;
using fhirpath::Item;
using fhirpath::Want;

// The column that lookup() gives when none is named: the first that is not the key.
std::size_t FirstValueColumn(const Table& table) {
  return table.key_column() == 0 && table.columns().size() > 1 ? 1 : 0;
}

Status Lookup(Call& call) {
  const auto* terminology = dynamic_cast<const PackTerminology*>(call.terminology());
  const Table* table = terminology == nullptr ? nullptr : terminology->FindTable(call.arg(0).string());
  if (table == nullptr)
    return call.Fail(Code::kSemantic, "lookup(): no table `" + std::string(call.arg(0).string()) + "`");
  if (!table->has_key())
    return call.Fail(Code::kSemantic, "lookup(): table " + table->file() + " has no key column");
  std::size_t column = FirstValueColumn(*table);
  if (call.has(2)) {
    const auto named = table->Column(call.arg(2).string());
    if (!named)
      return call.Fail(Code::kSemantic, "lookup(): no column `" + std::string(call.arg(2).string()) + "`");
    column = *named;
  }
  for (const Item& key : call.items(1)) {
    const auto row =
        table->Find(key.is_node() ? key.node().text() : std::string_view(fhirpath::ValueText(key)));
    if (row && !table->Cell(*row, column).empty()) call.Emit(Item::String(table->Cell(*row, column)));
  }
  return {};
}

constexpr Builtin kFunctions[] = {
    {.name = "lookup",
     .input = Want::kItems,
     .params = {{{Want::kString, "table"}, {Want::kItems, "key"}, {Want::kString, "column", true}}},
     .result = types::kSystemString,
     .result_many = true,
     .fn = Lookup,
     .doc = "Cells of a knowledge table as text: for each key its row's `column` (default: the first that is "
            "not the key). "
            "Nothing for a key without a row and for an empty cell.",
     .spec = "rules/functions.h"},
};

void Walk(const Ast& ast, const PackTerminology& terminology, Errors* errors) {
  if (ast.kind == AstKind::kCall) {
    const auto literal = [&](std::size_t index) -> const Ast* {
      if (index >= ast.children.size() || ast.children[index] == nullptr) return nullptr;
      return ast.children[index]->kind == AstKind::kString ? ast.children[index].get() : nullptr;
    };
    if (const Ast* name = literal(1);
        name != nullptr && ast.text == "memberOf" && terminology.FindValueSet(name->text) == nullptr) {
      AddError(errors, name->span,
               "no value set `" + name->text + "` in this pack or one that it requires" +
                   Suggest(name->text, terminology.ValueSetNames()));
    }
    if (const Ast* name = literal(1); name != nullptr && ast.text == "lookup") {
      const Table* table = terminology.FindTable(name->text);
      if (table == nullptr) {
        AddError(errors, name->span,
                 "no table `" + name->text + "` in this pack or one that it requires" +
                     Suggest(name->text, terminology.TableNames()));
      } else if (!table->usable()) {
        // Said where the table was read.
      } else if (!table->has_key()) {
        AddError(errors, name->span,
                 "table `" + name->text + "` has no key column; add `key: <column>` to it in pack.yaml");
      } else if (const Ast* column = literal(3); column != nullptr && !table->Column(column->text)) {
        AddError(errors, column->span,
                 "table `" + name->text + "` has no column `" + column->text + "`" +
                     Suggest(column->text, table->columns()));
      }
    }
  }
  for (const auto& child : ast.children) {
    if (child != nullptr) Walk(*child, terminology, errors);
  }
}

}  // namespace

std::span<const Builtin> RuleFunctions() {
  static const std::vector<Builtin> kAll = [] {
    std::vector<Builtin> all(std::begin(kFunctions), std::end(kFunctions));
    const auto medication = medication::MedicationFunctions();
    all.insert(all.end(), medication.begin(), medication.end());
    return all;
  }();
  return kAll;
}

Errors CheckCalls(std::string_view expression, const PackTerminology& terminology) {
  Errors errors;
  // Most expressions call neither, and parsing is most of the work of loading them.
  const auto mentions = [&](std::string_view name) {
    return expression.find(name) != std::string_view::npos;
  };
  if (!mentions("memberOf") && !mentions("lookup")) return errors;
  const auto ast = fhirpath::Parse(expression);
  if (ast) Walk(**ast, terminology, &errors);
  return errors;
}

}  // namespace stepwise::rules
