// The small grammar of JSON texts (RFC 8259): numbers, and strings to and from their escapes.
//
//   JsonQuote("a \"b\"") == R"("a \"b\"")"
//
// For who writes or reads single values as text; whole documents are fhir/document.h. The digits of numbers
// are never changed: FHIR's 1.50 is not 1.5. Thread-safety: pure functions.
#ifndef STEPWISE_FHIR_JSON_TEXT_H_
#define STEPWISE_FHIR_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace stepwise {

// "1.20", "-3e2"; not "007", ".5", "+1" or "2024-01".
bool IsJsonNumber(std::string_view text);

// Appends the decoded text of what stands between a string's quotes; false on an unknown escape or half a
// surrogate pair, and then `out` holds what came before it.
bool AppendJsonUnescaped(std::string_view inside, std::string& out);

// Appends `text` as a string literal, quotes included. Bytes that are not UTF-8 become U+FFFD, so that the
// outcome is JSON whatever came in.
void AppendJsonString(std::string_view text, std::string& out);
std::string JsonQuote(std::string_view text);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_JSON_TEXT_H_
