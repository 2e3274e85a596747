#include "cds_hooks/store/recorder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace stepwise::cds_hooks {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;  // for waiting only

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kPurgeRetryMs = 60'000;

std::string Counts(const Purged& purged) {
  return std::to_string(purged.decisions) + " decisions, " + std::to_string(purged.cards) + " cards, " +
         std::to_string(purged.feedback) + " pieces of feedback, " + std::to_string(purged.inputs) +
         " inputs";
}

Status MakeStateDir(const std::string& dir) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(dir, error);
  if (made) std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
  if (!error) return {};
  return Fail(Code::kUnavailable, "the folder for state cannot be made: " + error.message(),
              SourceSpan{dir, 0, 0, 0});
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::Open(RecorderOptions options, Clock clock, OnEvent on_event) {
  if (options.keep_input && options.key_files.empty())
    return Fail(Code::kInvalidArgument, "inputs are kept sealed only: name a key file, too");
  std::unique_ptr<Recorder> out(new Recorder(std::move(options), std::move(clock), std::move(on_event)));
  const RecorderOptions& set = out->options_;
  STEPWISE_RETURN_IF_ERROR(MakeStateDir(set.state_dir));
  STEPWISE_ASSIGN_OR_RETURN(Sealer sealer, Sealer::FromFiles(set.key_files));
  out->sealer_ = std::make_unique<const Sealer>(std::move(sealer));
  STEPWISE_ASSIGN_OR_RETURN(const Key key, set.pseudonym_key_file.empty()
                                               ? ReadOrMakeKeyFile(set.state_dir + "/pseudonym.key")
                                               : ReadKeyFile(set.pseudonym_key_file));
  out->pseudonyms_ = std::make_unique<const Pseudonyms>(key);
  out->maker_ = std::make_unique<const RecordMaker>(RecordOptions{set.site, set.keep_input}, *out->sealer_,
                                                    *out->pseudonyms_);
  STEPWISE_ASSIGN_OR_RETURN(out->store_, OpenStore(set.store, set.store_options));
  SpoolOptions spool{.dir = set.state_dir + "/spool"};
  spool.max_bytes = set.spool_max_bytes;
  spool.segment_bytes = set.spool_segment_bytes;
  STEPWISE_ASSIGN_OR_RETURN(out->spool_, Spool::Open(std::move(spool)));
  // An override given before a restart counts from the first request on, when the store is there.
  out->overrides_ = std::make_shared<SharedOverrides>(*out->pseudonyms_, set.override_limits);
  out->Note(out->overrides_->Refresh(*out->store_, out->clock_()));
  out->refresh_at_ = Steady::now() + milliseconds(set.override_refresh_ms);
  out->thread_ = std::thread([recorder = out.get()] { recorder->Run(); });
  return out;
}

Recorder::~Recorder() { Stop(); }

void Recorder::Stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Recorder::Tell(std::string_view name, std::string reason, bool bad) {
  if (on_event_) on_event_({name, std::move(reason), bad});
}

bool Recorder::Append(FrameType type, std::string_view payload, bool sync) {
  if (!spool_->Append(type, payload, sync)) {
    if (!spool_full_.exchange(true)) {
      Tell("spool-full", "the spool has no room; decisions go unrecorded and feedback is refused", true);
    }
    return false;
  }
  const std::scoped_lock lock(mutex_);
  if (!appended_) wake_.notify_all();
  appended_ = true;
  return true;
}

bool Recorder::Decided(const DecidedCall& call) noexcept {
  try {
    const DecisionRecord record = maker_->Make(call);
    if (maker_->Refuses(call.input) && refused_inputs_++ == 0)
      Tell("input-refused", "an input held a token that was not blanked; such inputs are not kept", true);
    if (Append(FrameType::kDecision, record.SerializeAsString(), false)) return true;
  } catch (...) {  // out of memory: the answer is more important
  }
  ++lost_;
  return false;
}

Status Recorder::TakeFeedback(std::string_view service, std::span<const Feedback> entries,
                              const DateTime& now) {
  for (const Feedback& entry : entries) {
    const FeedbackRecord record = maker_->Make(service, entry, now);
    const bool last = &entry == &entries.back();  // syncs those before it, too
    if (Append(FrameType::kFeedback, record.SerializeAsString(), options_.sync_feedback && last)) continue;
    refused_feedback_ += entries.size();
    return Fail(Code::kUnavailable, "feedback cannot be kept now; send it again later");
  }
  return {};
}

