// What parses as a unit has a canonical text that parses to the same dimension, converts to itself unchanged,
// and its quotient by itself, where it has one, is the unity.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/ucum/ucum.h"

namespace ucum = stepwise::ucum;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto unit = ucum::Parse(text);
  if (!unit) {
    if (unit.error().message.empty()) std::abort();
    return 0;
  }
  std::string canonical = ucum::Canonical(*unit);
  // Powers of powers may be beyond what an expression can say.
  if (const auto base = ucum::Parse(canonical); base && !ucum::Commensurable(*unit, *base)) std::abort();
  const auto same = ucum::Convert(stepwise::Decimal(3), *unit, *unit);
  if (!same || *same != stepwise::Decimal(3)) std::abort();
  if (const auto base = ucum::Parse(canonical)) {
    const auto forth = ucum::Convert(stepwise::Decimal(3), *unit, *base);
    if (forth) (void)ucum::Convert(*forth, *base, *unit);
    const auto one = ucum::Compare(stepwise::Decimal(3), *unit, stepwise::Decimal(7), *base);
    const auto other = ucum::Compare(stepwise::Decimal(7), *base, stepwise::Decimal(3), *unit);
    if (one && other && *one != (0 <=> *other)) std::abort();
  }
  const std::string quotient = ucum::UnitQuotientText(text, text);
  if (quotient != "1") std::abort();
  const std::string product = ucum::UnitProductText(text, "m");
  if (!product.empty() &&
      !ucum::Commensurable(*ucum::Parse(product), ucum::Multiply(*unit, *ucum::Find("m"))))
    std::abort();
  return 0;
}
