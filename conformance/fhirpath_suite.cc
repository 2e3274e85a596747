#include "conformance/fhirpath_suite.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <pugixml.hpp>
#include <sstream>

#include "fhir/fhirpath/fhirpath.h"

namespace stepwise::conformance {
namespace {

using fhirpath::Evaluation;
using fhirpath::Item;
using fhirpath::Items;

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Fail(Code::kNotFound, "cannot read the file", {path, 0, 0, 0});
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// What an <output> says, as ValueText writes values: dates without @, strings without quotes.
std::string Plain(std::string_view type, std::string_view text) {
  std::string out(text);
  if ((type == "date" || type == "dateTime" || type == "time" || type == "instant") && out.starts_with('@')) {
    out = out.substr(out.starts_with("@T") ? 2 : 1);
  }
  return out;
}

// The type names of the suite are loose: "code" for FHIR.code, "Quantity" and "quantity", "string" for
// System.String.
bool TypeMatches(const std::string& expected, const Item& item) {
  if (expected.empty()) return true;
  std::string got = fhirpath::TypeText(item);
  const std::size_t dot = got.find('.');
  got = got.substr(dot + 1);
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  return lower(got) == lower(expected);
}

bool TextMatches(const std::string& type, const std::string& expected, const Item& item) {
  const std::string got = fhirpath::ValueText(item);
  if (got == expected) return true;
  // Decimals are compared by value and, where the suite writes one, by text elsewhere.
  if (item.kind() == fhirpath::ItemKind::kDecimal || type == "decimal") {
    const auto a = Decimal::Parse(got), b = Decimal::Parse(expected);
    return a && b && *a == *b;
  }
  if (item.kind() == fhirpath::ItemKind::kTemporal) {
    const auto as = [&](std::string_view text) -> std::optional<DateTime> {
      if (text.starts_with('@')) text.remove_prefix(1);
      if (text.starts_with('T')) text.remove_prefix(1);
      switch (item.temporal().kind) {
        case TemporalKind::kDate: return DateTime::ParseDate(text);
        case TemporalKind::kDateTime: return DateTime::ParseDateTime(text);
        case TemporalKind::kTime: return DateTime::ParseTime(text);
      }
      return std::nullopt;
    };
    const auto wanted = as(expected);
    return wanted && Equivalent(*wanted, item.temporal());
  }
  return false;
}

std::string Show(const Items& items) {
  std::string out;
  for (const Item& item : items) {
    out +=
        (out.empty() ? "" : ", ") + fhirpath::TypeText(item) + " " + fhirpath::ValueText(item).substr(0, 120);
  }
  return "{" + out + "}";
}

std::string ShowExpected(const SuiteTest& test) {
  if (!test.invalid.empty()) return "an error (" + test.invalid + ")";
  std::string out;
  for (const auto& [type, text] : test.outputs)
    out += (out.empty() ? "" : ", ") + (type.empty() ? "" : type + " ") + text;
  return "{" + out + "}";
}

class Runner {
 public:
  explicit Runner(const SuiteOptions& options) : options_(options), evaluation_({.now = options.now}) {}

  TestResult Run(const SuiteTest& test) {
    TestResult result;
    result.test = &test;
    result.expected = ShowExpected(test);
    const bool good = Passes(test, &result.got);
    const auto skip = options_.skip.find(test.group + "/" + test.name);
    if (skip != options_.skip.end()) {
      result.reason = skip->second;
      result.verdict = good ? Verdict::kUnexpectedPass : Verdict::kSkipped;
    } else {
      result.verdict = good ? Verdict::kPass : Verdict::kFail;
    }
    return result;
  }

