// Export and import: our packs come back byte for byte; those of others come in whole or are listed.
#include "rules/pack_exchange.h"

#include <gmock/gmock.h>

#include <sstream>

#include "rules/pack_diff.h"
#include "rules/pack_exchange_command.h"
#include "rules/pack_files.h"
#include "rules/pack_reader.h"
#include "rules/package.h"
#include "rules/package_resources.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

std::optional<ImportedPack> Import(std::string_view text, std::string* complaint,
                                   const ExchangeOptions& options = {}) {
  Errors errors;
  auto pack = ImportPack(text, "in.json", options, &errors);
  for (const Error& error : errors) *complaint += error.ToString() + "\n";
  return pack;
}

ImportedPack MustImport(std::string_view text, const ExchangeOptions& options = {}) {
  std::string complaint;
  auto pack = Import(text, &complaint, options);
  EXPECT_TRUE(pack) << complaint;
  return pack.value_or(ImportedPack{});
}

std::vector<std::string> Paths(const ImportedPack& pack) {
  std::vector<std::string> out;
  for (const JsonLeftover& rest : pack.not_understood) out.push_back(rest.path);
  return out;
}

// The gate of every pack here: out and in again, by Bundle and by package, and nothing has changed.
TEST(PackExchange, RoundTripIsExact) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  ASSERT_NE(base, nullptr);
  for (const Pack& pack : base->packs()) {
    Errors errors;
    const PackFiles source = PackFiles::Open(pack.dir, &errors);
    const auto bundle = ExportBundle(*base, pack);
    ASSERT_TRUE(bundle) << bundle.error().ToString();
    const ImportedPack from_bundle = MustImport(*bundle);
    EXPECT_EQ(from_bundle.source, source.files()) << pack.id;
    EXPECT_EQ(PackDigest(from_bundle.source), pack.digest);
    EXPECT_THAT(from_bundle.not_understood, IsEmpty());
    EXPECT_EQ(from_bundle.rules, pack.rules.size());
    EXPECT_EQ(MustImport(*BuildPackage(*base, pack)).source, source.files()) << pack.id;
  }
}

// The FHIR form alone is enough to advise the same: every test patient gets the same cards.
TEST(PackExchange, FhirFormAdvisesTheSame) {
  const std::string packs = (SourceDir() / "rules/packs").string();
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(std::span(&packs, 1), &report);
  ASSERT_NE(base, nullptr);
  for (const Pack& pack : base->packs()) {
    if (pack.rules.empty()) continue;
    const auto bundle = ExportBundle(*base, pack);
    ASSERT_TRUE(bundle) << bundle.error().ToString();
    const ImportedPack imported = MustImport(*bundle, {.from_resources = true});
    EXPECT_THAT(imported.off, IsEmpty());
    TempDir dir;
    for (const auto& [path, text] : imported.source) WriteFile(dir.path() / path, text);
    const std::string dirs[] = {dir.path().string(), packs + "/analgesics"};
    const auto second = KnowledgeBase::LoadFolders(dirs, &report);
    for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
    ASSERT_NE(second, nullptr);
    const PackDiff diff = DiffPacks(*base, pack, *second, *second->FindPack(pack.id));
    EXPECT_GT(diff.advice.cases, 50u);
    EXPECT_THAT(diff.advice.not_run, IsEmpty());
    for (const AdviceChange& change : diff.advice.changes)
      ADD_FAILURE() << change.rule << ": " << change.name;
    for (const PackChange& change : diff.changes)
      EXPECT_THAT(change.name, testing::StartsWith("requires "))
          << change.before.value_or("") << change.after.value_or("");
  }
}

constexpr std::string_view kRule = R"yaml(rule: high
id: X-01
title: High score
why: Pain is undertreated.
evidence: [guide]
hooks: [order-sign]
cause: pain
priority: 7
for-each: { order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)" }
let: { strong: "%order.medication.ofType(CodeableConcept).memberOf('strong')" }
when:
  - { id: high, text: "a high score", if: "%scores.where($this > %p.from).exists()" }
  - { id: strong, text: "a strong opioid", if: "%strong" }
