// W3C Trace Context: which trace a request belongs to, read from its headers and passed on to others.
//
//   TraceContext span = StartSpan(request.traceparent, request.tracestate, random_bits);
//   log(span.trace_id, span.span_id);
//   call.SetHeader("traceparent", FormatTraceparent(span));       // our span is the parent of what we call
//   if (!span.state.empty()) call.SetHeader("tracestate", span.state);
//
// A header that is not valid starts a new trace, as the standard asks, and is no error. Vendors' tracestate
// is passed on as it came, without our own entry, and cut to the length that everybody must be able to pass
// on. Source: W3C Recommendation "Trace Context", 2021-11-23. Thread-safety: pure functions; StartSpan() is
// as safe as its source of bits.
#ifndef STEPWISE_CDS_HOOKS_TRACEPARENT_H_
#define STEPWISE_CDS_HOOKS_TRACEPARENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace stepwise::cds_hooks {

inline constexpr std::size_t kMaxTracestateBytes = 512, kMaxTracestateMembers = 32;

struct TraceContext {
  std::string trace_id;    // 32 lower-case hexadecimal digits, not all zero
  std::string span_id;     // 16 of them: the sender's when parsed, ours when started
  std::uint8_t flags = 0;  // bit 0: the caller may have recorded the trace
  std::string state;       // tracestate; "" when absent or not valid
};

using RandomBits = std::function<std::uint64_t()>;

// nullopt where the header is absent or not valid. Of versions after 00 the part that 00 has is read.
std::optional<TraceContext> ParseTraceparent(std::string_view traceparent);

// Always as version 00, which has no other flags than the first.
std::string FormatTraceparent(const TraceContext& context);

// The tracestate as it is passed on: "" where it is not valid (the whole list is then useless); whole entries
// are left out, first those of more than 128 bytes, then the last ones, until it is short enough.
std::string PassTracestate(std::string_view tracestate);

// The span of a request that came with these headers, or the first one of a new trace.
TraceContext StartSpan(std::string_view traceparent, std::string_view tracestate, const RandomBits& bits);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_TRACEPARENT_H_
