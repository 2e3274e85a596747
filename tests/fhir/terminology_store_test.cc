#include "fhir/terminology_store.h"

#include <gmock/gmock.h>

#include "fhir/fhirpath/fhirpath.h"
#include "tests/testing.h"

namespace stepwise {
namespace {

using ::testing::HasSubstr;

Document MustParse(std::string text) {
  auto document = Document::Parse(std::move(text));
  EXPECT_TRUE(document) << document.error().ToString() << "\n" << text;
  return std::move(*document);
}

// A Bundle of the resources, which stand with commas between them.
std::string BundleOf(std::string_view resources) {
  std::string out = R"({"resourceType":"Bundle","type":"collection","entry":[)";
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const char c = resources[i];
    if (c == '\\' && in_string) {
      out += c;
      out += resources[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (!in_string && c == '{' && depth++ == 0) out += R"({"resource":)";
    out += c;
    if (!in_string && c == '}' && --depth == 0) out += '}';
  }
  return out + "]}";
}

Result<TerminologyStore> TryBuild(std::string_view resources, const TerminologyLimits& limits = {}) {
  const Document document = MustParse(BundleOf(resources));
  return TerminologyStore::Build(document, limits);
}
TerminologyStore Build(std::string_view resources) {
  auto store = TryBuild(resources);
  EXPECT_TRUE(store) << store.error().ToString();
  return std::move(*store);
}

std::vector<std::string> Words(std::string_view text, char separator = ' ') {
  std::vector<std::string> words;
  while (!text.empty()) {
    words.emplace_back(text.substr(0, text.find(separator)));
    text.remove_prefix(std::min(text.size(), words.back().size() + 1));
  }
  return words;
}

std::string Text(Membership m) {
  return m == Membership::kIn ? "in" : m == Membership::kOut ? "out" : "unknown";
}

// Animals: a complete tree; Colours: nested, with two parents and properties; Part: a fragment;
// Units: no word on case; Tags: case does not count; Areas: part-of; Grammar: complete, but compositional.
constexpr std::string_view kSystems = R"(
{"resourceType":"CodeSystem","url":"urn:animals","version":"2.0","content":"complete","caseSensitive":true,
 "hierarchyMeaning":"is-a","valueSet":"urn:vs:all-animals","property":[{"code":"legs","type":"integer"},
  {"code":"inactive","uri":"http://hl7.org/fhir/concept-properties#inactive","type":"boolean"},
  {"code":"upper","uri":"http://hl7.org/fhir/concept-properties#parent","type":"code"},
  {"code":"eats","type":"code"},{"code":"like","type":"Coding"}],
 "concept":[{"code":"animal","concept":[
  {"code":"mammal","concept":[{"code":"dog","property":[{"code":"legs","valueInteger":4},{"code":"eats","valueCode":"cow"}]},
                              {"code":"cow","property":[{"code":"legs","valueDecimal":4.0}]},
                              {"code":"bat","property":[{"code":"legs","valueInteger":2},{"code":"upper","valueCode":"flyer"},
                                                         {"code":"like","valueCoding":{"system":"urn:tags","code":"night"}}]}]},
  {"code":"flyer","concept":[{"code":"gull","property":[{"code":"legs","valueInteger":2}]}]},
  {"code":"dodo","property":[{"code":"inactive","valueBoolean":true}]}]}]},
{"resourceType":"CodeSystem","url":"urn:animals","version":"1.10","content":"complete","caseSensitive":true,
 "concept":[{"code":"animal","concept":[{"code":"unicorn"}]}]},
{"resourceType":"CodeSystem","url":"urn:part","content":"fragment","caseSensitive":true,
 "concept":[{"code":"a","concept":[{"code":"b"}]},{"code":"c","property":[{"code":"parent","valueCode":"not-listed"}]}]},
{"resourceType":"CodeSystem","url":"urn:units","content":"complete","concept":[{"code":"mg"},{"code":"kg"}]},
{"resourceType":"CodeSystem","url":"urn:case","content":"complete","concept":[{"code":"g"},{"code":"G"}]},
{"resourceType":"CodeSystem","url":"urn:tags","content":"complete","caseSensitive":false,
 "concept":[{"code":"Night","concept":[{"code":"Dusk"}]},{"code":"Day"}]},
{"resourceType":"CodeSystem","url":"urn:areas","content":"complete","caseSensitive":true,"hierarchyMeaning":"part-of",
 "concept":[{"code":"body","concept":[{"code":"arm"}]}]},
{"resourceType":"CodeSystem","url":"urn:flat","content":"complete","caseSensitive":true,"hierarchyMeaning":"is-a",
 "concept":[{"code":"x"},{"code":"y"}]},
{"resourceType":"CodeSystem","url":"urn:child","content":"complete","caseSensitive":true,
 "concept":[{"code":"x","property":[{"code":"child","valueCode":"y"}]},{"code":"y"},{"code":"z"}]},
{"resourceType":"CodeSystem","url":"urn:grammar","content":"complete","compositional":true,"caseSensitive":true,
 "concept":[{"code":"1"},{"code":"2"}]},
{"resourceType":"CodeSystem","url":"urn:empty","content":"not-present","caseSensitive":true}
)";

struct SubsumesRow {
  const char *system, *ancestor, *code, *answer;
};
const SubsumesRow kSubsumes[] = {
    {"urn:animals", "animal", "dog", "in"},
    {"urn:animals", "mammal", "dog", "in"},
    {"urn:animals", "dog", "dog", "in"},
    {"urn:animals", "dog", "mammal", "out"},
    {"urn:animals", "flyer", "dog", "out"},
    {"urn:animals", "flyer", "bat", "in"},   // by a property that is declared as parent
    {"urn:animals", "mammal", "bat", "in"},  // and by nesting
    {"urn:animals", "animal", "bat", "in"},
    {"urn:animals", "animal", "griffin", "unknown"},
    {"urn:animals", "griffin", "griffin", "unknown"},
    {"urn:animals", "Animal", "dog", "unknown"},
    {"urn:animals", "animal", "unicorn", "unknown"},  // the newest version counts: 2.0, not 1.10
    {"urn:animals|1.10", "animal", "unicorn", "in"},
    {"urn:animals|3.0", "animal", "dog", "unknown"},
    {"urn:part", "a", "b", "in"},
    {"urn:part", "b", "a", "unknown"},
    {"urn:part", "a", "c", "unknown"},
    {"urn:part", "not-listed", "c", "in"},
    {"urn:part", "a", "zz", "unknown"},
    {"urn:tags", "NIGHT", "dusk", "in"},
    {"urn:tags", "day", "DUSK", "out"},
    {"urn:areas", "body", "arm", "unknown"},
    {"urn:areas", "arm", "arm", "in"},
    {"urn:flat", "x", "y", "unknown"},  // says is-a, shows nothing of it
    {"urn:units", "mg", "kg", "out"},   // a flat list
    {"urn:units", "MG", "mg", "unknown"},
    {"urn:child", "x", "y", "in"},
    {"urn:child", "x", "z", "out"},
    {"urn:grammar", "1", "2", "unknown"},
    {"urn:empty", "1", "2", "unknown"},
    {"urn:nowhere", "1", "1", "in"},
    {"urn:nowhere", "1", "2", "unknown"},
    {"", "1", "2", "unknown"},
};

TEST(TerminologyStore, Subsumes) {
  const TerminologyStore store = Build(kSystems);
  for (const SubsumesRow& row : kSubsumes) {
    EXPECT_EQ(Text(store.Subsumes(row.system, row.ancestor, row.code)), row.answer)
        << row.system << " " << row.ancestor << " " << row.code;
  }
}

TEST(TerminologyStore, LongChainsAndManyPathsAreWalkedOnce) {
  std::string concepts = R"({"code":"0"})";
  for (int i = 1; i < 2000; ++i) {
    const std::string one = std::to_string(i - 1), two = std::to_string(i > 1 ? i - 2 : 0);
    concepts += R"(,{"code":")" + std::to_string(i) + R"(","property":[{"code":"parent","valueCode":")" +
                one + R"("},{"code":"parent","valueCode":")" + two + R"("}]})";
  }
  const TerminologyStore store = Build(
      R"({"resourceType":"CodeSystem","url":"urn:long","content":"complete","concept":[)" + concepts + "]}");
  EXPECT_EQ(Text(store.Subsumes("urn:long", "0", "1999")), "in");
  EXPECT_EQ(Text(store.Subsumes("urn:long", "1999", "0")), "out");
}

