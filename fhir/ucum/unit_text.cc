// Product and quotient of unit expressions as text.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/ucum/ucum.h"
#include "fhir/ucum/unit_parser.h"

namespace stepwise::ucum {
namespace {

// Appends `terms` (inverted for sign -1) to `product`, equal texts collected in the order of first use.
void Collect(const std::vector<Term>& terms, int sign, std::vector<Term>* product) {
  for (const Term& term : terms) {
    if (term.kind == Term::Kind::kFactor && term.factor == 1) continue;
    const auto same =
        std::find_if(product->begin(), product->end(), [&](const Term& t) { return t.text == term.text; });
    if (same != product->end()) {
      same->exponent += sign * term.exponent;
    } else {
      product->push_back(term);
      product->back().exponent *= sign;
    }
  }
}

// Only atoms have exponents: factors and annotations are written as often as they count.
void Append(const Term& term, char separator, std::string* text) {
  const int exponent = term.exponent < 0 ? -term.exponent : term.exponent;
  if (term.kind == Term::Kind::kAtom) {
    if (!text->empty() || separator == '/') *text += separator;
    *text += term.text;
    if (exponent != 1) *text += std::to_string(exponent);
    return;
  }
  for (int i = 0; i < exponent && text->size() <= ParseOptions().max_length; ++i) {
    if (!text->empty() || separator == '/') *text += separator;
    *text += term.text;
  }
}

std::string Combine(std::string_view a, std::string_view b, int sign) {
  const auto left = ParseTerms(a);
  const auto right = ParseTerms(b);
  if (!left || !right) return "";
  std::vector<Term> product;
  Collect(*left, 1, &product);
  Collect(*right, sign, &product);
  std::string text;
  for (const Term& term : product) {
    if (term.exponent > 0) Append(term, '.', &text);
  }
  for (const Term& term : product) {
    if (term.exponent < 0) Append(term, '/', &text);
  }
  if (text.empty()) return "1";
  // A product with a special unit, a power or a length beyond the limits is no unit.
  return Parse(text) ? text : "";
}

}  // namespace

std::string UnitProductText(std::string_view a, std::string_view b) { return Combine(a, b, 1); }

std::string UnitQuotientText(std::string_view a, std::string_view b) { return Combine(a, b, -1); }

}  // namespace stepwise::ucum
