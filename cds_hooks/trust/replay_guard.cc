#include "cds_hooks/trust/replay_guard.h"

#include <algorithm>
#include <cstring>

#include "rules/digest.h"

namespace stepwise::trust {

std::size_t ReplayGuard::HashOf::operator()(const Key& key) const {
  std::size_t out = 0;
  std::memcpy(&out, key.data(), sizeof(out));
  return out;
}

void ReplayGuard::Forget(Shard& shard, std::int64_t now_ms) {
  while (!shard.expiries.empty() && shard.expiries.top().first <= now_ms) {
    shard.seen.erase(shard.expiries.top().second);
    shard.expiries.pop();
    --size_;
  }
}

bool ReplayGuard::TakePlace() {
  std::size_t size = size_;
  while (size < max_tokens_) {
    if (size_.compare_exchange_weak(size, size + 1)) return true;
  }
  return false;
}

Admission ReplayGuard::AdmitTo(Shard& shard, const Key& key, std::int64_t expires_ms, std::int64_t now_ms) {
  const std::scoped_lock lock(shard.mutex);
  Forget(shard, now_ms);
  if (shard.seen.contains(key)) return Admission::kReplayed;
  if (!TakePlace()) return Admission::kFull;
  shard.seen.insert(key);
  shard.expiries.emplace(expires_ms, key);
  return Admission::kNew;
}

Admission ReplayGuard::Admit(std::string_view iss, std::string_view jti, std::int64_t expires_ms,
                             std::int64_t now_ms) {
  rules::Sha256 hash;
  hash.AddField(iss);
  hash.AddField(jti);
  const std::array<unsigned char, 32> digest = hash.Finish();
  Key key;
  std::copy_n(digest.begin(), key.size(), key.begin());
  Shard& own = shards_[key.back() % shards_.size()];
  const Admission admission = AdmitTo(own, key, expires_ms, now_ms);
  if (admission != Admission::kFull) return admission;
  for (Shard& shard : shards_) {  // the others may hold tokens that have expired
    const std::scoped_lock lock(shard.mutex);
    Forget(shard, now_ms);
  }
  return AdmitTo(own, key, expires_ms, now_ms);
}

}  // namespace stepwise::trust
