#include "rules/junit.h"

namespace stepwise::rules {
namespace {

std::string Attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + XmlEscape(value) + "\"";
}

std::string Attribute(std::string_view name, std::size_t value) {
  return Attribute(name, std::to_string(value));
}

std::string SuiteHead(std::string_view name, std::size_t tests, std::size_t failures, std::size_t errors) {
  return "  <testsuite" + Attribute("name", name) + Attribute("tests", tests) +
         Attribute("failures", failures) + Attribute("errors", errors) + ">\n";
}

// `kind`: failure or error.
std::string Problem(std::string_view kind, std::string_view message, std::string_view text) {
  std::string out = "      <" + std::string(kind) + Attribute("message", message) + ">";
  return out + XmlEscape(text) + "</" + std::string(kind) + ">\n";
}

}  // namespace

std::string XmlEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\t': out += "&#9;"; break;
      case '\n': out += "&#10;"; break;
      case '\r': out += "&#13;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    }
  }
  return out;
}

void JunitReport::Add(std::string_view pack, const PackTestReport& report) {
  suites_ +=
      SuiteHead(pack, report.cases.size() + report.errors.size(), report.failed(), report.errors.size());
  for (const Error& error : report.errors) {
    suites_ += "    <testcase" + Attribute("classname", pack) + Attribute("name", error.span.file) + ">\n" +
               Problem("error", "the test file cannot be used", error.ToString()) + "    </testcase>\n";
  }
  for (const TestCaseResult& one : report.cases) {
    suites_ += "    <testcase" + Attribute("classname", std::string(pack) + "." + one.rule) +
               Attribute("name", one.name) + Attribute("file", one.file) + Attribute("line", one.span.line);
    if (one.failures.empty()) {
      suites_ += "/>\n";
      continue;
    }
    std::string text;
    for (const TestFailure& failure : one.failures) text += failure.ToString() + "\n";
    suites_ += ">\n" + Problem("failure", one.failures.front().ToString(), text + "\n" + one.explanation) +
               "    </testcase>\n";
  }
  suites_ += "  </testsuite>\n";
}

void JunitReport::AddFailure(std::string_view pack, std::string_view name, std::string_view message) {
  suites_ += SuiteHead(pack, 1, 1, 0) + "    <testcase" + Attribute("classname", pack) +
             Attribute("name", name) + ">\n" + Problem("failure", message, message) +
             "    </testcase>\n  </testsuite>\n";
}

std::string JunitReport::Xml() const {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" + suites_ + "</testsuites>\n";
}

}  // namespace stepwise::rules
