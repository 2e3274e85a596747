// Recorder: the memory of a CDS service: every decision and all feedback, kept without slowing a request
// down.
//
//   Result<std::unique_ptr<Recorder>> recorder =
//       Recorder::Open({.store = "sqlite:stepwise.db", .state_dir = "state"}, clock, on_event);
//   recorder->Decided({service, patient, decision, how, document, response});   before the answer goes out
//   if (!recorder->TakeFeedback(service, entries, now)) Answer(503);            before the 200
//
// Both append to the spool (spool.h), which is the one bounded queue between requests and store, and survives
// kill -9; a thread of the recorder's own moves it into the store in batches, purges what is too old, and
// reads other nodes' overrides. While the store is down the spool fills; once that is full too, decisions go
// unrecorded and are counted, feedback is refused (the client may send it again), and requests are answered
// as ever. status() says so, and so do events.
//
// The folder `state_dir` holds the spool and the key of the pseudonyms; each process needs its own. Nodes
// that share a store share `pseudonym_key_file`. Errors of Open(): kInvalidArgument for settings that cannot
// be (keep_input without a key, a URL that is none), those of key files and of the spool. A store that is
// down is no error. Thread-safety: all methods from many threads. Events come on the recorder's thread or on
// a caller's.
#ifndef STEPWISE_CDS_HOOKS_STORE_RECORDER_H_
#define STEPWISE_CDS_HOOKS_STORE_RECORDER_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cds_hooks/store/record.h"
#include "cds_hooks/store/shared_overrides.h"
#include "cds_hooks/store/spool.h"
#include "cds_hooks/store/store.h"

namespace stepwise::cds_hooks {

struct RecorderOptions {
  std::string store = "sqlite:stepwise.db";  // OpenStore()'s URL
  std::string state_dir = "stepwise-state";  // made (mode 0700) when it is not there
  std::string site;                          // is written on every record

  std::string pseudonym_key_file;      // "": <state_dir>/pseudonym.key, made when it is not there
  std::vector<std::string> key_files;  // seal answers, inputs and comments; the first seals, all open
  bool keep_input = false;             // keep the input of every decision, sealed: what replay needs

  std::int64_t retention_days = 400;       // of decisions and feedback: a year to compare with, and a month
  std::int64_t input_retention_days = 30;  // of inputs. 0 of either: for ever, as long as the decision

  std::uint64_t spool_max_bytes = 256 << 20;
  std::uint64_t spool_segment_bytes = 8 << 20;
  bool sync_feedback = false;  // to disk before feedback is acknowledged: also safe from power failure

  std::size_t batch = 256;          // frames of one transaction
  std::int64_t retry_min_ms = 200;  // to the next try when the store is down; doubles
  std::int64_t retry_max_ms = 30'000;
  std::int64_t purge_interval_ms = 3'600'000;
  std::int64_t override_refresh_ms = 10'000;  // how late another node's override may be noticed
  std::int64_t stop_timeout_ms = 5'000;       // to write what waits when stopping; the rest stays spooled
  OverrideStoreLimits override_limits;
  StoreOptions store_options;
};

// "store-down", "store-up", "spool-full", "spool-ready", "record-refused" (the store will not hold it: it is
// dropped), "record-damaged", "input-refused" (it held a token), "purged". `reason` holds no patient data.
struct RecorderEvent {
  std::string_view name;
  std::string reason;
  bool bad = true;  // an error, else information
};

struct RecorderStatus {
  std::string store;   // URL without password
  bool up = false;     // as of the last try
  DateTime since;      // it is up or down
  std::string reason;  // of being down
  bool spool_full = false;
  SpoolStatus spool;
  std::uint64_t written = 0;         // records, by this process
  std::uint64_t lost_decisions = 0;  // found no room
  std::uint64_t refused_feedback = 0;
  std::uint64_t refused_records = 0;  // by the store, or damaged
  std::uint64_t refused_inputs = 0;   // held a token
  std::optional<DateTime> purged_at;
};

class Recorder {
 public:
  using Clock = std::function<DateTime()>;
  using OnEvent = std::function<void(const RecorderEvent& event)>;

  static Result<std::unique_ptr<Recorder>> Open(RecorderOptions options, Clock clock, OnEvent on_event = {});
  ~Recorder();  // as Stop()
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // False: it is not recorded. The answer goes out all the same.
  bool Decided(const DecidedCall& call) noexcept;
  // All or, from the first that found no room on, none of it: the client should send all again. Errors:
  // kUnavailable.
  Status TakeFeedback(std::string_view service, std::span<const Feedback> entries, const DateTime& now);

  RecorderStatus status() const;
  std::shared_ptr<OverrideStore> overrides() const { return overrides_; }
  Store& store() { return *store_; }
  const Pseudonyms& pseudonyms() const { return *pseudonyms_; }

  // Waits until nothing waits in the spool. False: it took longer.
  bool Flush(std::chrono::milliseconds timeout);
  Result<Purged> Purge();
  // Writes what waits, for at most stop_timeout_ms. The rest, and what comes later, stays in the spool.
  void Stop();

 private:
  Recorder(RecorderOptions options, Clock clock, OnEvent on_event)
      : options_(std::move(options)), clock_(std::move(clock)), on_event_(std::move(on_event)) {}
  bool Append(FrameType type, std::string_view payload, bool sync);
  void Tell(std::string_view name, std::string reason, bool bad);
  void Run();
  enum class Progress : std::uint8_t { kNothingToDo, kWrote, kStoreIsDown };
  Progress WriteSome();
  Progress WriteOneByOne(std::span<const Frame> frames);
  Status Write(std::span<const Frame> frames);
  bool Note(const Status& done);  // up or down; true: up
  void Housekeep();
  bool Stopping() const;

  const RecorderOptions options_;
  const Clock clock_;
  const OnEvent on_event_;
  std::unique_ptr<const Sealer> sealer_;
  std::unique_ptr<const Pseudonyms> pseudonyms_;
  std::unique_ptr<const RecordMaker> maker_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<SharedOverrides> overrides_;

  std::atomic<bool> spool_full_{false};
  std::atomic<std::uint64_t> written_{0}, lost_{0}, refused_feedback_{0}, refused_records_{0},
      refused_inputs_{0};
  // Of the thread alone.
  std::chrono::steady_clock::time_point purge_at_{}, refresh_at_{};  // only waits go by it
  std::uint64_t damaged_bytes_ = 0;                                  // told

  mutable std::mutex mutex_;
  std::condition_variable wake_, drained_;
  bool appended_ = false, hurry_ = false, stopping_ = false;  // guarded by mutex_, as what follows
  std::optional<bool> up_;                                    // nullopt: never tried
  DateTime since_;
  std::string reason_;
  std::optional<DateTime> purged_at_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_RECORDER_H_
