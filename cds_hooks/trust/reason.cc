#include "cds_hooks/trust/reason.h"

#include <iterator>

namespace stepwise::trust {
namespace {

constexpr std::string_view kWords[] = {
    "no-token",         "too-large",          "malformed",      "bad-algorithm",
    "unknown-issuer",   "unknown-jku",        "expired",        "not-yet-valid",
    "too-long-lived",   "wrong-audience",     "wrong-tenant",   "unknown-key",
    "bad-signature",    "replayed",           "no-certificate", "unknown-certificate",
    "keys-unavailable", "replay-memory-full",
};
static_assert(std::size(kWords) == static_cast<std::size_t>(Reason::kReplayMemoryFull) + 1);

}  // namespace

std::string_view ReasonWord(Reason reason) { return kWords[static_cast<std::size_t>(reason)]; }

std::span<const std::string_view> AllReasons() { return kWords; }

tl::unexpected<Error> Refuse(Reason reason, std::string path) {
  const bool ours = reason == Reason::kKeysUnavailable || reason == Reason::kReplayMemoryFull;
  return Fail(ours ? Code::kUnavailable : Code::kInvalidArgument, std::string(ReasonWord(reason)), {},
              std::move(path));
}

}  // namespace stepwise::trust
