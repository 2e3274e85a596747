// Whatever bytes arrive as a JWK Set, they are read or refused with a message that holds a path at most. A
// key that is kept stands in the text under its kid, is for one algorithm at least, and verifies no signature
// that was never made.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cds_hooks/trust/jwk_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise::trust;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const stepwise::Result<JwkSet> set = JwkSet::Parse(bytes, {.max_bytes = 1u << 16, .max_keys = 8});
  if (!set) {
    if (set.error().message.empty()) std::abort();
    return 0;
  }
  std::size_t kept = 0;
  const nlohmann::json json = nlohmann::json::parse(bytes);
  for (const nlohmann::json& jwk : json.at("keys")) {
    if (!jwk.contains("kid") || !jwk.at("kid").is_string()) continue;
    const VerifyingKey* const key = set->Find(jwk.at("kid").get<std::string>());
    if (key == nullptr) continue;
    ++kept;
    bool fits = false;
    for (const Algorithm algorithm :
         {Algorithm::kES256, Algorithm::kES384, Algorithm::kRS256, Algorithm::kRS384}) {
      fits = fits || key->Fits(algorithm);
      for (const std::size_t length : {0u, 64u, 96u, 256u}) {
        if (key->Verify(algorithm, "text", std::string(length, '\x01'))) std::abort();
      }
    }
    if (!fits) std::abort();
  }
  if (kept < set->size() || set->size() + set->ignored().size() != json.at("keys").size()) std::abort();
  return 0;
}
