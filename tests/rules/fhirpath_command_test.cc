#include "rules/fhirpath_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fhir/document.h"
#include "rules/fhirpath_jsonl.h"
#include "tests/testing.h"

namespace stepwise::rules {
namespace {

JsonlOptions TestOptions() {
  JsonlOptions options;
  options.now = *DateTime::ParseDateTime("2026-12-10T09:00:00.000+05:30");
  return options;
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

struct JsonlRow {
  std::string_view name, line, answer;
};

void PrintTo(const JsonlRow& row, std::ostream* out) { *out << row.name; }

// FILES stands for a folder with patient.json and broken.json.
constexpr char kPatientFile[] = R"({
  "resourceType" : "Patient",
  "id" : "f1",
  "name" : [ { "family" : "Chal  mers", "given" : [ "Peter", "James" ] }, { "given" : [ "Jim" ] } ],
  "contained" : [ { "resourceType" : "Device", "id" : "d" } ]
}
)";

constexpr JsonlRow kRows[] = {
    {"fhir_string",
     R"j({"id":1,"expression":"Patient.name.given","resource":{"resourceType":"Patient","name":[{"given":["Peter","James"]}]}})j",
     R"j({"id":1,"result":[{"type":"FHIR.string","value":"Peter"},{"type":"FHIR.string","value":"James"}]})j"},
    {"empty", R"j({"id":1,"expression":"{}"})j", R"j({"id":1,"result":[]})j"},
    {"fhir_primitives",
     R"j({"id":1,"expression":"active | birthDate | multipleBirth | id","resource":{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12","multipleBirthInteger":2}})j",
     R"j({"id":1,"result":[{"type":"FHIR.boolean","value":true},{"type":"FHIR.date","value":"1974-12"},{"type":"FHIR.integer","value":2},{"type":"FHIR.id","value":"p"}]})j"},
    {"system_values",
     R"j({"id":1,"expression":"true | 'a\"b\\n' | 3 | 4L | @2024-05 | @2024-05-01T10:00:00.50+02:00 | @T10:30"})j",
     R"j({"id":1,"result":[{"type":"System.Boolean","value":true},{"type":"System.String","value":"a\"b\n"},{"type":"System.Integer","value":3},{"type":"System.Long","value":4},{"type":"System.Date","value":"2024-05"},{"type":"System.DateTime","value":"2024-05-01T10:00:00.50+02:00"},{"type":"System.Time","value":"10:30"}]})j"},
    {"decimal_scale_of_literal", R"j({"id":1,"expression":"1.50"})j",
     R"j({"id":1,"result":[{"type":"System.Decimal","value":1.50}]})j"},
    {"decimal_scale_of_data",
     R"j({"id":1,"expression":"value.ofType(Quantity).value","resource":{"resourceType":"Observation","valueQuantity":{"value":72.500}}})j",
     R"j({"id":1,"result":[{"type":"FHIR.decimal","value":72.500}]})j"},
    {"system_quantity", R"j({"id":1,"expression":"1.50 'mg' | 3 days"})j",
     R"j({"id":1,"result":[{"type":"System.Quantity","value":{"value":1.50,"unit":"mg"}},{"type":"System.Quantity","value":{"value":3,"unit":"days"}}]})j"},
    {"complex_element",
     R"j({"id":1,"expression":"value","resource":{"resourceType":"Observation","valueQuantity":{ "value": 1.50, "unit": "m g" }}})j",
     R"j({"id":1,"result":[{"type":"FHIR.Quantity","value":{"value":1.50,"unit":"m g"}}]})j"},
    {"resource_element",
     R"j({"id":1,"expression":"entry.resource","resource":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p"}}]}})j",
     R"j({"id":1,"result":[{"type":"FHIR.Patient","value":{"resourceType":"Patient","id":"p"}}]})j"},
    {"primitive_with_extensions_only",
     R"j({"id":1,"expression":"birthDate","resource":{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]}}})j",
     R"j({"id":1,"result":[{"type":"FHIR.date","value":null}]})j"},
    {"now_is_taken_once", R"j({"id":1,"expression":"now() | today() | timeOfDay()"})j",
     R"j({"id":1,"result":[{"type":"System.DateTime","value":"2026-12-10T09:00:00.000+05:30"},{"type":"System.Date","value":"2026-12-10"},{"type":"System.Time","value":"09:00:00.000"}]})j"},
    {"plain_json",
     R"j({"id":1,"expression":"a.b.where(c > 1).d","resource":{"a":{"b":[{"c":1,"d":"x"},{"c":2.50,"d":"y"}]}}})j",
     R"j({"id":1,"result":[{"type":"System.String","value":"y"}]})j"},
    {"fhir_version",
     R"j({"id":1,"expression":"medication.reference","fhir":"5.0.0","resource":{"resourceType":"MedicationRequest","medication":{"reference":{"reference":"#m"}}}})j",
     R"j({"id":1,"result":[{"type":"FHIR.Reference","value":{"reference":"#m"}}]})j"},

    {"ids_are_echoed", R"j({"expression":"1","id":"a\u00e9\"b"})j",
     R"j({"id":"a\u00e9\"b","result":[{"type":"System.Integer","value":1}]})j"},
    {"id_number", R"j({"expression":"1","id":1.50})j",
     R"j({"id":1.50,"result":[{"type":"System.Integer","value":1}]})j"},
    {"id_array", R"j({"expression":"1","id":[1,[2,{"a":"]"}]]})j",
     R"j({"id":[1,[2,{"a":"]"}]],"result":[{"type":"System.Integer","value":1}]})j"},
    {"id_object", R"j({"id":{"id":null},"expression":"1"})j",
     R"j({"id":{"id":null},"result":[{"type":"System.Integer","value":1}]})j"},
    {"id_null", R"j({"id":null,"expression":"1"})j",
     R"j({"id":null,"result":[{"type":"System.Integer","value":1}]})j"},
    {"id_empty_array", R"j({"id":[],"expression":"1"})j",
     R"j({"id":[],"result":[{"type":"System.Integer","value":1}]})j"},
    {"id_missing", R"j({"expression":"1"})j",
     R"j({"id":null,"result":[{"type":"System.Integer","value":1}]})j"},

    {"variables",
     R"j({"id":1,"expression":"%s + '!' | %n + 1 | %d | %b.not() | %a","variables":{"s":"x","n":2,"d":1.50,"b":true,"a":["p","q"]}})j",
     R"j({"id":1,"result":[{"type":"System.String","value":"x!"},{"type":"System.Integer","value":3},{"type":"System.Decimal","value":1.50},{"type":"System.Boolean","value":false},{"type":"System.String","value":"p"},{"type":"System.String","value":"q"}]})j"},
    {"variable_types",
     R"j({"id":1,"expression":"(%s is String) and (%n is Integer) and (%d is Decimal) and (%b is Boolean)","variables":{"s":"x","n":2,"d":1.50,"b":true}})j",
     R"j({"id":1,"result":[{"type":"System.Boolean","value":true}]})j"},
    {"variable_object", R"j({"id":1,"expression":"%o.p.q","variables":{"o":{"p":{"q":5}}}})j",
     R"j({"id":1,"result":[{"type":"System.Integer","value":5}]})j"},
    {"variable_resource",
     R"j({"id":1,"expression":"%p.name.given","variables":{"p":{"resourceType":"Patient","name":[{"given":["Peter"]}]}}})j",
     R"j({"id":1,"result":[{"type":"FHIR.string","value":"Peter"}]})j"},
    {"variable_null_and_nothing",
     R"j({"id":1,"expression":"%a.exists() | %b.count()","variables":{"a":null,"b":[]}})j",
     R"j({"id":1,"result":[{"type":"System.Boolean","value":false},{"type":"System.Integer","value":0}]})j"},
    {"variable_in_backticks", R"j({"id":1,"expression":"%`a b`","variables":{"a\u0020b":"x"}})j",
     R"j({"id":1,"result":[{"type":"System.String","value":"x"}]})j"},

    {"context",
     R"j({"id":1,"expression":"given.first() + ' ' + %context.family & %resource.id","context":"name","resource":{"resourceType":"Patient","id":"p","name":[{"given":["A"],"family":"X"},{"given":["B"],"family":"Y"}]}})j",
     R"j({"id":1,"result":[{"type":"System.String","value":"A Xp"},{"type":"System.String","value":"B Yp"}]})j"},
    {"context_of_values",
     R"j({"id":1,"expression":"$this * 2 + %resource.n","context":"1 | 2","resource":{"n":10}})j",
     R"j({"id":1,"result":[{"type":"System.Integer","value":12},{"type":"System.Integer","value":14}]})j"},
    {"plain_json_resource",
     R"j({"id":1,"expression":"%resource.zzz + %rootResource.zzz","resource":{"zzz":1}})j",
     R"j({"id":1,"result":[{"type":"System.Integer","value":2}]})j"},
    {"context_of_choice",
     R"j({"id":1,"expression":"unit","context":"value","resource":{"resourceType":"Observation","valueQuantity":{"unit":"mg"}}})j",
     R"j({"id":1,"result":[{"type":"FHIR.string","value":"mg"}]})j"},
    {"context_empty",
     R"j({"id":1,"expression":"given","context":"name","resource":{"resourceType":"Patient"}})j",
     R"j({"id":1,"result":[]})j"},
    {"context_without_items_is_still_checked",
     R"j({"id":1,"expression":"gvien","context":"name","resource":{"resourceType":"Patient"}})j",
     R"j({"id":1,"error":{"code":"semantic","message":"HumanName has no element 'gvien' (did you mean 'given'?)","line":1,"column":1}})j"},
    {"context_error",
     R"j({"id":1,"expression":"given","context":"name.","resource":{"resourceType":"Patient"}})j",
     R"j({"id":1,"error":{"code":"syntax","message":"context: the expression ends; expected a name","line":1,"column":6}})j"},

    {"file", R"j({"id":1,"expression":"name[0]","file":"FILES/patient.json"})j",
     R"j({"id":1,"result":[{"type":"FHIR.HumanName","value":{"family":"Chal  mers","given":["Peter","James"]}}]})j"},
    {"file_missing", R"j({"id":1,"expression":"name","file":"FILES/none.json"})j",
     R"j({"id":1,"error":{"code":"execution","message":"'FILES/none.json' cannot be read: No such file or directory"}})j"},
    {"file_is_a_folder", R"j({"id":1,"expression":"name","file":"FILES"})j",
     R"j({"id":1,"error":{"code":"execution","message":"'FILES' cannot be read: Is a directory"}})j"},
    {"file_broken", R"j({"id":1,"expression":"name","file":"FILES/broken.json"})j",
     R"j({"id":1,"error":{"code":"execution","message":"FILES/broken.json:2:8: expected a value"}})j"},

    {"syntax_error", R"j({"id":1,"expression":"name\n..given"})j",
     R"j({"id":1,"error":{"code":"syntax","message":"unexpected '.'; expected a name","line":2,"column":2}})j"},
    {"syntax_error_column_counts_characters", R"j({"id":1,"expression":"'é😀' + + )"})j",
     R"j({"id":1,"error":{"code":"syntax","message":"unexpected ')'; expected an expression","line":1,"column":10}})j"},
    {"semantic_error", R"j({"id":1,"expression":"Patient.nme","resource":{"resourceType":"Patient"}})j",
     R"j({"id":1,"error":{"code":"semantic","message":"Patient has no element 'nme' (did you mean 'name'?)","line":1,"column":9}})j"},
    {"unknown_variable", R"j({"id":1,"expression":"%xyz","variables":{"xyx":1}})j",
     R"j({"id":1,"error":{"code":"semantic","message":"there is no variable %xyz (did you mean 'xyx'?)","line":1,"column":2}})j"},
    {"execution_error",
     R"j({"id":1,"expression":"name.given.single()","resource":{"resourceType":"Patient","name":[{"given":["A","B"]}]}})j",
     R"j({"id":1,"error":{"code":"execution","message":"single() wants at most one item, and there are 2","line":1,"column":12}})j"},

    {"bad_line", R"j({"id":7,"expression":"1",)j",
     R"j({"id":7,"error":{"code":"syntax","message":"$.expression: the text ends inside an object or array","line":1,"column":26}})j"},
    {"bad_line_with_bad_id", R"j({"id":seven,"expression":"1"})j",
     R"j({"id":null,"error":{"code":"syntax","message":"$.id: expected a value","line":1,"column":7}})j"},
    {"not_an_object", R"j([1])j",
     R"j({"id":null,"error":{"code":"syntax","message":"expected a JSON object","line":1,"column":1}})j"},
    {"property_twice", R"j({"id":"x","expression":"1","resource":{"a":1,"a":2}})j",
     R"j({"id":"x","error":{"code":"syntax","message":"$.resource.a: property \"a\" is given twice in one object","line":1,"column":46}})j"},
    {"no_expression", R"j({"id":1})j",
     R"j({"id":1,"error":{"code":"execution","message":"the request has no 'expression'"}})j"},
    {"expression_is_no_string", R"j({"id":1,"expression":["1"]})j",
     R"j({"id":1,"error":{"code":"execution","message":"'expression' must be a string"}})j"},
    {"resource_is_no_object", R"j({"id":1,"expression":"1","resource":[{}]})j",
     R"j({"id":1,"error":{"code":"execution","message":"'resource' must be an object"}})j"},
    {"resource_and_file", R"j({"id":1,"expression":"1","resource":{},"file":"x"})j",
     R"j({"id":1,"error":{"code":"execution","message":"give 'resource' or 'file', not both"}})j"},
    {"unknown_version", R"j({"id":1,"expression":"1","fhir":"6"})j",
     R"j({"id":1,"error":{"code":"execution","message":"'fhir' must be 4.0.1 or 5.0.0, not '6'"}})j"},
    {"variables_are_no_object", R"j({"id":1,"expression":"1","variables":"x"})j",
     R"j({"id":1,"error":{"code":"execution","message":"'variables' must be an object"}})j"},
    {"blank_line", " \t\r", ""},
};

