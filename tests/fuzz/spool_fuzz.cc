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
  // A frame behind whatever this was is found. (The zeros: its magic could complete a frame that was torn.)
  const std::string more = MakeFrame(FrameType::kFeedback, "more");
  const std::vector<Frame> longer = ReadFrames(std::string(bytes) + std::string(16, '\0') + more);
  if (longer.size() != frames.size() + 1 || longer.back().payload != "more") std::abort();
  return 0;
}