bool Recorder::Stopping() const {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

void Recorder::Run() {
  milliseconds retry(options_.retry_min_ms);
  while (!Stopping()) {
    Housekeep();
    const Progress progress = WriteSome();
    if (progress == Progress::kWrote) continue;
    std::unique_lock lock(mutex_);
    if (progress == Progress::kStoreIsDown) {
      wake_.wait_for(lock, retry, [&] { return stopping_ || hurry_; });
      retry = std::min(2 * retry, milliseconds(options_.retry_max_ms));
    } else {
      retry = milliseconds(options_.retry_min_ms);
      wake_.wait_until(lock, std::min(purge_at_, refresh_at_),
                       [&] { return stopping_ || hurry_ || appended_; });
      appended_ = false;
    }
    hurry_ = false;
  }
  const auto until = Steady::now() + milliseconds(options_.stop_timeout_ms);
  while (Steady::now() < until && WriteSome() == Progress::kWrote) {
  }
}

Recorder::Progress Recorder::WriteSome() {
  const std::vector<Frame> frames = spool_->Peek(options_.batch);
  const SpoolStatus spool = spool_->status();
  if (spool.damaged_bytes > damaged_bytes_) {
    damaged_bytes_ = spool.damaged_bytes;
    Tell("record-damaged", "bytes of the spool that are no whole record: " + std::to_string(damaged_bytes_),
         true);
  }
  if (frames.empty()) return Progress::kNothingToDo;
  const Status done = Write(frames);
  if (!done && done.error().code == Code::kInvalidArgument) return WriteOneByOne(frames);
  if (!Note(done)) return Progress::kStoreIsDown;
  spool_->Take(frames);
  if (spool_full_.exchange(false)) Tell("spool-ready", "the spool takes records again", false);
  const std::scoped_lock lock(mutex_);
  drained_.notify_all();
  return Progress::kWrote;
}

// The store refuses one of them: only that one is given up.
Recorder::Progress Recorder::WriteOneByOne(std::span<const Frame> frames) {
  for (const Frame& frame : frames) {
    const Status done = Write({&frame, 1});
    if (!done && done.error().code == Code::kInvalidArgument) {
      ++refused_records_;
      Tell("record-refused", done.error().message, true);
    } else if (!Note(done)) {
      return Progress::kStoreIsDown;
    }
    spool_->Take({&frame, 1});
  }
  const std::scoped_lock lock(mutex_);
  drained_.notify_all();
  return Progress::kWrote;
}

Status Recorder::Write(std::span<const Frame> frames) {
  StoreBatch batch;
  std::uint64_t damaged = 0;
  bool overridden = false;
  for (const Frame& frame : frames) {
    if (frame.type == FrameType::kDecision) {
      if (batch.decisions.emplace_back().ParseFromString(frame.payload)) continue;
      batch.decisions.pop_back();
    } else {
      if (batch.feedback.emplace_back().ParseFromString(frame.payload)) {
        overridden = overridden || batch.feedback.back().overridden();
        continue;
      }
      batch.feedback.pop_back();
    }
    ++damaged;
  }
  STEPWISE_RETURN_IF_ERROR(store_->Write(batch, clock_().ToUnixMillis()));
  written_ += frames.size() - damaged;
  refused_records_ += damaged;
  if (damaged > 0) Tell("record-damaged", std::to_string(damaged) + " records cannot be read", true);
  if (overridden) refresh_at_ = {};  // it may be about a card of another node, or of before a restart
  return {};
}

bool Recorder::Note(const Status& done) {
  const bool up = done.has_value();
  {
    const std::scoped_lock lock(mutex_);
    const bool same = up_ == up;
    up_ = up;
    reason_ = up ? "" : done.error().ToString();
    if (same) return up;
    since_ = clock_();
  }
  if (up) {
    Tell("store-up", "", false);
  } else {
    Tell("store-down", done.error().ToString(), true);
  }
  return up;
}

void Recorder::Housekeep() {
  const auto now = Steady::now();
  if (now >= refresh_at_) {
    Note(overrides_->Refresh(*store_, clock_()));
    refresh_at_ = Steady::now() + milliseconds(options_.override_refresh_ms);
  }
  if (now >= purge_at_) {
    const bool done = Purge().has_value();
    purge_at_ = Steady::now() + milliseconds(done ? options_.purge_interval_ms
                                                  : std::min(kPurgeRetryMs, options_.purge_interval_ms));
  }
}

Result<Purged> Recorder::Purge() {
  const DateTime now = clock_();
  const std::int64_t now_ms = now.ToUnixMillis();
  const auto before = [&](std::int64_t days) { return days == 0 ? 0 : now_ms - days * kDayMs; };
  const Result<Purged> purged =
      store_->Purge({before(options_.retention_days), before(options_.input_retention_days)});
  Note(purged ? Status() : tl::unexpected(purged.error()));
  if (!purged) return purged;
  {
    const std::scoped_lock lock(mutex_);
    purged_at_ = now;
  }
  if (purged->decisions + purged->cards + purged->feedback + purged->inputs > 0)
    Tell("purged", Counts(*purged), false);
  return purged;
}

bool Recorder::Flush(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_all();
  return drained_.wait_for(lock, timeout, [&] { return spool_->status().frames == 0; });
}

RecorderStatus Recorder::status() const {
  RecorderStatus out;
  out.store = RedactUrl(options_.store);
  out.spool_full = spool_full_;
  out.spool = spool_->status();
  out.written = written_;
  out.lost_decisions = lost_;
  out.refused_feedback = refused_feedback_;
  out.refused_records = refused_records_;
  out.refused_inputs = refused_inputs_;
  const std::scoped_lock lock(mutex_);
  out.up = up_.value_or(true);
  out.since = since_;
  out.reason = reason_;
  out.purged_at = purged_at_;
  return out;
}

}  // namespace stepwise::cds_hooks