class FhirpathJsonlTest : public testing::TestWithParam<JsonlRow> {
 protected:
  TempDir files_;
};

TEST_P(FhirpathJsonlTest, Answers) {
  const std::string folder = files_.path().string();
  WriteFile(files_.path() / "patient.json", kPatientFile);
  WriteFile(files_.path() / "broken.json", "{\n  \"a\": b}");
  FhirpathJsonl jsonl(TestOptions());
  std::string answer;
  // Twice: the second time with everything kept from the first.
  for (int time = 0; time < 2; ++time) {
    answer.clear();
    jsonl.Answer(Replaced(std::string(GetParam().line), "FILES", folder), &answer);
    const std::string expected(GetParam().answer);
    EXPECT_EQ(Replaced(answer, folder, "FILES"), expected.empty() ? "" : expected + "\n");
    if (!expected.empty()) {
      EXPECT_TRUE(Document::Parse(answer).has_value());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, FhirpathJsonlTest, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FhirpathJsonl, KeepsProgramsApartByTypeVersionAndVariables) {
  FhirpathJsonl jsonl(TestOptions());
  std::string out;
  jsonl.Answer(R"({"id":1,"expression":"name","resource":{"resourceType":"Patient","name":[]}})", &out);
  jsonl.Answer(R"({"id":2,"expression":"name","resource":{"resourceType":"Observation"}})", &out);
  jsonl.Answer(R"({"id":3,"expression":"name","resource":{"name":"x"}})", &out);
  jsonl.Answer(R"({"id":4,"expression":"%a","variables":{"a":1,"b":2}})", &out);
  jsonl.Answer(R"({"id":5,"expression":"%a","variables":{"b":2,"a":1}})", &out);
  jsonl.Answer(R"({"id":6,"expression":"%a"})", &out);
  EXPECT_THAT(out,
              testing::HasSubstr("{\"id\":1,\"result\":[]}\n{\"id\":2,\"error\":{\"code\":\"semantic\""));
  EXPECT_THAT(out, testing::HasSubstr("{\"id\":3,\"result\":[{\"type\":\"System.String\",\"value\":\"x\"}]}\n"
                                      "{\"id\":4,\"result\":[{\"type\":\"System.Integer\",\"value\":1}]}\n"
                                      "{\"id\":5,\"result\":[{\"type\":\"System.Integer\",\"value\":1}]}\n"
                                      "{\"id\":6,\"error\":{\"code\":\"semantic\""));
}

TEST(FhirpathJsonl, KeepsNoMoreThanItMay) {
  TempDir files;
  JsonlOptions options = TestOptions();
  options.kept_files = 2;
  options.kept_programs = 2;
  FhirpathJsonl jsonl(options);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) {
      const std::string number = std::to_string(i);
      const std::filesystem::path path = files.path() / (number + ".json");
      WriteFile(path, "{\"n\":" + number + "}");
      std::string out;
      jsonl.Answer("{\"id\":0,\"expression\":\"n + " + number + "\",\"file\":\"" + path.string() + "\"}",
                   &out);
      EXPECT_EQ(out, "{\"id\":0,\"result\":[{\"type\":\"System.Integer\",\"value\":" + std::to_string(2 * i) +
                         "}]}\n");
    }
  }
}

