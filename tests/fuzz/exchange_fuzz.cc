// Whatever bytes arrive: an import is refused with a message, or gives files that are read again as a pack
// with as many rules, none of them on with a condition that was never translated.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rules/pack_exchange.h"
#include "rules/pack_files.h"
#include "rules/pack_reader.h"

using namespace stepwise::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ExchangeOptions options{
      .naming = {}, .from_resources = (data[0] & 1) != 0, .max_bytes = 1u << 20, .max_depth = 40};
  Errors errors;
  const auto pack = ImportPack(text, "f", options, &errors);
  if (pack.has_value() != errors.empty()) std::abort();
  if (!pack) {
    if (errors[0].message.empty()) std::abort();
    return 0;
  }
  const auto read = ReadPack(PackFiles::FromFiles(pack->source, "f"), &errors);
  if (!read || read->rules.size() != pack->rules) std::abort();
  for (const Rule& rule : read->rules) {
    for (const RuleLine& line : rule.lines) {
      if (line.expression.text == kUntranslated && rule.mode != RuleMode::kOff) std::abort();
    }
  }
  return 0;
}
