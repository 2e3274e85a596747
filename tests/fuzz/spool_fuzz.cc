// Any bytes are a segment of a spool: every whole frame in them is found, in order, once, and nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cds_hooks/store/spool.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise::cds_hooks;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::size_t at = 0;
  const std::vector<Frame> frames = ReadFrames(bytes);
  for (const Frame& frame : frames) {
    at += frame.skipped;
    const std::string whole = MakeFrame(frame.type, frame.payload);
    if (whole.size() != frame.size || bytes.substr(at, whole.size()) != whole) std::abort();
    at += frame.size;
  }
  // A frame behind whatever this was is found, unless the bytes were made so that it completes a torn frame
  // of theirs, checksum and all. (The zeros: its magic alone could complete one.)
  const std::string more = MakeFrame(FrameType::kFeedback, "more");
  const std::vector<Frame> longer = ReadFrames(std::string(bytes) + std::string(16, '\0') + more);
  std::size_t begin = 0;
  for (const Frame& frame : longer) {
    begin += frame.skipped;
    if (begin < bytes.size() && begin + frame.size > bytes.size()) return 0;
    begin += frame.size;
  }
  if (longer.size() != frames.size() + 1 || longer.back().payload != "more") std::abort();
  return 0;
}