// Codes: "system code" or a bare "code"; `in`, `out`, `unknown`: codes with that answer.
struct SetRow {
  const char* what;
  const char* content;  // of the value set, without its braces
  const char *in, *out, *unknown;
};
const SetRow kSets[] = {
    {"a list", R"("compose":{"include":[{"system":"urn:nowhere","concept":[{"code":"1"},{"code":"2"}]}]})",
     "urn:nowhere 1;urn:nowhere 2;1", "urn:nowhere 3;3", "urn:other 1"},
    {"a whole system", R"("compose":{"include":[{"system":"urn:animals"}]})", "urn:animals dog;dog",
     "urn:animals griffin;griffin;urn:animals Dog", "urn:other dog"},
    {"a whole system in another version",
     R"("compose":{"include":[{"system":"urn:animals","version":"1.10"}]})", "urn:animals unicorn",
     "urn:animals dog", ""},
    {"any version (R5)", R"("compose":{"include":[{"system":"urn:animals","version":"*"}]})",
     "urn:animals dog", "", ""},
    {"a version that is not at hand", R"("compose":{"include":[{"system":"urn:animals","version":"9"}]})", "",
     "", "urn:animals dog;dog"},
    {"a list of a version that is not at hand",
     R"("compose":{"include":[{"system":"urn:animals","version":"9","concept":[{"code":"cat"}]}]})",
     "urn:animals cat", "urn:animals dog", ""},
    {"a whole system that is not at hand", R"("compose":{"include":[{"system":"urn:nowhere"}]})", "", "",
     "urn:nowhere 1;1"},
    {"a whole fragment", R"("compose":{"include":[{"system":"urn:part"}]})",
     "urn:part a;urn:part not-listed;b", "", "urn:part zz;zz"},
    {"a system with a grammar", R"("compose":{"include":[{"system":"urn:grammar"}]})", "urn:grammar 1", "",
     "urn:grammar 1+2"},
    {"a list of a fragment", R"("compose":{"include":[{"system":"urn:part","concept":[{"code":"zz"}]}]})",
     "urn:part zz", "urn:part a", ""},

    {"union",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}]},{"system":"urn:x","concept":[{"code":"2"}]},
      {"system":"urn:y","concept":[{"code":"3"}]}]})",
     "urn:x 1;urn:x 2;urn:y 3;3", "urn:x 3;urn:y 1;4", ""},
    {"union with something unknown",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}]},{"system":"urn:x"}]})", "urn:x 1;1",
     "", "urn:x 2;2"},
    {"exclude", R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"},{"code":"2"}]}],
      "exclude":[{"system":"urn:x","concept":[{"code":"2"}]},{"system":"urn:y","concept":[{"code":"1"}]}]})",
     "urn:x 1;1", "urn:x 2;2", "urn:y 1;urn:y 2"},
    {"exclude from what is unknown",
     R"("compose":{"include":[{"system":"urn:x"}],"exclude":[{"system":"urn:x","concept":[{"code":"2"}]}]})",
     "", "urn:x 2;2", "urn:x 1;1"},
    {"exclude what is unknown",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}]}],"exclude":[{"system":"urn:x"}]})",
     "", "urn:x 2;2", "urn:x 1;1"},
    {"exclude in a system",
     R"("compose":{"include":[{"system":"urn:animals"}],"exclude":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"mammal"}]}]})",
     "urn:animals gull", "urn:animals dog;urn:animals mammal;urn:animals griffin", ""},

    {"import", R"("compose":{"include":[{"valueSet":["urn:vs:one-two"]}]})", "urn:x 1;1", "urn:x 3;3",
     "urn:y 1"},
    {"import of a version", R"("compose":{"include":[{"valueSet":["urn:vs:one-two|1.0"]}]})", "urn:x 1",
     "urn:x 3", ""},
    {"import of a version that is not at hand",
     R"("compose":{"include":[{"valueSet":["urn:vs:one-two|2.0"]}]})", "", "", "urn:x 1;urn:x 3;3"},
    {"import of what is not at hand, and a list",
     R"("compose":{"include":[{"valueSet":["urn:vs:nowhere"]},{"system":"urn:x","concept":[{"code":"1"}]}]})",
     "urn:x 1;1", "", "urn:x 2;urn:y 1;2"},
    {"intersection of imports",
     R"("compose":{"include":[{"valueSet":["urn:vs:one-two","urn:vs:two-three"]}]})", "urn:x 2;2",
     "urn:x 1;urn:x 3;urn:z 2;1", "urn:y 2"},
    {"intersection with a list",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"},{"code":"9"}],"valueSet":["urn:vs:one-two"]}]})",
     "urn:x 1", "urn:x 2;urn:x 9", ""},
    {"intersection with what is not at hand",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}],"valueSet":["urn:vs:nowhere"]}]})",
     "", "urn:x 2;2", "urn:x 1;1"},
    {"union of imports",
     R"("compose":{"include":[{"valueSet":["urn:vs:one-two"]},{"valueSet":["urn:vs:two-three"]}]})",
     "urn:x 1;urn:x 2;urn:x 3;urn:z 2", "urn:x 4;urn:z 1", "urn:y 1"},
    {"exclude an import",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"},{"code":"3"}]}],"exclude":[{"valueSet":["urn:vs:one-two"]}]})",
     "urn:x 3", "urn:x 1", ""},
    {"exclude an import that is not at hand",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}]}],"exclude":[{"valueSet":["urn:vs:nowhere"]}]})",
     "", "urn:x 2", "urn:x 1"},
    {"import of all codes of a system", R"("compose":{"include":[{"valueSet":["urn:vs:all-animals"]}]})",
     "urn:animals dog", "urn:animals griffin", ""},

    {"case counts", R"("compose":{"include":[{"system":"urn:animals","concept":[{"code":"dog"}]}]})",
     "urn:animals dog", "urn:animals DOG", ""},
    {"case does not count",
     R"("compose":{"include":[{"system":"urn:tags","concept":[{"code":"nIGHt"}]}],"exclude":[{"system":"urn:tags","concept":[{"code":"DAY"}]}]})",
     "urn:tags Night;urn:tags NIGHT;night", "urn:tags day;urn:tags dusk", ""},
    {"nobody says whether case counts",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"mg"}]}]})", "urn:x mg", "urn:x kg",
     "urn:x MG;Mg"},
    {"nobody says, and the system is at hand", R"("compose":{"include":[{"system":"urn:units"}]})",
     "urn:units mg", "urn:units g", "urn:units MG"},
    {"two codes show that case counts",
     R"("compose":{"include":[{"system":"urn:case","concept":[{"code":"g"}]}]})", "urn:case g", "urn:case G",
     ""},
    {"two listed codes show that case counts",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"ml"},{"code":"mL"}]}]})",
     "urn:x ml;urn:x mL", "urn:x ML", ""},

    {"inactive codes are left out",
     R"("compose":{"inactive":false,"include":[{"system":"urn:animals"},{"system":"urn:x","concept":[{"code":"1"}]}]})",
     "urn:animals dog;urn:x 1", "urn:animals dodo", ""},
    {"inactive codes are in", R"("compose":{"inactive":true,"include":[{"system":"urn:animals"}]})",
     "urn:animals dodo", "", ""},

    {"expansion",
     R"("expansion":{"timestamp":"2024-01-01","total":5,"contains":[{"system":"urn:x","code":"1","contains":[
       {"system":"urn:x","code":"2","inactive":true},{"system":"urn:x","abstract":true,"code":"group","contains":[{"system":"urn:y","code":"3"}]}]},{"display":"heading"}]})",
     "urn:x 1;urn:x 2;urn:y 3;3", "urn:x group;urn:x 4;urn:y 1", "urn:z 1"},
    {"expansion before compose", R"("expansion":{"contains":[{"system":"urn:x","code":"1"}]},
      "compose":{"include":[{"system":"urn:x","concept":[{"code":"2"}]},{"system":"urn:y","filter":[{"property":"p","op":"=","value":"v"}]}]})",
     "urn:x 1", "urn:x 2;urn:y 1;2", "urn:z 1"},
    {"a part of an expansion", R"("expansion":{"total":2,"contains":[{"system":"urn:x","code":"1"}]})",
     "urn:x 1;1", "", "urn:x 2;2"},
    {"a part of an expansion, and compose",
     R"("expansion":{"total":9,"contains":[{"system":"urn:animals","code":"griffin"}]},
      "compose":{"include":[{"system":"urn:animals"}]})",
     "urn:animals griffin;urn:animals dog", "urn:animals Dog", ""},
    {"a later page", R"("expansion":{"offset":10,"contains":[{"system":"urn:x","code":"1"}]})", "urn:x 1", "",
     "urn:x 2"},
    {"a first page",
     R"("expansion":{"parameter":[{"name":"count","valueInteger":1}],"contains":[{"system":"urn:x","code":"1"}]})",
     "urn:x 1", "", "urn:x 2"},
    {"a page that is all",
     R"("expansion":{"parameter":[{"name":"count","valueInteger":9}],"contains":[{"system":"urn:x","code":"1"}]})",
     "urn:x 1", "urn:x 2", ""},
    {"active codes only",
     R"("expansion":{"parameter":[{"name":"activeOnly","valueBoolean":true}],"contains":[{"system":"urn:x","code":"1"}]})",
     "urn:x 1", "", "urn:x 2"},
    {"too costly to expand",
     R"("expansion":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-toocostly","valueBoolean":true}],
      "contains":[{"system":"urn:x","code":"1"}]})",
     "urn:x 1", "", "urn:x 2"},
    {"empty expansion", R"("expansion":{"total":0})", "", "1", "urn:x 1"},
    {"neither", R"("status":"draft")", "", "", "urn:x 1;1"},
    {"a modifier",
     R"("compose":{"include":[{"system":"urn:x","concept":[{"code":"1"}],"modifierExtension":[{"url":"urn:e"}]}]})",
     "", "", "urn:x 1;urn:x 2;1"},
};