 private:
  bool Passes(const SuiteTest& test, std::string* got) {
    Item input;
    fhirpath::CompileOptions compile;
    compile.version = options_.version;
    const bool has_input = !test.input.empty();
    if (has_input) {
      const Document* document = Input(test.input, got);
      if (document == nullptr) return false;
      input = Item::Of(document->root(), document->root().resource_type());
      compile.context_type = document->root().resource_type();
    }
    compile.lenient = test.mode.starts_with("lenient");
    auto program = fhirpath::Compile(test.expression, compile);
    if (!program) {
      *got = std::string(CodeName(program.error().code)) +
             " error before running: " + program.error().ToString();
      return !test.invalid.empty();
    }
    evaluation_.Reset(options_.now);
    const auto items = has_input ? evaluation_.Run(*program, input) : evaluation_.Run(*program);
    if (!items) {
      *got = "error while running: " + items.error().ToString();
      return !test.invalid.empty() && test.invalid != "semantic";
    }
    *got = Show(*items);
    if (!test.invalid.empty()) return false;
    if (test.predicate && items->size() == 1 && (*items)[0].kind() != fhirpath::ItemKind::kBoolean) {
      // As an invariant: something there is true.
      return test.outputs.size() == 1 && test.outputs[0].second == "true";
    }
    if (items->size() != test.outputs.size()) return false;
    std::vector<bool> used(items->size(), false);
    for (std::size_t i = 0; i < test.outputs.size(); ++i) {
      bool found = false;
      for (std::size_t j = 0; j < items->size() && !found; ++j) {
        if (used[j] || (test.ordered && i != j)) continue;
        const auto& [type, text] = test.outputs[i];
        found = TypeMatches(type, (*items)[j]) && TextMatches(type, Plain(type, text), (*items)[j]);
        if (found) used[j] = true;
      }
      if (!found) return false;
    }
    return true;
  }

  const Document* Input(const std::string& name, std::string* problem) {
    auto& slot = documents_[name];
    if (slot) return slot.get();
    std::filesystem::path path = std::filesystem::path(options_.inputs) / name;
    path.replace_extension(".json");
    auto text = ReadFile(path.string());
    if (!text) {
      *problem = text.error().ToString();
      return nullptr;
    }
    auto document = Document::Parse(std::move(*text));
    if (!document) {
      *problem = path.string() + ": " + document.error().ToString();
      return nullptr;
    }
    slot = std::make_unique<Document>(std::move(*document));
    return slot.get();
  }

  const SuiteOptions& options_;
  Evaluation evaluation_;
  std::map<std::string, std::unique_ptr<Document>> documents_;
};

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string VerdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "passed";
    case Verdict::kFail: return "FAILED";
    case Verdict::kSkipped: return "skipped";
    case Verdict::kUnexpectedPass: return "PASSED THOUGH SKIPPED";
  }
  return "";
}

}  // namespace

int SuiteReport::Count(Verdict verdict) const {
  return static_cast<int>(std::count_if(results.begin(), results.end(),
                                        [&](const TestResult& r) { return r.verdict == verdict; }));
}

