#include "cds_hooks/override_store.h"

#include <algorithm>
#include <utility>

namespace stepwise::cds_hooks {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace

// The oldest go first, and a patient's overrides are in the order they came, so both ends of both queues
// agree.
void MemoryOverrideStore::Forget(std::int64_t now_ms) {
  const std::int64_t oldest = now_ms - limits_.max_age_days * kDayMs;
  while (!issued_order_.empty()) {
    const auto card = issued_.find(issued_order_.front());
    if (issued_order_.size() <= limits_.max_cards && card->second.at_ms >= oldest) break;
    issued_.erase(card);
    issued_order_.pop_front();
  }
  while (!overridden_order_.empty()) {
    const auto patient = overridden_.find(overridden_order_.front());
    std::vector<rules::OverriddenCard>& cards = patient->second;
    if (overridden_order_.size() <= limits_.max_overrides && cards.front().at.ToUnixMillis() >= oldest) break;
    cards.erase(cards.begin());
    if (cards.empty()) overridden_.erase(patient);
    overridden_order_.pop_front();
  }
}

void MemoryOverrideStore::Issued(std::string_view patient_id, const rules::Card& card, const DateTime& now) {
  if (card.suppression_key.empty()) return;
  const std::scoped_lock lock(mutex_);
  const auto [at, fresh] = issued_.try_emplace(
      card.uuid, IssuedCard{std::string(patient_id), card.suppression_key, now.ToUnixMillis()});
  if (fresh) issued_order_.push_back(card.uuid);
  Forget(now.ToUnixMillis());
}

bool MemoryOverrideStore::Overridden(const std::string& card_uuid, const DateTime& at) {
  const std::scoped_lock lock(mutex_);
  const auto card = issued_.find(card_uuid);
  if (card == issued_.end()) return false;
  Remember(card->second.patient, card->second.key, at);
  Forget(at.ToUnixMillis());
  return true;
}

void MemoryOverrideStore::Restore(std::string_view patient_id, const std::string& suppression_key,
                                  const DateTime& at) {
  const std::scoped_lock lock(mutex_);
  Remember(std::string(patient_id), suppression_key, at);
  Forget(at.ToUnixMillis());
}

void MemoryOverrideStore::Remember(const std::string& patient, const std::string& key, const DateTime& at) {
  std::vector<rules::OverriddenCard>& cards = overridden_[patient];
  const bool known = std::ranges::any_of(cards, [&](const rules::OverriddenCard& card) {
    return card.key == key && card.at.ToUnixMillis() == at.ToUnixMillis();
  });
  if (known) return;
  cards.push_back({key, at});
  overridden_order_.push_back(patient);
}

std::vector<rules::OverriddenCard> MemoryOverrideStore::Of(std::string_view patient_id, const DateTime& now) {
  const std::scoped_lock lock(mutex_);
  Forget(now.ToUnixMillis());
  const auto found = overridden_.find(std::string(patient_id));
  return found == overridden_.end() ? std::vector<rules::OverriddenCard>() : found->second;
}

}  // namespace stepwise::cds_hooks
