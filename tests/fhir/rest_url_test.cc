#include <gtest/gtest.h>

#include "fhir/rest/allow_list.h"
#include "fhir/rest/url.h"

namespace stepwise::rest {
namespace {

std::string Parsed(std::string_view text) {
  const Result<Url> url = ParseUrl(text);
  return url ? url->Text() : "! " + url.error().message;
}

struct Row {
  std::string_view text, expected;
};

TEST(RestUrl, ReadsAndNormalises) {
  const Row rows[] = {
      {"https://fhir.example.org/r4", "https://fhir.example.org/r4"},
      {"HTTPS://FHIR.Example.ORG:443/r4/", "https://fhir.example.org/r4/"},
      {"http://fhir.example.org:80", "http://fhir.example.org"},
      {"http://fhir.example.org:443/", "http://fhir.example.org:443/"},
      {"http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080/fhir"},
      {"http://[::1]:8080/fhir", "http://[::1]:8080/fhir"},
      {"http://[0:0::0001]/", "http://[::1]/"},
      {"https://x?_getpages=1&n=2", "https://x/?_getpages=1&n=2"},
      {"https://x/a?code=http://loinc.org|72514-3", "https://x/a?code=http://loinc.org%7C72514-3"},
      {"https://x/a?name=M\xC3\xBCller \"x\"", "https://x/a?name=M%C3%BCller%20%22x%22"},
      {"https://x/a?b=%7C", "https://x/a?b=%7C"},
      {"https://x/Type/$op", "https://x/Type/$op"},
  };
  for (const Row& row : rows) EXPECT_EQ(Parsed(row.text), row.expected) << row.text;
}

TEST(RestUrl, RefusesWhatCanBeReadInTwoWays) {
  const std::string_view rows[] = {
      "",
      "fhir.example.org/r4",
      "/r4",
      "ftp://fhir.example.org/",
      "file:///etc/passwd",
      "gopher://fhir.example.org/",
      "https:/fhir.example.org/",
      "https://",
      "https:///r4",
      "https://user@fhir.example.org/r4",
      "https://user:secret@fhir.example.org/r4",
      "https://fhir.example.org@evil.com/r4",
      "https://fhir.example.org\\@evil.com/r4",
      "https://fhir.example.org\\.evil.com/",
      "https://fhir.example.org/r4\\..\\admin",
      "https://fhir.example.org/r4/../admin",
      "https://fhir.example.org/r4/./admin",
      "https://fhir.example.org/r4/..",
      "https://fhir.example.org/r4/..;/admin",
      "https://fhir.example.org/r4/%2e%2e/admin",
      "https://fhir.example.org/r4/.%2E/admin",
      "https://fhir.example.org/r4%2fadmin",
      "https://fhir.example.org/r4%5Cadmin",
      "https://fhir.example.org/r4/%252e%252e/admin",
      "https://fhir.example.org/r4/%00",
      "https://fhir.example.org/r4/%0d%0aHost:x",
      "https://fhir.example.org/r4/%zz",
      "https://fhir.example.org/r4/a%2",
      "https://fhir.example.org//r4",
      "https://fhir.example.org/r4 /x",
      "https://fhir.example.org/r4#x",
      "https://fhir.example.org/r4?x#y",
      "https://fhir.example.org/r4?x\\y",
      "https://fhir.example.org/r4?a=\r\nHost: x",
      "https://fhir.example.org/r4?a=%4",
      "https://fhir.example.org:/r4",
      "https://fhir.example.org:0/r4",
      "https://fhir.example.org:65536/r4",
      "https://fhir.example.org:+443/r4",
      "https://fhir.example.org:443x/r4",
      "https://fhir.example.org:443:444/r4",
      "https://fhir.example.org./r4",
      "https://fhir..example.org/r4",
      "https://fhir.ex\xC3\xA4mple.org/r4",
      "https://fhir.example.org%2eevil.com/r4",
      "https://fhir example.org/r4",
      "http://2130706433/",
      "http://127.1/",
      "http://0x7f000001/",
      "http://0x7f.0.0.1/",
      "http://0177.0.0.1/",
      "http://127.0.0.1.5/",
      "http://[::1/",
      "http://[::1%25eth0]/",
      "http://[v1.x]/",
      "http://[::1]x/",
      std::string_view("http://[0::\0`0\1]:0080/x", 23),
  };
  for (const std::string_view row : rows) EXPECT_EQ(Parsed(row).substr(0, 9), "! the URL") << row;
  EXPECT_FALSE(ParseUrl("https://x/" + std::string(kMaxUrlBytes, 'a')));
}

TEST(RestUrl, RepeatsNothingOfTheUrlInMessages) {
  for (const char* text :
       {"https://canary@x/", "https://x/canary/../y", "canary", "https://x/?canary#canary"}) {
    EXPECT_EQ(Parsed(text).find("canary"), std::string::npos) << text;
  }
}

TEST(RestUrl, ResolvesReferences) {
  const Row rows[] = {
      // against https://x:8443/r4/
      {"Patient?a=1", "https://x:8443/r4/Patient?a=1"},
      {"?_getpages=1", "https://x:8443/r4/?_getpages=1"},
      {"/r4?_getpages=1", "https://x:8443/r4?_getpages=1"},
      {"/other", "https://x:8443/other"},
      {"//y/z", "https://y/z"},
      {"https://y/z", "https://y/z"},
      {"HTTP://y/z", "http://y/z"},
      {"", "https://x:8443/r4/"},
      {"../admin", "! the URL has '.' or '..' as a segment of its path"},
      {"javascript:alert(1)", "! the URL is not absolute; it begins with http:// or https://"},
      {"@evil.com", "https://x:8443/r4/@evil.com"},
      {"\\\\evil.com", "! the URL has a character in its path that may not stand there"},
  };
  const Url base = *ParseUrl("https://x:8443/r4/?old=query");
  for (const Row& row : rows) {
    const Result<Url> url = ResolveUrl(base, row.text);
    EXPECT_EQ(url ? url->Text() : "! " + url.error().message, row.expected) << row.text;
  }
  EXPECT_EQ(ResolveUrl(*ParseUrl("https://x"), "a")->Text(), "https://x/a");
}

TEST(RestAllowList, MatchesParsedParts) {
  struct {
    std::string_view url;
    bool allowed;
  } const rows[] = {
      {"https://fhir.example.org/r4", true},
      {"https://FHIR.example.org:443/r4/Patient/1?x=y", true},
      {"https://fhir.example.org/r4/", true},
      {"https://fhir.example.org/r4?_getpages=1", true},
      {"https://fhir.example.org/r4evil", false},
      {"https://fhir.example.org/R4", false},
      {"https://fhir.example.org/", false},
      {"https://fhir.example.org", false},
      {"https://fhir.example.org.evil.com/r4", false},
      {"https://evil-fhir.example.org/r4", false},
      {"https://sub.fhir.example.org/r4", false},
      {"https://fhir.example.org:8443/r4", false},
      {"http://fhir.example.org/r4", false},
      {"http://fhir.example.org:443/r4", false},
      {"http://test.example.org:8080/anything/below", true},
      {"http://test.example.org:8080", true},
      {"https://test.example.org:8080/", false},
      {"http://test.example.org/", false},
      {"http://[::1]/fhir/x", true},
      {"http://[::2]/fhir/x", false},
  };
  const std::vector<std::string> servers = {"https://Fhir.example.org/r4", "http://test.example.org:8080/",
                                            "http://[0::1]/fhir/"};
  const AllowList list = *AllowList::Make(servers);
  for (const auto& row : rows) EXPECT_EQ(list.Allows(*ParseUrl(row.url)), row.allowed) << row.url;
  EXPECT_FALSE(AllowList::Make({})->Allows(*ParseUrl("https://fhir.example.org/r4")));
}

TEST(RestAllowList, NamesTheEntryThatIsWrong) {
  const std::vector<std::string> bad = {"https://a.example.org", "b.example.org"};
  EXPECT_EQ(AllowList::Make(bad).error().message,
            "server `b.example.org`: the URL is not absolute; it begins with http:// or https://");
  const std::vector<std::string> query = {"https://a.example.org?x=1"};
  EXPECT_EQ(AllowList::Make(query).error().message,
            "server `https://a.example.org?x=1`: the URL has a query");
}

}  // namespace
}  // namespace stepwise::rest
