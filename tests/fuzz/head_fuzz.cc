// Bytes from a socket as the head of a request: the end is found whatever parts it comes in, and a head that
// is let through is one that Beast reads whole, as one request with at most one length.
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <string_view>
#include <utility>  // Asio 1.74 uses std::exchange without including it

#include "cds_hooks/request_head.h"

namespace {

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stepwise::cds_hooks;
  namespace http = boost::beast::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::size_t scanned = 0;
  const HeadEnd end = FindHeadEnd(bytes, scanned);
  std::size_t scanned_in_parts = 0;
  HeadEnd in_parts;
  for (std::size_t part = 1; part <= size && in_parts.state == HeadEnd::kNotYet; ++part)
    in_parts = FindHeadEnd(bytes.substr(0, part), scanned_in_parts);
  Require(in_parts.state == end.state && in_parts.size == end.size);
  if (end.state != HeadEnd::kFound) return 0;

  const std::string_view head = bytes.substr(0, end.size);
  if (FaultOfHead(head)) return 0;
  http::request_parser<http::string_body> parser;
  parser.header_limit(1 << 20);
  boost::system::error_code error;
  const std::size_t parsed = parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  // Beast knows lengths and Connection values in more detail; what it then refuses is refused.
  if (error) return 0;
  Require(parsed == head.size() && parser.is_header_done());
  const auto& message = parser.get();
  Require(message.count(http::field::content_length) + message.count(http::field::transfer_encoding) <= 1);
  Require(message.count(http::field::authorization) <= 1);
  Require(parser.chunked() == (message.count(http::field::transfer_encoding) == 1));
  const auto target = message.target();
  const std::string_view path = PathOfTarget({target.data(), target.size()});
  Require(path == "*" || path.front() == '/');
  return 0;
}
