// JUnit XML of pack test reports, as continuous integration servers read it.
//
//   <testsuites><testsuite name="cancer-pain-ladder" tests="180" failures="1" errors="0">
//     <testcase classname="cancer-pain-ladder.LAD-06" name="no score" file="..." line="12"><failure .../>
//
// Test files that cannot be read are test cases with an error. There are no times: a test run reads no clock.
// Thread-safety: pure.
#ifndef STEPWISE_RULES_JUNIT_H_
#define STEPWISE_RULES_JUNIT_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/pack_test.h"

namespace stepwise::rules {

class JunitReport {
 public:
  void Add(std::string_view pack, const PackTestReport& report);
  // A gate that is no test case of a pack, such as the least coverage.
  void AddFailure(std::string_view pack, std::string_view name, std::string_view message);
  std::string Xml() const;

 private:
  std::string suites_;
};

// `text` for an XML attribute or element; characters that XML 1.0 cannot hold become U+FFFD.
std::string XmlEscape(std::string_view text);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_JUNIT_H_
