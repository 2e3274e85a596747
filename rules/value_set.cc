#include "rules/value_set.h"

#include <algorithm>
#include <array>
#include <functional>

#include "rules/value_set_codes.h"

namespace stepwise::rules {
namespace {

constexpr std::size_t kLongestCategory = 32;  // bytes; longer codes are compared whole

std::string WithoutPoints(std::string_view code) {
  std::string out(code);
  std::erase(out, '.');
  return out;
}

std::vector<ValueSetSource::Code> ReadCodes(const YamlNode* node, Errors* errors) {
  std::vector<ValueSetSource::Code> codes;
  if (node == nullptr) return codes;
  for (const YamlNode& child : node->children) {
    if (child.is_list() || child.is_map()) {
      AddError(errors, child.span, "the display of code `" + child.key.text + "` is text");
    }
    codes.push_back({child.key.text, child.value.text});
  }
  return codes;
}

ValueSetSource::Include ReadInclude(const YamlNode& node, Errors* errors) {
  ValueSetSource::Include include;
  Fields fields(node, kIncludeSchema, errors);
  include.span = node.span;
  include.system = fields.Text("system");
  include.codes = ReadCodes(fields.Map("codes"), errors);
  include.descendants = fields.Boolean("descendants");
  include.table = fields.Source("table");
  include.column = fields.Source("column");
  if (const YamlNode* where = fields.Map("where")) {
    for (const YamlNode& child : where->children) {
      std::vector<SourceText> cells;
      if (child.is_scalar()) cells.push_back(child.value);
      for (const YamlNode& cell : child.children) {
        if (child.is_list() && cell.is_scalar()) cells.push_back(cell.value);
      }
      if (cells.empty()) fields.Fail(child.span, "`where` gives each column one cell or a list of cells");
      include.where.emplace_back(child.key, std::move(cells));
    }
  }
  const bool from_table = !include.table.empty();
  if (from_table && include.column.empty() && !fields.Lost("column"))
    fields.Fail(node.span, "an include from a table names the `column` with the codes");
  if (!from_table && !include.where.empty() && !fields.Lost("table"))
    fields.Fail(node.span, "`where` filters a `table`, and none is named");
  if (!from_table && include.codes.empty() && !fields.Lost("table") && !fields.Lost("codes"))
    fields.Fail(node.span, "an include has `codes`, or a `table` with a `column`");
  return include;
}

}  // namespace

ValueSetSource ReadValueSet(const YamlNode& node, Errors* errors) {
  ValueSetSource out;
  Fields fields(node, kValueSetSchema, errors);
  out.span = node.span;
  out.name = fields.Text("name");
  out.url = fields.Text("url");
  out.version = fields.Text("version");
  out.title = fields.Text("title");
  out.status = fields.Text("status");
  out.copyright = fields.Text("copyright");
  for (const SourceText& code : fields.Texts("unverified")) out.unverified.push_back(code.text);
  for (const SourceText& system : fields.Texts("covers")) out.covers.push_back(system.text);
  const SourceText system = fields.Source("system");
  const YamlNode* codes = fields.Map("codes");
  const YamlNode* include = fields.List("include");
  const bool lost = fields.Lost("system") || fields.Lost("codes") || fields.Lost("include");
  if ((codes != nullptr) != !system.empty() && !lost)
    fields.Fail(node.span, "`system` and `codes` come together");
  if (codes == nullptr && include == nullptr && !lost) {
    fields.Fail(node.span, "a value set has `system` with `codes`, or a list of `include`");
  }
  if (codes != nullptr) {
    ValueSetSource::Include own;
    own.system = system.text;
    own.codes = ReadCodes(codes, errors);
    own.span = codes->span;
    out.includes.push_back(std::move(own));
  }
  if (include != nullptr) {
    for (const YamlNode& child : include->children) out.includes.push_back(ReadInclude(child, errors));
  }
  return out;
}

std::unique_ptr<CodeSet> CodeSet::Build(const ValueSetSource& source,
                                        const std::function<const Table*(std::string_view)>& find_table,
                                        Errors* errors) {
  auto set = std::unique_ptr<CodeSet>(new CodeSet());
  set->name_ = source.name;
  set->url_ = source.url;
  set->version_ = source.version;
  for (const ValueSetSource::Include& include : source.includes) {
    System& system = set->systems_[include.system];
    if (source.covers.empty()) system.covered = true;
  }
  for (const ListedCode& code : ListCodes(source, find_table, errors)) {
    System& system = set->systems_[code.system];
    system.codes.insert(code.code);
    if (code.descendants) system.categories.insert(WithoutPoints(code.code));
  }
  for (const std::string& covered : source.covers) set->systems_[covered].covered = true;
  return set;
}

bool CodeSet::System::Has(std::string_view code) const {
  if (codes.contains(code)) return true;
  if (categories.empty()) return false;
  std::array<char, kLongestCategory> plain;
  std::size_t length = 0;
  for (const char c : code) {
    if (c == '.') continue;
    if (length == plain.size()) break;
    plain[length++] = c;
    if (categories.contains(std::string_view(plain.data(), length))) return true;
  }
  return false;
}

Membership CodeSet::Contains(std::string_view system, std::string_view code) const {
  if (system.empty()) {
    const bool in = std::ranges::any_of(systems_, [&](const auto& entry) { return entry.second.Has(code); });
    return in ? Membership::kIn : Membership::kUnknown;
  }
  const auto found = systems_.find(system);
  if (found == systems_.end()) return Membership::kUnknown;
  if (found->second.Has(code)) return Membership::kIn;
  return found->second.covered ? Membership::kOut : Membership::kUnknown;
}

void CodeSet::ForEach(
    const std::function<void(std::string_view system, std::string_view code)>& visit) const {
  for (const auto& [name, system] : systems_) {
    for (const std::string& code : system.codes) visit(name, code);
  }
}

bool CodeSet::IsAbout(std::string_view system) const { return system.empty() || systems_.contains(system); }

std::size_t CodeSet::size() const {
  std::size_t count = 0;
  for (const auto& [system, codes] : systems_) count += codes.codes.size();
  return count;
}

}  // namespace stepwise::rules