unless:
  - { id: treated, text: "already treated", if: "%pain.entry.exists().not()" }
unknown: { high: silent, treated: fire, default: silent }
card:
  summary: "Score {{%scores}}"
  detail: "Because {{explain.when}}."
  indicator: critical
  source: { label: "Pack {{pack.version}}", url: "http://example.org/s", topic: dosing }
  suggestions:
    - label: "Change {{%order.id}}"
      recommended: true
      actions: [ { type: create, description: new, resource: { resourceType: MedicationRequest, status: draft } },
                 { type: delete, description: old, resource-id: "MedicationRequest/{{%order.id}}" } ]
  override-reasons: [ { code: known, system: "http://example.org/o", display: Known } ]
  links: [ { label: App, url: "http://example.org/app", type: smart, app-context: "x" } ]
)yaml";

constexpr std::string_view kHead = R"yaml(pack: 1
id: org.example.test
canonical: http://example.org/ImplementationGuide/org.example.test
version: 1.2.3
title: Test pack
status: draft
experimental: true
fhir: [4.0.1]
evidence: [ { id: guide, type: citation, label: "The guide", url: "http://example.org/guide", says: "Treat" } ]
parameters:
  from: { type: integer, default: 4, min: 1, max: 10, doc: Lowest }
valuesets: { strong: valuesets/strong.yaml }
prefetch:
  patient: "Patient/{{context.patientId}}"
  pain: { query: "Observation?patient={{context.patientId}}", required: false }
facts: { scores: "%pain.entry.resource.ofType(Observation).value.ofType(Quantity).value" }
)yaml";

constexpr std::string_view kCodes = R"yaml(name: strong
url: http://example.org/strong
version: 1.0.0
title: Strong
include:
  - { system: http://example.org/a, codes: { "7052": morphine, "7804": oxycodone } }
  - { system: http://example.org/b, codes: { N02: opioids }, descendants: true }
)yaml";

// Read from its FHIR form alone, a pack says the same: built again, the rule and its codes are equal.
TEST(PackExchange, FhirFormSaysWhatTheSourceSays) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}, {"valuesets/strong.yaml", std::string(kCodes)}},
                   kHead);
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const auto bundle = ExportBundle(*base, base->packs()[0]);
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  const ImportedPack imported = MustImport(*bundle, {.from_resources = true});
  EXPECT_THAT(imported.off, IsEmpty());
  std::map<std::string, std::string> files;
  for (const auto& [path, text] : imported.source) files[path] = text;
  const std::string head = files["pack.yaml"];
  files.erase("pack.yaml");
  PackFixture again(files, head);
  const auto second = again.Load();
  ASSERT_NE(second, nullptr) << head;
  const auto resources = MakeResources(*base, base->packs()[0]),
             remade = MakeResources(*second, second->packs()[0]);
  ASSERT_TRUE(resources && remade);
  for (const char* type : {"PlanDefinition", "ValueSet"}) {
    const auto is_type = [&](const Json& one) { return one["resourceType"] == type; };
    Json before = *std::ranges::find_if(*resources, is_type), after = *std::ranges::find_if(*remade, is_type);
    before.erase("name");  // `high` and `X-01` are one in the import
    after.erase("name");
    EXPECT_EQ(before, after) << Json::diff(before, after).dump(2);
  }
  for (const std::string& path : Paths(imported))
    EXPECT_TRUE(path.starts_with("Library/org.example.test-manifest")) << path;
}

