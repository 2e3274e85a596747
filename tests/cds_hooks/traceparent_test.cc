#include "cds_hooks/traceparent.h"

#include <gtest/gtest.h>

#include <vector>

namespace stepwise::cds_hooks {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";

// Bits in this order, over and over.
RandomBits Bits(std::vector<std::uint64_t> words) {
  return [words = std::move(words), next = std::size_t{0}]() mutable { return words[next++ % words.size()]; };
}

// The cases of the W3C validation suite for the header, one a row.
TEST(Traceparent, WhatIsValid) {
  const std::string trace(kTrace), span(kSpan);
  const struct {
    const char* name;
    std::string header;
    bool valid;
  } rows[] = {
      {"sampled", "00-" + trace + "-" + span + "-01", true},
      {"not sampled", "00-" + trace + "-" + span + "-00", true},
      {"white space around", " \t00-" + trace + "-" + span + "-01\t ", true},
      {"unknown flags", "00-" + trace + "-" + span + "-ff", true},
      {"absent", "", false},
      {"duplicated", "00-" + trace + "-" + span + "-01,00-" + trace + "-" + span + "-01", false},
      {"no dashes", "00" + trace + span + "01", false},
      {"upper case trace", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01", false},
      {"upper case span", "00-" + trace + "-00F067AA0BA902B7-01", false},
      {"upper case flags", "00-" + trace + "-" + span + "-0A", false},
      {"zero trace", "00-00000000000000000000000000000000-" + span + "-01", false},
      {"zero span", "00-" + trace + "-0000000000000000-01", false},
      {"illegal digit in trace", "00-.bf92f3577b34da6a3ce929d0e0e4736-" + span + "-01", false},
      {"illegal digit in span", "00-" + trace + "-00f067aa0ba902b.-01", false},
      {"illegal digit in flags", "00-" + trace + "-" + span + "-.0", false},
      {"illegal digit in version", ".0-" + trace + "-" + span + "-01", false},
      {"version too long", "000-" + trace + "-" + span + "-01", false},
      {"version too short", "0-" + trace + "-" + span + "-01", false},
      {"trace too long", "00-" + trace + "0-" + span + "-01", false},
      {"trace too short", "00-" + trace.substr(1) + "-" + span + "-01", false},
      {"span too long", "00-" + trace + "-" + span + "0-01", false},
      {"span too short", "00-" + trace + "-" + span.substr(1) + "-01", false},
      {"flags too long", "00-" + trace + "-" + span + "-001", false},
      {"flags too short", "00-" + trace + "-" + span + "-1", false},
      {"version 00 with more", "00-" + trace + "-" + span + "-01-what", false},
      {"version 00 ending in a dash", "00-" + trace + "-" + span + "-01-", false},
      {"version ff", "ff-" + trace + "-" + span + "-01", false},
      {"version cc", "cc-" + trace + "-" + span + "-01", true},
      {"version cc with more", "cc-" + trace + "-" + span + "-01-what-the-future-will-be-like", true},
      {"version cc with more that is not one of its parts", "cc-" + trace + "-" + span + "-01.what", false},
  };
  for (const auto& row : rows) {
    const auto context = ParseTraceparent(row.header);
    ASSERT_EQ(context.has_value(), row.valid) << row.name;
    if (!context) continue;
    EXPECT_EQ(context->trace_id, kTrace) << row.name;
    EXPECT_EQ(context->span_id, kSpan) << row.name;
  }
}

TEST(Traceparent, FlagsAreReadAndOnlyTheFirstIsPassedOn) {
  const std::string front = "00-" + std::string(kTrace) + "-" + std::string(kSpan);
  const struct {
    const char *flags, *passed;
    int value;
  } rows[] = {{"-00", "-00", 0}, {"-01", "-01", 1}, {"-02", "-00", 2}, {"-ff", "-01", 255}};
  for (const auto& row : rows) {
    const auto context = ParseTraceparent(front + row.flags);
    ASSERT_TRUE(context.has_value());
    EXPECT_EQ(context->flags, row.value);
    EXPECT_EQ(FormatTraceparent(*context), front + row.passed);
  }
}

TEST(Traceparent, WhatOfTheStateIsPassedOn) {
  const std::string key241(241, 'z'), value(100, 'v');
  const std::string many = [] {
    std::string out;
    for (int i = 0; i < 33; ++i) out += (i == 0 ? "a" : ",a") + std::to_string(i) + "=1";
    return out;
  }();
  const struct {
    const char* name;
    std::string in, out;
  } rows[] = {
      {"one", "foo=1", "foo=1"},
      {"order is kept", "foo=1,bar=2", "foo=1,bar=2"},
      {"white space", "foo=1 \t , \tbar=2, \t", "foo=1,bar=2"},
      {"empty members", "foo=1,,bar=2,", "foo=1,bar=2"},
      {"nothing", "", ""},
      {"tenants", "t61rcwkgmze@vendor=1", "t61rcwkgmze@vendor=1"},
      {"tenant that begins with a digit", "0tenant@vendor=1", "0tenant@vendor=1"},
      {"long tenant", key241 + "@v=1", key241 + "@v=1"},
      {"tenant too long", key241 + "z@v=1", ""},
      {"system too long", "t@vvvvvvvvvvvvvvv=1", ""},
      {"two at signs", "foo@=1,bar=2", ""},
      {"all characters of a key", "a-_*/b0=1", "a-_*/b0=1"},
      {"upper case key", "FOO=1", ""},
      {"key begins with a digit", "0foo=1", ""},
      {"white space in a key", "foo =1", ""},
      {"no value", "foo", ""},
      {"empty value", "foo=", ""},
      {"equals sign in a value", "foo=bar=1", ""},
      {"white space within a value", "foo=b r", "foo=b r"},
      {"control character", "foo=b\x01r", ""},
      {"not ASCII", "foo=\xc3\xa4", ""},
      {"the same key twice", "foo=1,foo=2", ""},
      {"33 members", many, ""},
      {"512 bytes at most: the last ones go",
       "a=" + value + ",b=" + value + ",c=" + value + ",d=" + value + ",e=" + value + ",f=1",
       "a=" + value + ",b=" + value + ",c=" + value + ",d=" + value},
      {"long entries go first", "a=" + value + value + ",b=" + value + ",c=" + value + ",d=" + value + ",e=1",
       "b=" + value + ",c=" + value + ",d=" + value + ",e=1"},
  };
  for (const auto& row : rows) EXPECT_EQ(PassTracestate(row.in), row.out) << row.name;
}

TEST(Traceparent, ASpanOfTheCallersTraceOrTheFirstOfItsOwn) {
  const std::string header = "00-" + std::string(kTrace) + "-" + std::string(kSpan) + "-01";
  const TraceContext joined = StartSpan(header, "foo=1", Bits({0, 0xabc}));
  EXPECT_EQ(FormatTraceparent(joined), "00-" + std::string(kTrace) + "-0000000000000abc-01");
  EXPECT_EQ(joined.state, "foo=1");
  const TraceContext fresh = StartSpan("nonsense", "foo=1", Bits({0, 0, 0, 0x12, 0xfedcba9876543210}));
  EXPECT_EQ(FormatTraceparent(fresh), "00-00000000000000000000000000000012-fedcba9876543210-00");
  EXPECT_EQ(fresh.state, "");
}

}  // namespace
}  // namespace stepwise::cds_hooks