constexpr std::string_view kImports = R"(,
{"resourceType":"ValueSet","url":"urn:vs:two-three","compose":{"include":[{"system":"urn:x","concept":[{"code":"2"},{"code":"3"}]},
  {"system":"urn:z","concept":[{"code":"2"}]}]}},
{"resourceType":"ValueSet","url":"urn:vs:one-two","version":"1.0","compose":{"include":[{"system":"urn:x","concept":[{"code":"1"},{"code":"2"}]}]}}
)";

void ExpectAnswers(const ValueSet& set, std::string_view codes, std::string_view answer,
                   std::string_view what) {
  for (const std::string& one : Words(codes, ';')) {
    const std::size_t blank = one.find(' ');
    const std::string system = blank == std::string::npos ? "" : one.substr(0, blank);
    const std::string code = blank == std::string::npos ? one : one.substr(blank + 1);
    EXPECT_EQ(Text(set.Contains(system, code)), answer) << what << ": " << one;
    EXPECT_EQ(set.WhyUnknown(system, code).empty(), answer != "unknown") << what << ": " << one;
  }
}

TEST(TerminologyStore, ValueSetsHaveThreeAnswers) {
  // All in one store, the rows' sets before what they import.
  std::string resources;
  int number = 0;
  for (const SetRow& row : kSets) {
    resources += R"({"resourceType":"ValueSet","url":"urn:vs:row)" + std::to_string(number++) + "\"," +
                 row.content + "},";
  }
  const TerminologyStore store = Build(resources + std::string(kSystems) + std::string(kImports));
  number = 0;
  for (const SetRow& row : kSets) {
    const ValueSet* set = store.FindValueSet("urn:vs:row" + std::to_string(number++));
    ASSERT_NE(set, nullptr);
    ExpectAnswers(*set, row.in, "in", row.what);
    ExpectAnswers(*set, row.out, "out", row.what);
    ExpectAnswers(*set, row.unknown, "unknown", row.what);
  }
}