TEST(PackExchange, RefusesWhatWasChangedAfterTheExport) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}, {"valuesets/strong.yaml", std::string(kCodes)}},
                   kHead);
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const Json bundle = Json::parse(*ExportBundle(*base, base->packs()[0]));
  const auto index = [&](std::string_view reference) {
    for (std::size_t i = 0; i < bundle["entry"].size(); ++i) {
      const Json& one = bundle["entry"][i]["resource"];
      if (one["resourceType"].get<std::string>() + "/" + one["id"].get<std::string>() == reference) return i;
    }
    ADD_FAILURE() << reference;
    return std::size_t{0};
  };
  const auto complaint = [&](Json changed) {
    std::string out;
    EXPECT_FALSE(Import(changed.dump(), &out));
    return out;
  };
  Json changed = bundle;
  changed["entry"][index("PlanDefinition/org.example.test-X-01")]["resource"]["title"] = "Low score";
  EXPECT_THAT(complaint(changed),
              HasSubstr("PlanDefinition/org.example.test-X-01: was changed after the export"));
  changed = bundle;
  changed["entry"].erase(index("ValueSet/strong"));
  EXPECT_THAT(complaint(changed), HasSubstr("ValueSet/strong: was taken out after the export"));
  changed = bundle;
  changed["entry"].push_back({{"resource", {{"resourceType", "PlanDefinition"}, {"id", "x"}}}});
  EXPECT_THAT(complaint(changed), HasSubstr("PlanDefinition/x: was added after the export"));
  changed = bundle;
  Json& content = changed["entry"][index("Library/org.example.test-source")]["resource"]["content"];
  content[0]["data"] = "YQ==";
  EXPECT_THAT(complaint(changed), HasSubstr("they were changed after the export"));
  content[0]["data"] = "not base64";
  EXPECT_THAT(complaint(changed), HasSubstr("Library/org.example.test-source.content[0]: a source file has"));
}

std::string Plan(const std::string& action, const std::string& more = "") {
  return R"({"resourceType":"PlanDefinition","id":"plan","url":"http://example.org/PlanDefinition/plan","status":"active",)"
         R"("title":"A plan","version":"2.1.0","description":"Because.",)" +
         more + R"("action":[)" + action + "]}";
}

constexpr const char* kTrigger = R"("title":"Do it","trigger":[{"type":"named-event","name":"order-sign"}])";

TEST(PlanDefinitionImport, ReadsThoseOfOthers) {
  const ImportedPack pack = MustImport(Plan(
      std::string("{") + kTrigger +
          R"(,"description":"A {{detail}}","priority":"urgent","condition":[{"kind":"applicability","expression":)"
          R"({"language":"text/fhirpath","expression":"true or false","description":"holds","name":"c"}}],)"
          R"("documentation":[{"type":"documentation","display":"Guide","url":"http://example.org/g"}],)"
          R"("selectionBehavior":"any","action":[{"title":"Order a laxative"}]})",
      R"("publisher":"Somebody","relatedArtifact":[{"type":"citation","citation":"Book, p. 4"}],)"));
  EXPECT_EQ(pack.id, "plan");
  EXPECT_THAT(pack.off, IsEmpty());
  EXPECT_THAT(Paths(pack), ElementsAre("PlanDefinition/plan.status"));
  EXPECT_EQ(pack.source.at("rules/plan.yaml"), R"(rule: "plan"
title: "A plan"
why: "Because."
mode: "on"
evidence: ["e1"]
source: { plan-definition: "http://example.org/PlanDefinition/plan|2.1.0" }
hooks: ["order-sign"]
when:
  - { id: "c", text: "holds", if: "true or false" }
unknown:
  default: "silent"
card:
  summary: "Do it"
  detail: "A { {detail} }"
  indicator: warning
  source:
    label: "Guide"
    url: "http://example.org/g"
  selection: "any"
  suggestions:
    - label: "Order a laxative"
)");
  EXPECT_THAT(pack.source.at("pack.yaml"),
              HasSubstr("version: \"2.1.0\"\ntitle: \"A plan\"\nstatus: draft\n"));
}

TEST(PlanDefinitionImport, RulesWithoutConditionAreOn) {
  const ImportedPack pack = MustImport(Plan(std::string("{") + kTrigger + "}"));
  EXPECT_THAT(pack.off, IsEmpty());
  EXPECT_THAT(pack.source.at("rules/plan.yaml"), HasSubstr("{ id: always, text: "));
}

