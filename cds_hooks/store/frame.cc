#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "cds_hooks/store/spool.h"

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kMagic = "\xF5SWf";
constexpr std::size_t kCrcAt = 4, kLengthAt = 8, kTypeAt = 12, kHeadSize = 13;

void PutNumber(std::uint32_t number, char* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(number >> (8 * i));
}

std::uint32_t GetNumber(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number |= std::uint32_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

std::uint32_t CrcOf(std::string_view frame) {
  const std::string_view rest = frame.substr(kLengthAt);
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(rest.data()), rest.size()));
}

// The bytes of the frame that begins at `at`; "" when there is no whole one.
std::string_view FrameAt(std::string_view bytes, std::size_t at) {
  const std::string_view rest = bytes.substr(at);
  if (rest.size() < kHeadSize || !rest.starts_with(kMagic)) return "";
  const std::uint32_t length = GetNumber(rest, kLengthAt);
  if (length > rest.size() - kHeadSize) return "";
  const std::string_view frame = rest.substr(0, kHeadSize + length);
  const char type = frame[kTypeAt];
  if (type != static_cast<char>(FrameType::kDecision) && type != static_cast<char>(FrameType::kFeedback))
    return "";
  return CrcOf(frame) == GetNumber(frame, kCrcAt) ? frame : "";
}

}  // namespace

std::string MakeFrame(FrameType type, std::string_view payload) {
  std::string frame(kHeadSize + payload.size(), '\0');
  std::memcpy(frame.data(), kMagic.data(), kMagic.size());
  PutNumber(static_cast<std::uint32_t>(payload.size()), frame.data() + kLengthAt);
  frame[kTypeAt] = static_cast<char>(type);
  if (!payload.empty()) std::memcpy(frame.data() + kHeadSize, payload.data(), payload.size());
  PutNumber(CrcOf(frame), frame.data() + kCrcAt);
  return frame;
}

std::vector<Frame> ReadFrames(std::string_view segment, std::size_t most) {
  std::vector<Frame> out;
  std::size_t at = 0, begin = 0;  // `begin`: of what is in no frame yet
  while (at < segment.size() && out.size() < most) {
    const std::string_view frame = FrameAt(segment, at);
    if (frame.empty()) {
      at = std::min(segment.find(kMagic, at + 1), segment.size());
      continue;
    }
    out.push_back({static_cast<FrameType>(frame[kTypeAt]), std::string(frame.substr(kHeadSize)), frame.size(),
                   at - begin});
    begin = at += frame.size();
  }
  return out;
}

}  // namespace stepwise::cds_hooks
