#include "rules/test_case.h"

#include <algorithm>

#include "rules/pack_files.h"
#include "rules/test_request.h"

namespace stepwise::rules {
namespace {

class SuiteReader {
 public:
  SuiteReader(const KnowledgeBase& base, const Pack& pack, const std::string& filter)
      : base_(base), pack_(pack), filter_(filter) {}

  TestSuite Read() {
    const PackFiles files = PackFiles::Open(pack_.dir, &suite_.errors);
    for (const std::string& path : files.List("tests/", ".yaml")) {
      const auto tree = ParseYaml(*files.Find(path), {.file = files.Shown(path), .anchors = true});
      if (tree) {
        File(*tree, files.Shown(path));
      } else {
        suite_.errors.push_back(tree.error());
      }
    }
    return std::move(suite_);
  }

 private:
  void File(const YamlNode& node, const std::string& file) {
    Fields fields(node, kTestFileSchema, &suite_.errors);
    const SourceText name = fields.Source("tests-for");
    const SourceText now_text = fields.Source("now");
    const YamlNode* base = fields.Map("base");
    const YamlNode* cases = fields.List("cases");
    const auto rule = std::ranges::find_if(
        pack_.rules, [&](const Rule& r) { return r.id == name.text || r.name == name.text; });
    if (rule == pack_.rules.end()) {
      std::vector<std::string> known;
      for (const Rule& r : pack_.rules) known.push_back(r.id);
      return fields.Fail(name.span, "no rule `" + name.text + "` in this pack" + Suggest(name.text, known));
    }
    if (const YamlNode* lines = fields.Map("never-unknown")) {
      for (const YamlNode& line : lines->children) suite_.never_unknown.push_back({rule->id, line.key});
    }
    const auto now = Moment(now_text, &suite_.errors);
    if (!now || cases == nullptr) return;
    for (const YamlNode& test_case : cases->children) Case(rule->id, base, test_case, *now, file);
  }

  static std::optional<DateTime> Moment(const SourceText& text, Errors* errors) {
    auto moment = DateTime::ParseDateTime(text.text);
    if (!moment) AddError(errors, text.span, "`" + text.text + "` is no moment; write 2026-12-10T09:00:00Z");
    return moment;
  }

  void Case(const std::string& rule, const YamlNode* base, const YamlNode& node, const DateTime& file_now,
            const std::string& file) {
    TestCase out;
    out.file = file;
    out.rule = rule;
    out.span = node.span;
    const YamlNode* name = node.Find("name");
    out.name = name == nullptr ? "line " + std::to_string(node.span.line) : name->value.text;
    if ((rule + ": " + out.name).find(filter_) == std::string::npos) return;

    Errors errors;
    const YamlNode* expect = node.Find("expect");
    if (expect == nullptr) {
      AddError(&errors, node.span, "a case says what it expects in `expect`");
    } else {
      out.expected = ReadExpectation(*expect, &errors);
    }
    if (const YamlNode* site = node.Find("site")) {
      for (const YamlNode& value : site->children) out.site[value.key.text] = value.value.text;
    }
    const YamlNode* now = node.Find("now");
    out.now = now == nullptr ? file_now : Moment(now->value, &errors).value_or(file_now);
    std::vector<const YamlNode*> layers = {&node};
    if (base != nullptr) layers.insert(layers.begin(), base);
    out.request = Request(layers, &errors);
    if (const YamlNode* list = node.Find("overridden")) {
      for (const YamlNode& entry : list->children) out.overridden.push_back(Earlier(layers, entry, &errors));
    }
    for (const Error& error : errors) out.faults.push_back({error.ToString(), "", ""});
    suite_.cases.push_back(std::move(out));
  }

  std::optional<Document> Request(const std::vector<const YamlNode*>& layers, Errors* errors) const {
    const TestRequest request = MakeTestRequest(layers, base_.slots(), errors);
    auto document = Document::Parse(request.json);
    if (document) return std::move(*document);
    AddError(errors, layers.back()->span, "the request is not usable: " + document.error().ToString());
    return std::nullopt;
  }

  EarlierRequest Earlier(std::vector<const YamlNode*> layers, const YamlNode& entry, Errors* errors) const {
    EarlierRequest out;
    const YamlNode* at = entry.Find("at");
    if (at == nullptr) AddError(errors, entry.span, "an override says when it was, in `at`");
    if (at != nullptr) out.at = Moment(at->value, errors).value_or(out.at);
    layers.push_back(&entry);
    out.request = Request(layers, errors);
    return out;
  }

  const KnowledgeBase& base_;
  const Pack& pack_;
  const std::string& filter_;
  TestSuite suite_;
};

}  // namespace

TestSuite ReadTestSuite(const KnowledgeBase& base, const Pack& pack, const std::string& filter) {
  return SuiteReader(base, pack, filter).Read();
}

}  // namespace stepwise::rules
