#include "fhir/document.h"

#include "tests/testing.h"

namespace stepwise {
namespace {

Document MustParse(std::string text) {
  auto document = Document::Parse(std::move(text));
  EXPECT_TRUE(document) << document.error().ToString();
  return std::move(*document);
}

// Indented text of a tree: name, kind and value of every node, companions' children under their primitive.
void Show(Node node, int depth, std::string& out) {
  for (const Node child : node.children()) {
    out += std::string(static_cast<std::size_t>(depth) * 2, ' ') + std::string(child.name_text());
    if (child.in_array()) out += "[]";
    if (child.is_valueless_primitive())
      out += " (no value)";
    else if (child.kind() != NodeKind::kObject)
      out += "=" + std::string(child.text());
    out += "\n";
    Show(child, depth + 1, out);
  }
}
std::string Tree(const Document& document) {
  std::string out;
  Show(document.root(), 0, out);
  return out;
}

struct TreeRow {
  const char* what;
  const char* json;
  const char* tree;
};
const TreeRow kTrees[] = {
    {"values as written", R"({"value":1.50,"a":-0,"b":1e3,"c":true,"d":"x"})",
     "value=1.50\na=-0\nb=1e3\nc=true\nd=x\n"},
    {"nulls are no children", R"({"a":null,"b":1})", "b=1\n"},
    {"arrays repeat the property", R"({"given":["A","B"]})", "given[]=A\ngiven[]=B\n"},
    {"empty arrays and objects", R"({"a":[],"b":{},"c":[[]]})", "b\n"},
    {"arrays in arrays are flattened", R"({"a":[[1,2],[3]]})", "a[]=1\na[]=2\na[]=3\n"},
    {"companion of a primitive", R"({"birthDate":"1974","_birthDate":{"id":"x"}})",
     "birthDate=1974\n  id=x\n"},
    {"companion first", R"({"_birthDate":{"id":"x"},"birthDate":"1974"})", "birthDate=1974\n  id=x\n"},
    {"companion alone", R"({"_birthDate":{"id":"x"}})", "birthDate (no value)\n  id=x\n"},
    {"companions pair by position", R"({"given":["A",null,"C"],"_given":[null,{"id":"b"},{"id":"c"}]})",
     "given[]=A\ngiven[] (no value)\n  id=b\ngiven[]=C\n  id=c\n"},
    {"unknown underscored names stay", R"({"_links_here":{"a":1}})", "_links_here\n  a=1\n"},
    {"escapes", R"({"a":"\u00e9\n\"\ud83d\ude00\/"})", "a=é\n\"😀/\n"},
    {"white space everywhere", " {\n\t\"a\" :  [ 1 , 2 ]\r\n} \n", "a[]=1\na[]=2\n"},
    {"an empty name", R"({"":1})", "=1\n"},
    {"byte order mark", "\xEF\xBB\xBF{\"a\":1}", "a=1\n"},
};

TEST(Document, LaysOutTrees) {
  for (const TreeRow& row : kTrees) EXPECT_EQ(Tree(MustParse(row.json)), row.tree) << row.what;
}

struct ErrorRow {
  const char* json;
  Code code;
  std::uint32_t line, column;
  const char* path;
  const char* message;  // part of it
};
const ErrorRow kErrors[] = {
    {"", Code::kSyntax, 1, 1, "", "empty"},
    {"   ", Code::kSyntax, 1, 1, "", "empty"},
    {"[1]", Code::kSyntax, 1, 1, "", "expected a JSON object"},
    {"nope", Code::kSyntax, 1, 1, "", "expected a JSON object"},
    {"{\"a\":1", Code::kSyntax, 1, 7, "$.a", "ends inside"},
    {"{\"a\":tru}", Code::kSyntax, 1, 6, "$.a", "expected a value"},
    {"{\"a\":01}", Code::kSyntax, 1, 6, "$.a", "expected a value"},
    {"{\"a\":1.}", Code::kSyntax, 1, 6, "$.a", "expected a value"},
    {"{\"a\":+1}", Code::kSyntax, 1, 6, "$.a", "expected a value"},
    {"{\"a\":NaN}", Code::kSyntax, 1, 6, "$.a", "expected a value"},
    {"{\"a\" 1}", Code::kSyntax, 1, 6, "$.a", "expected ':'"},
    {"{\"a\":1,}", Code::kSyntax, 1, 8, "$.a", "property name"},
    {"{\"a\":[1,]}", Code::kSyntax, 1, 9, "$.a", "expected a value"},
    {"{\"a\":[1}", Code::kSyntax, 1, 8, "$.a", "expected ',' or ']'"},
    {"{\"a\":1]", Code::kSyntax, 1, 7, "$.a", "expected ',' or '}'"},
    {"{\"a\":1}x", Code::kSyntax, 1, 8, "", "after the end"},
    {"{\"a\":1}{}", Code::kSyntax, 1, 8, "", "after the end"},
    {"{\"a\":1,\"a\":2}", Code::kSyntax, 1, 8, "$.a", "given twice"},
    {"{\"resourceType\":\"Patient\",\n\"name\":[{},{\"family\":\"x\",\"family\":\"y\"}]}", Code::kSyntax, 2,
     26, "Patient.name[1].family", "given twice"},
    {"{\"a\":\"\\x\"}", Code::kSyntax, 1, 6, "$.a", "escape"},
    {"{\"a\":\"\\ud800\"}", Code::kSyntax, 1, 6, "$.a", "escape"},
    {"{\"a\":\"x", Code::kSyntax, 1, 8, "$.a", "not closed"},
    {"{\"a\":\"x\ny\"}", Code::kSyntax, 1, 8, "$.a", "control character"},
    {"{\"a\":\"\xC3\x28\"}", Code::kSyntax, 1, 7, "$.a", "UTF-8"},
    {"{\"a\":[{},{\"b\":1,\"c\":[\"\\\"\",\"\xC3\x28\"]}]}", Code::kSyntax, 1, 28, "$.a[1].c[1]", "UTF-8"},
};

