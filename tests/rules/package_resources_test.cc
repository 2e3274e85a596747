// The FHIR form of packs, and `pack build` and `pack show` on the packs of this repository.
#include "rules/package_resources.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "rules/fhir_form.h"
#include "rules/pack_build_command.h"
#include "rules/pack_show_command.h"
#include "rules/package.h"
#include "tests/rules/pack_fixture.h"

namespace stepwise::rules {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::string_view kRule = R"yaml(rule: prn-only
id: X-01
title: PRN only
why: Pain stays uncovered between doses.
evidence: [guide]
hooks: [order-sign, order-select]
cause: prn
priority: 50
for-each: { order: "%context.draftOrders.entry.resource.ofType(MedicationRequest)" }
let: { is_prn: "%order.dosageInstruction.asNeeded.exists()" }
when:
  - { id: is_prn, text: "as needed", if: "%is_prn" }
unless:
  - { id: treated, text: "already treated", if: "%meds.entry.exists()" }
unknown: { is_prn: silent, treated: fire }
card:
  summary: "Draft {{%order.id}} is PRN only"
  detail: "Because {{explain.when}}"
  indicator: warning
  source: { label: "Pack {{pack.version}}", url: "http://example.org/source", topic: dosing }
  suggestions:
    - label: Schedule it
      recommended: true
      actions:
        - type: create
          description: scheduled
          resource: { resourceType: MedicationRequest, status: draft, intent: order, subject: { $value: "%order.subject" } }
        - { type: delete, description: the PRN order, resource-id: "MedicationRequest/{{%order.id}}" }
  override-reasons: [ { code: titrating, display: Still titrating } ]
  links: [ { label: The app, url: "http://example.org/app", type: smart, app-context: "{{%order.id}}" } ]
)yaml";

std::string Build(const std::vector<std::string>& dirs, const BuildOptions& options, int expected = 0) {
  std::ostringstream out;
  EXPECT_EQ(BuildPacks(dirs, options, false, out), expected) << out.str();
  return out.str();
}

TEST(PackageResources, SayWhatTheRuleSays) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}});
  const auto base = pack.Load();
  ASSERT_NE(base, nullptr);
  const auto resources = MakeResources(*base, base->packs()[0]);
  ASSERT_TRUE(resources) << resources.error().ToString();
  std::string text;
  for (const Json& resource : *resources) text += resource.dump(2) + "\n";
  ExpectGolden("tests/rules/golden/package-resources.json", text);
}

// No two resources share an id, each reference of the guide exists, every id is a FHIR id.
TEST(PackageResources, OfAllPacksFitTogether) {
  const std::string dirs[] = {(SourceDir() / "rules/packs").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  ASSERT_NE(base, nullptr);
  for (const Pack& pack : base->packs()) {
    const auto resources = MakeResources(*base, pack);
    ASSERT_TRUE(resources) << resources.error().ToString();
    std::set<std::string> ids;
    for (const Json& resource : *resources) {
      const std::string id = resource["id"];
      EXPECT_EQ(FhirId(id), id);
      EXPECT_TRUE(ids.insert(resource["resourceType"].get<std::string>() + "/" + id).second) << id;
      const bool is_set = resource["resourceType"] == "ValueSet";
      EXPECT_TRUE(!is_set || !resource["compose"]["include"].empty()) << id;
    }
    EXPECT_EQ(ids.size(), pack.rules.size() + pack.value_sets.size() + 3) << pack.id;
    for (const Json& resource : *resources) {
      if (resource["resourceType"] != "ImplementationGuide") continue;
      for (const Json& entry : resource["definition"]["resource"])
        EXPECT_TRUE(ids.contains(entry["reference"]["reference"])) << entry.dump();
    }
  }
}

TEST(PackBuild, GivesTheSameBytesInAnyFolder) {
  TempDir here, there;
  std::filesystem::copy(SourceDir() / "rules/packs", there.path() / "elsewhere",
                        std::filesystem::copy_options::recursive);
  Build({(SourceDir() / "rules/packs").string()}, {.output = (here.path() / "out").string()});
  Build({(there.path() / "elsewhere").string()}, {.output = (there.path() / "out").string()});
  int packages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(here.path() / "out")) {
    EXPECT_EQ(ReadFile(entry.path()), ReadFile(there.path() / "out" / entry.path().filename()));
    ++packages;
  }
  EXPECT_EQ(packages, 4);

  // What was built is a folder of packs as good as the one it came from, and builds itself again.
  const std::string dirs[] = {(here.path() / "out").string()};
  LoadReport report;
  const auto base = KnowledgeBase::LoadFolders(dirs, &report);
  for (const Error& error : report.errors) ADD_FAILURE() << error.ToString();
  ASSERT_NE(base, nullptr);
  EXPECT_EQ(base->packs().size(), 4u);
  Build({dirs[0]}, {.output = dirs[0]});
}

TEST(PackBuild, NeverReplacesAReleasedVersion) {
  TempDir dir;
  const std::string out = (dir.path() / "p.tgz").string();
  PackFixture first({{"rules/r.yaml", std::string(kRule)}});
  PackFixture second({{"rules/r.yaml", std::string(kRule) + "# changed\n"}});
  Build({first.dir()}, {.output = out});
  Build({first.dir()}, {.output = out});
  const std::string before = ReadFile(out);
  EXPECT_THAT(Build({second.dir()}, {.output = out}, 1), HasSubstr("A released version is immutable"));
  EXPECT_EQ(ReadFile(out), before);
  Build({second.dir()}, {.output = out, .force = true});
  EXPECT_NE(ReadFile(out), before);
}

TEST(PackBuild, NeedsACanonical) {
  std::string head(kTestPack);
  head.erase(head.find("canonical:"), head.find("version:") - head.find("canonical:"));
  PackFixture pack({}, head);
  EXPECT_THAT(Build({pack.dir()}, {}, 1), HasSubstr("pack.yaml:1:1: error: a package needs a `canonical`"));
}

TEST(PackShow, SaysTheSameOfFolderAndPackage) {
  PackFixture pack({{"rules/r.yaml", std::string(kRule)}});
  TempDir dir;
  const std::string package = (dir.path() / "p.tgz").string();
  Build({pack.dir()}, {.output = package});
  std::ostringstream folder_text, json, package_json;
  EXPECT_EQ(ShowPack(pack.dir(), {}, false, folder_text), 0);
  for (const char* part :
       {"org.example.test 1.2.3  sha256:", "days   7 d (1 to 30)", "fixed  5, fixed", "X-01  PRN only",
        "+ is_prn: as needed", "- treated: already treated (unknown: fire)", "guide  The [guide] <http"})
    EXPECT_THAT(folder_text.str(), HasSubstr(part));
  EXPECT_EQ(ShowPack(pack.dir(), {.json = true}, false, json), 0);
  EXPECT_EQ(ShowPack(package, {.json = true}, false, package_json), 0);
  Json from_package = Json::parse(package_json.str());
  EXPECT_EQ(from_package["signatures"], Json::array());
  from_package.erase("signatures");
  from_package.erase("seal");
  EXPECT_EQ(from_package, Json::parse(json.str()));
}

TEST(FhirForm, Base64HasOneTextForOneContent) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd", "\xff\xfe"}) {
    const auto back = FromBase64(Base64(text));
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, text);
  }
  for (const char* bad : {"YQ", "YR==", "Y===", "Y Q=", "YQ==YQ==", "!!!!"})
    EXPECT_FALSE(FromBase64(bad)) << bad;
}

}  // namespace
}  // namespace stepwise::rules
