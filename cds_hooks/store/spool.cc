#include "cds_hooks/store/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kSuffix = ".spool";
constexpr std::size_t kDigits = 16;

tl::unexpected<Error> FailOfDisk(const std::string& what, const std::string& path, int error) {
  return Fail(Code::kUnavailable, what + ": " + std::generic_category().message(error),
              SourceSpan{path, 0, 0, 0});
}

std::optional<std::uint64_t> NumberOf(const std::string& name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number, 16);
  if (error != std::errc() || end != name.data() + kDigits) return std::nullopt;
  return number;
}

// What can be read of the file from `offset` on, at most `size` bytes.
std::string ReadBytes(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  std::string out(size, '\0');
  std::size_t got = 0;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && got < out.size()) {
    const ssize_t more = ::pread(fd, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  if (fd >= 0) ::close(fd);
  out.resize(got);
  return out;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::Open(SpoolOptions options) {
  std::unique_ptr<Spool> spool(new Spool(std::move(options)));
  const std::string& dir = spool->options_.dir;
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return FailOfDisk("the spool's folder cannot be made", dir, error.value());
  if (::chmod(dir.c_str(), 0700) != 0)
    return FailOfDisk("the spool's folder cannot be closed to others", dir, errno);
  const std::string lock = dir + "/lock";
  spool->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (spool->lock_ < 0) return FailOfDisk("the spool's lock cannot be opened", lock, errno);
  if (::flock(spool->lock_, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Code::kFailedPrecondition,
                "another process uses this spool; give each process a folder of its own",
                SourceSpan{dir, 0, 0, 0});
  }
  STEPWISE_RETURN_IF_ERROR(spool->FindSegments());
  return spool;
}

Spool::~Spool() {
  const std::scoped_lock lock(mutex_);
  CloseActive();
  DropTaken();
  if (lock_ >= 0) ::close(lock_);
}

std::string Spool::PathOf(std::uint64_t number) const {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return options_.dir + "/" + digits + std::string(kSuffix);
}

Status Spool::FindSegments() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.dir, error)) {
    const auto number = NumberOf(entry.path().filename().string());
    if (!number) continue;
    const std::uint64_t bytes = entry.file_size(error);
    if (error) return FailOfDisk("a file of the spool cannot be read", entry.path().string(), error.value());
    segments_.push_back({*number, bytes, 0, 0});
  }
  if (error) return FailOfDisk("the spool's folder cannot be read", options_.dir, error.value());
  std::ranges::sort(segments_, {}, &Segment::number);
  if (!segments_.empty()) next_ = segments_.back().number + 1;
  for (Segment& segment : segments_) {
    segment.frames = ReadFrames(ReadBytes(PathOf(segment.number), 0, segment.bytes)).size();
    status_.frames += segment.frames;
    status_.bytes += segment.bytes;
  }
  return {};
}

bool Spool::BeginSegment() {
  CloseActive();
  const std::uint64_t number = next_++;
  active_ = ::open(PathOf(number).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (active_ < 0) return false;
  segments_.push_back({number, 0, 0, 0});
  return true;
}

void Spool::CloseActive() {
  if (active_ >= 0) ::close(active_);
  active_ = -1;
}

// All or nothing.
bool Spool::Write(std::string_view frame) {
  Segment& segment = segments_.back();
  ssize_t written = 0;
  do {
    written = ::write(active_, frame.data(), frame.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(frame.size())) {
    segment.bytes += frame.size();
    ++segment.frames;
    return true;
  }
  // The disk is full. A part of a frame is not part of the segment; on another file nothing follows it.
  if (written > 0 && ::ftruncate(active_, static_cast<off_t>(segment.bytes)) != 0) CloseActive();
  return false;
}

bool Spool::Append(FrameType type, std::string_view payload, bool sync) {
  const bool fits = payload.size() <= options_.max_frame_bytes;
  const std::string frame = fits ? MakeFrame(type, payload) : std::string();
  int synced = -1;
  {
    const std::scoped_lock lock(mutex_);
    const bool room = fits && status_.bytes + frame.size() <= options_.max_bytes;
    const bool full = active_ < 0 || segments_.back().bytes >= options_.segment_bytes;
    if (!room || (full && !BeginSegment()) || !Write(frame)) {
      ++status_.refused;
      return false;
    }
    status_.bytes += frame.size();
    ++status_.frames;
    if (sync) synced = ::fcntl(active_, F_DUPFD_CLOEXEC, 0);
  }
  if (!sync) return true;
  const bool kept = synced >= 0 && ::fdatasync(synced) == 0;  // others append meanwhile
  if (synced >= 0) ::close(synced);
  return kept;
}

std::vector<Frame> Spool::Peek(std::size_t most) {
  while (true) {
    Segment segment;
    {
      const std::scoped_lock lock(mutex_);
      DropTaken();
      const auto first = std::ranges::find_if(segments_, [](const Segment& s) { return s.taken < s.bytes; });
      if (first == segments_.end()) return {};
      segment = *first;
    }
    std::vector<Frame> frames =
        ReadFrames(ReadBytes(PathOf(segment.number), segment.taken, segment.bytes - segment.taken), most);
    if (!frames.empty()) return frames;
    const std::scoped_lock lock(mutex_);
    const auto same = std::ranges::find(segments_, segment.number, &Segment::number);
    status_.damaged_bytes += segment.bytes - same->taken;
    status_.frames -= same->frames;  // those that were whole when the segment was found
    same->frames = 0;
    same->taken = segment.bytes;
  }
}

void Spool::Take(std::span<const Frame> frames) {
  const std::scoped_lock lock(mutex_);
  const auto first = std::ranges::find_if(segments_, [](const Segment& s) { return s.taken < s.bytes; });
  if (first == segments_.end()) return;
  for (const Frame& frame : frames) {
    first->taken += frame.skipped + frame.size;
    status_.damaged_bytes += frame.skipped;
  }
  first->frames -= frames.size();
  status_.frames -= frames.size();
  // A segment that only grows would never be deleted.
  const Segment& last = segments_.back();
  const std::uint64_t enough = std::min(options_.segment_bytes, options_.max_bytes) / 8;
  if (active_ >= 0 && last.taken == last.bytes && last.bytes >= enough) CloseActive();
  DropTaken();
}

// The active segment stays.
void Spool::DropTaken() {
  while (!segments_.empty() && segments_.front().taken == segments_.front().bytes) {
    if (active_ >= 0 && segments_.size() == 1) return;
    ::unlink(PathOf(segments_.front().number).c_str());
    status_.bytes -= segments_.front().bytes;
    segments_.pop_front();
  }
}

SpoolStatus Spool::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

}  // namespace stepwise::cds_hooks