// Filters: members among the codes of the system, `?` before those that are unknown; then the note, if any.
struct FilterRow {
  const char *system, *filters;
  const char* members;
  const char* note;
};
const FilterRow kFilters[] = {
    {"urn:animals", "concept is-a mammal", "mammal dog cow bat", ""},
    {"urn:animals", "code is-a mammal", "mammal dog cow bat", ""},
    {"urn:animals", "concept descendent-of mammal", "dog cow bat", ""},
    {"urn:animals", "concept is-not-a mammal", "animal flyer gull dodo", ""},
    {"urn:animals", "concept child-of animal", "mammal flyer dodo", ""},
    {"urn:animals", "concept descendent-leaf animal", "dog cow bat gull dodo", ""},
    {"urn:animals", "concept generalizes bat", "animal mammal bat flyer", ""},
    {"urn:animals", "concept = dog", "dog", ""},
    {"urn:animals", "concept in dog, gull,nothing", "dog gull", ""},
    {"urn:animals", "concept not-in dog,gull,bat,cow", "animal mammal flyer dodo", ""},
    {"urn:animals", "concept regex .*o.", "dog cow", ""},
    {"urn:animals", "concept regex ^d.*", "dog dodo", ""},
    {"urn:animals", "legs = 4", "dog cow", ""},
    {"urn:animals", "legs = 2.0", "bat gull", ""},
    {"urn:animals", "legs exists true", "dog cow bat gull", ""},
    {"urn:animals", "legs exists false", "animal mammal flyer dodo", ""},
    {"urn:animals", "legs in 2,4", "dog cow bat gull", ""},
    {"urn:animals", "inactive = true", "dodo", ""},
    {"urn:animals", "inactive = false", "animal mammal dog cow bat flyer gull", ""},
    {"urn:animals", "notSelectable = true", "", ""},
    {"urn:animals", "upper = flyer", "bat gull", ""},  // declared as parent
    {"urn:animals", "parent = mammal", "dog cow bat", ""},
    {"urn:animals", "child = bat", "mammal flyer", ""},
    {"urn:animals", "eats is-a mammal", "dog", ""},
    {"urn:animals", "like = night", "bat", ""},
    {"urn:animals", "like = urn:tags|night", "bat", ""},
    {"urn:animals", "concept is-a mammal;concept is-a flyer", "bat", ""},
    {"urn:animals", "concept is-a mammal;wings = 2", "?mammal ?dog ?cow ?bat", "has no property 'wings'"},
    {"urn:animals", "concept isa mammal", "?animal ?mammal ?dog ?cow ?bat ?flyer ?gull ?dodo",
     "did you mean 'is-a'?"},
    {"urn:animals", "concept is-a cat", "?animal ?mammal ?dog ?cow ?bat ?flyer ?gull ?dodo",
     "has no concept 'cat'"},
    {"urn:animals", "concept regex (?=a).*", "?animal ?mammal ?dog ?cow ?bat ?flyer ?gull ?dodo",
     "cannot be used"},
    {"urn:animals", "legs exists maybe", "?animal ?mammal ?dog ?cow ?bat ?flyer ?gull ?dodo",
     "true or false"},
    {"urn:areas", "concept is-a body", "?body ?arm", "what subsumes what"},
    {"urn:part", "concept is-a a", "a b ?c ?not-listed", "content is fragment"},
    {"urn:part", "concept is-not-a a", "?c ?not-listed", ""},
    {"urn:part", "concept = b", "b", ""},
    {"urn:part", "parent exists true", "b c ?a ?not-listed", ""},
    {"urn:tags", "concept is-a night", "Night Dusk", ""},
    {"urn:tags", "concept in DAY,dusk", "Dusk Day", ""},
    {"urn:empty", "concept is-a x", "", "no concept 'x' at hand"},
};

