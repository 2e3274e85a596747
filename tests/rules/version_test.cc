#include "rules/version.h"

#include <gtest/gtest.h>

namespace stepwise::rules {
namespace {

TEST(Version, OrdersAsSemverSays) {
  // semver.org, item 11, and a few of our own: each is later than the one before.
  const char* const ordered[] = {"0.9.9",      "1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                 "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
                                 "1.0.0",      "1.0.1",        "1.2.0",         "1.10.0",
                                 "2.0.0"};
  for (std::size_t i = 0; i < std::size(ordered); ++i) {
    for (std::size_t j = 0; j < std::size(ordered); ++j) {
      EXPECT_EQ(*Version::Parse(ordered[i]) <=> *Version::Parse(ordered[j]), i <=> j)
          << ordered[i] << " " << ordered[j];
    }
    EXPECT_EQ(Version::Parse(ordered[i])->ToString(), ordered[i]);
  }
}

TEST(Version, RefusesWhatIsNoVersion) {
  for (const char* text : {"", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+build",
                           "1.2.x", "1.2.3 "}) {
    EXPECT_FALSE(Version::Parse(text)) << text;
  }
}

TEST(VersionRange, Contains) {
  struct Row {
    const char *range, *version;
    bool inside;
  };
  const Row rows[] = {{"^1.2", "1.2.0", true},  {"^1.2", "1.99.3", true},      {"^1.2", "1.1.9", false},
                      {"^1.2", "2.0.0", false}, {"^1.2", "2.0.0-rc.1", false}, {"^1", "1.0.0", true},
                      {"^0.2", "0.2.9", true},  {"^0.2", "0.3.0", false},      {"^0.0.3", "0.0.4", false},
                      {"1.2.0", "1.2.0", true}, {"1.2.0", "1.2.1", false}};
  for (const Row& row : rows) {
    EXPECT_EQ(VersionRange::Parse(row.range)->Contains(*Version::Parse(row.version)), row.inside)
        << row.range << " " << row.version;
  }
  for (const char* text : {"", "^", "1.2", "~1.2", ">=1", "^1.x"})
    EXPECT_FALSE(VersionRange::Parse(text)) << text;
}

}  // namespace
}  // namespace stepwise::rules
