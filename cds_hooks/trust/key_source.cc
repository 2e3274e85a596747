#include "cds_hooks/trust/key_source.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "cds_hooks/trust/reason.h"

namespace stepwise::trust {
namespace {

JwkSetLimits LimitsOf(const KeyOptions& options) {
  return {static_cast<std::size_t>(options.max_set_bytes), static_cast<std::size_t>(options.max_set_keys)};
}

// Clocks may be set back; what happened "in the future" counts as long ago then.
bool HasPassed(std::int64_t since_ms, std::int64_t now_ms, std::int64_t seconds) {
  return std::abs(now_ms - since_ms) >= seconds * 1000;
}

void Report(const KeyObserver& observer, std::string_view source, const Result<JwkSet>& set) {
  if (observer) observer({source, set ? &*set : nullptr, set ? nullptr : &set.error()});
}

}  // namespace

FileKeys::FileKeys(std::string file, const KeyOptions& options, KeyObserver observer)
    : file_(std::move(file)), options_(options), observer_(std::move(observer)) {}

FileKeys::Stamp FileKeys::Look() const {
  struct stat about = {};
  if (::stat(file_.c_str(), &about) != 0) return {};
  return {static_cast<std::int64_t>(about.st_dev),
          static_cast<std::int64_t>(about.st_ino),
          about.st_size,
          about.st_mtim.tv_sec,
          about.st_mtim.tv_nsec,
          about.st_ctim.tv_sec,
          about.st_ctim.tv_nsec};
}

Status FileKeys::LoadLocked(const Stamp& stamp) {
  stamp_ = stamp;  // from before reading: a change while we read is seen at the next look
  std::ifstream in(file_, std::ios::binary);
  std::string text;
  text.resize(static_cast<std::size_t>(options_.max_set_bytes) + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  Result<JwkSet> set = !in.is_open() || in.bad() ? Fail(Code::kNotFound, "the file cannot be read")
                                                 : JwkSet::Parse(text, LimitsOf(options_));
  Report(observer_, file_, set);
  if (!set) {
    set.error().span.file = file_;
    return tl::unexpected(std::move(set.error()));
  }
  set_ = std::make_shared<const JwkSet>(std::move(*set));
  return {};
}

Status FileKeys::Load() {
  const std::scoped_lock lock(mutex_);
  return LoadLocked(Look());
}

void FileKeys::Find(const std::string& kid, std::int64_t now_ms, Found done) {
  std::shared_ptr<const JwkSet> set;
  {
    const std::scoped_lock lock(mutex_);
    if (!looked_ms_ || HasPassed(*looked_ms_, now_ms, options_.file_poll_s)) {
      looked_ms_ = now_ms;
      const Stamp stamp = Look();
      // The observer was told what is wrong; the last good set stays.
      if (stamp != stamp_) static_cast<void>(LoadLocked(stamp));
    }
    set = set_;
  }
  if (set == nullptr) return done(Refuse(Reason::kKeysUnavailable));
  const VerifyingKey* const key = set->Find(kid);
  if (key == nullptr) return done(Refuse(Reason::kUnknownKey, "header.kid"));
  done(*key);
}

UrlKeys::UrlKeys(std::string url, const KeyOptions& options, FetchText fetch, KeyObserver observer)
    : url_(std::move(url)), options_(options), fetch_(std::move(fetch)), observer_(std::move(observer)) {}

bool UrlKeys::MayAsk(std::int64_t now_ms) const {
  return !asked_ms_ ||
         HasPassed(*asked_ms_, now_ms, failed_ ? options_.retry_interval_s : options_.refetch_interval_s);
}

Result<VerifyingKey> UrlKeys::Pick(const std::string& kid, std::int64_t now_ms) const {
  if (set_ == nullptr || HasPassed(fetched_ms_, now_ms, options_.max_stale_s))
    return Refuse(Reason::kKeysUnavailable);
  if (const VerifyingKey* const key = set_->Find(kid)) return *key;
  // After a failed refresh nobody knows whether the issuer has such a key by now.
  return failed_ ? Refuse(Reason::kKeysUnavailable) : Refuse(Reason::kUnknownKey, "header.kid");
}

void UrlKeys::Find(const std::string& kid, std::int64_t now_ms, Found done) {
  std::optional<Result<VerifyingKey>> known;
  Found tell;  // `done`, when it need not wait
  bool ask = false;
  {
    const std::scoped_lock lock(mutex_);
    known = Pick(kid, now_ms);
    const bool fresh = *known && !HasPassed(fetched_ms_, now_ms, options_.max_age_s);
    ask = !fresh && !under_way_ && MayAsk(now_ms);
    if (ask) {
      under_way_ = true;
      asked_ms_ = now_ms;
    }
    const bool wait = under_way_ && !fresh && !(*known && failed_) &&
                      waiting_.size() < static_cast<std::size_t>(options_.max_waiting);
    if (wait) {
      waiting_.push_back({kid, now_ms, std::move(done)});
    } else {
      tell = std::move(done);
    }
  }
  if (tell) tell(std::move(*known));
  if (!ask) return;
  fetch_(url_, [self = shared_from_this(), now_ms](const Result<std::string>& text) {
    self->Arrived(text, now_ms);
  });
}

void UrlKeys::Arrived(const Result<std::string>& text, std::int64_t asked_ms) {
  Result<JwkSet> set = text ? JwkSet::Parse(*text, LimitsOf(options_)) : tl::unexpected(text.error());
  Report(observer_, url_, set);
  std::vector<std::pair<Found, Result<VerifyingKey>>> answers;
  {
    const std::scoped_lock lock(mutex_);
    under_way_ = false;
    failed_ = !set;
    if (set) {
      set_ = std::make_shared<const JwkSet>(std::move(*set));
      fetched_ms_ = asked_ms;
    }
    for (Waiter& waiter : waiting_) {
      answers.emplace_back(std::move(waiter.done), Pick(waiter.kid, waiter.now_ms));
    }
    waiting_.clear();
  }
  for (auto& [done, key] : answers) done(std::move(key));
}

}  // namespace stepwise::trust
