// OverrideStore: which cards were handed out, and which of them clinicians overrode.
//
//   store.Issued("p1", card, now);                       after each answer
//   store.Overridden(card_uuid, at);                     when feedback comes
//   evaluator.Evaluate(..., {.overridden = store.Of("p1", now)})
//
// Only cards with a suppression key (rules/suppression.h) are kept: an override of another card silences
// nothing. The memory is bounded, in number and in time; what falls out is advice shown once more.
// What survives a restart and is shared between nodes is built on it: cds_hooks/store/shared_overrides.h.
// Thread-safety: all methods may be called from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_OVERRIDE_STORE_H_
#define STEPWISE_CDS_HOOKS_OVERRIDE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/decision.h"

namespace stepwise::cds_hooks {

class OverrideStore {
 public:
  virtual ~OverrideStore() = default;
  virtual void Issued(std::string_view patient_id, const rules::Card& card, const DateTime& now) = 0;
  // false: no such card is remembered.
  virtual bool Overridden(const std::string& card_uuid, const DateTime& at) = 0;
  virtual std::vector<rules::OverriddenCard> Of(std::string_view patient_id, const DateTime& now) = 0;
};

struct OverrideStoreLimits {
  std::size_t max_cards = 100'000;      // cards that feedback may name
  std::size_t max_overrides = 100'000;  // of all patients
  // Older cards and overrides are forgotten. No pack can ask for more than a year (rules/suppression.cc).
  std::int64_t max_age_days = 366;
};

// In this process's memory; a restart forgets everything.
class MemoryOverrideStore final : public OverrideStore {
 public:
  explicit MemoryOverrideStore(const OverrideStoreLimits& limits = {}) : limits_(limits) {}

  void Issued(std::string_view patient_id, const rules::Card& card, const DateTime& now) override;
  bool Overridden(const std::string& card_uuid, const DateTime& at) override;
  std::vector<rules::OverriddenCard> Of(std::string_view patient_id, const DateTime& now) override;
  // An override that was given earlier or elsewhere. The same one twice is one.
  void Restore(std::string_view patient_id, const std::string& suppression_key, const DateTime& at);

 private:
  struct IssuedCard {
    std::string patient, key;
    std::int64_t at_ms;
  };
  void Forget(std::int64_t now_ms);
  void Remember(const std::string& patient, const std::string& key, const DateTime& at);

  const OverrideStoreLimits limits_;
  std::mutex mutex_;                                    // guards what follows
  std::unordered_map<std::string, IssuedCard> issued_;  // by uuid
  std::deque<std::string> issued_order_;                // uuids, oldest first
  std::unordered_map<std::string, std::vector<rules::OverriddenCard>>
      overridden_;                            // by patient, oldest first
  std::deque<std::string> overridden_order_;  // patients
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_OVERRIDE_STORE_H_
