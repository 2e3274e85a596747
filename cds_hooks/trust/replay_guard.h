// ReplayGuard: which tokens were used already, until they expire.
//
//   switch (guard.Admit(jwt.iss, jwt.jti, jwt.exp_ms + skew_ms, now_ms)) ...
//
// The memory is bounded. When it is full of tokens that have not expired, no new one is admitted: forgetting
// one would let it be used again. Kept are 16 bytes of a SHA-256 and a time for each token, about 100 bytes
// in all, never the token or its jti.
// Thread-safety: Admit() may be called from many threads at once; of two calls with one token, one is told
// kNew. Threads meet only when their tokens fall into the same one of 16 shards.
#ifndef STEPWISE_CDS_HOOKS_TRUST_REPLAY_GUARD_H_
#define STEPWISE_CDS_HOOKS_TRUST_REPLAY_GUARD_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace stepwise::trust {

enum class Admission : std::uint8_t { kNew, kReplayed, kFull };

class ReplayGuard {
 public:
  explicit ReplayGuard(std::size_t max_tokens) : max_tokens_(max_tokens) {}

  Admission Admit(std::string_view iss, std::string_view jti, std::int64_t expires_ms, std::int64_t now_ms);
  std::size_t size() const { return size_; }  // tokens remembered, expired ones perhaps among them

 private:
  using Key = std::array<unsigned char, 16>;
  struct HashOf {
    std::size_t operator()(const Key& key) const;
  };
  struct Shard {
    std::mutex mutex;  // guards what follows
    std::unordered_set<Key, HashOf> seen;
    std::priority_queue<std::pair<std::int64_t, Key>, std::vector<std::pair<std::int64_t, Key>>,
                        std::greater<>>
        expiries;  // the next one to expire on top
  };
  void Forget(Shard& shard, std::int64_t now_ms);  // under shard.mutex
  bool TakePlace();
  Admission AdmitTo(Shard& shard, const Key& key, std::int64_t expires_ms, std::int64_t now_ms);

  const std::size_t max_tokens_;
  std::atomic<std::size_t> size_{0};
  std::array<Shard, 16> shards_;
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_REPLAY_GUARD_H_