TEST(Document, SaysWhatIsWrongAndWhere) {
  for (const ErrorRow& row : kErrors) {
    const auto document = Document::Parse(row.json);
    ASSERT_FALSE(document) << row.json;
    const Error& error = document.error();
    EXPECT_EQ(error.code, row.code) << row.json;
    EXPECT_EQ(error.span.line, row.line) << row.json << ": " << error.ToString();
    EXPECT_EQ(error.span.column, row.column) << row.json << ": " << error.ToString();
    EXPECT_EQ(error.path, row.path) << row.json;
    EXPECT_NE(error.message.find(row.message), std::string::npos) << row.json << ": " << error.message;
  }
}

TEST(Document, LimitsSizeAndDepth) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  auto document = Document::Parse("{\"a\":" + deep + "}");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, Code::kLimit);
  DocumentLimits limits;
  limits.max_bytes = 10;
  document = Document::Parse("{\"a\":\"0123456789\"}", limits);
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, Code::kLimit);
  limits = {};
  limits.max_depth = 2;
  EXPECT_TRUE(Document::Parse("{\"a\":{}}", limits));
  EXPECT_TRUE(Document::Parse("{\"a\":[1]}", limits));
  EXPECT_FALSE(Document::Parse("{\"a\":[{}]}", limits));
}

TEST(Document, ManyPropertiesCostNoQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"property" + std::to_string(i) + "\":1,";
  text += "\"last\":1";
  EXPECT_TRUE(Document::Parse(text + "}"));
  EXPECT_FALSE(Document::Parse(text + ",\"property77\":2}"));
}

TEST(Document, KnowsItsResources) {
  const Document document = MustParse(
      R"({"resourceType":"Bundle","entry":[{"resource":{"id":"a","resourceType":"Patient","contained":[{"resourceType":"Nope"}]}}]})");
  ASSERT_EQ(document.resources().size(), 3u);
  const Node patient = document.node(document.resources()[1]);
  EXPECT_EQ(patient.resource_type(), types::kPatient);
  EXPECT_EQ(patient.Path(), "Bundle.entry[0].resource");
  EXPECT_EQ(document.node(document.resources()[2]).resource_type(), types::kNone);
  EXPECT_EQ(patient.Child(names::kId).resource(), patient);
  EXPECT_EQ(patient.Child(names::kId).PathInResource(), "Patient.id");
}

TEST(Document, PathsNameEveryNode) {
  const Document document = MustParse(
      R"({"resourceType":"Patient","name":[{"given":["A","B"]}],"birthDate":"1974","_birthDate":{"id":"x"}})");
  const Node name = document.root().Child(names::kName);
  std::string paths;
  for (const Node child : name.children()) paths += child.Path() + " ";
  EXPECT_EQ(paths, "Patient.name[0].given[0] Patient.name[0].given[1] ");
  const Node birth_date = document.root().Child(names::kBirthDate);
  EXPECT_EQ(birth_date.Child(names::kId).Path(), "Patient.birthDate.id");
  EXPECT_EQ(birth_date.Child(names::kId).parent(), birth_date);
}

TEST(Document, GivesRawJsonBack) {
  const Document document = MustParse(R"({"a": {"b" : [1.50, "x\"y"]}, "c":"\u0041"})");
  EXPECT_EQ(document.root().Child("a").json(), R"({"b" : [1.50, "x\"y"]})");
  EXPECT_EQ(document.root().Child("a").Child("b").json(), "1.50");
  EXPECT_EQ(document.root().Child("c").json(), R"("\u0041")");
  EXPECT_EQ(document.root().Child("c").string(), "A");
}

TEST(Document, TellsNullFromAbsent) {
  const Document document = MustParse(R"({"a":null,"b":1})");
  EXPECT_EQ(document.root().NullChild("a").json(), "null");
  EXPECT_FALSE(document.root().NullChild("b"));
  EXPECT_FALSE(document.root().NullChild("c"));
  EXPECT_FALSE(document.root().Child("a"));
}

TEST(Document, BlanksSecretsInTreeAndBytes) {
  Result<Document> document = Document::Parse(R"({"a":"secret","b":"secret","c":"s\u0065cret\n","d":7})");
  ASSERT_TRUE(document);
  for (const char* name : {"a", "c", "d"}) document->Blank(document->root().Child(name));
  EXPECT_EQ(document->bytes(), R"({"a":"xxxxxx","b":"secret","c":"xxxxxxxxxxxxx","d":7})");
  EXPECT_EQ(document->root().Child("a").string(), "xxxxxx");
  EXPECT_EQ(document->root().Child("b").string(), "secret");
  EXPECT_EQ(document->root().Child("c").string(), "xxxxxxx");
}

TEST(Document, TakesAtMostThreeTimesItsBytes) {
  const std::string text = ReadFile(SourceDir() / "tests/bench/data/bundle.json");
  const std::size_t size = text.size();
  EXPECT_LE(MustParse(text).memory_bytes(), 3 * size);
}

}  // namespace
}  // namespace stepwise
