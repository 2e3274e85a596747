// What ParseYaml checks before yaml-cpp sees the text: encoding, and quotes that are never closed.
//
// yaml-cpp reports a forgotten quote at the end of the file, or wherever the next quote happens to be. In
// our subset a quoted text ends on its line, so one pass over the lines finds the place where it opened.
// Thread-safety: pure functions.
#ifndef STEPWISE_RULES_YAML_SCAN_H_
#define STEPWISE_RULES_YAML_SCAN_H_

#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise::rules {

// kSyntax for bytes that are not UTF-8, control characters, tabs in an indentation and unclosed quotes.
Status ScanYaml(std::string_view text, const std::string& file);

}  // namespace stepwise::rules

#endif  // STEPWISE_RULES_YAML_SCAN_H_
