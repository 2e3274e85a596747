#include "cds_hooks/request_head.h"

#include "tests/testing.h"

namespace stepwise::cds_hooks {
namespace {

TEST(RequestHeadTest, EndIsFoundWhateverPartsItComesIn) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string bytes = head + "GET";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    std::size_t scanned = 0;
    const HeadEnd early = FindHeadEnd(std::string_view(bytes).substr(0, first), scanned);
    EXPECT_EQ(early.state, first < head.size() ? HeadEnd::kNotYet : HeadEnd::kFound) << first;
    const HeadEnd end = FindHeadEnd(bytes, scanned);
    EXPECT_EQ(end.state, HeadEnd::kFound) << first;
    EXPECT_EQ(end.size, head.size()) << first;
  }
}

TEST(RequestHeadTest, EndThatNeverComes) {
  for (const char* bytes :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: x\n\n", "\x16\x03\x01", " GET"}) {
    std::size_t scanned = 0;
    EXPECT_EQ(FindHeadEnd(bytes, scanned).state, HeadEnd::kNeverWill) << bytes;
  }
}

TEST(RequestHeadTest, Faults) {
  const std::string host = "Host: x\r\n";
  const struct {
    std::string line, headers;
    int status;  // 0: no fault
  } rows[] = {
      {"GET / HTTP/1.1", host, 0},
      {"GET / HTTP/1.1", host + "X: a\tb \xC3\xA9\r\n", 0},
      {"GET / HTTP/1.1", host + "X:\r\n", 0},
      {"GET / HTTP/1.0", "", 0},
      {"OPTIONS * HTTP/1.1", host, 0},
      {"GET http://x/ HTTP/1.1", host, 0},
      {"GET HTTPS://x/ HTTP/1.1", host, 0},
      {"POST / HTTP/1.1", host + "Transfer-Encoding: Chunked\r\n", 0},
      {"POST / HTTP/1.1", host + "Expect: 100-Continue\r\n", 0},

      {"GET /", host, 400},
      {"GET  HTTP/1.1", host, 400},
      {"GET /a b HTTP/1.1", host, 400},
      {"GET\t/ HTTP/1.1", host, 400},
      {"G@T / HTTP/1.1", host, 400},
      {"GET a HTTP/1.1", host, 400},
      {"GET * HTTP/1.1", host, 400},
      {"GET x:80 HTTP/1.1", host, 400},
      {"GET /\xC3\xA9 HTTP/1.1", host, 400},
      {"GET /\x7f HTTP/1.1", host, 400},
      {"GET / http/1.1", host, 400},
      {"GET / HTTP/1.1 ", host, 400},
      {"GET / HTTP/1.2", host, 505},
      {"PRI * HTTP/2.0", host, 505},
      {"CONNECT x:443 HTTP/1.1", host, 501},

      {"GET / HTTP/1.1", "", 400},
      {"GET / HTTP/1.1", host + host, 400},
      {"GET / HTTP/1.1", "Host: a b\r\n", 400},
      {"GET / HTTP/1.1", "Host: a/b\r\n", 400},
      {"GET / HTTP/1.1", "Host: a@b\r\n", 400},
      {"GET / HTTP/1.1", host + " folded\r\n", 400},
      {"GET / HTTP/1.1", host + "\tfolded\r\n", 400},
      {"GET / HTTP/1.1", " X: y\r\n" + host, 400},
      {"GET / HTTP/1.1", host + "X : y\r\n", 400},
      {"GET / HTTP/1.1", host + ": y\r\n", 400},
      {"GET / HTTP/1.1", host + "X(Y): y\r\n", 400},
      {"GET / HTTP/1.1", host + "X\xC3\xA9: y\r\n", 400},
      {"GET / HTTP/1.1", host + "no colon\r\n", 400},
      {"GET / HTTP/1.1", host + "X: a\rb\r\n", 400},
      {"GET / HTTP/1.1", host + "X: a\nb\r\n", 400},
      {"GET / HTTP/1.1", host + "X: a" + std::string(1, '\0') + "b\r\n", 400},
      {"GET / HTTP/1.1", host + "X: a\x7f\r\n", 400},
      {"GET / HTTP/1.1", host + "Authorization: a\r\nauthorization: b\r\n", 400},
      {"GET / HTTP/1.1", host + "Content-Type: a\r\nContent-Type: b\r\n", 400},
      {"GET / HTTP/1.1", host + "Origin: a\r\nOrigin: b\r\n", 400},

      {"POST / HTTP/1.1", host + "Content-Length: 1\r\nContent-Length: 1\r\n", 400},
      {"POST / HTTP/1.1", host + "Content-Length: 1, 1\r\n", 400},
      {"POST / HTTP/1.1", host + "Content-Length: +1\r\n", 400},
      {"POST / HTTP/1.1", host + "Content-Length: 0x1\r\n", 400},
      {"POST / HTTP/1.1", host + "Content-Length:\r\n", 400},
      {"POST / HTTP/1.1", host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
      {"POST / HTTP/1.1", host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"POST / HTTP/1.1", host + "Transfer-Encoding: gzip\r\n", 501},
      {"POST / HTTP/1.1", host + "Transfer-Encoding: gzip, chunked\r\n", 501},
      {"POST / HTTP/1.1", host + "Transfer-Encoding: chunked, identity\r\n", 501},
      {"POST / HTTP/1.1", host + "Transfer-Encoding:\r\n", 501},
      {"POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n", 400},
      {"POST / HTTP/1.1", host + "Expect: tea\r\n", 417},
  };
  for (const auto& row : rows) {
    const auto fault = FaultOfHead(row.line + "\r\n" + row.headers + "\r\n");
    EXPECT_EQ(fault ? fault->status : 0, row.status) << row.line << "\n"
                                                     << row.headers << (fault ? fault->text : "");
  }
  EXPECT_TRUE(FaultOfHead("").has_value());
  EXPECT_TRUE(FaultOfHead("GET / HTTP/1.1\r\nHost: x\r\n").has_value());
}

TEST(RequestHeadTest, PathOfTarget) {
  const struct {
    std::string_view target, path;
  } rows[] = {
      {"/a?b", "/a?b"},   {"*", "*"},          {"http://x/a?b", "/a?b"}, {"http://x:80/", "/"},
      {"https://x", "/"}, {"http://x?b", "/"}, {"http://", "/"},         {"HTTP://x//a", "//a"},
  };
  for (const auto& row : rows) EXPECT_EQ(PathOfTarget(row.target), row.path) << row.target;
}

}  // namespace
}  // namespace stepwise::cds_hooks
