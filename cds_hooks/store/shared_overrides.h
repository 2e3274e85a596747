// SharedOverrides: the overrides in memory, by pseudonym, filled up from a store: what was overridden before
// a restart, and on other nodes.
//
//   SharedOverrides overrides(pseudonyms, limits);
//   overrides.Refresh(store, now);          at the start and from time to time, off the request path
//
// Feedback on a card of this process counts at once; on another node's card once it is in the store and the
// next Refresh() has read it. Thread-safety: all methods; Refresh() by one thread at a time.
#ifndef STEPWISE_CDS_HOOKS_STORE_SHARED_OVERRIDES_H_
#define STEPWISE_CDS_HOOKS_STORE_SHARED_OVERRIDES_H_

#include <cstdint>

#include "cds_hooks/override_store.h"
#include "cds_hooks/store/pseudonym.h"
#include "cds_hooks/store/store.h"

namespace stepwise::cds_hooks {

class SharedOverrides final : public OverrideStore {
 public:
  // `pseudonyms` outlives this.
  SharedOverrides(const Pseudonyms& pseudonyms, const OverrideStoreLimits& limits)
      : pseudonyms_(pseudonyms), limits_(limits), memory_(limits) {}

  void Issued(std::string_view patient_id, const rules::Card& card, const DateTime& now) override {
    memory_.Issued(pseudonyms_.Of(patient_id), card, now);
  }
  bool Overridden(const std::string& card_uuid, const DateTime& at) override {
    return memory_.Overridden(card_uuid, at);
  }
  std::vector<rules::OverriddenCard> Of(std::string_view patient_id, const DateTime& now) override {
    return memory_.Of(pseudonyms_.Of(patient_id), now);
  }

  // Reads what the store has that was not read yet. Errors: the store's; then nothing is forgotten, and the
  // next call reads it. Cards hidden with another key of pseudonyms are passed over.
  Status Refresh(Store& store, const DateTime& now);

 private:
  const Pseudonyms& pseudonyms_;
  const OverrideStoreLimits limits_;
  MemoryOverrideStore memory_;
  std::int64_t read_until_ms_ = 0;  // what was written before is here
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_SHARED_OVERRIDES_H_
