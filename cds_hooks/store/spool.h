// Spool: the queue between the requests and the store, on disk: an append-only journal.
//
//   Result<std::unique_ptr<Spool>> spool = Spool::Open({.dir = "state/spool"});
//   spool->Append(FrameType::kDecision, payload)      one write(2); true: it survives the end of the process
//   std::vector<Frame> frames = spool->Peek(256);     the oldest that were not taken yet
//   ... write them elsewhere ...
//   spool->Take(frames);                              files of which all was taken are deleted
//
// There is no other queue. Its bound is `max_bytes`: past it Append() says no, and nothing else happens. A
// frame that was appended is in the page cache: kill -9 does not lose it; power failure does, unless it was
// appended with `sync`. What was taken is remembered in this process only: after a crash some frames come a
// second time, so whoever writes them elsewhere must not mind (the store keeps one of each id).
//
// Files: <dir>/<number, 16 hex digits>.spool, mode 0600, of at most about `segment_bytes`; a frame is
//
//   magic F5 'S' 'W' 'f' (4)  CRC-32 of all that follows (4)  length of the payload (4)  type (1)  payload
//
// numbers little-endian; F5 is in no UTF-8 text. A frame that is torn or damaged is passed
// over up to the next magic that begins a whole one, and counted. One process at a time holds the folder.
// Errors of Open(): kFailedPrecondition when another process has it; kUnavailable from the disk.
// Thread-safety: Append() from many threads; Peek() and Take() from one.
#ifndef STEPWISE_CDS_HOOKS_STORE_SPOOL_H_
#define STEPWISE_CDS_HOOKS_STORE_SPOOL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/result.h"

namespace stepwise::cds_hooks {

enum class FrameType : std::uint8_t { kDecision = 1, kFeedback = 2 };

struct Frame {
  FrameType type = FrameType::kDecision;
  std::string payload;
  std::uint64_t size = 0;     // in the file
  std::uint64_t skipped = 0;  // damaged bytes before it
};

struct SpoolOptions {
  std::string dir = {};                      // made (mode 0700) when it is not there
  std::uint64_t max_bytes = 256 << 20;       // of all files; beyond it nothing more is taken in
  std::uint64_t segment_bytes = 8 << 20;     // of one file; what a crash can make come twice
  std::uint64_t max_frame_bytes = 64 << 20;  // of one payload; larger ones are not taken in
};

struct SpoolStatus {
  std::uint64_t frames = 0;         // appended by this process or found, and not taken
  std::uint64_t bytes = 0;          // of all files
  std::uint64_t refused = 0;        // appends that found no room
  std::uint64_t damaged_bytes = 0;  // passed over
};

// The first frames in the bytes of a segment, in order; whatever the bytes.
std::vector<Frame> ReadFrames(std::string_view segment, std::size_t most = SIZE_MAX);
std::string MakeFrame(FrameType type, std::string_view payload);

class Spool {
 public:
  static Result<std::unique_ptr<Spool>> Open(SpoolOptions options);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // `sync`: not before the disk has it. False: it is not kept.
  bool Append(FrameType type, std::string_view payload, bool sync = false);

  // Empty: there is nothing.
  std::vector<Frame> Peek(std::size_t most);
  void Take(std::span<const Frame> frames);  // the first ones of the last Peek()
  SpoolStatus status() const;

 private:
  struct Segment {
    std::uint64_t number = 0, bytes = 0;
    std::uint64_t taken = 0;   // bytes at the beginning that are done with
    std::uint64_t frames = 0;  // that are not taken
  };
  explicit Spool(SpoolOptions options) : options_(std::move(options)) {}
  std::string PathOf(std::uint64_t number) const;
  Status FindSegments();
  bool BeginSegment();
  bool Write(std::string_view frame);
  void CloseActive();
  void DropTaken();

  const SpoolOptions options_;
  int lock_ = -1;  // file descriptor
  mutable std::mutex mutex_;
  std::deque<Segment> segments_;  // guarded by mutex_, as what follows; oldest first
  int active_ = -1;               // file descriptor of the last segment, or -1
  std::uint64_t next_ = 1;        // number of the next segment
  SpoolStatus status_;
};

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_STORE_SPOOL_H_