Result<FhirpathSuite> FhirpathSuite::Load(const std::string& file) {
  pugi::xml_document xml;
  const pugi::xml_parse_result parsed =
      xml.load_file(file.c_str(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed) {
    return Fail(Code::kSyntax, std::string("not readable as XML: ") + parsed.description(), {file, 0, 0, 0});
  }
  FhirpathSuite suite;
  for (const pugi::xml_node group : xml.child("tests").children("group")) {
    std::map<std::string, int> names;
    for (const pugi::xml_node node : group.children()) {
      const std::string_view element = node.name();
      if (element != "test" && element != "modeTest") continue;
      SuiteTest test;
      test.group = group.attribute("name").as_string();
      test.name = node.attribute("name").as_string();
      if (test.name.empty()) test.name = "unnamed";
      // Names repeat within a group: the second gets "#2", so that a skip list can tell them apart.
      if (const int nth = ++names[test.name]; nth > 1) test.name += "#" + std::to_string(nth);
      test.input = node.attribute("inputfile").as_string();
      const pugi::xml_node expression = node.child("expression");
      test.expression = expression.text().as_string();
      test.invalid = expression.attribute("invalid").as_string();
      test.mode = node.attribute("mode").as_string(expression.attribute("mode").as_string());
      test.predicate = node.attribute("predicate").as_bool();
      test.ordered = node.attribute("ordered").as_bool(true);
      for (const pugi::xml_node output : node.children("output")) {
        test.outputs.emplace_back(output.attribute("type").as_string(), output.text().as_string());
      }
      suite.tests_.push_back(std::move(test));
    }
  }
  if (suite.tests_.empty())
    return Fail(Code::kInvalidArgument, "holds no <tests><group><test>", {file, 0, 0, 0});
  return suite;
}

SuiteReport FhirpathSuite::Run(const SuiteOptions& options) const {
  SuiteReport report;
  Runner runner(options);
  for (const SuiteTest& test : tests_) {
    const double begin = options.seconds != nullptr ? options.seconds() : 0;
    report.results.push_back(runner.Run(test));
    if (options.seconds != nullptr) report.results.back().seconds = options.seconds() - begin;
  }
  return report;
}

Result<std::map<std::string, std::string>> ReadSkipList(const std::string& file) {
  STEPWISE_ASSIGN_OR_RETURN(const std::string text, ReadFile(file));
  std::map<std::string, std::string> skip;
  std::istringstream lines(text);
  std::string line;
  for (std::uint32_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos || colon + 2 == line.size()) {
      return Fail(Code::kSyntax, "expected 'group/name: reason'",
                  {file, number, 1, static_cast<std::uint32_t>(line.size())});
    }
    skip[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return skip;
}

std::string ReportText(const SuiteReport& report, bool verbose) {
  struct Group {
    int passed = 0, failed = 0, skipped = 0;
  };
  std::vector<std::string> order;
  std::map<std::string, Group> groups;
  std::string details;
  for (const TestResult& result : report.results) {
    if (!groups.contains(result.test->group)) order.push_back(result.test->group);
    Group& group = groups[result.test->group];
    switch (result.verdict) {
      case Verdict::kPass: ++group.passed; break;
      case Verdict::kSkipped: ++group.skipped; break;
      case Verdict::kFail:
      case Verdict::kUnexpectedPass: ++group.failed; break;
    }
    if (result.verdict == Verdict::kPass || (result.verdict == Verdict::kSkipped && !verbose)) continue;
    details += VerdictText(result.verdict) + "  " + result.test->group + "/" + result.test->name + "\n" +
               "  expression  " + result.test->expression + "\n  expected    " + result.expected +
               "\n  got         " + result.got + "\n";
    if (!result.reason.empty()) details += "  reason      " + result.reason + "\n";
  }
  std::string out;
  for (const std::string& name : order) {
    const Group& group = groups[name];
    out += name + ": " + std::to_string(group.passed) + " of " +
           std::to_string(group.passed + group.failed + group.skipped);
    if (group.skipped > 0) out += ", " + std::to_string(group.skipped) + " skipped";
    if (group.failed > 0) out += ", " + std::to_string(group.failed) + " FAILED";
    out += "\n";
  }
  out += details;
  const int failed = report.Count(Verdict::kFail) + report.Count(Verdict::kUnexpectedPass);
  out += std::to_string(report.Count(Verdict::kPass)) + " passed, " + std::to_string(failed) + " failed, " +
         std::to_string(report.Count(Verdict::kSkipped)) + " skipped\n";
  return out;
}

std::string ReportJunit(const SuiteReport& report, const std::string& suite_name) {
  const int failed = report.Count(Verdict::kFail) + report.Count(Verdict::kUnexpectedPass);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + Escape(suite_name) +
                    "\" tests=\"" + std::to_string(report.results.size()) + "\" failures=\"" +
                    std::to_string(failed) + "\" skipped=\"" +
                    std::to_string(report.Count(Verdict::kSkipped)) + "\">\n";
  for (const TestResult& result : report.results) {
    out += "  <testcase classname=\"" + Escape(result.test->group) + "\" name=\"" +
           Escape(result.test->name) + "\" time=\"" + std::to_string(result.seconds) + "\"";
    if (result.verdict == Verdict::kPass) {
      out += "/>\n";
    } else if (result.verdict == Verdict::kSkipped) {
      out += "><skipped message=\"" + Escape(result.reason) + "\"/></testcase>\n";
    } else {
      out += "><failure message=\"" + Escape(VerdictText(result.verdict)) + "\">" +
             Escape(result.test->expression) + "\nexpected " + Escape(result.expected) + "\ngot " +
             Escape(result.got) + "</failure></testcase>\n";
    }
  }
  return out + "</testsuite>\n";
}

}  // namespace stepwise::conformance