std::string AnswerAll(const std::string& requests, const JsonlOptions& options) {
  TempDir files;
  WriteFile(files.path() / "in", requests);
  const int in = ::open((files.path() / "in").c_str(), O_RDONLY);
  const int out = ::open((files.path() / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  EXPECT_TRUE(RunJsonl(in, out, options).has_value());
  ::close(in);
  ::close(out);
  return ReadFile(files.path() / "out");
}

TEST(RunJsonl, AnswersEachLineInOrder) {
  std::string requests, answers;
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(i);
    if (i % 3 == 0) {
      requests += "{\"id\":" + number + ",\n";
      answers += "{\"id\":" + number +
                 ",\"error\":{\"code\":\"syntax\",\"message\":\"$.id: the text ends inside an "
                 "object or array\",\"line\":1,\"column\":" +
                 std::to_string(8 + number.size()) + "}}\n";
    } else {
      requests += "{\"id\":" + number + ",\"expression\":\"n\",\"resource\":{\"n\":" + number + "}}\r\n\n";
      answers +=
          "{\"id\":" + number + ",\"result\":[{\"type\":\"System.Integer\",\"value\":" + number + "}]}\n";
    }
  }
  requests += "{\"id\":\"last\",\"expression\":\"{}\"}";  // without a newline
  answers += "{\"id\":\"last\",\"result\":[]}\n";
  EXPECT_EQ(AnswerAll(requests, TestOptions()), answers);
}

TEST(RunJsonl, RefusesALineThatIsTooLongAndGoesOn) {
  JsonlOptions options = TestOptions();
  options.max_line = 100;
  const std::string good = "{\"id\":1,\"expression\":\"{}\"}";
  EXPECT_EQ(AnswerAll(good + "\n" + std::string(600'000, 'x') + "\n" + good +
                          std::string(100 - good.size(), ' ') + "\n" + good + "\n" + std::string(101, 'y'),
                      options),
            "{\"id\":1,\"result\":[]}\n"
            "{\"id\":null,\"error\":{\"code\":\"execution\",\"message\":\"the line is longer than the limit "
            "of 100 bytes\"}}\n"
            "{\"id\":1,\"result\":[]}\n"
            "{\"id\":1,\"result\":[]}\n"
            "{\"id\":null,\"error\":{\"code\":\"execution\",\"message\":\"the line is longer than the limit "
            "of 100 bytes\"}}\n");
}

TEST(RunJsonl, DoesNotHoldAnswersBackWhileItWaits) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::thread server([&] {
    EXPECT_TRUE(RunJsonl(ends[1], ends[1], TestOptions()).has_value());
    ::close(ends[1]);
  });
  for (int i = 0; i < 3; ++i) {
    const std::string request = "{\"id\":" + std::to_string(i) + ",\"expression\":\"{}\"}\n";
    ASSERT_EQ(::write(ends[0], request.data(), request.size()), static_cast<ssize_t>(request.size()));
    std::string answer;
    char c = 0;
    while (c != '\n' && ::read(ends[0], &c, 1) == 1) answer += c;
    EXPECT_EQ(answer, "{\"id\":" + std::to_string(i) + ",\"result\":[]}\n");
  }
  ::shutdown(ends[0], SHUT_WR);
  server.join();
  ::close(ends[0]);
}

// One run of the command for each case; everything that people see, in one golden file.
TEST(FhirpathCommand, PrintsForPeople) {
  struct Case {
    std::string_view expression;
    std::string_view file = "patient.json";
    std::string_view context = "";
    bool trace = false, explain = false, lenient = false, colour = false;
  };
  const std::vector<Case> cases = {
      {.expression = "name.given"},
      {.expression = "name | id | name.given.count() | 1.50 'mg' | @2024-05-01 | now()"},
      {.expression = "name.where(family.exists()).given.trace('given').first().startsWith('P') and active",
       .trace = true},
      {.expression = "name.where(family.exists() and given = 'Peter').given.skip(1).upper()",
       .explain = true},
      {.expression = "(value as Quantity).value > 3.50 'mg' or iif(%resource is Observation, true, {})",
       .file = "",
       .explain = true},
      {.expression = "given.first() & family", .context = "name", .explain = true},
      {.expression = "birthDate"},
      {.expression = "name..given"},
      {.expression = "name.gvien\n  | name.familiy"},
      {.expression = "name.given.single()"},
      {.expression = "name.given", .context = "nam"},
      {.expression = "valueString", .lenient = true},
      {.expression = "a.b", .file = "plain.json"},
      {.expression = "1", .file = "broken.json"},
      {.expression = "1", .file = "none.json"},
      {.expression = "name.given.first()", .colour = true},
      {.expression = "birthDate", .colour = true},
      {.expression = "nam", .colour = true},
  };
  TempDir files;
  WriteFile(files.path() / "patient.json", kPatientFile);
  WriteFile(files.path() / "plain.json", R"({"a":[{"b":1.50},{"b":"x"}]})");
  WriteFile(files.path() / "broken.json", "{\n  \"a\": b}");
  std::string all;
  for (const Case& one : cases) {
    FhirpathArguments arguments;
    arguments.expression = one.expression;
    if (!one.file.empty()) arguments.file = (files.path() / one.file).string();
    arguments.context = one.context;
    arguments.trace = one.trace;
    arguments.explain = one.explain;
    arguments.lenient = one.lenient;
    arguments.colour = one.colour;
    arguments.now = *DateTime::ParseDateTime("2026-12-10T09:00:00.000+05:30");
    std::ostringstream out, err;
    const int code = EvaluateFhirpath(arguments, out, err);
    all += "=== " + std::string(one.expression) + "  " + std::string(one.file) + "\n" + out.str();
    if (!err.str().empty()) all += "--- errors\n" + err.str();
    all += "--- exit " + std::to_string(code) + "\n\n";
  }
  all = Replaced(std::move(all), files.path().string() + "/", "");
  ExpectGolden("tests/rules/golden/fhirpath_command.txt", Replaced(std::move(all), "\x1b", "<ESC>"));
}

TEST(AppendOneLine, DropsSpaceBetweenTokensOnly) {
  std::string out = ">";
  AppendOneLine("{ \"a b\" :\n[1,\r\n\t\"c\\\" d\" , null ] }", &out);
  EXPECT_EQ(out, ">{\"a b\":[1,\"c\\\" d\",null]}");
}

}  // namespace
}  // namespace stepwise::rules