std::string_view CodesOf(std::string_view system) {
  if (system == "urn:animals") return "animal mammal dog cow bat flyer gull dodo";
  if (system == "urn:part") return "a b c not-listed";
  if (system == "urn:tags") return "Night Dusk Day";
  return system == "urn:areas" ? "body arm" : "";
}

TEST(TerminologyStore, Filters) {
  for (const FilterRow& row : kFilters) {
    std::string filters;
    for (const std::string& one : Words(row.filters, ';')) {
      const std::size_t a = one.find(' '), b = one.find(' ', a + 1);
      filters += (filters.empty() ? "" : ",") + (R"({"property":")" + one.substr(0, a)) + R"(","op":")" +
                 one.substr(a + 1, b - a - 1) + R"(","value":")" + one.substr(b + 1) + "\"}";
    }
    const TerminologyStore store =
        Build(std::string(kSystems) +
              R"(,{"resourceType":"ValueSet","url":"urn:vs:f","compose":{"include":[{"system":")" +
              row.system + R"(","filter":[)" + filters + "]}]}}");
    const ValueSet* set = store.FindValueSet("urn:vs:f");
    std::vector<std::string> members;
    for (const std::string& code : Words(CodesOf(row.system))) {
      const Membership answer = set->Contains(row.system, code);
      if (answer != Membership::kOut) members.push_back((answer == Membership::kIn ? "" : "?") + code);
    }
    EXPECT_THAT(members, ::testing::UnorderedElementsAreArray(Words(row.members)))
        << row.system << " " << row.filters;
    if (*row.note != '\0') {
      EXPECT_THAT(store.notes(), ::testing::Contains(HasSubstr(row.note))) << row.filters;
    }
  }
}

TEST(TerminologyStore, FindsByUrlVersionNameAndId) {
  const auto set = [](std::string_view head, std::string_view code) {
    return R"({"resourceType":"ValueSet",)" + std::string(head) +
           R"(,"compose":{"include":[{"system":"urn:x","concept":[{"code":")" + std::string(code) +
           R"("}]}]}})";
  };
  const TerminologyStore store =
      Build(set(R"("url":"urn:a","version":"1.9","name":"A","id":"a1")", "9") + "," +
            set(R"("url":"urn:a","version":"1.10","name":"A","id":"a2")", "10") + "," +
            set(R"("url":"urn:a","version":"1.10-draft","name":"A","id":"a3")", "d") + "," +
            set(R"("url":"urn:b","name":"B","id":"same")", "b") + "," +
            set(R"("url":"urn:c","name":"B","id":"c")", "c") + "," + set(R"("id":"no-url")", "n"));
  const auto code_of = [&](std::string_view name) -> std::string {
    const ValueSet* found = store.FindValueSet(name);
    if (found == nullptr) return "none";
    for (const char* code : {"9", "10", "d", "b", "c", "n"}) {
      if (found->Contains("urn:x", code) == Membership::kIn) return code;
    }
    return "empty";
  };
  EXPECT_EQ(code_of("urn:a"), "10");
  EXPECT_EQ(code_of("urn:a|1.9"), "9");
  EXPECT_EQ(code_of("urn:a|1.10-draft"), "d");
  EXPECT_EQ(code_of("urn:a|2.0"), "none");
  EXPECT_EQ(code_of("A"), "10");
  EXPECT_EQ(code_of("a2"), "10");
  EXPECT_EQ(code_of("urn:b|7"), "b");  // it has no version of its own
  EXPECT_EQ(code_of("B"), "none");     // two sets
  EXPECT_EQ(code_of("same"), "b");
  EXPECT_EQ(code_of("no-url"), "n");
  EXPECT_EQ(code_of("urn:nothing"), "none");
  EXPECT_EQ(code_of(""), "none");
  EXPECT_EQ(code_of("|"), "none");
  EXPECT_THAT(store.notes(), ::testing::ElementsAre(HasSubstr("several value sets have the name 'B'")));
}