// What CQL says stays visible, and nobody can turn it on.
TEST(PlanDefinitionImport, CqlIsAStubThatStaysOff) {
  const ImportedPack pack = MustImport(Plan(
      std::string("{") + kTrigger +
      R"(,"condition":[{"kind":"applicability","expression":{"language":"text/cql","expression":"Is Applicable"}}]})"));
  ASSERT_EQ(pack.off.size(), 1u);
  EXPECT_THAT(pack.off[0], HasSubstr("its condition `Is Applicable` (text/cql) is not translated"));
  EXPECT_THAT(Paths(pack), ElementsAre("PlanDefinition/plan.action[0].condition[0].expression",
                                       "PlanDefinition/plan.status"));
  FileMap source = pack.source;
  const std::string rule = source["rules/plan.yaml"], head = source["pack.yaml"];
  EXPECT_THAT(rule, HasSubstr("text: \"Is Applicable\", if: \"TODO\""));
  const auto complaint = [&] {
    Errors errors;
    ReadPack(PackFiles::FromFiles(source, "p"), &errors);
    return errors.empty() ? "" : errors[0].ToString();
  };
  EXPECT_EQ(complaint(), "");
  source["rules/plan.yaml"].replace(rule.find("mode: \"off\""), 11, "mode: \"on\"");
  EXPECT_THAT(complaint(), HasSubstr("p/rules/plan.yaml:8:44: line `c1` was imported and never translated"));
  source["rules/plan.yaml"] = rule;
  source["pack.yaml"].replace(head.find("status: draft"), 13, "status: active");
  EXPECT_THAT(complaint(), HasSubstr("the pack is not `active`"));
}

