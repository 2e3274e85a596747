// Whatever bytes arrive: an activation whose periods are periods and whose shares are shares, or errors with
// words; and a schedule of it never fails, at none of its moments.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "rules/activation.h"

using namespace stepwise::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Errors errors;
  const auto activation = ReadActivation(text, "f", &errors);
  if (activation.has_value() != errors.empty()) std::abort();
  for (const auto& error : errors) {
    if (error.message.empty()) std::abort();
  }
  if (!activation) return 0;
  static const std::vector<Pack> packs = [] {
    std::vector<Pack> out(3);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].id = "a";
      out[i].version = {1, static_cast<int>(i), 0};
      out[i].effective_from = "2026-0" + std::to_string(i + 1) + "-01";
    }
    return out;
  }();
  const Schedule schedule(&*activation, "x", packs, &errors);
  for (const auto& sample : schedule.Samples()) {
    const Moment moment = schedule.At(sample);
    if (moment.on.size() > 1 || moment.canaries.size() > 1) std::abort();
    for (const Canary& canary : moment.canaries) {
      if (canary.per_myriad < 0 || canary.per_myriad > 10'000) std::abort();
    }
  }
  return 0;
}
