// Ast: the shape of a FHIRPath expression, with spans, before any name means anything.
#ifndef STEPWISE_FHIR_FHIRPATH_AST_H_
#define STEPWISE_FHIR_FHIRPATH_AST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/date_time.h"
#include "fhir/decimal.h"
#include "fhir/result.h"

namespace stepwise::fhirpath {

enum class AstKind : std::uint8_t {
  kEmpty,    // {}
  kBoolean,  // text: true | false
  kString,
  kInteger,
  kLong,
  kDecimal,   // text
  kTemporal,  // temporal
  kQuantity,  // text: number; unit; calendar
  kThis,
  kIndex,
  kTotal,
  kVariable,  // %text
  kMember,    // children[0].text, or text alone when there are no children
  kCall,      // children[0].text(children[1..]); children[0] is null for a call on the focus
  kIndexer,   // children[0][children[1]]
  kUnary,     // text: + -
  kBinary,    // text: the operator
  kTypeTest,  // children[0] is/as type: text: is | as; type
  kInstance,  // type { names[i]: children[i] }
};
// A value written out; {} is none.
constexpr bool IsLiteral(AstKind kind) { return AstKind::kBoolean <= kind && kind <= AstKind::kQuantity; }

struct Ast {
  AstKind kind = AstKind::kEmpty;
  std::string text = {};
  std::string unit = {};   // kQuantity
  bool calendar = false;   // kQuantity: the unit is a calendar keyword
  bool delimited = false;  // kMember, kCall: written in back-ticks
  bool parenthesised = false;
  std::vector<std::string> type = {};   // kTypeTest, kInstance: one or two names
  std::vector<std::string> names = {};  // kInstance
  std::string order = {};  // kCall sort, a letter per key: a asc, d desc, n the older spelling -key
  DateTime temporal = {};
  std::vector<std::unique_ptr<Ast>> children = {};
  SourceSpan span = {};  // whole sub-expression's own token: name, operator or literal
  int depth = 1;
};

struct ParseOptions {
  std::size_t max_length = 64 * 1024;
  int max_depth = 256;
  SourceSpan origin = {};
};

// Errors: kSyntax with what stands there and what would be right; kLimit for length and depth.
Result<std::unique_ptr<Ast>> Parse(std::string_view text, const ParseOptions& options = {});

// S-expression text of the tree, for tests: "(= (. name given) 'Jim')".
std::string ToText(const Ast& ast);

}  // namespace stepwise::fhirpath

#endif  // STEPWISE_FHIR_FHIRPATH_AST_H_
