#include "rules/yaml.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stepwise::rules {
namespace {

// The tree as text: scalars as written, quoted ones in quotes.
std::string Dump(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::kNull: return "~";
    case YamlKind::kScalar: return node.quoted ? "'" + node.value.text + "'" : node.value.text;
    case YamlKind::kList:
    case YamlKind::kMap: break;
  }
  std::string out;
  for (const YamlNode& child : node.children) {
    out += (out.empty() ? "" : " ") + (node.is_map() ? child.key.text + "=" : "") + Dump(child);
  }
  return node.is_list() ? "[" + out + "]" : "{" + out + "}";
}

struct GoodCase {
  std::string text, tree;
};

TEST(Yaml, ReadsTheSubset) {
  const GoodCase cases[] = {
      {"a: 1\nb: [x, 'y']", "{a=1 b=[x 'y']}"},
      {"no: no\nversion: 1.20", "{no=no version=1.20}"},
      {"a:\nb: ~", "{a=~ b=~}"},
      {"a: >\n  one\n  two\nb: |\n  x\n  y\n", "{a='one two\n' b='x\ny\n'}"},
      {"a: it's\nb: \"say \\\"x\\\"\"", "{a=it's b='say \"x\"'}"},
      {"a: 'it''s'", "{a='it's'}"},
      {"a: { b: \"x: y\", c: [1,\n  2] }", "{a={b='x: y' c=[1 2]}}"},
      {"# comment with \" quote\na: b # and ' another", "{a=b}"},
      {"a: word\n  'tis more", "{a=word 'tis more}"},
      {"- \"a\": 1", "[{a=1}]"},
      {"", "~"},
  };
  for (const GoodCase& one : cases) {
    const auto node = ParseYaml(one.text);
    ASSERT_TRUE(node) << one.text << ": " << node.error().ToString();
    EXPECT_EQ(Dump(*node), one.tree) << one.text;
  }
}

struct BadCase {
  std::string text, message;  // what the message starts with
};

TEST(Yaml, SaysWhereAndWhatIsWrong) {
  const BadCase cases[] = {
      {"a: 1\na: 2", "f.yaml:2:1: key `a` is given twice; the first one is in line 1"},
      {"a: !!str b", "f.yaml:1:4: tag `tag:yaml.org,2002:str`; tags are not part of the rule format"},
      {"<<: {a: 1}", "f.yaml:1:1: merge key `<<`"},
      {"a: &x 1\nb: *x", "f.yaml:1:4: anchor `&x`; anchors and aliases are allowed in test files only"},
      {"a: 1\nb: \"open\nc: 2\nd: \"e\"",
       "f.yaml:2:4: the quote opened by `\"open` is not closed on this line"},
      {"a: ['x, y]\nb: 'z'", "f.yaml:1:5: the quote opened by `'x, y]` is not closed on this line"},
      {"a: 1\n\tb: 2", "f.yaml:2:1: tab in the indentation"},
      {"a: b: c", "f.yaml:1:5: a second `: ` on one line"},
      {"a: [1, 2\nb: 3", "f.yaml:2:2: `[` is not closed"},
      {"a: \xff", "f.yaml:1:4: this byte is not UTF-8"},
      {"a: \x01", "f.yaml:1:4: control character"},
      {"{[a]: 1}", "f.yaml:1:2: a key must be plain text"},
      {"a: 1\n---\nb: 2", "f.yaml:1:1: a second document"},
      {"a: \"\\q\"", "f.yaml:1:7: unknown escape in double quotes"},
      {"a: *nothing", "f.yaml:1:4: this alias names an anchor that does not exist"},
  };
  for (const BadCase& one : cases) {
    const auto node = ParseYaml(one.text, {.file = "f.yaml"});
    ASSERT_FALSE(node) << one.text << ": " << Dump(*node);
    const std::string message = node.error().ToString();
    EXPECT_EQ(message.substr(0, one.message.size()), one.message) << message;
  }
}

TEST(Yaml, RefusesWhatIsTooMuch) {
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  EXPECT_EQ(ParseYaml(deep).error().code, Code::kLimit);
  EXPECT_EQ(ParseYaml(std::string(100, 'a'), {.max_bytes = 10}).error().code, Code::kLimit);
  // Each level doubles: 2^20 nodes from a few hundred bytes.
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last + "]\n";
  }
  EXPECT_EQ(ParseYaml(laughs, {.anchors = true}).error().code, Code::kLimit);
}

TEST(Yaml, AliasesAreCopies) {
  const auto node = ParseYaml("a: &x {b: 1}\nc: [*x, *x]", {.anchors = true});
  ASSERT_TRUE(node) << node.error().ToString();
  EXPECT_EQ(Dump(*node), "{a={b=1} c=[{b=1} {b=1}]}");
}

TEST(Yaml, KnowsThePlaceOfEveryCharacter) {
  const std::string text =
      "a: >\n"
      "  first part\n"
      "    deeper\n"
      "  last\n"
      "b: \"x \\\" y\"\n"
      "c: plain\n"
      "  more\n"
      "d: 'é''s z'\n";
  const auto node = ParseYaml(text, {.file = "f"});
  ASSERT_TRUE(node) << node.error().ToString();
  struct Place {
    std::string key, word;
    std::uint32_t line, column;
  };
  const Place places[] = {{"a", "first", 2, 3}, {"a", "part", 2, 9}, {"a", "deeper", 3, 5},
                          {"a", "last", 4, 3},  {"b", "x", 5, 5},    {"b", "y", 5, 10},
                          {"c", "plain", 6, 4}, {"c", "more", 7, 3}, {"d", "z", 8, 10}};
  for (const Place& place : places) {
    const SourceText& value = node->Find(place.key)->value;
    const SourceSpan span = value.At(value.text.find(place.word));
    EXPECT_EQ(span.line, place.line) << place.word;
    EXPECT_EQ(span.column, place.column) << place.word;
  }
}

TEST(Yaml, BecomesJson) {
  const auto node = ParseYaml("a: 1.20\nb: '1.20'\nc: [true, yes, 007, 2024-01, -3e2, ~]\nd: \"q\\\"\\n\"");
  ASSERT_TRUE(node) << node.error().ToString();
  EXPECT_EQ(YamlToJson(*node),
            R"({"a":1.20,"b":"1.20","c":[true,"yes","007","2024-01",-3e2,null],"d":"q\"\n"})");
}

TEST(Yaml, GoesOnAfterWhatIsNotPartOfTheSubset) {
  std::vector<Error> errors;
  const auto node = ParseYaml("a: 1\na: 2\nb: !!str x\nc: {<<: {d: 1}, e: 2}\n? [x]\n: 1\nf: &y 3\n",
                              {.file = "f"}, &errors);
  ASSERT_TRUE(node);
  std::string places;
  for (const Error& error : errors) places += error.ToString().substr(0, error.ToString().find(' ')) + " ";
  EXPECT_EQ(places, "f:2:1: f:3:4: f:4:5: f:5:3: f:7:4: ");
  EXPECT_EQ(YamlToJson(*node), R"({"a":1,"b":"x","c":{"e":2},"f":3})");
  EXPECT_FALSE(ParseYaml("a: [", {.file = "f"}, &errors));
  EXPECT_EQ(errors.size(), 6u);
}

}  // namespace
}  // namespace stepwise::rules
