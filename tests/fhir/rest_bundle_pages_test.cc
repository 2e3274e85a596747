#include <gtest/gtest.h>

#include <vector>

#include "fhir/rest/bundle_pages.h"

namespace stepwise::rest {
namespace {

struct Row {
  const char* what;
  std::vector<std::string> pages;
  std::string merged;
  std::size_t entries;
};

TEST(RestBundlePages, PutsPagesTogether) {
  const std::string b = R"("resourceType":"Bundle")";
  const Row rows[] = {
      {"one page stays as it is",
       {" { " + b + R"( , "link" : [{"relation":"next","url":"x"}], "entry":[{},null]} )"},
       "{ " + b + R"( , "link" : [{"relation":"next","url":"x"}], "entry":[{},null]})",
       1},
      {"numbers, escapes and companions keep their text",
       {R"({"total":3.0,"_total":{"id":"\"]}"},"x":[[1],{"y":"}"}],)" + b +
            R"(,"entry":[{"search":{"score":1.50}}]})",
        "{" + b + R"(,"entry":[{"resource":{"value":1e-05,"text":"\u00e9\\"}}]})"},
       R"({"total":3.0,"_total":{"id":"\"]}"},"x":[[1],{"y":"}"}],)" + b +
           R"(,"entry":[{"search":{"score":1.50}},{"resource":{"value":1e-05,"text":"\u00e9\\"}}]})",
       2},
      {"links to other pages go, others stay",
       {"{" + b +
            R"(,"link":[{"relation":"self","url":"s"},{"relation":"next","url":"2"},{"relation":"last","url":"3"}]})",
        "{" + b + R"(,"link":[{"relation":"self","url":"s2"},{"relation":"previous","url":"1"}]})"},
       "{" + b + R"(,"link":[{"relation":"self","url":"s"}]})",
       0},
      {"a page that is missing shows",
       {"{" + b + R"(,"link":[{"relation":"next","url":"2"}]})",
        "{" + b + R"(,"link":{"relation":"next","url":"3"}})"},
       "{" + b + R"(,"link":[{"relation":"next","url":"3"}]})",
       0},
      {"escaped names are names",
       {"{" + b + R"(,"l\u0069nk":[{"relation":"next","url":"2"}],"entr\u0079":[{"fullUrl":"a"}]})",
        "{" + b + R"(,"entry":[{"fullUrl":"b"}]})"},
       "{" + b + R"(,"entry":[{"fullUrl":"a"},{"fullUrl":"b"}]})",
       2},
      {"an entry comes once",
       {"{" + b +
            R"(,"entry":[{"fullUrl":"a","resource":{"resourceType":"X","id":"1"}},{"resource":{"resourceType":"X","id":"2"}},{}]})",
        "{" + b +
            R"(,"entry":[{"fullUrl":"a","resource":{"resourceType":"X","id":"1","n":2}},{"resource":{"resourceType":"X","id":"2"}},{"resource":{"resourceType":"Y","id":"2"}},{"fullUrl":"b","resource":{"resourceType":"X","id":"1"}},{}]})"},
       "{" + b +
           R"(,"entry":[{"fullUrl":"a","resource":{"resourceType":"X","id":"1"}},{"resource":{"resourceType":"X","id":"2"}},{},{"resource":{"resourceType":"Y","id":"2"}},{"fullUrl":"b","resource":{"resourceType":"X","id":"1"}},{}]})",
       6},
      {"empty pages", {"{" + b + "}", "{" + b + R"(,"entry":[]})"}, "{" + b + "}", 0},
      {"no page", {}, "", 0},
  };
  for (const Row& row : rows) {
    BundlePages pages;
    for (const std::string& page : row.pages) {
      const Status added = pages.Add(page);
      EXPECT_TRUE(added) << row.what << ": " << (added ? "" : added.error().message);
    }
    EXPECT_EQ(pages.Merged(), row.merged) << row.what;
    EXPECT_EQ(pages.entries(), row.entries) << row.what;
    EXPECT_EQ(pages.count(), row.pages.size()) << row.what;
    EXPECT_TRUE(row.pages.empty() || Document::Parse(pages.Merged())) << row.what;
  }
}

TEST(RestBundlePages, KeepsWhatItHasWhenAPageIsWrong) {
  BundlePages pages;
  ASSERT_TRUE(pages.Add(
      R"({"resourceType":"Bundle","link":[{"relation":"next","url":"2"}],"entry":[{"fullUrl":"a"}]})"));
  const std::string before = pages.Merged();
  for (const char* page :
       {"", "garbage", "[]", "null", "1", "{}", R"({"resourceType":"Patient"})",
        R"({"resourceType":["Bundle","x"],"entry":[1]})", R"({"resourceType":"Bundle","entry":["x"]})",
        R"({"resourceType":"Bundle","entry":[{}, 1]})", R"({"resourceType":"Bundle","link":"x"})",
        R"({"resourceType":"Bundle","_entry":[{"id":"x"}]})",
        R"({"resourceType":"Bundle","entry":[{}],"_entry":[{"id":"x"}]})",
        R"({"resourceType":"Bundle","entry":[],"entry":[]})"}) {
    EXPECT_FALSE(pages.Add(page)) << page;
    EXPECT_EQ(pages.Merged(), before) << page;
    EXPECT_EQ(pages.next(), "2") << page;
    EXPECT_EQ(pages.count(), 1u) << page;
  }
  EXPECT_EQ(pages.Add(before, {.max_bytes = 10}).error().code, Code::kLimit);
}

}  // namespace
}  // namespace stepwise::rest