struct ErrorRow {
  const char* resources;
  Code code;
  const char *path, *message;
};
const ErrorRow kErrors[] = {
    {R"({"resourceType":"Patient"})", Code::kInvalidArgument, "Bundle.entry[0].resource",
     "not the resource type 'Patient'"},
    {R"({"resourceType":"Sheep"})", Code::kInvalidArgument, "Bundle.entry[0].resource",
     "not the resource type 'Sheep'"},
    {R"({"a":1})", Code::kInvalidArgument, "Bundle.entry[0].resource", "without a resourceType"},
    {R"({"resourceType":7})", Code::kInvalidArgument, "Bundle.entry[0].resource", "without a resourceType"},
    {R"({"resourceType":"CodeSystem","content":"complete"})", Code::kInvalidArgument,
     "Bundle.entry[0].resource", "'url' is missing"},
    {R"({"resourceType":"CodeSystem","url":"u"})", Code::kInvalidArgument, "Bundle.entry[0].resource",
     "'content' is missing"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"compleet"})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.content", "did you mean 'complete'"},
    {R"({"resourceType":"CodeSystem","url":["u","v"],"content":"complete"})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.url[0]", "one string"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"complete","caseSensitive":"no"})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.caseSensitive", "true or false"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"display":"x"}]})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.concept[0]", "'code' is missing"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[1]})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.concept[0]", "an object"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"a","property":[{"code":"parent","valueCode":"b"}]},{"code":"b","property":[{"code":"parent","valueCode":"a"}]}]})",
     Code::kSemantic, "Bundle.entry[0].resource", "is its own ancestor"},
    {R"({"resourceType":"CodeSystem","url":"u","content":"complete"},{"resourceType":"CodeSystem","url":"u","content":"fragment"})",
     Code::kInvalidArgument, "Bundle.entry[1].resource",
     "is there already at Bundle.entry[0].resource, and differs"},
    {R"({"resourceType":"ValueSet"})", Code::kInvalidArgument, "Bundle.entry[0].resource", "needs a 'url'"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{}},{"resourceType":"ValueSet","url":"u"})",
     Code::kInvalidArgument, "Bundle.entry[1].resource", "and differs"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{}})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.compose", "'include' is missing"},
    {R"({"resourceType":"ValueSet","url":"u","compose":[{"include":[]}]})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.compose[0]", "one object"},
    {R"({"resourceType":"ValueSet","url":"u","compose":7})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.compose", "one object"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{}]}})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.compose.include[0]", "either a 'system' or a 'valueSet'"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":["v"],"concept":[{"code":"1"}]}]}})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.compose.include[0]", "need a 'system'"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","filters":[]},{"system":"s","filters":[{}]}]}})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.compose.include[1].filters[0]",
     "did you mean 'filter'"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","concept":[{"code":"1"}],"filter":[{"property":"p","op":"=","value":"v"}]}]}})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.compose.include[0]", "both there"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":[7]}]}})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.compose.include[0].valueSet[0]", "URL of a value set"},
    {R"({"resourceType":"CodeSystem","url":"s","content":"complete"},{"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","filter":[{"property":"p","op":"="}]}]}})",
     Code::kInvalidArgument, "Bundle.entry[1].resource.compose.include[0].filter[0]", "'value' is missing"},
    {R"({"resourceType":"ValueSet","url":"u","expansion":{"contains":[{"code":"1"}]}})",
     Code::kInvalidArgument, "Bundle.entry[0].resource.expansion.contains[0]", "needs its 'system'"},
    {R"({"resourceType":"ValueSet","url":"u","expansion":{"total":-1}})", Code::kInvalidArgument,
     "Bundle.entry[0].resource.expansion.total", "whole number"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":["u"]}]}})", Code::kSemantic,
     "Bundle.entry[0].resource.compose.include[0].valueSet[0]", "'u' imports 'u'"},
    {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":["v"]}]}},{"resourceType":"ValueSet","url":"v","compose":{"include":[{"system":"s"}],"exclude":[{"valueSet":["u"]}]}})",
     Code::kSemantic, "Bundle.entry[1].resource.compose.exclude[0].valueSet[0]",
     "'u' imports 'v' imports 'u'"},
};

TEST(TerminologyStore, Refuses) {
  for (const ErrorRow& row : kErrors) {
    const auto store = TryBuild(row.resources);
    ASSERT_FALSE(store) << row.resources;
    EXPECT_EQ(store.error().code, row.code) << row.resources;
    EXPECT_EQ(store.error().path, row.path) << row.resources;
    EXPECT_THAT(store.error().message, HasSubstr(row.message)) << row.resources;
  }
}

TEST(TerminologyStore, KeepsToItsLimits) {
  const auto error = [](std::string_view resources, const TerminologyLimits& limits) {
    const auto store = TryBuild(resources, limits);
    return store ? std::string("none")
                 : std::string(CodeName(store.error().code)) + ": " + store.error().message;
  };
  const std::string chain =
      R"({"resourceType":"ValueSet","url":"a","compose":{"include":[{"valueSet":["b"]}]}},
         {"resourceType":"ValueSet","url":"b","compose":{"include":[{"valueSet":["c"]}]}},
         {"resourceType":"ValueSet","url":"c","compose":{"include":[{"system":"s","concept":[{"code":"1"},{"code":"2"}]}]}})";
  EXPECT_EQ(error(chain, {}), "none");
  EXPECT_EQ(error(chain, {.max_imports = 2}), "none");
  EXPECT_THAT(error(chain, {.max_imports = 1}), HasSubstr("limit: value sets import"));
  EXPECT_THAT(error(chain, {.max_codes = 1}), HasSubstr("limit: there are more codes"));
  EXPECT_THAT(error(kSystems, {.max_codes = 5}), HasSubstr("limit: there are more codes"));
  EXPECT_THAT(error(kSystems, {.max_depth = 2}), HasSubstr("limit: concepts are nested deeper"));
  EXPECT_THAT(error(kSystems, {.max_depth = 0}), HasSubstr("limit: Bundles are nested deeper"));
  const std::string filtered =
      std::string(kSystems) +
      R"(,{"resourceType":"ValueSet","url":"a","compose":{"include":[{"system":"urn:animals",
      "filter":[{"property":"concept","op":"regex","value":"d.*"}]}]}})";
  EXPECT_THAT(error(filtered, {.max_steps = 5}), HasSubstr("limit: filters take more steps"));
  const auto store = TryBuild(filtered, {.max_pattern = 2, .max_notes = 2});
  ASSERT_TRUE(store);
  EXPECT_EQ(Text(store->FindValueSet("a")->Contains("urn:animals", "dog")), "unknown");
  EXPECT_EQ(store->notes().size(), 3u);
  EXPECT_THAT(store->notes().back(), HasSubstr("notes more"));
}

