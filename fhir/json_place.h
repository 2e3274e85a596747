// Where in a JSON text an error lies, for messages: line and column, the path of properties, and which byte
// it was that a parser only knows to exist.
//
//   JsonPathAt(R"({"context":{"a":[1,,2]}})", 18) == "$.context.a[1]"
//
// For texts that could not be parsed; of a document Node::Path() says it better. Slow: errors only.
// Thread-safety: pure functions.
#ifndef STEPWISE_FHIR_JSON_PLACE_H_
#define STEPWISE_FHIR_JSON_PLACE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "fhir/result.h"

namespace stepwise {

// Line and column (code points) of the byte at `offset`, both from 1.
SourceSpan SpanAt(std::string_view text, std::size_t offset);

// The property that the byte at `offset` belongs to; "" at the root. What is not JSON on the way there may
// mislead it, which only a message notices.
std::string JsonPathAt(std::string_view text, std::size_t offset);

// Offset of the first byte that is not UTF-8; text.size() when all is well.
std::size_t FirstInvalidUtf8(std::string_view text);

// Offset of the first byte below U+0020 inside a string; 0 when there is none.
std::size_t FirstControlInString(std::string_view text);

}  // namespace stepwise

#endif  // STEPWISE_FHIR_JSON_PLACE_H_
