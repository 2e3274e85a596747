// Any text either is a configuration or is refused with reasons, each of which has a place in the file or
// names a setting; what is accepted keeps to the ranges of its table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "cds_hooks/config.h"
#include "cds_hooks/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<Error> errors;
  std::optional<cds_hooks::Config> config = cds_hooks::ReadConfig(text, "dir/f.yaml", &errors);
  if (config.has_value() != errors.empty()) std::abort();
  for (const Error& error : errors) {
    if (error.message.empty()) std::abort();
    if (error.span.line == 0 && error.span.file.empty() && error.message[0] != '`') std::abort();
  }
  if (!config) return 0;
  for (const cds_hooks::Setting& setting : cds_hooks::Settings()) {
    if (const auto* number = std::get_if<cds_hooks::NumberMember>(&setting.member)) {
      const std::int64_t value = (*number)(*config);
      if (value < setting.min || value > setting.max) std::abort();
    }
  }
  for (const cds_hooks::IssuerConfig& issuer : config->trust.issuers) {
    if (issuer.iss.empty() || (issuer.jwks_file.empty() && issuer.jku.empty())) std::abort();
  }
  return 0;
}
