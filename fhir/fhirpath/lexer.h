// Lexer: FHIRPath text -> tokens with source spans.
//
//   Result<std::vector<Token>> tokens = Tokenize("name.given = 'Jim'");
//
// Source: fhirpath.g4, lexical rules. Errors: kSyntax with the span of the offending text.
#ifndef STEPWISE_FHIR_FHIRPATH_LEXER_H_
#define STEPWISE_FHIR_FHIRPATH_LEXER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/result.h"

namespace stepwise::fhirpath {

enum class TokenKind : std::uint8_t {
  kEnd,
  kIdentifier,  // text: the name; keywords too (div, is, and, ...)
  kDelimited,   // `name`: never a keyword
  kString,      // text: decoded
  kNumber,      // text: as written
  kLong,        // text: digits without the L
  kTemporal,    // value in `temporal`
  kSymbol,      // text: one of ( ) [ ] { } . , + - * / & | = ~ != !~ < > <= >= % :
  kSpecial,     // text: $this $index $total
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  DateTime temporal = {};
  SourceSpan span;
};

Result<std::vector<Token>> Tokenize(std::string_view text, const SourceSpan& origin = {});

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_LEXER_H_
