// The language end to end: text in, values or a message out. Functions have their own table
// (fhirpath_functions_test.cc), and the official suites run in tests/conformance.
#include "fhir/fhirpath/fhirpath.h"

#include <thread>

#include "fhir/fhirpath/ast.h"
#include "tests/testing.h"

namespace stepwise::fhirpath {
namespace {

constexpr const char* kBundle = R"({
  "resourceType": "Bundle", "type": "collection",
  "entry": [
    {"fullUrl": "https://ehr.example.org/Patient/p1", "resource": {
      "resourceType": "Patient", "id": "p1", "active": true, "birthDate": "1964-05-12", "gender": "female",
      "_gender": {"extension": [{"url": "http://example.org/why", "valueString": "asked"}]},
      "name": [{"use": "official", "family": "Example", "given": ["Ann", "Bea"]}, {"given": ["Annie"]}],
      "contact": [{"name": {"family": "Du"}, "gender": "male"}],
      "contained": [{"resourceType": "Organization", "id": "org", "name": "Clinic"}],
      "managingOrganization": {"reference": "#org"}}},
    {"fullUrl": "urn:uuid:1", "resource": {
      "resourceType": "Observation", "id": "o1", "status": "final",
      "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
      "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-11-19T08:00:00Z",
      "valueQuantity": {"value": 8, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"}}},
    {"resource": {
      "resourceType": "Observation", "id": "o2", "status": "preliminary",
      "code": {"text": "no code"}, "subject": {"reference": "https://ehr.example.org/Patient/p1"},
      "derivedFrom": [{"reference": "urn:uuid:1"}, {"reference": "Observation/none"}],
      "valueQuantity": {"value": 5, "comparator": "<", "unit": "mg"}}}
  ]})";

const Document& Bundle() {
  static const Document document = *Document::Parse(kBundle);
  return document;
}

const DateTime kNow = *DateTime::ParseDateTime("2026-11-20T09:00:00Z");

std::string Show(const Result<Items>& items) {
  if (!items) return "error " + std::string(CodeName(items.error().code)) + ": " + items.error().message;
  std::string out;
  for (const Item& item : *items) out += (out.empty() ? "" : ", ") + ValueText(item);
  return out;
}

std::string Answer(std::string_view expression,
                   const CompileOptions& options = {.context_type = types::kBundle}) {
  const auto program = Compile(expression, options);
  if (!program) return "compile " + program.error().ToString();
  Evaluation evaluation({.now = kNow});
  return Show(evaluation.Run(*program, Item::Of(Bundle().root(), types::kBundle)));
}

struct Row {
  const char* expression;
  const char* result;  // values joined by ", "
};

const Row kValues[] = {
    // Navigation.
    {"entry.resource.ofType(Patient).name.given", "Ann, Bea, Annie"},
    {"Bundle.entry.resource.ofType(Observation).value.ofType(Quantity).value", "8, 5"},
    {"entry.resource.id", "p1, o1, o2"},
    {"entry[0].resource.ofType(Patient).name[1].given", "Annie"},
    {"entry[7]", ""},
    {"entry.resource.ofType(Patient).contact.gender", "male"},
    {"entry.resource.ofType(Patient).gender.extension('http://example.org/why').value", "asked"},
    {"entry.resource.ofType(Patient).gender.hasValue()", "true"},
    // Three-valued logic.
    {"true and {}", ""},
    {"false and {}", "false"},
    {"{} and false", "false"},
    {"true or {}", "true"},
    {"{} or false", ""},
    {"{} xor true", ""},
    {"{} implies true", "true"},
    {"false implies {}", "true"},
    {"{} = {}", ""},
    {"{} ~ {}", "true"},
    {"{}.not()", ""},
    {"({} | {}).exists()", "false"},
    // Unknown is not false: a value below a bound has no order.
    {"entry.resource.ofType(Observation).where(value.ofType(Quantity) > 4 'mg').id", ""},
    {"@2014 > @2013-06", "true"},
    {"@2014-06 > @2014", ""},
    {"@2014-06-01T10:00 = @2014-06-01T10:00Z", ""},
    // Short-circuit: what comes after is never looked at.
    {"(1 | 'a' | 2).exists()", "true"},
    {"true or (1 | 2)", "true"},
    {"(1 | 2 | 3).all($this > 1)", "false"},
    {"iif(true, 1, 1 / 0)", "1"},
    // $this, $index, $total.
    {"(10 | 20 | 30).where($index > 0)", "20, 30"},
    {"(1 | 2).select($this * 2)", "2, 4"},
    {"(1 | 2 | 3).aggregate($total + $this, 0)", "6"},
    // References.
    {"entry.resource.ofType(Observation).subject.resolve().ofType(Patient).id", "p1, p1"},
    {"entry.resource.ofType(Observation).derivedFrom.resolve().id", "o1"},
    {"entry.resource.ofType(Patient).managingOrganization.resolve().ofType(Organization).name", "Clinic"},
    // Types.
    {"entry.resource.ofType(Patient).active is boolean", "true"},
    {"entry.resource.ofType(Patient).active is System.Boolean", "false"},
    {"1.type().name", "Integer"},
    {"entry.first().resource.type().name", "Patient"},
    // Variables of the chain.
    {"entry.resource.ofType(Patient).defineVariable('p').name.given.first() & ' ' & 'x'", "Ann x"},
    {"(1 | 2).defineVariable('n', $this).select(%n.count())", "2, 2"},
    // Order.
    {"(3 | 1 | 2).sort()", "1, 2, 3"},
    {"(3 | 1 | 2).sort($this desc)", "3, 2, 1"},
    {"entry.resource.ofType(Patient).name.sort(family).given.first()", "Annie"},
    {"(1 | 2 | 3 | 2).count()", "3"},
    {"1.combine(1).count()", "2"},
    {"(1 | 2 | 3).repeat(iif($this < 5, $this + 1, {})).count()", "4"},
    // Instances.
    {"Quantity { value: 5, unit: 'mg' }.value", "5"},
    {"Patient { name: HumanName { given: 'A' } }.name.given", "A"},
    // Constants.
    {"%loinc", "http://loinc.org"},
    {"%`vs-name`", "http://hl7.org/fhir/ValueSet/name"},
    {"now()", "2026-11-20T09:00:00Z"},
    {"today()", "2026-11-20"},
    // Integers overflow to nothing, not around.
    {"2147483647 + 1", ""},
    {"2147483647L + 1", "2147483648"},
    {"1 / 0", ""},
    {"5 mod 0", ""},
    {"-1.abs()", "-1"},
    {"(-1).abs()", "1"},
};

TEST(Fhirpath, Evaluates) {
  for (const Row& row : kValues) {
    const std::string got = Answer(row.expression);
    EXPECT_EQ(got, row.result) << row.expression;
  }
}

const Row kCompileErrors[] = {
    {"entry.resourc", "1:7: Bundle.entry has no element 'resourc' (did you mean 'resource'?)"},
    {"entry.resource.ofType(Patient).nam.given", "1:32: Patient has no element 'nam' (did you mean 'name'?)"},
    {"entry.resource.ofType(Observation).valueQuantity",
     "1:36: 'valueQuantity' is written value.ofType(Quantity) in FHIRPath"},
    {"entry.resource.ofType(Patint)", "1:23: FHIR 4.0.1 has no type 'Patint' (did you mean 'Patient'?)"},
    {"Patient.name", "1:1: the expression starts from Bundle, which is no Patient"},
    {"entry.where(resource.ofType(Patient).name.family)",
     "1:43: the criterion of where() must be true or false, and this is string; did you mean .exists()?"},
    {"entry.resource.ofType(Observation).value.ofType(Patient)", nullptr},
    {"entry.resource.ofType(Patient).children().first()",
     "1:43: first() asks for an order, and children() and descendants() have none"},
    {"entry.resource.ofType(Patient).name.startsWith('A')", "1:37: startsWith() does not work on HumanName"},
    {"today() + 7", "1:11: a number says not how long: write a duration such as 7 days"},
    {"today() > 7", "1:9: System.Date and System.Integer do not compare; compare values of one kind"},
    {"entry.frist()", "1:7: there is no function frist() (did you mean 'first'?)"},
    {"entry.take()", "1:7: take() takes 1 argument, not 0"},
    {"%pateint", "1:2: there is no variable %pateint"},
    {"1 +", "1:4: the expression ends; expected an expression"},
    {"1 + )", "1:5: unexpected ')'; expected an expression"},
    {"'abc", "1:1: no closing ' for the text that opens here"},
    {"@2014-13-01", "1:1: '2014-13-01' is not a date; expected @YYYY, @YYYY-MM or @YYYY-MM-DD"},
    {"name\n  .given[", "2:10: the expression ends; expected an expression"},
    {"#", "1:1: unexpected character '#'"},
    {"entry /* open", "1:7: a comment is not closed; expected */"},
};

TEST(Fhirpath, SaysWhatIsWrongBeforeRunning) {
  for (const Row& row : kCompileErrors) {
    const auto program = Compile(row.expression, {.context_type = types::kBundle});
    ASSERT_FALSE(program) << row.expression;
    if (row.result == nullptr) continue;
    EXPECT_EQ(program.error().ToString().substr(0, std::string(row.result).size()), row.result);
  }
}

TEST(Fhirpath, ReportsEverythingThatIsWrongInTextOrder) {
  std::optional<Program> program;
  const auto diagnostics =
      Check("entry.resourc.exists() and entry.frist()", {.context_type = types::kBundle}, &program);
  ASSERT_EQ(diagnostics.size(), 2u);
  EXPECT_EQ(diagnostics[0].error.span.column, 7u);
  EXPECT_EQ(diagnostics[1].error.span.column, 34u);
  EXPECT_FALSE(program);
  EXPECT_EQ(CaretLines("entry.resourc", diagnostics[0].error.span), "entry.resourc\n      ^~~~~~~");
}

TEST(Fhirpath, LenientTurnsWhatOthersAcceptIntoWarnings) {
  const CompileOptions options{.context_type = types::kBundle, .lenient = true};
  EXPECT_EQ(Answer("entry.resource.ofType(Observation).valueQuantity.value", options), "8, 5");
  EXPECT_EQ(Answer("entry.nothing", options), "");
  const auto program = Compile("entry.nothing", options);
  ASSERT_TRUE(program);
  EXPECT_EQ(program->warnings().size(), 1u);
}

TEST(Fhirpath, PlacesErrorsInTheFileTheTextStandsIn) {
  const auto program = Compile(
      "entry.x", {.context_type = types::kBundle, .origin = {.file = "rule.yaml", .line = 12, .column = 9}});
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().ToString().substr(0, 16), "rule.yaml:12:15:");
}

const Row kRunErrors[] = {
    {"(1 | 2) + 1", "error semantic: the operand of '+' must be one item, and there are several"},
    {"entry.single()", "error semantic: single() wants at most one item, and there are 3"},
    {"iif(true, 1, 'b') < 'a'", "error semantic: System.Integer and System.String do not compare"},
    {"@1973-12-25 + 1 'a'",
     "error semantic: a System.Date takes calendar units (years, months, days, ...), not 'a'"},
    {"1.repeat($this + 1)", "error limit: "},
};

TEST(Fhirpath, StopsWithAMessageWhereARunCannotGoOn) {
  for (const Row& row : kRunErrors) {
    EXPECT_EQ(Answer(row.expression).substr(0, std::string(row.result).size()), row.result) << row.expression;
  }
}

TEST(Fhirpath, KeepsToItsLimits) {
  // Text: length and nesting.
  EXPECT_EQ(Compile(std::string(70'000, ' ') + "1").error().code, Code::kLimit);
  EXPECT_EQ(Compile(std::string(10'000, '(') + "1" + std::string(10'000, ')')).error().code, Code::kLimit);
  EXPECT_EQ(Compile(std::string(10'000, '-') + "1").error().code, Code::kLimit);
  std::string chain = "1";
  for (int i = 0; i < 10'000; ++i) chain += "+1";
  EXPECT_EQ(Compile(chain).error().code, Code::kLimit);
  // Runs: steps, items, recursion, text, regular expressions.
  const auto limited = [](std::string_view expression, EvaluationLimits limits) {
    Evaluation evaluation({.now = kNow, .limits = limits});
    const auto items = evaluation.Run(*Compile(expression), Item::Of(Bundle().root(), types::kBundle));
    return items ? std::string("no error") : std::string(CodeName(items.error().code));
  };
  EXPECT_EQ(limited("descendants().count()", {.max_steps = 20}), "limit");
  EXPECT_EQ(limited("1.repeatAll($this)", {.max_items = 100}), "limit");
  EXPECT_EQ(limited("((((1))))+(1+(1+(1+1)))", {.max_recursion = 3}), "limit");
  EXPECT_EQ(limited("'aaaaaaaa' + 'bbbbbbbb'", {.max_string = 10}), "limit");
  EXPECT_EQ(limited("'a'.matches('aaaaaaaaaa')", {.max_regex = 5}), "limit");
  EXPECT_EQ(limited("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')", {}), "no error");
}

std::int64_t SlowClock() {
  static thread_local std::int64_t now = 0;
  return now += 1'000'000'000;
}

TEST(Fhirpath, KeepsToItsTime) {
  Evaluation evaluation({.now = kNow, .clock = SlowClock});
  const auto items = evaluation.Run(
      *Compile(
          "descendants().select(%resource.descendants().select(%resource.descendants().count())).count()"),
      Item::Of(Bundle().root(), types::kBundle));
  ASSERT_FALSE(items);
  EXPECT_EQ(items.error().code, Code::kLimit);
}

TEST(Fhirpath, RemembersWhatDecided) {
  Evaluation evaluation({.now = kNow, .track_sources = true});
  const auto sources = [&](std::string_view expression) {
    evaluation.ClearSources();
    const auto items = evaluation.Run(*Compile(expression, {.context_type = types::kBundle}),
                                      Item::Of(Bundle().root(), types::kBundle));
    EXPECT_TRUE(items) << expression;
    std::string out;
    for (const Node node : evaluation.sources()) out += node.PathInResource() + " ";
    return out;
  };
  // Only what a filter let through counts.
  EXPECT_EQ(sources("entry.resource.ofType(Observation).where(status = 'final').exists()"),
            "Observation.status Observation ");
  EXPECT_EQ(sources("entry.resource.ofType(Observation).exists(status = 'amended')"), "");
  EXPECT_EQ(sources("entry.resource.ofType(Patient).birthDate <= today()"), "Patient.birthDate ");
}

// A value set of one code, and a terminology that knows just that.
class OneCode : public ValueSet, public Terminology {
 public:
  Membership Contains(std::string_view system, std::string_view code) const override {
    if (!system.empty() && system != "http://loinc.org") return Membership::kUnknown;
    return code == "72514-3" ? Membership::kIn : Membership::kOut;
  }
  bool IsAbout(std::string_view system) const override { return system == "http://loinc.org"; }
  const ValueSet* FindValueSet(std::string_view name) const override {
    return name == "pain" ? this : nullptr;
  }
  Membership Subsumes(std::string_view, std::string_view, std::string_view) const override {
    return Membership::kUnknown;
  }
};

TEST(Fhirpath, MembershipHasThreeAnswers) {
  const OneCode terminology;
  const CompileOptions options{.context_type = types::kBundle, .terminology = &terminology};
  Evaluation evaluation({.now = kNow});
  const auto answer = [&](std::string_view expression) {
    evaluation.ClearSources();
    const auto program = Compile(expression, options);
    if (!program) return program.error().message;
    return Show(evaluation.Run(*program, Item::Of(Bundle().root(), types::kBundle)));
  };
  EXPECT_EQ(answer("entry.resource.ofType(Observation).first().code.memberOf('pain')"), "true");
  EXPECT_TRUE(evaluation.unknowns().empty());
  EXPECT_EQ(answer("'1'.memberOf('pain')"), "false");
  // A concept with text only is neither in nor out, and the reason is kept.
  EXPECT_EQ(answer("entry.resource.ofType(Observation).last().code.memberOf('pain')"), "");
  ASSERT_EQ(evaluation.unknowns().size(), 1u);
  EXPECT_EQ(answer("code.memberOf('pian')"), "Bundle has no element 'code'");
  EXPECT_EQ(answer("'1'.memberOf('pian')"), "there is no value set 'pian'");
}

// %who is known, %maybe is not.
class TwoVariables : public VariableScope, public VariableSource {
 public:
  std::optional<Variable> Find(std::string_view name) const override {
    if (name == "who") return Variable{1, {.type = types::kPatient, .many = false}};
    if (name == "maybe") return Variable{2, {}};
    if (name == "p.days") return Variable{3, {.type = types::kSystemQuantity, .many = false}};
    return std::nullopt;
  }
  std::vector<std::string> Names() const override { return {"who", "maybe", "p.days"}; }
  Result<Items> Get(int slot, Evaluation& evaluation) override {
    ++calls[slot];
    if (slot == 2) {
      evaluation.MarkUnknown("maybe was not supplied");
      return Items{};
    }
    const Item item = slot == 1 ? Item::Of(Bundle().node(Bundle().resources()[1]), types::kPatient)
                                : Item::Quantity(Decimal(7), evaluation.KeepUnit("days", true));
    return evaluation.Keep(Items(&item, 1));
  }
  int calls[4] = {};
};

TEST(Fhirpath, AsksForVariablesWhenTheyAreNeeded) {
  TwoVariables variables;
  const CompileOptions options{.variables = &variables};
  Evaluation evaluation({.now = kNow, .variables = &variables});
  const auto run = [&](std::string_view expression) {
    evaluation.ClearSources();
    const auto program = Compile(expression, options);
    if (!program) return "compile " + program.error().ToString();
    return Show(evaluation.Run(*program));
  };
  EXPECT_EQ(run("%who.name.family"), "Example");
  EXPECT_EQ(run("today() - %p.days"), "2026-11-13");
  EXPECT_EQ(run("false and %maybe.exists()"), "false");
  EXPECT_EQ(variables.calls[2], 0);
  EXPECT_EQ(run("%maybe.exists()"), "false");
  ASSERT_EQ(evaluation.unknowns().size(), 1u);
  EXPECT_EQ(evaluation.unknowns()[0], "maybe was not supplied");
  EXPECT_EQ(run("%who.nam"), "compile 1:6: Patient has no element 'nam' (did you mean 'name'?)");
  EXPECT_EQ(run("%whom"), "compile 1:2: there is no variable %whom (did you mean 'who'?)");
  EXPECT_EQ(run("%p.day"), "compile 1:4: there is no variable %p.day (did you mean 'p.days'?)");
  const auto program = Compile("%who.exists() and %maybe.exists()", options);
  ASSERT_EQ(program->variables().size(), 2u);
}

TEST(Fhirpath, NavigatesPlainJson) {
  const Document document = *Document::Parse(
      R"({"order":{"lines":[{"qty":2},{"qty":3.50}],"Patient":"x"},"patient":{"resourceType":"Patient","id":"p"}})");
  Evaluation evaluation({.now = kNow});
  const auto run = [&](std::string_view expression) {
    const auto program = Compile(expression);
    return program ? Show(evaluation.Run(*program, Item::Of(document.root(), types::kNone)))
                   : program.error().ToString();
  };
  EXPECT_EQ(run("order.lines.qty"), "2, 3.50");
  EXPECT_EQ(run("order.lines.qty.sum()"), "5.50");
  EXPECT_EQ(run("order.lines.qty.first() is Integer"), "true");
  EXPECT_EQ(run("patient.ofType(Patient).id"), "p");
}

TEST(Fhirpath, ParsesByPrecedence) {
  const Row rows[] = {
      {"1 + 2 * 3", "(+ 1 (* 2 3))"},          {"a.b = 1 and c or d", "(or (and (= (. a b) 1) c) d)"},
      {"-1.abs()", "(unary- (abs 1))"},        {"a is B and c", "(and (is a B) c)"},
      {"a | b > c", "(> (| a b) c)"},          {"a implies b implies c", "(implies (implies a b) c)"},
      {"a in b = c", "(in a (= b c))"},        {"4 days", "(quantity 4 days)"},
      {"a.where(x)[0]", "([] (where a x) 0)"}, {"`div`.contains", "(. div contains)"}};
  for (const Row& row : rows) {
    const auto ast = Parse(row.expression);
    ASSERT_TRUE(ast) << row.expression << ": " << ast.error().ToString();
    EXPECT_EQ(ToText(**ast), row.result) << row.expression;
  }
}

TEST(FhirpathConcurrency, OneProgramRunsInEightThreads) {
  const auto program = Compile(
      "entry.resource.ofType(Observation).where(subject.resolve().ofType(Patient).name.exists()).count() = 2",
      {.context_type = types::kBundle});
  ASSERT_TRUE(program);
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Evaluation evaluation({.now = kNow, .track_sources = true});
      for (int i = 0; i < 200; ++i) {
        evaluation.Reset(kNow);
        const auto answer = evaluation.RunBoolean(*program, Item::Of(Bundle().root(), types::kBundle));
        if (!answer || answer->value_or(false) != true) ++wrong[static_cast<std::size_t>(t)];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace stepwise::fhirpath