TEST(TerminologyStore, NotesWhatItDoesNotUse) {
  const char* const kRows[][2] = {
      {R"({"resourceType":"CodeSystem","url":"u","content":"supplement","supplements":"s"})",
       "Bundle.entry[0].resource: supplements of code systems are not used"},
      {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concepts":[{"code":"1"}]})",
       "Bundle.entry[0].resource.concepts[0]: CodeSystem has no element 'concepts' (did you mean "
       "'concept'?)"},
      {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"1"},{"code":"1"}]})",
       "Bundle.entry[0].resource.concept[1]: the code '1' is there twice; both count as one"},
      {R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"1","property":[{"code":"parent","valueCode":"0"}]}]})",
       "Bundle.entry[0].resource.concept[0].property[0]: there is no concept '0' in this system, which says "
       "to be complete"},
      {R"({"resourceType":"CodeSystem","url":"u","content":"complete","contained":[{"resourceType":"ValueSet"}]})",
       "Bundle.entry[0].resource.contained[0]: contained resources are not read"},
      {R"({"resourceType":"ValueSet","url":"u","compose":{"lockedDate":"2020","include":[{"system":"s","concept":[{"code":"1"}]}]}})",
       "Bundle.entry[0].resource.compose.lockedDate: the date is not used: the versions at hand count"},
      {R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":["v|2"]}]}})",
       "Bundle.entry[0].resource.compose.include[0].valueSet[0]: value set 'v|2' is not at hand"},
      {R"({"resourceType":"CodeSystem","url":"s","content":"complete"},{"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","concept":[{"code":"1"}]}]}})",
       "Bundle.entry[1].resource.compose.include[0].concept[0]: code system 's' has no code '1'; it is a "
       "member nevertheless"},
      {R"({"resourceType":"ValueSet","url":"u","compose":{"inactive":false,"include":[{"system":"s","concept":[{"code":"1"}]}]}})",
       "Bundle.entry[0].resource.compose: 'inactive' is false, but code system 's' is not at hand: all its "
       "codes count as active"},
  };
  for (const auto& [resources, note] : kRows) {
    const TerminologyStore store = Build(resources);
    ASSERT_EQ(store.notes().size(), 1u) << resources;
    EXPECT_EQ(store.notes()[0], note);
  }
  EXPECT_TRUE(
      Build(
          R"({"resourceType":"ValueSet","url":"u","status":"active","compose":{"include":[{"system":"s","concept":[{"code":"1"}]}]}})")
          .notes()
          .empty());
}

TEST(TerminologyStore, ReadsSeveralFiles) {
  const Document codes =
      MustParse(R"({"resourceType":"CodeSystem","url":"s","content":"complete","concept":[{"code":"1"}]})");
  const Document set = MustParse(
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s"},{"valueSet":["w"]}]}})");
  const TerminologyFile files[] = {{&set, "set.json"}, {&codes, "codes.json"}, {&codes, "again.json"}};
  const auto store = TerminologyStore::Build(files);
  ASSERT_TRUE(store) << store.error().ToString();
  EXPECT_EQ(Text(store->FindValueSet("u")->Contains("s", "1")), "in");
  EXPECT_THAT(store->notes(),
              ::testing::ElementsAre(
                  "again.json: CodeSystem: code system 's' is there already in codes.json at CodeSystem",
                  "set.json: ValueSet.compose.include[1].valueSet[0]: value set 'w' is not at hand"));
  const Document patient = MustParse(R"({"resourceType":"Patient"})");
  const TerminologyFile bad[] = {{&patient, "patient.json"}};
  EXPECT_THAT(TerminologyStore::Build(bad).error().ToString(),
              HasSubstr("patient.json: Patient: expected a CodeSystem"));
}

