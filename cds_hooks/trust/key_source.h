// KeySource: where the keys of an issuer come from. Two of them: a file that an operator puts there, and a
// URL (jku) that the issuer publishes its keys at.
//
//   auto keys = std::make_shared<UrlKeys>("https://ehr.example.org/jwks.json", options, fetch, observer);
//   keys->Find(jwt.kid, now_ms, [](Result<VerifyingKey> key) { ... });
//
// FileKeys looks at its file at most every file_poll_s and reads it when it has changed; a file that is gone
// or broken leaves the last good set in place.
// UrlKeys fetches the set when it is first needed, when it is older than max_age_s, and when a kid is not in
// it (the issuer has rotated its keys); the latter two at most every refetch_interval_s, so that made-up kids
// cause no traffic. All who need the same fetch wait for the one that is under way. When a refresh fails, the
// last good set serves on until it is max_stale_s old, and nobody waits for the attempts that follow; until
// retry_interval_s has passed there are none.
//
// Errors of Find(), as in reason.h: kUnknownKey, kKeysUnavailable. A file is read by the request that finds
// it changed, while others wait for that one small read; nothing is fetched under a lock. Thread-safety:
// Find() may be called from many threads at once.
#ifndef STEPWISE_CDS_HOOKS_TRUST_KEY_SOURCE_H_
#define STEPWISE_CDS_HOOKS_TRUST_KEY_SOURCE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cds_hooks/trust/jwk_set.h"
#include "fhir/result.h"

namespace stepwise::trust {

struct KeyOptions {
  std::int64_t file_poll_s = 5;          // between two looks at a file
  std::int64_t max_age_s = 3600;         // of fetched keys before they are fetched again
  std::int64_t max_stale_s = 86'400;     // of fetched keys that serve on while fetching them fails
  std::int64_t refetch_interval_s = 60;  // between two fetches of one URL, whatever kids tokens name
  std::int64_t retry_interval_s = 10;    // between a fetch that failed and the next
  std::int64_t max_waiting = 10'000;     // requests that wait for one fetch; others get what is known
  std::int64_t max_set_bytes = 256 << 10;
  std::int64_t max_set_keys = 100;
};

// GETs a text: calls `done` exactly once, inline or later on any thread, and does not throw. Redirects,
// time limits and TLS are its business.
using FetchText = std::function<void(const std::string& url, std::function<void(Result<std::string>)> done)>;

// What a look at a source said, for a log. The views live as long as the call.
struct KeyReport {
  std::string_view source;  // the file or URL
  const JwkSet* set;        // the new one, or nullptr on an error
  const Error* error;       // or nullptr
};
using KeyObserver = std::function<void(const KeyReport&)>;  // called by any thread; may be empty

class KeySource {
 public:
  using Found = std::function<void(Result<VerifyingKey>)>;
  virtual ~KeySource() = default;
  // Calls `done` exactly once: inline when nothing has to be fetched, else on the thread of the fetcher.
  virtual void Find(const std::string& kid, std::int64_t now_ms, Found done) = 0;
};

class FileKeys final : public KeySource {
 public:
  FileKeys(std::string file, const KeyOptions& options, KeyObserver observer);

  // Reads the file now. Errors: kNotFound, those of JwkSet::Parse().
  Status Load();
  void Find(const std::string& kid, std::int64_t now_ms, Found done) override;

 private:
  // What changes when a file does: device, inode, size, times of change. All zero: there is no file.
  using Stamp = std::array<std::int64_t, 7>;
  Stamp Look() const;
  Status LoadLocked(const Stamp& stamp);

  const std::string file_;
  const KeyOptions options_;
  const KeyObserver observer_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const JwkSet> set_;
  Stamp stamp_ = {};
  std::optional<std::int64_t> looked_ms_;
};

class UrlKeys final : public KeySource, public std::enable_shared_from_this<UrlKeys> {
 public:
  UrlKeys(std::string url, const KeyOptions& options, FetchText fetch, KeyObserver observer);

  // The object must be owned by a shared_ptr; a fetch under way keeps it alive.
  void Find(const std::string& kid, std::int64_t now_ms, Found done) override;

 private:
  struct Waiter {
    std::string kid;
    std::int64_t now_ms;
    Found done;
  };
  void Arrived(const Result<std::string>& text, std::int64_t asked_ms);
  Result<VerifyingKey> Pick(const std::string& kid, std::int64_t now_ms) const;  // under mutex_
  bool MayAsk(std::int64_t now_ms) const;                                        // under mutex_

  const std::string url_;
  const KeyOptions options_;
  const FetchText fetch_;
  const KeyObserver observer_;
  std::mutex mutex_;                   // guards what follows
  std::shared_ptr<const JwkSet> set_;  // the last good one
  std::int64_t fetched_ms_ = 0;        // when set_ was asked for
  std::optional<std::int64_t> asked_ms_;
  bool failed_ = false;  // the last fetch that ended
  bool under_way_ = false;
  std::vector<Waiter> waiting_;
};

}  // namespace stepwise::trust

#endif  // STEPWISE_CDS_HOOKS_TRUST_KEY_SOURCE_H_