TEST(PlanDefinitionImport, ListsWhatItDoesNotUnderstand) {
  const std::pair<const char*, const char*> rows[] = {
      {R"("timingDateTime":"2026-01-01")", "PlanDefinition/plan.action[0].timingDateTime"},
      {R"("priority":"asap")", "PlanDefinition/plan.action[0].priority"},
      {R"("selectionBehavior":"all")", "PlanDefinition/plan.action[0].selectionBehavior"},
      {R"("action":[{"title":"a","condition":[{"kind":"applicability"}]}])",
       "PlanDefinition/plan.action[0].action"},
      {R"("action":[{"title":"a","definitionCanonical":"http://x"}])",
       "PlanDefinition/plan.action[0].action[0].definitionCanonical"},
      {R"("dynamicValue":[{"path":"title","expression":{"language":"text/cql","expression":"T"}}])",
       "PlanDefinition/plan.action[0].dynamicValue"},
      {R"("extension":[{"url":"http://x","valueString":"y"}])", "PlanDefinition/plan.action[0].extension"},
  };
  for (const auto& [element, path] : rows) {
    const ImportedPack pack = MustImport(Plan(std::string("{") + kTrigger + "," + element + "}"));
    EXPECT_THAT(Paths(pack), ElementsAre(path, "PlanDefinition/plan.status")) << element;
  }
}

TEST(PlanDefinitionImport, TurnsOffWhatDoesNotCompile) {
  const ImportedPack pack = MustImport(Plan(
      std::string("{") + kTrigger +
      R"json(,"condition":[{"kind":"applicability","expression":{"language":"text/fhirpath","expression":"%nobody.exists()"}}]})json"));
  ASSERT_EQ(pack.off.size(), 1u);
  EXPECT_THAT(pack.off[0], HasSubstr("rule plan: it does not compile: "));
  EXPECT_THAT(pack.source.at("rules/plan.yaml"), HasSubstr("mode: \"off\""));
}

TEST(PlanDefinitionImport, ValueSetsComeWholeOrNotAtAll) {
  const auto import = [](const std::string& include) {
    return MustImport(
        R"({"resourceType":"Bundle","entry":[{"resource":)" + Plan(std::string("{") + kTrigger + "}") +
        R"(},{"resource":{"resourceType":"ValueSet","id":"v-1","url":"http://x/v","version":"3","status":"active","title":"V","compose":{"include":[)" +
        include + R"(]}}}]})");
  };
  const ImportedPack good =
      import(R"({"system":"http://s","concept":[{"code":"1","display":"one"}]},)"
             R"({"system":"http://s","filter":[{"property":"concept","op":"is-a","value":"2"}]})");
  EXPECT_THAT(good.source.at("valuesets/v_1.yaml"), HasSubstr("codes: { \"1\": \"one\" }"));
  EXPECT_THAT(good.source.at("valuesets/v_1.yaml"), HasSubstr("codes: { \"2\": \"\" }, descendants: true"));
  for (const char* partly :
       {R"({"system":"http://s","concept":[{"code":"1"}]},{"valueSet":["http://other"]})",
        R"({"system":"http://s","filter":[{"property":"x","op":"=","value":"2"}]})",
        R"({"system":"http://s"})"}) {
    const ImportedPack bad = import(partly);
    EXPECT_EQ(bad.source.count("valuesets/v_1.yaml"), 0u) << partly;
    EXPECT_THAT(Paths(bad), testing::Contains("ValueSet/v-1")) << partly;
  }
}

TEST(PlanDefinitionImport, NamesThePlaceOfWhatIsMalformed) {
  const std::pair<std::string, const char*> rows[] = {
      {"{", "in.json:1:"},
      {"[]", "in.json:1:1: expected a JSON object"},
      {R"({"resourceType":"Bundle","entry":{}})", "Bundle.entry: is not a list"},
      {R"({"resourceType":"Bundle","entry":[{"resource":[]}]})",
       "Bundle.entry[0].resource: no FHIR resource"},
      {R"({"resourceType":"Bundle","entry":[7]})", "Bundle.entry[0]: has no `resource`"},
      {R"({"resourceType":"Patient","id":"p"})", "no PlanDefinition"},
      {Plan(""), "PlanDefinition/plan: has no action"},
      {Plan(R"({"title":7})"), "PlanDefinition/plan.action[0].title: is not text: 7"},
      {Plan(R"("x")"), "PlanDefinition/plan.action[0]: is not an object: \"x\""},
      {Plan(R"({"condition":{}})"), "PlanDefinition/plan.action[0].condition: is not a list: {}"},
      {Plan(R"({"condition":[{"expression":"x"}]})"),
       "PlanDefinition/plan.action[0].condition[0].expression: is not an object"},
  };
  for (const auto& [text, message] : rows) {
    std::string complaint;
    EXPECT_FALSE(Import(text, &complaint)) << text;
    EXPECT_THAT(complaint, HasSubstr(message)) << text;
  }
}

TEST(PackExchangeCommand, WritesAFolderAndAReport) {
  TempDir dir;
  WriteFile(dir.path() / "plan.json",
            Plan(std::string("{") + kTrigger + R"(,"timingDateTime":"2026-01-01"})"));
  std::ostringstream out;
  const std::string folder = (dir.path() / "pack").string();
  EXPECT_EQ(ImportPackFile((dir.path() / "plan.json").string(), folder, {}, false, out), 0) << out.str();
  EXPECT_THAT(out.str(),
              HasSubstr("not understood: PlanDefinition/plan.action[0].timingDateTime = \"2026-01-01\""));
  EXPECT_THAT(ReadFile(folder + "/import-report.json"),
              HasSubstr("PlanDefinition/plan.action[0].timingDateTime"));
  out.str("");
  EXPECT_EQ(ImportPackFile((dir.path() / "plan.json").string(), folder, {}, false, out), 1);
  EXPECT_THAT(out.str(), HasSubstr("is not empty"));
  EXPECT_EQ(ExportPack(folder, {}, (dir.path() / "out.json").string(), false, out), 0) << out.str();
  EXPECT_EQ(ExportPack(folder, {}, (dir.path() / "out.tgz").string(), false, out), 0) << out.str();
}

// Other people's PlanDefinitions, where they are on this machine: each comes in, and what stays out is
// listed.
TEST(PlanDefinitionImport, ReadsTheCorpus) {
  const auto corpus = SharedData("plan-definitions");
  SKIP_WITHOUT(corpus);
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*corpus)) {
    if (entry.path().extension() != ".json") continue;
    std::string complaint;
    EXPECT_TRUE(Import(ReadFile(entry.path()), &complaint)) << entry.path() << "\n" << complaint;
    ++read;
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace stepwise::rules