// FHIRPath over a store, from text to result.
TEST(TerminologyStore, AnswersFhirpath) {
  const TerminologyStore store = Build(std::string(kSystems) + std::string(kImports) + R"(,
    {"resourceType":"ValueSet","url":"urn:vs:mammals","name":"mammals","compose":{"include":[{"system":"urn:animals",
      "filter":[{"property":"concept","op":"is-a","value":"mammal"}]}]}},
    {"resourceType":"ValueSet","url":"urn:vs:open","name":"open","compose":{"include":[{"system":"urn:part"}]}},
    {"resourceType":"ValueSet","url":"urn:vs:wide","name":"wide","compose":{"include":[{"system":"urn:part"},{"valueSet":["urn:vs:mammals"]}]}})");
  const Document document = MustParse(R"({"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Condition","id":"several","code":{"coding":[{"system":"urn:local","code":"7"},{"system":"urn:animals","code":"dog"}]}}},
    {"resource":{"resourceType":"Condition","id":"out","code":{"coding":[{"system":"urn:animals","code":"gull"},{"system":"urn:local","code":"7"}]}}},
    {"resource":{"resourceType":"Condition","id":"elsewhere","code":{"coding":[{"system":"urn:local","code":"7"}]}}},
    {"resource":{"resourceType":"Condition","id":"fragment","code":{"coding":[{"system":"urn:part","code":"zz"}]}}},
    {"resource":{"resourceType":"Condition","id":"half","code":{"coding":[{"system":"urn:animals","code":"gull"},{"system":"urn:part","code":"zz"}]}}},
    {"resource":{"resourceType":"Condition","id":"text","code":{"text":"a dog"}}},
    {"resource":{"resourceType":"Condition","id":"upper","code":{"coding":[{"system":"urn:other","code":"animal"},{"system":"urn:animals","code":"animal"}]}}}]})");
  using namespace fhirpath;
  Evaluation evaluation({.now = *DateTime::ParseDateTime("2024-01-01T00:00:00Z")});
  const auto answer = [&](const std::string& expression) -> std::string {
    evaluation.ClearSources();
    const auto program = Compile(expression, {.context_type = types::kBundle, .terminology = &store});
    if (!program) return program.error().message;
    const auto items = evaluation.Run(*program, Item::Of(document.root(), types::kBundle));
    if (!items) return items.error().message;
    std::string out;
    for (const Item& item : *items) out += (out.empty() ? "" : " ") + ValueText(item);
    for (const std::string& why : evaluation.unknowns()) out += "? " + why;
    return out;
  };
  const auto code = [](std::string_view id) {
    return "entry.resource.ofType(Condition).where(id = '" + std::string(id) + "').code";
  };
  EXPECT_EQ(answer(code("several") + ".memberOf('urn:vs:mammals')"), "true");
  EXPECT_EQ(answer(code("several") + ".memberOf('mammals')"), "true");
  EXPECT_EQ(answer(code("several") + ".coding.last().memberOf('mammals')"), "true");
  EXPECT_EQ(answer(code("several") + ".coding.last().code.memberOf('mammals')"), "true");
  EXPECT_EQ(answer(code("out") + ".memberOf('mammals')"), "false");
  EXPECT_EQ(answer(code("elsewhere") + ".memberOf('mammals')"),
            "? value set 'mammals' is not about system 'urn:local'");
  EXPECT_EQ(answer(code("fragment") + ".memberOf('open')"),
            "? value set 'open': code system 'urn:part' does not list all its codes");
  // One coding is out and the other may be in: nobody knows. Of a set that only has the first, it is out.
  EXPECT_EQ(answer(code("half") + ".memberOf('wide')"),
            "? value set 'wide': code system 'urn:part' does not list all its codes");
  EXPECT_EQ(answer(code("half") + ".memberOf('mammals')"), "false");
  EXPECT_EQ(answer(code("text") + ".memberOf('mammals')"),
            "? there is no code to look for in value set 'mammals'");
  EXPECT_EQ(answer(code("text") + ".memberOf('mamals')"), "there is no value set 'mamals'");
  EXPECT_EQ(answer(code("text") + ".memberOf('mam' + 'mals')"),
            "? there is no code to look for in value set 'mammals'");
  EXPECT_EQ(answer("'dog'.memberOf('mammals')"), "true");
  EXPECT_EQ(answer("'gull'.memberOf('mammals')"), "false");
  EXPECT_EQ(answer(code("upper") + ".subsumes(" + code("several") + ")"), "true");
  EXPECT_EQ(answer(code("several") + ".subsumedBy(" + code("upper") + ")"), "true");
  EXPECT_EQ(answer(code("several") + ".subsumes(" + code("upper") + ")"), "false");
  EXPECT_EQ(answer(code("elsewhere") + ".subsumes(" + code("upper") + ")"),
            "? the hierarchy of the code system is not at hand");
}

// Whatever the shape, an answer or an error, never a crash.
TEST(TerminologyStore, SurvivesOddShapes) {
  const char* const kValues[] = {"null",
                                 "1",
                                 "\"x\"",
                                 "true",
                                 "[]",
                                 "{}",
                                 "[null]",
                                 "[[{}]]",
                                 "[{\"code\":null}]",
                                 "[{\"code\":[\"a\"]}]",
                                 "[{\"code\":\"a\",\"_code\":{\"id\":\"i\"}}]",
                                 "[{\"_code\":{\"id\":\"i\"}}]"};
  const char* const kPlaces[] = {
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":@})",
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","_concept":@})",
      R"({"resourceType":"CodeSystem","url":"u","content":@})",
      R"({"resourceType":"CodeSystem","url":@,"content":"complete"})",
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","property":@})",
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"a","property":@}]})",
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"a","property":[{"code":"parent","valueCode":@}]}]})",
      R"({"resourceType":"CodeSystem","url":"u","content":"complete","concept":[{"code":"a","concept":@}]})",
      R"({"resourceType":"ValueSet","url":"u","compose":@})",
      R"({"resourceType":"ValueSet","url":"u","expansion":@})",
      R"({"resourceType":"ValueSet","url":"u","expansion":{"contains":@,"parameter":@}})",
      R"({"resourceType":"ValueSet","url":"u","expansion":{"parameter":@,"extension":@,"total":@}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":@,"exclude":@}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","concept":@}]}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","filter":@}]}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":"s","valueSet":@}]}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"system":@,"version":@}]}})",
      R"({"resourceType":"ValueSet","url":"u","compose":{"include":[{"valueSet":@,"modifierExtension":[{"url":"e"}]}]}})",
      R"({"resourceType":"Bundle","entry":@})",
      R"({"resourceType":"Bundle","entry":[{"resource":@}]})",
      R"(@)",
  };
  for (const std::string_view place : kPlaces) {
    for (const std::string_view value : kValues) {
      std::string text(place);
      for (std::size_t at; (at = text.find('@')) != std::string::npos;) text.replace(at, 1, value);
      const auto document = Document::Parse(text);
      if (!document) continue;
      const auto store = TerminologyStore::Build(*document);
      if (!store) {
        EXPECT_FALSE(store.error().message.empty()) << text;
        continue;
      }
      (void)store->Subsumes("u", "a", "b");
      if (const ValueSet* set = store->FindValueSet("u"))
        (void)(set->Contains("s", "a"), set->WhyUnknown("", "a"));
    }
  }
}

}  // namespace
}  // namespace stepwise
