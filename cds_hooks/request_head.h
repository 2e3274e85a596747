// The head of an HTTP/1.x request as bytes: where it ends, and whether every server between the client and us
// must read it the same way.
//
// What two programs may read differently is how requests are smuggled past a proxy, so what RFC 9112 leaves
// to the reader's goodwill is refused before the parser (Boost.Beast) sees it: folded lines, lone CR or LF,
// white space before a colon, a body of two lengths, a header given twice of which there is one.
//
//   HeadEnd end = FindHeadEnd(bytes, scanned);
//   if (auto fault = FaultOfHead(bytes.substr(0, end.size))) Refuse(fault->status, fault->text);
//
// What it does not do: give the values; the parser does. Messages name headers, never their values.
// Thread-safety: plain functions.
#ifndef STEPWISE_CDS_HOOKS_REQUEST_HEAD_H_
#define STEPWISE_CDS_HOOKS_REQUEST_HEAD_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stepwise::cds_hooks {

struct HeadEnd {
  enum State { kNotYet, kFound, kNeverWill } state = kNotYet;
  std::size_t size = 0;  // of the head with its empty line, when found
};

// Looks for the empty line, from `scanned` on, which it moves forward: bytes that come one by one are looked
// at once. kNeverWill: a lone LF, or a first byte that begins no method.
HeadEnd FindHeadEnd(std::string_view bytes, std::size_t& scanned);

struct HeadFault {
  int status = 400;  // 400, 417 (an expectation that is not 100-continue), 501 (CONNECT, a coding), 505
  std::string text;
};

// `head` is all up to and with the empty line.
std::optional<HeadFault> FaultOfHead(std::string_view head);

// The path and query of a request target in origin-form ("/a?b"), absolute-form ("http://host/a?b") or "*".
std::string_view PathOfTarget(std::string_view target);

}  // namespace stepwise::cds_hooks

#endif  // STEPWISE_CDS_HOOKS_REQUEST_HEAD_H_
